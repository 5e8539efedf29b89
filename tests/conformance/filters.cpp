// The database and the index give one answer to one filter: random filters over random actions.
#include <catch2/catch.hpp>

#include <set>

#include "support/random_filters.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

using Ids = std::set<std::string>;

// The actions that pass the filter, which the database and the index have to agree on.
Ids found_by_both(History& history, const Json& where, int limit = 10) {
  Ids from_database, from_index;
  for (const Trace& trace : history.history({.where = where, .limit = limit}).traces)
    from_database.insert(trace.action_id);
  for (const Hit& hit : history.similar({.text = "pod crashes restart", .limit = limit, .where = where}))
    from_index.insert(hit.trace.action_id);
  INFO(where.text());
  CHECK(from_database == from_index);
  return from_database;
}

}  // namespace

TEST_CASE("the database and the index agree on every filter", "[filters]") {
  RandomFilters random(20260310);
  History history = open("memory:", {.clock = FixedClock()});
  std::vector<Action> actions;
  for (int i = 0; i < 300; ++i) actions.push_back(random.action(i));
  history.record(actions);
  REQUIRE(history.wait_indexed(30s));

  int some = 0;
  for (int round = 0; round < 2000; ++round) {
    const Json where = random.filter();
    const Ids found = found_by_both(history, where, 500);
    some += !found.empty() && found.size() < actions.size() ? 1 : 0;
  }
  CHECK(some > 500);
}

TEST_CASE("a filter may be as large as is allowed, and one that is larger is refused", "[filters]") {
  const Engine engine = GENERATE(from_range(engines()));
  INFO(engine.name);
  TempFolder folder;
  History history = open(engine.uri(folder), {.tenant = "default", .clock = FixedClock()});
  const std::vector<Action> actions{scale("one", 1, 2, noon), scale("two", 1, 999, noon), restart("three")};
  history.record(actions);
  REQUIRE(history.wait_indexed(60s));
  const auto found = [&](const Json& where) { return found_by_both(history, where); };
  const auto times = [](int n, const std::function<std::string(int)>& part) {
    std::string parts;
    for (int i = 0; i < n; ++i) parts += (i > 0 ? "," : "") + part(i);
    return parts;
  };
  const std::string numbers = times(998, [](int i) { return std::to_string(i); });
  const std::string names = times(998, [](int i) { return fmt::format("\"n-{}\"", i); });

  // Lists of one thousand, of a column and below one, also of several kinds.
  CHECK(found(Json::parse(fmt::format(R"({{"action_id":{{"$in":[{},"one","two"]}}}})", names))) ==
        Ids{"one", "two"});
  CHECK(found(Json::parse(fmt::format(R"({{"action_id":{{"$nin":[{},"one"]}}}})", names))) ==
        Ids{"two", "three"});
  CHECK(found(Json::parse(fmt::format(R"({{"action_parameters.replicas":{{"$in":[{},true]}}}})", numbers))) ==
        Ids{"one"});
  CHECK(found(Json::parse(fmt::format(R"({{"action_parameters.replicas":{{"$in":[{},null,"x"]}}}})",
                                      numbers))) == Ids{"one", "three"});
  // Chains.
  const auto chain = [&](std::string_view name, int n, std::string_view last) {
    const auto part = [](int i) {
      return fmt::format(R"({{"action_parameters.n.{}":{{"$exists":false}}}})", i);
    };
    return Json::parse(fmt::format(R"({{"{}":[{},{}]}})", name, times(n, part), last));
  };
  CHECK(found(chain("$and", 1200, R"({"action_id":"one"})")) == Ids{"one"});
  CHECK(found(chain("$or", 1200, R"({"action_id":"one"})")) == Ids{"one", "two", "three"});
  // Chains within chains.
  std::string nested = R"({"action_id":"one"})";
  for (int i = 0; i < 30; ++i) {
    const auto part = [&](int n) { return fmt::format(R"({{"action_id":"n-{}"}})", n); };
    nested = fmt::format(R"({{"$or":[{},{}]}})", times(60, part), nested);
  }
  CHECK(found(Json::parse(nested)) == Ids{"one"});

  for (const Json& where : {chain("$or", 1300, R"({"action_id":"one"})"),
                            Json::parse(fmt::format(R"({{"action_id":{{"$in":[{},1,2,3]}}}})", numbers))}) {
    CHECK_THROWS_WITH(history.history({.where = where}), Catch::StartsWith("where: "));
    CHECK_THROWS_WITH(history.similar({.text = "pod", .where = where}), Catch::StartsWith("where: "));
  }
}

TEST_CASE("times that no clock shows are before or after all actions", "[filters]") {
  const Engine engine = GENERATE(from_range(engines()));
  INFO(engine.name);
  TempFolder folder;
  History history = open(engine.uri(folder), {.tenant = "default", .semantic = false, .clock = FixedClock()});
  history.record(restart("a"));
  const auto count = [&](const ActionQuery& query) { return history.history(query).traces.size(); };
  CHECK(count({.since = TimePoint::min(), .until = TimePoint::max()}) == 1);
  CHECK(count({.since = TimePoint::max()}) == 0);
  CHECK(count({.cursor = "-9223372036854775808/x"}) == 0);
  CHECK(count({.where = Json::parse(R"({"action_timestamp":{"$lt":1e300}})")}) == 1);
  CHECK(count({.where = Json::parse(R"({"action_timestamp":{"$lt":-1e300}})")}) == 0);
}

TEST_CASE("integers are compared to their last digit", "[filters]") {
  const Engine engine = GENERATE(from_range(engines()));
  INFO(engine.name);
  TempFolder folder;
  History history = open(engine.uri(folder), {.tenant = "default", .clock = FixedClock()});
  constexpr std::int64_t largest_exact = 9007199254740992;
  std::vector<Action> actions;
  for (const std::int64_t id : {largest_exact, largest_exact + 1, largest_exact + 2, INT64_MAX, INT64_MIN}) {
    actions.push_back(restart(std::to_string(id)));
    actions.back().metadata = Json::object({{"id", id}});
  }
  history.record(actions);
  REQUIRE(history.wait_indexed(60s));
  const auto found = [&](std::string_view condition) {
    return found_by_both(history, Json::parse(fmt::format(R"({{"metadata.id": {}}})", condition)));
  };
  CHECK(found("9007199254740992") == Ids{"9007199254740992"});
  CHECK(found("9007199254740993") == Ids{"9007199254740993"});
  CHECK(found(R"({"$in": [9007199254740993, 9007199254740994, 0.5]})") ==
        Ids{"9007199254740993", "9007199254740994"});
  CHECK(found(R"({"$gt": 9007199254740993})") == Ids{"9007199254740994", "9223372036854775807"});
  CHECK(found(R"({"$lt": 9007199254740993})") == Ids{"-9223372036854775808", "9007199254740992"});
  CHECK(found("9223372036854775807") == Ids{"9223372036854775807"});
  CHECK(found("9223372036854775806").empty());
  CHECK(found("-9223372036854775808") == Ids{"-9223372036854775808"});
}

TEST_CASE("a key with a backslash is found like any other", "[filters]") {
  const Engine engine = GENERATE(from_range(engines()));
  INFO(engine.name);
  TempFolder folder;
  History history = open(engine.uri(folder), {.tenant = "default", .clock = FixedClock()});
  Action action = restart("a-1");
  action.metadata = Json::parse(R"({"a\\b": 1, "k": {"x\\": "y"}, "tab\t": true})");
  history.record(action);
  REQUIRE(history.wait_indexed(30s));
  for (const char* where : {R"({"metadata.a\\b": 1})", R"({"metadata.k.x\\": "y"})",
                            R"({"metadata.tab\t": true})", R"({"metadata.a\\b": {"$exists": true}})"}) {
    CHECK(found_by_both(history, Json::parse(where)) == Ids{"a-1"});
  }
}
