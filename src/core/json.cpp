#include <actionhist/json.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "core/json_io.hpp"
#include "core/refuse.hpp"

namespace actionhist {
namespace {

constexpr std::size_t max_bytes = 256 * 1024;
constexpr int max_depth = 64;

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

class Canonicalizer {
 public:
  Canonicalizer(std::string_view field, const JsonCensor* censor, std::string& out)
      : field_(field), censor_(censor), out_(out) {}

  void write(JsonElement element, bool hidden, int depth) {
    if (depth > max_depth) refuse(field_, "nested deeper than 64 levels");
    if (hidden && (element.is_string() || element.is_number())) return write_mark(element);
    switch (element.type()) {
      case simdjson::dom::element_type::OBJECT: return write_object(element, hidden, depth);
      case simdjson::dom::element_type::ARRAY: return write_array(element, hidden, depth);
      case simdjson::dom::element_type::STRING: return write_string(std::string_view(element));
      case simdjson::dom::element_type::INT64: out_ += std::to_string(std::int64_t(element)); return;
      case simdjson::dom::element_type::UINT64: out_ += std::to_string(std::uint64_t(element)); return;
      case simdjson::dom::element_type::DOUBLE: out_ += number_text(double(element)); return;
      case simdjson::dom::element_type::BOOL: out_ += bool(element) ? "true" : "false"; return;
      case simdjson::dom::element_type::NULL_VALUE: out_ += "null"; return;
    }
  }

 private:
  void write_array(simdjson::dom::array array, bool hidden, int depth) {
    out_ += '[';
    bool first = true;
    std::optional<std::string_view> before;
    for (JsonElement item : array) {
      if (!first) out_ += ',';
      first = false;
      const bool hides = censor_ != nullptr && before && censor_->hides_item(array, *before, item);
      write(item, hidden || hides, depth + 1);
      before = item.is_string() ? std::optional<std::string_view>(item) : std::nullopt;
    }
    out_ += ']';
  }

  void write_object(simdjson::dom::object object, bool hidden, int depth) {
    std::vector<std::pair<std::string_view, JsonElement>> members;
    for (auto [key, value] : object) members.emplace_back(key, value);
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    out_ += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto& [key, value] = members[i];
      if (i > 0) {
        if (members[i - 1].first == key) refuse(field_, fmt::format("the key \"{}\" is given twice", key));
        out_ += ',';
      }
      refuse_nul(key);
      append_string(out_, key);
      out_ += ':';
      write(value, hidden || (censor_ != nullptr && censor_->hides(object, key, value)), depth + 1);
    }
    out_ += '}';
  }

  void write_string(std::string_view text) {
    refuse_nul(text);
    if (censor_ != nullptr) {
      if (const auto changed = censor_->replaced(text)) return append_string(out_, *changed);
    }
    append_string(out_, text);
  }

  // An empty text hides nothing, and says so.
  void write_mark(JsonElement element) {
    const bool empty = element.is_string() && element.get_string_length().value() == 0;
    append_string(out_, empty ? std::string_view{} : censor_->mark());
  }

  void refuse_nul(std::string_view text) const {
    if (text.find('\0') != text.npos) refuse(field_, "holds a NUL character");
  }

  std::string_view field_;
  const JsonCensor* censor_;
  std::string& out_;
};

}  // namespace

std::string number_text(long double number) {
  // A whole number is written as the integer that it is, as far as integers are read: 1.0 and 1, and 1e16 and its
  // digits, are one value.
  constexpr long double two_to_63 = 9223372036854775808.0L;
  if (number == std::floor(number) && number >= -two_to_63 && number < two_to_63) {
    return std::to_string(static_cast<std::int64_t>(number));
  }
  if (number == std::floor(number) && number > 0 && number < 2 * two_to_63) {
    return std::to_string(static_cast<std::uint64_t>(number));
  }
  return fmt::format("{}", static_cast<double>(number));
}

JsonElement JsonDocument::parse(std::string_view text, std::string_view field) {
  JsonElement element;
  const auto error = parser_.parse(text.data(), text.size()).get(element);
  if (error == simdjson::SUCCESS) return element;
  if (error == simdjson::UTF8_ERROR) refuse(field, "is not valid UTF-8");
  if (error == simdjson::NUMBER_ERROR)
    refuse(field, "holds an integer beyond 64 bits, or a number beyond a double");
  if (error == simdjson::EMPTY) refuse(field, "is empty, expected JSON");
  refuse(field, fmt::format("is not valid JSON ({})", simdjson::error_message(error)));
}

std::string canonical(JsonElement element, std::string_view field, const JsonCensor* censor) {
  std::string out;
  Canonicalizer(field, censor, out).write(element, false, 0);
  return out;
}

std::string canonical(std::string_view text, std::string_view field, const JsonCensor* censor) {
  if (text.size() > max_bytes) {
    refuse(field, fmt::format("is {} bytes long, at most 262144 are kept", text.size()));
  }
  // Parsing allocates by document size, so each thread keeps its parser.
  thread_local JsonDocument document;
  std::string out = canonical(document.parse(text, field), field, censor);
  if (out.size() > max_bytes) {
    refuse(field, fmt::format("is {} bytes long as it is kept, at most 262144 are", out.size()));
  }
  return out;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

void JsonWriter::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_string(out_, name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(bool flag) {
  separate();
  out_ += flag ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::value(long double number) {
  if (!std::isfinite(number)) return null();
  separate();
  out_ += number_text(number);
  return *this;
}

JsonWriter& JsonWriter::value(std::int64_t number) {
  separate();
  out_ += std::to_string(number);
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::value(const Json& json) { return json.absent() ? null() : raw(json.text()); }

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

std::string JsonWriter::take() {
  comma_ = false;
  return std::exchange(out_, {});
}

std::string Json::finite_text(double value) {
  if (!std::isfinite(value)) refuse("json", "a number must be finite, not NaN or infinite");
  return number_text(value);
}

Json::Json(std::string_view value) {
  if (!simdjson::validate_utf8(value.data(), value.size())) refuse("json", "is not valid UTF-8");
  if (value.find('\0') != value.npos) refuse("json", "holds a NUL character");
  append_string(text_, value);
}

Json Json::object(std::initializer_list<std::pair<std::string_view, Json>> members) {
  JsonWriter writer;
  writer.begin_object();
  for (const auto& [key, value] : members) {
    if (!value.absent()) writer.member(key, value);
  }
  return parse(writer.end_object().take());
}

Json Json::array(std::initializer_list<Json> items) {
  JsonWriter writer;
  writer.begin_array();
  for (const Json& item : items) writer.value(item);
  return from_canonical(writer.end_array().take());
}

Json Json::parse(std::string_view text, std::string_view field) {
  return from_canonical(canonical(text, field));
}

}  // namespace actionhist
