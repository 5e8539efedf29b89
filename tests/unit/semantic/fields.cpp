#include "semantic/fields.hpp"

#include <map>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <actionhist/error.hpp>

#include "core/trace_fields.hpp"
#include "support/random_filters.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

using Rows = std::vector<std::size_t>;

Rows select(const Fields& fields, std::string_view where, std::size_t rows) {
  Rows out;
  fields.select(parse_filter(Json::parse(where)), rows).for_each([&](std::size_t row) {
    out.push_back(row);
  });
  return out;
}

Fields sample() {
  Fields fields;
  fields.set(0, Json::parse(R"({"namespace": "prod", "replicas": 10, "severity": "critical", "ok": true})"));
  fields.set(1, Json::parse(R"({"namespace": "dev", "replicas": "10", "labels": {"team": {"name": "db"}}})"));
  fields.set(2, Json::parse(R"({"namespace": null, "replicas": 2.5, "labels": ["a"], "ok": false})"));
  fields.set(3, Json());
  return fields;
}

}  // namespace

TEST_CASE("a value equals only a value of its type", "[fields]") {
  const Fields fields = sample();
  CHECK(select(fields, R"({"replicas": 10})", 4) == Rows{0});
  CHECK(select(fields, R"({"replicas": "10"})", 4) == Rows{1});
  CHECK(select(fields, R"({"ok": true})", 4) == Rows{0});
  CHECK(select(fields, R"({"ok": "true"})", 4).empty());
  CHECK(select(fields, R"({"replicas": {"$gt": 2}})", 4) == Rows{0, 2});
  CHECK(select(fields, R"({"replicas": {"$gte": "1"}})", 4) == Rows{1});
}

TEST_CASE("a row that lacks the field matches $ne, $not and null, and nothing else", "[fields]") {
  const Fields fields = sample();
  CHECK(select(fields, R"({"severity": {"$ne": "critical"}})", 4) == Rows{1, 2, 3});
  CHECK(select(fields, R"({"severity": {"$not": {"$in": ["critical", "low"]}}})", 4) == Rows{1, 2, 3});
  CHECK(select(fields, R"({"$not": {"namespace": "prod"}})", 4) == Rows{1, 2, 3});
  CHECK(select(fields, R"({"namespace": null})", 4) == Rows{2, 3});
  CHECK(select(fields, R"({"namespace": {"$exists": true}})", 4) == Rows{0, 1, 2});
  CHECK(select(fields, R"({"namespace": {"$exists": false}})", 4) == Rows{3});
  CHECK(select(fields, R"({"no_such_field": {"$exists": false}})", 4) == Rows{0, 1, 2, 3});
  CHECK(select(fields, R"({"no_such_field": {"$lt": 5}})", 4).empty());
}

TEST_CASE("filters combine", "[fields]") {
  const Fields fields = sample();
  CHECK(select(fields, R"({"namespace": {"$in": ["prod", "dev"]}, "replicas": {"$nin": [10]}})", 4) ==
        Rows{1});
  CHECK(select(fields, R"({"$or": [{"namespace": "dev"}, {"replicas": {"$lt": 3}}]})", 4) == Rows{1, 2});
  CHECK(select(fields, R"({"$and": [{"namespace": "dev"}, {"ok": true}]})", 4).empty());
  CHECK(select(fields, R"({})", 4) == Rows{0, 1, 2, 3});
}

TEST_CASE("nested members have dotted paths, objects and arrays only exist", "[fields]") {
  const Fields fields = sample();
  CHECK(select(fields, R"({"labels.team.name": "db"})", 4) == Rows{1});
  CHECK(select(fields, R"({"labels": {"$exists": true}})", 4) == Rows{1, 2});
  CHECK(select(fields, R"({"labels": {"$gt": ""}})", 4).empty());
  CHECK(select(fields, R"({"labels": "a"})", 4).empty());
}

TEST_CASE("replaced and cleared fields are gone", "[fields]") {
  Fields fields = sample();
  fields.set(0, Json::parse(R"({"namespace": "dev"})"));
  fields.clear(1);
  CHECK(select(fields, R"({"namespace": "dev"})", 4) == Rows{0});
  CHECK(select(fields, R"({"replicas": {"$exists": true}})", 4) == Rows{2});
  CHECK(select(fields, R"({"labels.team": {"$exists": true}})", 4).empty());
}

TEST_CASE("fields that are no object are refused and change nothing", "[fields]") {
  Fields fields = sample();
  CHECK_THROWS_AS(fields.set(0, Json::parse("[1]")), Error);
  CHECK(select(fields, R"({"namespace": "prod"})", 4) == Rows{0});
}

TEST_CASE("columns answer as the filter language does, through many changes", "[fields]") {
  using Values = std::map<std::string, Scalar, std::less<>>;
  std::mt19937 random(5);
  Fields fields;
  std::vector<Values> rows(300);
  for (int change = 0; change < 2000; ++change) {
    const auto row = random() % rows.size();
    if (random() % 5 == 0) {
      fields.clear(static_cast<std::uint32_t>(row));
      rows[row].clear();
      continue;
    }
    const int a = static_cast<int>(random() % 4);
    const int b = static_cast<int>(random() % 150);
    const std::string rare = std::to_string(random() % 100);
    fields.set(static_cast<std::uint32_t>(row), Json::object({{"a", a},
                                                              {"b", b < 50 ? Json(b) : Json("text")},
                                                              {"only", Json::object({{rare, true}})}}));
    rows[row] = {{"a", static_cast<double>(a)}, {"only." + rare, true}, {"only", std::string("an object")}};
    rows[row]["b"] = b < 50 ? Scalar(static_cast<Number>(b)) : Scalar("text");
  }
  Fields copy;
  for (std::uint32_t row = 0; row < rows.size(); ++row) copy.set_from(row, fields, row);
  for (const char* where : {R"({"a": 1})", R"({"b": {"$lt": 25}})", R"({"b": {"$ne": "text"}})",
                            R"({"only": {"$exists": true}})", R"({"only.7": {"$in": [true, null]}})",
                            R"({"$or": [{"a": {"$gte": 3}}, {"$not": {"b": "text"}}]})"}) {
    const Filter filter = parse_filter(Json::parse(where));
    Rows expected;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const auto lookup = [&](std::string_view path) -> const Scalar* {
        const auto found = rows[row].find(path);
        return found == rows[row].end() ? nullptr : &found->second;
      };
      if (matches(filter, lookup)) expected.push_back(row);
    }
    CAPTURE(where);
    CHECK(select(fields, where, rows.size()) == expected);
    CHECK(select(copy, where, rows.size()) == expected);
  }
}

TEST_CASE("a document alone answers a filter as the columns of many do", "[fields]") {
  RandomFilters random(11);
  Fields fields;
  std::vector<Json> rows;
  for (int i = 0; i < 200; ++i) {
    Trace trace;
    static_cast<Action&>(trace) = random.action(i);
    fields.set(static_cast<std::uint32_t>(i), rows.emplace_back(filter_fields(trace)));
  }
  JsonDocument document;
  for (int i = 0; i < 1000; ++i) {
    const Json where = random.filter();
    const Filter filter = parse_filter(where);
    Rows expected;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      if (matches(filter, document.parse(rows[row]))) expected.push_back(row);
    }
    CAPTURE(where.text());
    CHECK(select(fields, where.text(), rows.size()) == expected);
  }
}
