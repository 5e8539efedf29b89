#include "embedding/embeddings_protocol.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/ascii.hpp"
#include "core/base64.hpp"
#include "core/json_io.hpp"
#include "http/retry.hpp"

namespace actionhist {
namespace {

[[noreturn]] void bad_answer(const std::string& why) {
  throw Error(ErrorCode::unavailable, "model: the server's answer " + why);
}

std::vector<float> read_vector(JsonElement element) {
  std::vector<float> vector;
  std::string_view text;
  simdjson::dom::array numbers;
  if (element.get(text) == simdjson::SUCCESS) {
    const auto bytes = from_base64(text);
    if (!bytes || bytes->size() % sizeof(float) != 0)
      bad_answer("holds a vector that is no base64 of floats");
    if (bytes->empty()) bad_answer("holds an empty vector");
    vector.resize(bytes->size() / sizeof(float));
    std::memcpy(vector.data(), bytes->data(), bytes->size());
  } else if (element.get(numbers) == simdjson::SUCCESS) {
    if (numbers.size() == 0) bad_answer("holds an empty vector");
    vector.reserve(numbers.size());
    for (const JsonElement item : numbers) {
      double number = 0;
      if (item.get(number) != simdjson::SUCCESS)
        bad_answer("holds a vector with something that is no number");
      vector.push_back(static_cast<float>(number));
    }
  } else {
    bad_answer("holds a vector that is neither numbers nor base64");
  }
  if (!std::ranges::all_of(vector, [](float x) { return std::isfinite(x); })) {
    bad_answer("holds a vector with a number that is not finite");
  }
  if (std::ranges::all_of(vector, [](float x) { return x == 0; })) bad_answer("holds a vector of zeros");
  return vector;
}

// A machine-readable code such as "rate_limit_exceeded", or nothing.
std::string code_of(std::string_view body) {
  try {
    JsonDocument document;
    const JsonElement root = document.parse(body, "answer");
    for (const char* key : {"code", "type", "error_type"}) {
      std::string_view code;
      if (root["error"][key].get(code) != simdjson::SUCCESS && root[key].get(code) != simdjson::SUCCESS)
        continue;
      const bool plain = !code.empty() && code.size() <= 64 && std::ranges::all_of(code, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
      });
      if (plain) return std::string(code);
    }
  } catch (const Error&) {
    // Proxies answer in HTML.
  }
  return {};
}

bool contains_word(std::string_view text, std::string_view word) {
  const auto same = [](char a, char b) { return ascii_lower(a) == b; };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

}  // namespace

std::string embeddings_request(std::string_view model, std::span<const std::string> texts,
                               std::optional<std::size_t> dimension) {
  JsonWriter writer;
  writer.begin_object();
  if (!model.empty()) writer.member("model", model);
  writer.key("input").begin_array();
  for (const std::string& text : texts) writer.value(text);
  writer.end_array().member("encoding_format", "float");
  if (dimension) writer.member("dimensions", *dimension);
  return writer.end_object().take();
}

std::vector<std::vector<float>> read_embeddings(std::string_view body, std::size_t texts) {
  JsonDocument document;
  JsonElement root;
  try {
    root = document.parse(body, "answer");
  } catch (const Error&) {
    bad_answer("is no JSON");
  }
  simdjson::dom::array data;
  if (root["data"].get(data) != simdjson::SUCCESS) bad_answer("has no list \"data\"");
  if (data.size() != texts) bad_answer(fmt::format("has {} vectors for {} texts", data.size(), texts));
  std::vector<std::vector<float>> vectors(texts);
  std::size_t position = 0;
  for (const JsonElement item : data) {
    std::uint64_t index = position++;
    if (item["index"].error() == simdjson::SUCCESS && item["index"].get(index) != simdjson::SUCCESS) {
      bad_answer("has an \"index\" that is no number");
    }
    if (index >= texts || !vectors[index].empty())
      bad_answer(fmt::format("has the index {} twice or too large", index));
    JsonElement embedding;
    if (item["embedding"].get(embedding) != simdjson::SUCCESS)
      bad_answer("has an entry without \"embedding\"");
    vectors[index] = read_vector(embedding);
    if (vectors[index].size() != vectors[vectors.front().empty() ? index : 0].size()) {
      bad_answer("has vectors of different sizes");
    }
  }
  return vectors;
}

Refusal refusal_of(const HttpReply& reply) {
  Refusal refusal;
  if (reply.status == 0) {
    refusal.retry = !reply.needs_repair;
    refusal.message = fmt::format("no answer: {}", reply.failure);
    return refusal;
  }
  const std::string code = code_of(reply.body);
  refusal.message = fmt::format("status {}{}", reply.status, code.empty() ? "" : fmt::format(" ({})", code));
  // llama.cpp says 500 where others say 413.
  const bool too_long = contains_word(reply.body, "too long") || contains_word(reply.body, "too large");
  refusal.permanent =
      reply.status == 400 || reply.status == 413 || reply.status == 422 || (reply.status == 500 && too_long);
  refusal.retry = may_pass_later(reply) && !refusal.permanent && code != "insufficient_quota";
  if (reply.status >= 300 && reply.status < 400) refusal.message += "; redirects are not followed";
  return refusal;
}

}  // namespace actionhist
