// What every engine promises about resources. Runs over each of them.
#include <catch2/catch.hpp>

#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

// Runs the rest of a test case once an engine.
struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  FixedClock clock;
  History history = open(engine.uri(folder), {.tenant = "default", .clock = clock});

  Fixture() { UNSCOPED_INFO(engine.name); }
};

}  // namespace

TEST_CASE("a summary counts what happened", "[actions]") {
  Fixture f;
  Action failed = restart("a-2", noon - 3 * 24h);
  failed.outcome.status = Status::failed;
  Action good = restart("a-1", noon - 1h);
  good.outcome = completed(0.8);
  const Action all[] = {good, failed, restart("a-3", noon - 30 * 24h)};
  f.history.record(all);
  const auto summaries = f.history.summaries();
  REQUIRE(summaries.size() == 1);
  const Summary& s = summaries.front();
  CHECK(to_string(s.resource) == "prod/Deployment/web");
  CHECK(s.total_actions == 3);
  CHECK(s.last_action_at == noon - 1h);
  CHECK(s.last_24h == 1);
  CHECK(s.last_7d == 2);
  CHECK(s.success_rate == 0.5);
  CHECK(s.recent_effectiveness == 0.8);
  CHECK(f.history.summaries(noon + 1us).empty());
  CHECK(f.history.summaries(noon).size() == 1);
}

TEST_CASE("of many resources those that were touched last are summed up", "[actions]") {
  Fixture f;
  for (int i = 0; i < 5; ++i) {
    Action action = restart(fmt::format("a-{}", i), noon - i * 1h);
    action.resource.name = fmt::format("web-{}", i);
    f.history.record(action);
  }
  const auto newest = f.history.summaries({}, 2);
  REQUIRE(newest.size() == 2);
  CHECK(newest[0].resource.name == "web-0");
  CHECK(newest[1].resource.name == "web-1");
  CHECK(newest[1].total_actions == 1);
  CHECK(f.history.summaries().size() == 5);
  CHECK(error_text_of([&] { f.history.summaries({}, 0); }).find("limit: ") == 0);
}

TEST_CASE("a resource lives through its incarnations", "[actions]") {
  Fixture f;
  const Resource web{.kind = "Deployment", .namespace_ = "prod", .name = "web", .uid = "u-1"};
  CHECK_FALSE(f.history.resource_deleted(web));
  f.history.resource_seen(web);
  CHECK(f.history.resource_deleted(web));
  f.history.resource_seen({.kind = "Deployment", .namespace_ = "prod", .name = "web", .uid = "u-2"});
  CHECK(error_code_of([&] { f.history.resource_seen({.kind = "Pod"}); }) == ErrorCode::invalid_argument);
}

TEST_CASE("news of a deletion that comes late does not end what was seen since", "[actions]") {
  Fixture f;
  Resource east{.cluster = "east", .kind = "Deployment", .namespace_ = "prod", .name = "web"};
  Resource west = east;
  west.cluster = "west";
  f.history.resource_seen(east, noon - 2h);
  f.history.resource_seen(west, noon);
  const auto alive = [&] {
    return f.history.repository().resources().named(
        normalized({.kind = "Deployment", .namespace_ = "prod", .name = "web"}), false);
  };
  CHECK(f.history.resource_deleted(west, noon - 1h));
  CHECK(alive().size() == 2);
  CHECK(f.history.resource_deleted(east, noon - 1h));
  CHECK(alive().size() == 1);
}
