// How agents that call tools get stuck, and what only looks like it: the cases that agent frameworks watch for, each in
// many variants of names, results and neighbours.
#include <random>

#include <catch2/catch.hpp>

#include "timeline.hpp"

using namespace actionhist;

namespace {

constexpr int variants = 40;

// A run of an agent that calls tools, a call every few seconds, on nothing that has a name.
class Run {
 public:
  explicit Run(unsigned seed) : random_(seed) {}

  int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  Trace& call(std::string type, std::string argument, std::string result, Status status = Status::completed) {
    minute_ += .1 + .1 * pick(5);
    Trace& trace = timeline.add(minute_, std::move(type));
    trace.resource = {};
    trace.resource_id.clear();
    trace.correlation_id = "run";
    trace.action_parameters = Json::object({{"argument", argument}});
    trace.outcome.result_hash = std::move(result);
    trace.outcome.status = status;
    return trace;
  }

  // Work that is no loop: other tools, other arguments, other results.
  void work(int calls) {
    constexpr const char* types[] = {"read_file", "edit_file", "bash", "search"};
    for (int i = 0; i < calls; ++i) {
      ++made_;
      call(types[pick(4)], fmt::format("work {}", made_), fmt::format("seen {}", made_));
    }
  }

  bool stuck() const { return !found(PatternType::ineffective_loop, timeline).empty(); }

  Timeline timeline;

 private:
  std::mt19937 random_;
  double minute_ = 0;
  int made_ = 0;
};

std::string tool(Run& run) {
  constexpr const char* tools[] = {"bash", "read_file", "CmdRunAction", "python", "browse_url", "edit_file"};
  return tools[run.pick(6)];
}

}  // namespace

TEST_CASE("the same call with the same result four times is a loop after any work") {
  for (unsigned seed = 0; seed < variants; ++seed) {
    Run run(seed);
    run.work(run.pick(20));
    const std::string name = tool(run);
    INFO(seed << ' ' << name);
    CHECK_FALSE(run.stuck());
    for (int i = 0; i < 4; ++i) run.call(name, "ls", "file1.txt");
    CHECK(run.stuck());
    // A new change ends it; looking around would not.
    run.call("bash", "make install", "installed");
    CHECK_FALSE(run.stuck());
  }
}

TEST_CASE(
    "the same call that fails three times is a loop, whatever the error says, if nobody knows a result") {
  for (unsigned seed = 0; seed < variants; ++seed) {
    Run run(seed);
    run.work(run.pick(20));
    const std::string name = tool(run);
    INFO(seed << ' ' << name);
    for (int i = 0; i < 3; ++i) {
      Trace& trace = run.call(name, "make", "", Status::failed);
      trace.outcome.execution_error = fmt::format("error {} at line {}", i, run.pick(100));
    }
    CHECK(run.stuck());
  }
}

TEST_CASE("a call that fails with another result each time comes further") {
  for (unsigned seed = 0; seed < variants; ++seed) {
    Run run(seed);
    const std::string name = tool(run);
    INFO(seed << ' ' << name);
    for (int i = 0; i < 6; ++i) {
      run.call(name, "make", fmt::format("error {}", i), Status::failed);
      CHECK_FALSE(run.stuck());
    }
  }
}

TEST_CASE("two or more calls in turn, three times round with the same results, are a loop") {
  for (unsigned seed = 0; seed < variants; ++seed) {
    Run run(seed);
    run.work(run.pick(20));
    const int period = 2 + run.pick(4);
    INFO(seed << ", period " << period);
    for (int i = 0; i < 3 * period; ++i) {
      run.call(i % period == 0 ? "edit_file" : "read_file", fmt::format("step {}", i % period),
               fmt::format("result {}", i % period));
    }
    CHECK(run.stuck());
  }
}

TEST_CASE("an agent that says the same to itself again and again is stuck") {
  for (unsigned seed = 0; seed < variants; ++seed) {
    Run run(seed);
    run.work(run.pick(20));
    for (int i = 0; i < 3; ++i) run.call("MessageAction", "I will now fix it.", "nothing");
    INFO(seed);
    CHECK(run.stuck());
  }
}

TEST_CASE("a call whose argument or result differs each time is work") {
  for (unsigned seed = 0; seed < variants; ++seed) {
    Run run(seed);
    const std::string name = tool(run);
    const bool by_result = run.pick(2) == 0;
    INFO(seed << ' ' << name);
    for (int i = 0; i < 12; ++i) {
      run.call(name, by_result ? "tail log" : fmt::format("file {}", i), fmt::format("line {}", i));
      CHECK_FALSE(run.stuck());
    }
  }
}

TEST_CASE("editing and testing in turn is work while the tests say something new") {
  for (unsigned seed = 0; seed < variants; ++seed) {
    Run run(seed);
    for (int i = 0; i < 8; ++i) {
      run.call("edit_file", fmt::format("edit {}", i), "edited");
      run.call("bash", "make test", fmt::format("{} failed", 40 - i),
               i < 7 ? Status::failed : Status::completed);
      INFO(seed << ' ' << i);
      CHECK_FALSE(run.stuck());
    }
  }
}
