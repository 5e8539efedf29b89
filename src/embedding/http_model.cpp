#include "embedding/http_model.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <ctime>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/hash.hpp"
#include "core/names.hpp"
#include "core/refuse.hpp"
#include "embedding/embeddings_protocol.hpp"
#include "http/retry.hpp"

namespace actionhist {
namespace {

using SteadyClock = std::chrono::steady_clock;

// OpenAI takes 300,000 tokens in a request, and no token is shorter than a byte.
constexpr std::size_t max_batch_bytes = 300'000;
// A call waits no longer between tries: a worker that is closed waits for it.
constexpr std::chrono::milliseconds longest_pause{8'000};
constexpr std::size_t longest_shown_model = 100;

bool is_azure(const HttpAddress& address) {
  return address.path.find("/openai/deployments/") != std::string::npos;
}

HttpAddress address_of(std::string_view uri) {
  HttpAddress address = parse_http_address(std::string(uri), "uri");
  if (address.fragment.empty() && !is_azure(address)) {
    refuse("model", fmt::format("{} names no model; add #MODEL", address.shown));
  }
  if (address.path.ends_with("/embeddings")) return address;
  const bool bare = address.path.empty() || address.path == "/";
  std::string path = bare ? "/v1/embeddings" : address.path;
  if (!bare) path += path.ends_with('/') ? "embeddings" : "/embeddings";
  const auto query = address.url.substr(std::min(address.url.size(), address.shown.size()));
  const auto origin = address.shown.substr(0, address.shown.size() - address.path.size());
  address.shown = origin + path;
  address.url = address.shown + query;
  address.path = std::move(path);
  return address;
}

// Empty without one.
std::string key_of(const ModelOptions& options) {
  const char* key = options.api_key_env.empty() ? nullptr : std::getenv(options.api_key_env.c_str());
  const std::string_view text = key == nullptr ? "" : key;
  if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c == 0x7f; })) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("model: the key in {} holds white space or control characters", options.api_key_env));
  }
  return std::string(text);
}

HttpSettings settings_of(const HttpAddress& address, const ModelOptions& options, const std::string& key) {
  HttpSettings settings;
  settings.url = address.url;
  settings.ca_file = options.ca_file;
  settings.connect_timeout = options.connect_timeout;
  settings.timeout = options.timeout;
  settings.concurrency = options.concurrency;
  settings.headers = {"Content-Type: application/json", "Accept: application/json"};
  if (!key.empty()) {
    settings.headers.push_back(
        fmt::format("{}{}", is_azure(address) ? "api-key: " : "Authorization: Bearer ", key));
  }
  return settings;
}

}  // namespace

HttpModel::HttpModel(std::string_view uri, const ModelOptions& options)
    : HttpModel(address_of(uri), options) {}

HttpModel::HttpModel(HttpAddress address, const ModelOptions& options)
    : address_(std::move(address)),
      options_(options),
      prefix_(options),
      model_(address_.fragment),
      key_(key_of(options)),
      client_(settings_of(address_, options, key_)),
      dimension_(static_cast<std::size_t>(options.dimension)) {
  validate(options_);
  if (dimension_ == 0) {
    const std::vector<std::string> texts{"dimension"};
    const Batch batch{{0}, embeddings_request(model_, texts, std::nullopt)};
    dimension_ = ask({&batch, 1}, options_.max_retries).front().front().size();
  }
  const std::string identity = fmt::format("1\n{}\n{}\n{}\n{}\n{}\n{}", address_.url, model_, dimension_,
                                           options_.send_dimension, options_.max_text_bytes, prefix_.text());
  space_id_ =
      fmt::format("http/{}/{}/{}", excerpt(model_.empty() ? "deployment" : model_, longest_shown_model),
                  dimension_, sha256_hex(identity).substr(0, 16));
}

void HttpModel::embed(std::span<const std::string_view> texts, EmbeddingRole role,
                      std::span<float> out) const {
  assert(out.size() == texts.size() * dimension_);
  std::fill(out.begin(), out.end(), 0.0F);
  const std::vector<Batch> asked = batches(texts, role);
  // Who asks for a query waits, and has the lexical leg.
  const auto answers = ask(asked, role == EmbeddingRole::query ? 0 : options_.max_retries);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    for (std::size_t j = 0; j < asked[i].rows.size(); ++j) {
      const std::vector<float>& vector = answers[i][j];
      if (vector.size() != dimension_) {
        throw Error(ErrorCode::unavailable, fmt::format("model: {} answered vectors of {} numbers, not {}",
                                                        address_.shown, vector.size(), dimension_));
      }
      std::ranges::copy(vector, out.begin() + static_cast<std::ptrdiff_t>(asked[i].rows[j] * dimension_));
    }
  }
}

// Texts without content are not sent: servers refuse them.
std::vector<HttpModel::Batch> HttpModel::batches(std::span<const std::string_view> texts,
                                                 EmbeddingRole role) const {
  std::vector<Batch> out;
  std::vector<std::string> current;
  std::size_t bytes = 0;
  const auto close = [&] {
    if (current.empty()) return;
    out.back().body = embeddings_request(model_, current,
                                         options_.send_dimension ? std::optional(dimension_) : std::nullopt);
    current.clear();
    bytes = 0;
  };
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string text =
        prefix_.before(excerpt(texts[i], static_cast<std::size_t>(options_.max_text_bytes)), role);
    if (text.empty()) continue;
    if (current.size() == static_cast<std::size_t>(options_.max_batch) ||
        bytes + text.size() > max_batch_bytes)
      close();
    if (current.empty()) out.emplace_back();
    bytes += text.size();
    current.push_back(std::move(text));
    out.back().rows.push_back(i);
  }
  close();
  return out;
}

std::vector<std::vector<std::vector<float>>> HttpModel::ask(std::span<const Batch> batches,
                                                            int retries) const {
  require_time_to_ask();
  std::vector<std::vector<std::vector<float>>> answers(batches.size());
  std::vector<int> tries(batches.size(), 0);
  std::vector<std::string> bodies;
  for (const Batch& batch : batches) bodies.push_back(batch.body);
  client_.post(bodies,
               [&](std::size_t i, const HttpReply& reply) -> std::optional<std::chrono::milliseconds> {
                 if (reply.status == 200) {
                   try {
                     answers[i] = read_embeddings(reply.body, batches[i].rows.size());
                   } catch (const Error& error) {
                     throw Error(error.code(), fmt::format("{} ({})", error.what(), address_.shown));
                   }
                   return std::nullopt;
                 }
                 const Refusal refusal = refusal_of(reply);
                 if (!refusal.retry) refuse(reply);
                 const auto pause = retry_delay(reply, ++tries[i], random_share(), std::time(nullptr));
                 if (pause > longest_pause)
                   not_before_ = (SteadyClock::now() + pause).time_since_epoch().count();
                 if (tries[i] > retries || pause > longest_pause) refuse(reply);
                 return pause;
               });
  return answers;
}

void HttpModel::refuse(const HttpReply& reply) const {
  const Refusal refusal = refusal_of(reply);
  ErrorCode code = ErrorCode::unsupported;
  if (refusal.permanent) {
    code = ErrorCode::invalid_argument;
  } else if (refusal.retry || reply.status == 0 || reply.status == 429) {
    code = ErrorCode::unavailable;
  } else if (reply.status == 401 || reply.status == 403) {
    code = ErrorCode::denied;
  } else if (reply.status == 404) {
    code = ErrorCode::not_found;
  }
  // A server that repeats the key as its code does not bring it into a log.
  const bool repeats_key = !key_.empty() && refusal.message.find(key_) != std::string::npos;
  throw Error(code, fmt::format("model: {}: {}", address_.shown,
                                repeats_key ? fmt::format("status {}", reply.status) : refusal.message));
}

void HttpModel::require_time_to_ask() const {
  const auto left = SteadyClock::time_point(SteadyClock::duration(not_before_.load())) - SteadyClock::now();
  if (left <= SteadyClock::duration::zero()) return;
  throw Error(ErrorCode::unavailable,
              fmt::format("model: {} wants no request for another {} s", address_.shown,
                          std::chrono::ceil<std::chrono::seconds>(left).count()));
}

}  // namespace actionhist
