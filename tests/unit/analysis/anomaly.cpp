#include <cmath>
#include <limits>

#include <catch2/catch.hpp>

#include <actionhist/anomaly.hpp>

using namespace actionhist;

namespace {
using Sequences = std::vector<std::vector<std::string>>;
}

TEST_CASE("the surprise of a step is −ln of its smoothed rate") {
  // Of three sequences that begin with a, two go on with b and one ends.
  const SequenceModel model(Sequences{{"a", "b"}, {"a", "b"}, {"a"}}, .5);
  // After a: 2 × b, 1 × end, and the four outcomes are a, b, an unknown step, the end.
  const auto after_a = [](double count) { return -std::log((count + .5) / (3 + .5 * 4)); };
  const std::vector<std::string> usual{"a", "b"};
  const Surprise ends = model.surprise(std::vector<std::string>{"a"});
  CHECK(ends.nats == Approx(after_a(1)));
  CHECK(ends.position == 1);
  CHECK(model.surprise(usual).nats == Approx(after_a(2)));
  const Surprise strange = model.surprise(std::vector<std::string>{"a", "x", "b"});
  CHECK(strange.nats == Approx(after_a(0)));
  CHECK(strange.position == 1);
}

TEST_CASE("a sequence that has not ended is not surprising for where it stands") {
  Sequences history(50, {"look", "fix", "verify"});
  const SequenceModel model(history);
  const std::vector<std::string> half{"look", "fix"};
  CHECK(model.surprise(half, true).nats > model.threshold());
  CHECK(model.surprise(half, false).nats <= model.threshold());
  CHECK(model.surprise({}, false).nats == 0);
}

TEST_CASE("the threshold is the surprise that a share of the history does not exceed") {
  Sequences history(99, {"a", "b"});
  history.push_back({"a", "c"});
  const SequenceModel model(history);
  CHECK(model.size() == 100);
  CHECK(model.threshold(.99) == model.surprise(std::vector<std::string>{"a", "b"}).nats);
  CHECK(model.threshold(1) == model.surprise(std::vector<std::string>{"a", "c"}).nats);
  CHECK(SequenceModel(Sequences{}).threshold() == std::numeric_limits<double>::infinity());
}
