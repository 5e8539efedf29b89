#include "core/filter.hpp"

#include <map>

#include <catch2/catch.hpp>

#include "core/trace_fields.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

bool matches(std::string_view where, const std::map<std::string, Scalar, std::less<>>& row) {
  return actionhist::matches(parse_filter(Json::parse(where)), [&](std::string_view field) -> const Scalar* {
    const auto found = row.find(field);
    return found == row.end() ? nullptr : &found->second;
  });
}

std::string refused(std::string_view where) {
  return error_text_of([&] { resolve_where(Json::parse(where)); });
}

}  // namespace

TEST_CASE("values compare by JSON type", "[filter]") {
  const std::map<std::string, Scalar, std::less<>> row{
      {"n", 10.0}, {"s", std::string("10")}, {"b", true}, {"null", std::monostate{}}};
  CHECK(matches(R"({"n": 10})", row));
  CHECK_FALSE(matches(R"({"n": "10"})", row));
  CHECK(matches(R"({"s": "10"})", row));
  CHECK_FALSE(matches(R"({"s": {"$gt": 9}})", row));
  CHECK(matches(R"({"n": {"$gt": 9, "$lte": 10}})", row));
  CHECK(matches(R"({"b": true})", row));
  CHECK_FALSE(matches(R"({"b": 1})", row));
  CHECK(matches(R"({"null": null})", row));
  CHECK(matches(R"({"missing": null})", row));
}

TEST_CASE("a missing field makes a comparison false and its negation true", "[filter]") {
  CHECK_FALSE(matches(R"({"x": 1})", {}));
  CHECK(matches(R"({"x": {"$ne": 1}})", {}));
  CHECK(matches(R"({"x": {"$nin": [1, 2]}})", {}));
  CHECK(matches(R"({"$not": {"x": {"$gt": 1}}})", {}));
  CHECK(matches(R"({"x": {"$not": {"$gt": 1}}})", {}));
  CHECK(matches(R"({"x": {"$exists": false}})", {}));
  CHECK_FALSE(matches(R"({"x": {"$in": []}})", {}));
}

TEST_CASE("a path goes through objects and through keys with dots", "[filter]") {
  JsonDocument document;
  const JsonElement object = document.parse(
      R"({"a": {"b": 1, "c.d": {"e": 2}}, "a.b": {"c": 3}, "list": [1], "": {"": 4}, "x.": 5})", "object");
  const auto holds = [&](const char* where) {
    return actionhist::matches(parse_filter(Json::parse(where)), object);
  };
  CHECK(holds(R"({"a.c.d.e": 2, "a.b.c": 3, "x.": 5, ".": 4})"));
  CHECK(holds(R"({"a": {"$exists": true}, "list": {"$exists": true}, "a.b.d": {"$exists": false}})"));
  CHECK_FALSE(holds(R"({"list": null})"));
  CHECK(holds(R"({"list.0": null, "a.c": null, "a.b.c.d": null})"));
}

TEST_CASE("filters nest", "[filter]") {
  const std::map<std::string, Scalar, std::less<>> row{{"a", 1.0}, {"b", std::string("x")}};
  CHECK(matches(R"({"$or": [{"a": 2}, {"$and": [{"a": 1}, {"b": {"$in": ["x", "y"]}}]}]})", row));
  CHECK(matches("{}", row));
  CHECK_FALSE(matches(R"({"a": 1, "b": "y"})", row));
}

TEST_CASE("a filter that is wrong is refused with what is wrong", "[filter]") {
  CHECK(refused(R"({"alert_name": {"$like": "x"}})").starts_with("where: unknown operator $like"));
  CHECK(refused(R"({"nosuch": 1})").find("metadata.nosuch") != std::string::npos);
  CHECK(refused(R"({"alert_name.x": 1})") == "where: \"alert_name\" has nothing below it");
  CHECK(refused(R"({"$or": []})").starts_with("where: $or needs at least one"));
  CHECK(refused(R"({"kind": {"$in": "Pod"}})").starts_with("where: \"kind\": $in needs an array"));
  CHECK(refused(R"({"kind": {}})").starts_with("where: \"kind\" has an empty condition"));
  CHECK(refused(R"({"kind": ["Pod"]})").find("only scalars") != std::string::npos);
  CHECK(refused(R"({"action_timestamp": {"$gt": "yesterday"}})").starts_with("where.action_timestamp: "));
  CHECK(refused("[1]") == "where: a filter is a JSON object");
}

TEST_CASE("aliases and times are resolved once", "[filter]") {
  CHECK(resolve_where(Json::parse(R"({"status": "failed"})")).text() ==
        R"({"execution_status":{"$eq":"failed"}})");
  CHECK(resolve_where(Json::parse(R"({"timestamp": {"$gte": "1970-01-01T00:00:01Z"}})")).text() ==
        R"({"action_timestamp":{"$gte":1000000}})");
  const Json twice =
      resolve_where(Json::parse(R"({"resource_reference.kind": "Pod", "metadata.a.b": {"$ne": 1}})"));
  CHECK(resolve_where(twice) == twice);
}
