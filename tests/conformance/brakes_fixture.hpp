// An agent that scales to and fro, whose host hears of what was found.
#pragma once

#include <functional>
#include <vector>

#include <catch2/catch.hpp>

#include "support/samples.hpp"

namespace actionhist::test {

struct BrakesFixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  FixedClock clock;
  std::vector<DetectionNotice> notices;
  History history =
      open(engine.uri(folder),
           {.tenant = "test",
            .semantic = false,
            .clock = clock,
            .on_detection = [this](const DetectionNotice& notice) { notices.push_back(notice); }});

  BrakesFixture() { UNSCOPED_INFO(engine.name); }

  Action flip(std::string id, int from, int to) {
    Action action = scale(std::move(id), from, to, *clock.time);
    action.resource_state_before = Json::object({{"replicas", from}});
    return action;
  }

  void finish(const Action& action, int to) {
    Outcome outcome = completed();
    outcome.resource_state_after = Json::object({{"replicas", to}});
    history.complete(action.action_id, outcome);
    clock.advance(5min);
  }

  // Replicas 3, 5, 3: the next flip would be the second reversal.
  void flip_twice(const std::string& prefix = "f") {
    for (const auto& [id, from, to] : {std::tuple(prefix + "-1", 3, 5), std::tuple(prefix + "-2", 5, 3)}) {
      const Action action = flip(id, from, to);
      REQUIRE(history.propose(action).allowed());
      finish(action, to);
    }
  }

  Pattern pattern(PatternType type) {
    for (const Pattern& each : history.patterns()) {
      if (each.pattern_type == type) return each;
    }
    throw std::runtime_error("no such pattern");
  }

  void change(PatternType type, const std::function<void(Pattern&)>& work) {
    Pattern changed = pattern(type);
    work(changed);
    history.put_pattern(changed);
  }
};

}  // namespace actionhist::test
