#include "history/webhooks.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/json_fields.hpp"
#include "http/http_client.hpp"
#include "http/retry.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t most_waiting = 1000;
constexpr auto longest_try = 5s;
constexpr auto given_up_after = 1h;
constexpr auto closing_time = 5s;
constexpr std::size_t longest_url = 2048;
// Whoever may write patterns must not learn other secrets of the process.
constexpr std::string_view secret_prefix = "ACTIONHIST_WEBHOOK_";
// Of whoever runs the process, for receivers with certificates of their own.
constexpr const char* ca_file_variable = "ACTIONHIST_WEBHOOK_CA_FILE";

bool is_header_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// The value of a variable; empty if it is not set.
std::string environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

bool is_web_address(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

// REQUIRES: `name` is that of a variable of the webhook.
std::string secret_in(const std::string& name) {
  std::string text = environment(name);
  if (text.empty() || std::ranges::any_of(text, [](char c) { return c < ' ' || c == 0x7f; })) {
    throw Error(ErrorCode::denied, fmt::format("{} is not set, or holds control characters", name));
  }
  return text;
}

std::string url_of(const Webhook& webhook) {
  if (webhook.url_env.empty()) return webhook.url;
  std::string url = secret_in(webhook.url_env);
  if (!is_web_address(url)) refuse(webhook.url_env, "must hold a URL that begins with http:// or https://");
  // Its errors name the variable and nothing of what it holds.
  parse_http_address(url, webhook.url_env);
  return url;
}

// What one try came to.
struct Delivery {
  bool done = false;
  bool retry = false;
  std::string why;  // it is not done
  std::chrono::milliseconds pause{0};
};

Delivery deliver(const Webhook& webhook, const std::string& body, int failures) {
  Delivery delivery;
  const auto answered = [&](std::size_t, const HttpReply& reply) -> std::optional<std::chrono::milliseconds> {
    delivery.done = reply.status >= 200 && reply.status < 300;
    delivery.retry = may_pass_later(reply);
    delivery.pause = retry_delay(reply, failures + 1, random_share(), std::time(nullptr));
    delivery.why = reply.status == 0 ? fmt::format("no answer: {}", reply.failure)
                                     : fmt::format("status {}", reply.status);
    return std::nullopt;
  };
  try {
    HttpSettings settings;
    settings.url = url_of(webhook);
    settings.ca_file = environment(ca_file_variable);
    settings.headers = {"Content-Type: application/json"};
    settings.connect_timeout = longest_try;
    settings.timeout = longest_try;
    if (!webhook.secret_env.empty())
      settings.headers.push_back(fmt::format("{}: {}", webhook.header, secret_in(webhook.secret_env)));
    HttpClient(settings).post({&body, 1}, answered);
  } catch (const Error& error) {
    delivery.why = error.what();
  }
  return delivery;
}

// For messages, which must not tell a secret: a URL from the environment is one, and a query may hold one.
std::string shown(const Webhook& webhook) {
  if (!webhook.url_env.empty()) return fmt::format("the URL in {}", webhook.url_env);
  return parse_http_address(webhook.url, "url").shown;
}

void validate_variable(const std::string& name, std::string_view field) {
  if (name.empty() || name.starts_with(secret_prefix)) return;
  refuse(field, fmt::format("must name a variable that begins with {}", secret_prefix));
}

}  // namespace

std::optional<Webhook> parse_webhook(const Json& json) {
  if (json.absent()) return std::nullopt;
  JsonDocument document;
  FieldReader reader(document.parse(json.text(), "alert_webhook"), "alert_webhook", "alert_webhook.");
  Webhook webhook;
  reader("url", webhook.url);
  reader("url_env", webhook.url_env);
  reader("header", webhook.header);
  reader("secret_env", webhook.secret_env);
  reader.expect_done();
  validate_variable(webhook.url_env, "alert_webhook.url_env");
  validate_variable(webhook.secret_env, "alert_webhook.secret_env");
  if (!is_header_name(webhook.header)) refuse("alert_webhook.header", "is no name of a header");
  if (!webhook.url_env.empty()) {
    if (!webhook.url.empty()) refuse("alert_webhook.url", "must be left out beside url_env");
    return webhook;
  }
  if (!is_web_address(webhook.url))
    refuse("alert_webhook.url", "must begin with http:// or https://, or be left to url_env");
  if (webhook.url.size() > longest_url) refuse("alert_webhook.url", "must be at most 2048 bytes long");
  parse_http_address(webhook.url, "alert_webhook.url");
  return webhook;
}

void Webhooks::post(const Webhook& webhook, std::string body) {
  std::unique_lock lock(mutex_);
  if (stats_.waiting == most_waiting) {
    ++stats_.lost;
    const std::string text =
        fmt::format("{}: a message is lost: {} wait already", shown(webhook), most_waiting);
    stats_.error = text;
    lock.unlock();
    log_(text);
    return;
  }
  ++stats_.waiting;
  receivers_[webhook].messages.push_back({std::move(body), std::chrono::steady_clock::now()});
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_one();
}

Webhooks::~Webhooks() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = std::chrono::steady_clock::now() + closing_time;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

WebhookStats Webhooks::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void Webhooks::lose(Receivers::iterator entry, std::size_t count, const std::string& why,
                    std::unique_lock<std::mutex>& lock) {
  std::deque<Message>& messages = entry->second.messages;
  messages.erase(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(count));
  stats_.waiting -= static_cast<std::int64_t>(count);
  stats_.lost += static_cast<std::int64_t>(count);
  // The host may ask for health() in its callback.
  lock.unlock();
  log_(fmt::format("{}: messages lost: {}, because {}", shown(entry->first), count, why));
  lock.lock();
}

void Webhooks::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto entry =
        std::ranges::min_element(receivers_, {}, [](const auto& each) { return each.second.not_before; });
    if (entry == receivers_.end()) {
      if (stop_) return;
      changed_.wait(lock);
    } else if (stop_ && std::chrono::steady_clock::now() >= *stop_) {
      lose(entry, entry->second.messages.size(), "the memory was closed", lock);
    } else if (!stop_ && entry->second.not_before > std::chrono::steady_clock::now()) {
      changed_.wait_until(lock, entry->second.not_before);
    } else {
      work(entry, lock);
    }
    if (entry != receivers_.end() && entry->second.messages.empty()) receivers_.erase(entry);
  }
}

// Only this thread removes messages and receivers, so the entry and its first message stay while it sends.
void Webhooks::work(Receivers::iterator entry, std::unique_lock<std::mutex>& lock) {
  const Message& message = entry->second.messages.front();
  lock.unlock();
  const Delivery delivery = deliver(entry->first, message.body, entry->second.failures);
  lock.lock();
  Receiver& receiver = entry->second;
  const auto now = std::chrono::steady_clock::now();
  if (delivery.done) {
    receiver.messages.pop_front();
    receiver.failures = 0;
    --stats_.waiting;
    ++stats_.delivered;
    stats_.error.clear();
  } else {
    ++receiver.failures;
    receiver.not_before = now + delivery.pause;
    stats_.error = fmt::format("{}: {}", shown(entry->first), delivery.why);
    const bool given_up = !delivery.retry || now - message.since >= given_up_after;
    if (stop_) {
      lose(entry, receiver.messages.size(), delivery.why, lock);
    } else if (given_up) {
      lose(entry, 1, delivery.why, lock);
    }
  }
}

}  // namespace actionhist
