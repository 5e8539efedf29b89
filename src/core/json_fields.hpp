// Reads and writes the members of our structs as JSON, one member a call. The reader remembers what it has
// read, so that the caller can treat the rest.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <actionhist/action.hpp>
#include <actionhist/error.hpp>

#include "core/json_io.hpp"
#include "core/refuse.hpp"

namespace actionhist {

// Members that are missing or null leave their target as it is.
class FieldReader {
 public:
  // Throws Error: invalid_argument if `element` is no object or has a key twice. `prefix` goes before the
  // names in messages.
  FieldReader(JsonElement element, std::string_view what, std::string prefix = {});

  // The target's type decides what is accepted.
  void operator()(std::string_view name, std::string& target);
  void operator()(std::string_view name, Json& target);
  void operator()(std::string_view name, double& target);
  void operator()(std::string_view name, bool& target);
  void operator()(std::string_view name, std::int64_t& target);
  void operator()(std::string_view name, int& target);
  void operator()(std::string_view name, TimePoint& target);
  void operator()(std::string_view name, Status& target);
  void operator()(std::string_view name, Effect& target);
  void operator()(std::string_view name, std::vector<std::string>& target);
  template <class T>
  void operator()(std::string_view name, std::optional<T>& target) {
    const Member* member = peek(name);
    // Empty text is absent for a time or an enumerator too.
    std::string_view text;
    if (member == nullptr || member->value.is_null() ||
        (member->value.get(text) == simdjson::SUCCESS && text.empty())) {
      take(name);
      return;
    }
    T value{};
    (*this)(name, value);
    target = value;
  }

  // Reads `alias` as another name of `name`; both at once are refused.
  template <class T>
  void alias(std::string_view name, std::string_view alias, T& target) {
    if (given(name) && given(alias)) refuse(path(alias), fmt::format("is given beside {}", name));
    (*this)(alias, target);
  }

  // True if the member is there and not null.
  bool given(std::string_view name) const {
    const Member* member = peek(name);
    return member != nullptr && !member->value.is_null();
  }

  // The name of a member of that type which nobody has read and which is `name`, misspelt; empty if there is none.
  std::string_view misspelt(std::string_view name, simdjson::dom::element_type type) const;

  // The member, marked as read; absent when missing or null.
  std::optional<JsonElement> take(std::string_view name);
  // Members that nobody has read, without those that are null, as a JSON object; absent if there are none.
  Json rest(const Json& more = {}) const;
  // Throws Error: invalid_argument when a member was not read.
  void expect_done() const;
  std::string path(std::string_view name) const { return prefix_ + std::string(name); }

 private:
  struct Member {
    std::string_view key;
    JsonElement value;
    bool read = false;
  };
  const Member* peek(std::string_view name) const;

  std::vector<Member> members_;  // by key
  std::string prefix_;
};

// Writes what is there: empty text, absent Json and empty optionals are left out.
class FieldWriter {
 public:
  explicit FieldWriter(JsonWriter& writer) : writer_(writer) {}

  void operator()(std::string_view name, const std::string& text) {
    if (!text.empty()) writer_.member(name, text);
  }
  void operator()(std::string_view name, std::string_view text) { writer_.member(name, text); }
  void operator()(std::string_view name, const char* text) { writer_.member(name, text); }
  void operator()(std::string_view name, const Json& json) {
    if (!json.absent()) writer_.member(name, json);
  }
  void operator()(std::string_view name, TimePoint time) { writer_.member(name, format_time(time)); }
  void operator()(std::string_view name, Status status) { writer_.member(name, to_string(status)); }
  void operator()(std::string_view name, Effect effect) { writer_.member(name, to_string(effect)); }
  void operator()(std::string_view name, double number) { writer_.member(name, number); }
  void operator()(std::string_view name, bool flag) { writer_.member(name, flag); }
  void operator()(std::string_view name, std::int64_t number) { writer_.member(name, number); }
  void operator()(std::string_view name, int number) { writer_.member(name, number); }
  void operator()(std::string_view name, std::size_t number) { writer_.member(name, number); }
  void operator()(std::string_view name, const std::vector<std::string>& items) {
    if (items.empty()) return;
    writer_.key(name).begin_array();
    for (const std::string& item : items) writer_.value(item);
    writer_.end_array();
  }
  template <class T>
  void operator()(std::string_view name, const std::optional<T>& value) {
    if (value) (*this)(name, *value);
  }

 private:
  JsonWriter& writer_;
};

}  // namespace actionhist
