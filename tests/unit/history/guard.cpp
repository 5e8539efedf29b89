// What the guard asks the storage for.
#include <catch2/catch.hpp>

#include "history/guard.hpp"
#include "support/forwarding.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

// Memory that remembers how far back the guard looked last.
class Asked final : public Forwarding {
 public:
  Asked() : Forwarding(open_repository("memory:", {})) {}

  GuardView guard_view(const GuardQuestion& question, bool lock) override {
    window = question.window;
    return Forwarding::guard_view(question, lock);
  }

  std::chrono::microseconds window{};
};

RecentTrace proposal() {
  Trace trace;
  static_cast<Action&>(trace) = restart("p");
  trace.resource_id = "id-web";
  return RecentTrace(trace);
}

}  // namespace

TEST_CASE("the guard looks back as far as a pattern needs, and no longer once it is gone", "[guard]") {
  Asked storage;
  Guard guard(storage);
  const RecentTrace proposed = proposal();
  const auto check = [&] { guard.decide(proposed, noon, Asking::check); };
  Pattern pattern = default_patterns().front();
  pattern.pattern_id = "long";
  pattern.time_window = 100h;
  storage.patterns().put(pattern);
  check();
  CHECK(storage.window == 100h);
  // Other processes' patterns come and go; one reading more or less does not matter.
  storage.patterns().remove("long");
  pattern.pattern_id = "short";
  pattern.time_window = 60min;
  storage.patterns().put(pattern);
  check();
  CHECK(storage.window == 100h);
  for (int i = 0; i < 100; ++i) check();
  CHECK(storage.window == 60min);
  pattern.time_window = 90min;
  storage.patterns().put(pattern);
  check();
  CHECK(storage.window == 90min);
}
