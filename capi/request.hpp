// Requests and answers of the C interface as JSON. A request is read by one thread. What is wrong throws Error:
// invalid_argument, naming the member.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/history.hpp>

#include "core/json_fields.hpp"
#include "core/trace_fields.hpp"
#include "guarded.hpp"

namespace actionhist::capi {

inline constexpr std::string_view null = "null";

// Reads text of which empty is a value, and not the same as none.
inline void read_given(FieldReader& reader, std::string_view name, std::optional<std::string>& target) {
  if (reader.given(name)) {
    reader(name, target.emplace());
  } else {
    reader.take(name);
  }
}

inline std::vector<float> to_floats(JsonElement element, std::string_view field) {
  if (!element.is_array()) refuse(field, "must be an array of numbers");
  std::vector<float> floats;
  for (JsonElement item : simdjson::dom::array(element)) {
    double number = 0;
    if (item.get(number) != simdjson::SUCCESS) {
      refuse(fmt::format("{}[{}]", field, floats.size()), "must be a number");
    }
    floats.push_back(static_cast<float>(number));
  }
  return floats;
}

// Reads an array of numbers; empty if it is missing.
inline std::vector<float> read_floats(FieldReader& reader, std::string_view name) {
  const auto element = reader.take(name);
  return element ? to_floats(*element, reader.path(name)) : std::vector<float>();
}

// A request being read. It must outlive what is read from it.
class Request {
 public:
  explicit Request(std::string_view text)
      : root_(document_.parse(text.empty() ? "{}" : text, "request")), reader_(root_, "request") {}

  template <class T>
  void read(std::string_view name, T& target) {
    reader_(name, target);
  }

  std::string text(std::string_view name) {
    std::string value;
    reader_(name, value);
    return value;
  }

  std::string required_text(std::string_view name) {
    std::string value = text(name);
    if (value.empty()) refuse(name, "is required");
    return value;
  }

  FieldReader& members() { return reader_; }

  // Calls `read` with each object of an array; it must read all members.
  template <class Read>
  void each(std::string_view name, Read&& read) {
    const auto array = reader_.take(name);
    if (!array) refuse(name, "is required");
    if (!array->is_array()) refuse(name, "must be an array");
    std::size_t position = 0;
    for (JsonElement item : simdjson::dom::array(*array)) {
      const std::string place = fmt::format("{}[{}]", name, position++);
      FieldReader fields(item, place, place + ".");
      read(fields);
      fields.expect_done();
    }
  }

  std::optional<TimePoint> time(std::string_view name) {
    std::optional<TimePoint> value;
    reader_(name, value);
    return value;
  }

  // The JSON text of a member, {} if it is null or missing.
  std::string json(std::string_view name) {
    const auto element = reader_.take(name);
    return element ? std::string(simdjson::minify(*element)) : "{}";
  }

  // Refuses a request that leaves out a member which null would change.
  void require(std::string_view name) const {
    if (root_.at_key(name).error()) refuse(name, "is required; null takes it away");
  }

  Resource resource() {
    Resource resource;
    if (const auto element = reader_.take("resource")) {
      FieldReader parts(*element, "resource", "resource.");
      visit_resource(resource, parts);
      parts.alias("resource_uid", "uid", resource.uid);
      parts.expect_done();
    }
    return resource;
  }

  std::optional<RetentionPolicy> policy() {
    if (!reader_.given("policy")) {
      reader_.take("policy");
      return std::nullopt;
    }
    return parse_retention_policy(json("policy"));
  }

  std::optional<Aspects> weights() {
    if (!reader_.given("weights")) {
      reader_.take("weights");
      return std::nullopt;
    }
    return parse_aspects(json("weights"));
  }

  SimilarQuery similar() {
    SimilarQuery query;
    query.text = text("text");
    query.action_id = text("action_id");
    query.vector = read_floats(reader_, "vector");
    reader_("limit", query.limit);
    reader_("where", query.where);
    reader_("threshold", query.threshold);
    reader_("percentile", query.percentile);
    reader_("mmr_lambda", query.mmr_lambda);
    reader_("distinct", query.distinct);
    query.weights = weights();
    reader_("fresh", query.fresh);
    return query;
  }

  // What nobody has read is refused.
  void done() { reader_.expect_done(); }

 private:
  JsonDocument document_;
  JsonElement root_;
  FieldReader reader_;
};

template <class T>
std::string array_of(const std::vector<T>& values) {
  JsonWriter writer;
  writer.begin_array();
  for (const T& value : values) writer.raw(to_json(value));
  return writer.end_array().take();
}

// A request that wishes nothing.
inline std::string_view or_empty(std::string_view request) { return request.empty() ? "{}" : request; }

inline std::string flag(bool value) { return value ? "true" : "false"; }

// The limit of a request that may have nothing else.
inline int limit_of(std::string_view text) {
  Request request(text);
  int limit = 100;
  request.read("limit", limit);
  request.done();
  return limit;
}

}  // namespace actionhist::capi
