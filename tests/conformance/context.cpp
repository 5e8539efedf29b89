// What every engine promises about the context of a language model.
#include <catch2/catch.hpp>

#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  FixedClock clock;
  History history = open(engine.uri(folder), {.tenant = "default", .semantic = false, .clock = clock});
  Resource web{.kind = "Deployment", .namespace_ = "prod", .name = "web"};

  Fixture() { UNSCOPED_INFO(engine.name); }

  void record(std::string id, TimePoint at, std::string type, double score) {
    Action action = restart(std::move(id), at);
    action.action_type = std::move(type);
    action.outcome = completed(score);
    history.record(action);
  }
};

}  // namespace

TEST_CASE("the context says what failed, what worked and what happened", "[context]") {
  Fixture f;
  for (int i = 0; i < 3; ++i)
    f.record("x-" + std::to_string(i), noon - 10 * 24h + i * 1h, "restart_deployment", .1);
  for (int i = 0; i < 3; ++i)
    f.record("r-" + std::to_string(i), noon - 5 * 24h + i * 1h, "rollback_deployment", .9);
  f.record("new", noon - 1h, "increase_memory", .8);
  Action regressed = restart("fix", noon - 2h);
  regressed.pre_spec_hash = "aaa";
  regressed.outcome.post_spec_hash = "bbb";
  regressed.outcome.status = Status::completed;
  f.history.record(regressed);
  const ContextQuery query{
      .alert_name = "KubePodCrashLooping", .resource = f.web, .spec_hash = "aaa", .budget_tokens = 2000};
  const Context context = f.history.context(query);
  CHECK(context.omitted == 0);
  CHECK(context.tokens <= 2000);
  const auto says = [&](std::string_view text) {
    INFO(context.content);
    CHECK(context.content.find(text) != std::string::npos);
  };
  says("restart_deployment was tried 3 times since 2026-02-28T12:00:00Z and never resolved it");
  says("regression: the spec is again as it was before restart_deployment of 2026-03-10T10:00:00Z");
  says("rollback_deployment: worked in");
  says(
      "2026-03-10T11:00:00Z increase_memory on prod/Deployment/web for KubePodCrashLooping: completed, "
      "effectiveness 0.80");
  says(
      "rollback_deployment: 3 times, last on 2026-03-05T14:00:00Z, mean effectiveness 0.90 of 3 known outcomes");
  CHECK(f.history.context(query).content == context.content);
}

TEST_CASE("a small budget keeps warnings and the newest actions", "[context]") {
  Fixture f;
  for (int i = 0; i < 40; ++i)
    f.record("c-" + std::to_string(i), noon - 20h + i * 10min, "restart_deployment", .1);
  for (const bool json : {false, true}) {
    for (const int budget : {50, 200, 500}) {
      const Context context = f.history.context({.resource = f.web, .budget_tokens = budget, .json = json});
      CHECK(context.tokens <= budget);
      CHECK(static_cast<std::int64_t>(context.content.size()) <= 3 * budget);
      CHECK(context.omitted > 0);
      if (budget < 200) continue;
      CHECK(context.content.find("never resolved it") != std::string::npos);
      CHECK(context.content.find("2026-03-09T22:30:00Z") != std::string::npos);  // the newest
      CHECK(context.content.find("2026-03-09T16:10:00Z") == std::string::npos);  // an old one
      if (json) CHECK_NOTHROW(Json::parse(context.content));
    }
  }
  CHECK(error_text_of([&] { f.history.context({}); }).find("context: ") == 0);
  CHECK(error_text_of([&] {
          f.history.context({.text = "x", .budget_tokens = 5});
        }).find("budget_tokens: ") == 0);
  CHECK(f.history.context({.text = "nothing is known of this"}).omitted == 0);
}
