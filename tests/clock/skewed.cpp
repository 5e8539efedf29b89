// Agents on machines whose clocks are wrong by hours share a server: the guard goes by the server's clock.
#include <catch2/catch.hpp>

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

thread_local std::int64_t wrong_by_seconds = 0;

}  // namespace

// In the place of the C library's, for this program and every library in it.
extern "C" __attribute__((visibility("default"))) int clock_gettime(clockid_t clock,
                                                                    timespec* time) noexcept {
  const auto result = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += wrong_by_seconds;
  return result;
}

namespace {

// Does `work` on a machine whose clock is wrong by so much. The server's is right.
template <class Work>
auto on_machine(std::chrono::seconds wrong_by, Work&& work) {
  struct Wrong {
    explicit Wrong(std::int64_t seconds) { wrong_by_seconds = seconds; }
    ~Wrong() { wrong_by_seconds = 0; }
  } wrong(wrong_by.count());
  return work();
}

class Agent {
 public:
  Agent(const std::string& uri, std::chrono::seconds wrong_by)
      : wrong_by_(wrong_by), history_(on_machine(wrong_by, [&] { return open(uri, options()); })) {}

  template <class Work>
  auto does(Work&& work) {
    return on_machine(wrong_by_, [&] { return work(history_); });
  }

  Verdict proposes_to_scale(const std::string& id, int from, int to) {
    return does([&](History& history) {
      Action action = scale(id, from, to, {});
      action.action_timestamp.reset();
      Verdict verdict = history.propose(action);
      if (verdict.allowed()) {
        Outcome outcome = completed();
        outcome.resource_state_after = Json::object({{"replicas", to}});
        history.complete(id, outcome);
      }
      return verdict;
    });
  }

 private:
  // No connection is made by another thread, on which the clock is right.
  static Options options() {
    Options options{.tenant = "t", .semantic = false};
    options.postgres.pool_min = 0;
    return options;
  }

  std::chrono::seconds wrong_by_;
  History history_;
};

}  // namespace

TEST_CASE("an agent whose clock is wrong neither escapes the guard nor stops others for longer", "[clock]") {
  REQUIRE(on_machine(-3h, system_now) < system_now() - 2h);
  const std::string uri = fresh_database(shared_server());
  Agent behind(uri, -3h), ahead(uri, 3h), right(uri, 0s);
  // What is left of the difference is how long the server took to say its time.
  const auto now_at_server = [](TimePoint time) {
    return time > system_now() - 1min && time < system_now() + 1min;
  };
  const Verdict first = behind.proposes_to_scale("f-1", 3, 5);
  const Verdict second = ahead.proposes_to_scale("f-2", 5, 3);
  REQUIRE(first.allowed());
  REQUIRE(second.allowed());
  CHECK(now_at_server(first.trace->time()));
  CHECK(now_at_server(second.trace->time()));
  for (Agent* agent : {&behind, &ahead, &right}) {
    const Verdict verdict = agent->proposes_to_scale("f-3", 3, 5);
    REQUIRE_FALSE(verdict.allowed());
    CHECK(now_at_server(verdict.detections.front().as_of));
  }
  CHECK(right.does([](History& history) { return history.detections().size(); }) == 1);
}

TEST_CASE("what an agent says of the time is compared with the server's clock", "[clock]") {
  const std::string uri = fresh_database(shared_server());
  for (const std::chrono::hours wrong_by : {-3h, 3h}) {
    Agent agent(uri, wrong_by);
    const std::string text = error_text_of(
        [&] { agent.does([](History& history) { return history.propose(restart("p-1", system_now())); }); });
    INFO(text);
    CHECK(text.starts_with("action_timestamp: "));
    CHECK(agent.does([](History& history) { return history.get("p-1").has_value(); }) == false);
  }
  // What was done may have been done at any time before.
  CHECK(Agent(uri, -3h)
            .does([](History& history) { return history.record(restart("r-1", system_now())); })
            .stored);
}
