// The database and the index give one answer to one filter: random filters over random actions.
#include <catch2/catch.hpp>

#include <set>

#include "support/random_filters.hpp"

using namespace actionhist;
using namespace actionhist::test;

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
    std::set<std::string> from_database, from_index;
    for (const Trace& trace : history.history({.where = where, .limit = 1000}).traces)
      from_database.insert(trace.action_id);
    for (const Hit& hit : history.similar({.text = "pod crashes restart", .limit = 500, .where = where})) {
      from_index.insert(hit.trace.action_id);
    }
    INFO(where.text());
    REQUIRE(from_database == from_index);
    some += !from_database.empty() && from_database.size() < actions.size() ? 1 : 0;
  }
  CHECK(some > 500);
}
