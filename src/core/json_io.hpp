// Reading and writing JSON inside the library. The writer makes canonical text only if its keys come
// sorted; `canonical` sorts for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include <actionhist/json.hpp>

namespace actionhist {

using JsonElement = simdjson::dom::element;

// A parsed document. Elements and strings read from it live as long as it and until the next parse.
class JsonDocument {
 public:
  // Throws Error: invalid_argument, naming `field`, for text that is no JSON.
  JsonElement parse(std::string_view text, std::string_view field);
  // REQUIRES: `json` is not absent.
  JsonElement parse(const Json& json) { return parse(json.text(), "json"); }

 private:
  simdjson::dom::parser parser_;
};

// Appends JSON text value by value; commas are put where they belong.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag);
  // Written as null if it is not finite.
  JsonWriter& value(double number) { return value(static_cast<long double>(number)); }
  JsonWriter& value(long double number);
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
  JsonWriter& value(std::size_t number) { return value(static_cast<std::int64_t>(number)); }
  JsonWriter& null();
  // A value that is absent is written as null.
  JsonWriter& value(const Json& json);

  // REQUIRES: `json` is valid JSON.
  JsonWriter& raw(std::string_view json);

  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  // Takes the text and starts over.
  std::string take();

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string out_;
  bool comma_ = false;
};

// What is kept of a document while it is canonicalised.
class JsonCensor {
 public:
  // What a text becomes; nothing if it stays as it is.
  virtual std::optional<std::string> replaced(std::string_view text) const = 0;
  // True if no text or number at or below this member of the object is kept: `mark` stands for each.
  virtual bool hides(simdjson::dom::object object, std::string_view key, JsonElement value) const = 0;
  // The same for an item of the array that follows this text.
  virtual bool hides_item(simdjson::dom::array array, std::string_view before, JsonElement item) const = 0;
  virtual std::string_view mark() const = 0;

 protected:
  ~JsonCensor() = default;
};

// The canonical text of a value, of at most 256 KiB. Throws Error: invalid_argument, naming `field`.
std::string canonical(std::string_view text, std::string_view field, const JsonCensor* censor = nullptr);
// The same of what is parsed already, however long it becomes.
std::string canonical(JsonElement element, std::string_view field, const JsonCensor* censor);

// The canonical text of a finite number: 5, 0.5, 1e+300. What is no integer of 64 bits is written as a double.
std::string number_text(long double number);

}  // namespace actionhist
