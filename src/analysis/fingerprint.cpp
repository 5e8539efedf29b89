#include "analysis/fingerprint.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "analysis/verbs.hpp"
#include "core/ascii.hpp"
#include "core/hash.hpp"
#include "core/json_io.hpp"

namespace actionhist {
namespace {

constexpr auto default_volatile = std::to_array<std::string_view>({
    "createdat",
    "creationtimestamp",
    "dryrun",
    "generation",
    "idempotencykey",
    "lasttransitiontime",
    "lastupdated",
    "lastupdatetime",
    "managedfields",
    "nonce",
    "now",
    "observedat",
    "observedgeneration",
    "parentspanid",
    "requestedat",
    "requestid",
    "requesttime",
    "requestuuid",
    "reqid",
    "resourceversion",
    "spanid",
    "timestamp",
    "timestamps",
    "traceid",
    "traceparent",
    "ts",
    "uid",
    "updatedat",
    "uuid",
});

// Suffixes of the Kubernetes resource.Quantity; the empty one stands for a plain number.
constexpr auto suffixes = std::to_array<std::pair<std::string_view, double>>({
    {"", 1},
    {"n", 1e-9},
    {"u", 1e-6},
    {"m", 1e-3},
    {"k", 1e3},
    {"M", 1e6},
    {"G", 1e9},
    {"T", 1e12},
    {"P", 1e15},
    {"E", 1e18},
    {"Ki", 0x1p10},
    {"Mi", 0x1p20},
    {"Gi", 0x1p30},
    {"Ti", 0x1p40},
    {"Pi", 0x1p50},
    {"Ei", 0x1p60},
});

// Plain numbers in text are amounts under these words only: elsewhere "1.10" may be a version.
constexpr auto amount_words =
    std::to_array<std::string_view>({"cpu", "memory", "Memory", "storage", "Storage", "replicas", "Replicas",
                                     "size", "Size", "disk", "limit", "request", "capacity", "quota"});

// Compares without case, `_` and `-`; called for each key of a document, so it makes no copies.
bool same_key(std::string_view a, std::string_view b) {
  const auto next = [](std::string_view& text) {
    while (!text.empty() && (text.front() == '_' || text.front() == '-')) text.remove_prefix(1);
    if (text.empty()) return '\0';
    const char c = text.front();
    text.remove_prefix(1);
    return ascii_lower(c);
  };
  while (true) {
    const char c = next(a);
    if (c != next(b)) return false;
    if (c == '\0') return true;
  }
}

using Drop = std::function<bool(std::string_view)>;

class NormalWriter {
 public:
  explicit NormalWriter(const Drop& drop) : drop_(drop) {}

  std::string write(JsonElement root) {
    value(root, false);
    return out_.take();
  }

 private:
  // `amount` says that the nearest key names a quantity, so that "0.5" is the number .5.
  void value(JsonElement element, bool amount) {
    switch (element.type()) {
      case simdjson::dom::element_type::OBJECT: return object(element, amount);
      case simdjson::dom::element_type::ARRAY:
        out_.begin_array();
        for (JsonElement item : simdjson::dom::array(element)) value(item, amount);
        out_.end_array();
        return;
      case simdjson::dom::element_type::STRING: return text(std::string_view(element), amount);
      case simdjson::dom::element_type::INT64: out_.value(std::int64_t(element)); return;
      case simdjson::dom::element_type::UINT64: out_.value(double(std::uint64_t(element))); return;
      case simdjson::dom::element_type::DOUBLE: out_.value(double(element)); return;
      case simdjson::dom::element_type::BOOL: out_.value(bool(element)); return;
      case simdjson::dom::element_type::NULL_VALUE: out_.null(); return;
    }
  }

  // The members come sorted, because the text of a Json is canonical.
  void object(simdjson::dom::object object, bool amount) {
    out_.begin_object();
    for (auto [key, member] : object) {
      if (drop_(key)) continue;
      out_.key(key);
      value(member, amount || names_amount(key));
    }
    out_.end_object();
  }

  void text(std::string_view text, bool amount) {
    const auto number = quantity(text);
    const bool suffixed = number && (text.back() < '0' || text.back() > '9');
    if (number && (suffixed || amount)) {
      out_.value(*number);
    } else {
      out_.value(text);
    }
  }

  static bool names_amount(std::string_view key) {
    return std::ranges::any_of(amount_words,
                               [&](std::string_view word) { return key.find(word) != key.npos; });
  }

  const Drop& drop_;
  JsonWriter out_;
};

}  // namespace

std::optional<double> quantity(std::string_view text) {
  if (text.empty() || text.size() > 32) return std::nullopt;
  double number = 0;
  // "12E" is twelve exa, "12e3" is twelve thousand; from_chars leaves an E that no digit follows.
  const char* const last = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + (text.front() == '+' ? 1 : 0), last, number);
  if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
  const std::string_view suffix(rest, static_cast<std::size_t>(last - rest));
  const auto found = std::ranges::find(suffixes, suffix, &std::pair<std::string_view, double>::first);
  if (found == suffixes.end()) return std::nullopt;
  // 0.1 · 1000 is not 100 in binary, but 100m must be .1: divide by the whole number instead.
  if (found->second < 1) return number / std::round(1 / found->second);
  return number * found->second;
}

std::span<const std::string_view> volatile_keys() { return default_volatile; }

std::string normal_form(const Json& json, const Drop& drop) {
  if (json.absent()) return {};
  JsonDocument document;
  return NormalWriter(drop).write(document.parse(json));
}

std::string normal_form(const Json& json, std::span<const std::string_view> dropped) {
  return normal_form(json, [&](std::string_view key) {
    return std::ranges::any_of(dropped, [&](std::string_view other) { return same_key(key, other); });
  });
}

std::string spec_hash(const Json& json, std::span<const std::string_view> dropped) {
  return json.absent() ? std::string() : sha256_hex(normal_form(json, dropped));
}

std::string canonical_key(const Trace& trace) {
  std::string resource = trace.resource_id;
  if (resource.empty()) resource = to_string(trace.resource);
  return fmt::format("{}|{}|{}", resource, plain_type(trace.action_type), spec_hash(trace.action_parameters));
}

}  // namespace actionhist
