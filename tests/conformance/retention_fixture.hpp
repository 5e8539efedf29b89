// Days of actions on resources, of which policies remove some and holds keep others.
#pragma once

#include <set>

#include <catch2/catch.hpp>

#include "support/samples.hpp"

namespace actionhist::test {

inline constexpr auto day = std::chrono::days(1);

struct RetentionFixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  FixedClock clock;
  History history = open(engine.uri(folder), {.tenant = "default", .clock = clock});

  RetentionFixture() { UNSCOPED_INFO(engine.name); }

  // `count` restarts of one resource, a day apart, the last of them yesterday: "web-1" is the newest.
  void days_of(const std::string& name, int count) {
    std::vector<Action> batch;
    for (int i = count; i >= 1; --i) {
      Action action = restart(name + "-" + std::to_string(i), noon - i * day);
      action.resource.name = name;
      action.outcome = completed();
      batch.push_back(std::move(action));
    }
    history.record(batch);
  }

  std::set<std::string> ids() {
    std::set<std::string> all;
    for (const Trace& trace : history.history({.limit = 10'000}).traces) all.insert(trace.action_id);
    return all;
  }

  void expect_sound() { CHECK(history.repository().maintenance().verify().empty()); }
};

inline const Resource web{.kind = "Deployment", .namespace_ = "prod", .name = "web"};
inline const Resource db{.kind = "Deployment", .namespace_ = "prod", .name = "db"};

}  // namespace actionhist::test
