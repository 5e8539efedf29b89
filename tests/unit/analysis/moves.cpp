#include <catch2/catch.hpp>

#include "analysis/window.hpp"
#include "timeline.hpp"

using namespace actionhist;

namespace {

// The movements of a timeline, as a detector reads them. Keeps the window that they point into.
class Read {
 public:
  explicit Read(const Timeline& timeline, bool candidate = false)
      : pattern_(shipped(PatternType::scale_oscillation)),
        evidence_(candidate ? proposing(timeline.traces) : Evidence{timeline.traces}),
        scene_(evidence_, timeline.traces.back().time()),
        window_(pattern_, scene_, std::chrono::hours(24)),
        all(movements(window_.steps())) {}

 private:
  Pattern pattern_;
  Evidence evidence_;
  Scene scene_;
  Window window_;

 public:
  Movements all;
};

}  // namespace

TEST_CASE("states tell a move with full quality") {
  const Read read(Timeline::scales({3, 5, 4}));
  REQUIRE(read.all.moves.size() == 2);
  const Move& up = read.all.moves[0];
  CHECK(up.dimension->name == "replicas");
  CHECK(up.from == 3);
  CHECK(up.to == 5);
  CHECK(up.amount == 2);
  CHECK(up.dir == 1);
  CHECK(up.quality == 1);
  CHECK(read.all.moves[1].dir == -1);
}

TEST_CASE("without states the last value is carried over, and the first move is not guessed") {
  Timeline timeline;
  for (const int replicas : {3, 5, 5, 4}) {
    timeline.add(static_cast<double>(timeline.traces.size()), "scale_deployment").action_parameters =
        Json::object({{"spec", Json::object({{"replicas", replicas}})}});
  }
  const Read read(timeline);
  REQUIRE(read.all.moves.size() == 3);
  CHECK(read.all.moves[0].from == 3);
  CHECK(read.all.moves[0].quality == .9);
  CHECK(read.all.moves[1].dir == 0);
  CHECK(read.all.moves[2].dir == -1);
}

TEST_CASE("a delta moves from what is known, or by its amount alone") {
  Timeline timeline;
  timeline.add(0, "scale_deployment").action_parameters = Json::object({{"delta", -2}});
  timeline.add(1, "scale_deployment").action_parameters = Json::object({{"replicas", 4}});
  timeline.add(2, "scale_deployment").action_parameters = Json::object({{"delta", 3}});
  const Read read(timeline);
  REQUIRE(read.all.moves.size() == 2);
  CHECK(read.all.moves[0].dir == -1);
  CHECK(read.all.moves[0].amount == 2);
  CHECK_FALSE(read.all.moves[0].from.has_value());
  CHECK(read.all.moves[1].to == 7);
}

TEST_CASE("the verb speaks when no number does") {
  Timeline timeline;
  timeline.add(0, "scale_up");
  timeline.add(1, "ScaleDown");
  timeline.add(2, "restart_pod");
  const Read read(timeline);
  REQUIRE(read.all.moves.size() == 2);
  CHECK(read.all.moves[0].quality == .6);
  CHECK(read.all.moves[0].dir == 1);
  CHECK(read.all.moves[1].dir == -1);
}

TEST_CASE("one dimension has many names") {
  CHECK(dimension_at("spec.replicas").name == "replicas");
  CHECK(dimension_at("desiredReplicas").name == "replicas");
  CHECK(dimension_at("replica_count").name == "replicas");
  CHECK(dimension_at("minReplicaCount").name == "min_replicas");
  CHECK(dimension_at("node_count").name == "size");
  CHECK(dimension_at("resources.limits.memory").name == "resources.limits.memory");
  for (const char* path : {"replicas", "size", "spec.minReplicas", "max_replicas"}) {
    INFO(path);
    CHECK(dimension_at(path).scale);
  }
  for (const char* path : {"cpu", "cpu_m", "memory", "memory_mi", "storage", "resources.limits.memory"}) {
    INFO(path);
    CHECK_FALSE(dimension_at(path).scale);
    CHECK(dimension_at(path).amount);
  }
  for (const char* path : {"ready_replicas", "status.replicas", "restartCount.restarts", "cpu_usage"}) {
    INFO(path);
    CHECK(dimension_at(path).measured);
  }
  CHECK_FALSE(dimension_at("target_cpu_utilization").measured);
}

TEST_CASE("counts differ by one, amounts only by more than a twentieth") {
  CHECK_FALSE(dimension_at("replicas").same(20, 21));
  CHECK(dimension_at("memory").same(1000, 1040));
  CHECK_FALSE(dimension_at("memory").same(1000, 1060));
}

TEST_CASE("quantities move too, whatever they are written with") {
  Timeline timeline;
  for (const char* memory : {"512Mi", "1Gi", "536870912"}) {
    timeline.add(static_cast<double>(timeline.traces.size()), "update_resources").action_parameters =
        Json::object({{"memory", memory}});
  }
  const Read read(timeline);
  REQUIRE(read.all.moves.size() == 2);
  CHECK(read.all.moves[0].to == 1073741824.);
  CHECK(read.all.moves[1].to == read.all.moves[0].from);
}

TEST_CASE("an argument of a tool is no property of the resource") {
  Timeline timeline;
  for (const int line : {10, 20, 10}) {
    timeline.add(static_cast<double>(timeline.traces.size()), "edit_file").action_parameters =
        Json::object({{"line", line}, {"timeout", line}, {"path", line == 10 ? "a" : "b"}});
  }
  const Read read(timeline);
  CHECK(read.all.moves.empty());
  CHECK(read.all.changes.empty());
}

TEST_CASE("a change of an image or a flag is read from the states") {
  Timeline timeline;
  Trace& trace = timeline.add(0, "deploy");
  trace.action_parameters = Json::object({{"image", "web:2"}});
  trace.resource_state_before = Json::object({{"image", "web:1"}, {"paused", false}, {"phase", "Failed"}});
  trace.outcome.resource_state_after =
      Json::object({{"image", "web:2"}, {"paused", true}, {"phase", "Running"}});
  trace.pre_spec_hash = "A";
  trace.outcome.post_spec_hash = "B";
  const Read read(timeline);
  REQUIRE(read.all.changes.size() == 3);
  CHECK(read.all.changes[0].setting == "image");
  CHECK(read.all.changes[0].to == "web:2");
  CHECK(read.all.changes[1].setting == "paused");
  CHECK(read.all.changes[2].setting == "spec");
}

TEST_CASE("without states the last value of a text setting is carried over") {
  const auto changes = [](const std::vector<Json>& parameters) {
    Timeline timeline;
    for (const Json& each : parameters)
      timeline.add(static_cast<double>(timeline.traces.size()), "patch").action_parameters = each;
    const Read read(timeline);
    std::vector<std::string> found;
    for (const Change& change : read.all.changes)
      found.push_back(fmt::format("{} {} {}", change.setting, change.from, change.to));
    return found;
  };
  using Strings = std::vector<std::string>;
  const auto image = [](const char* text) { return Json::object({{"image", text}}); };
  CHECK(changes({image("web:1"), image("web:1"), image("web:2"), image("web:1")}) ==
        Strings{"image web:1 web:2", "image web:2 web:1"});
  const auto variable = [](const char* name, const char* value) {
    return Json::object(
        {{"env", Json::array({Json::object({{"name", name}, {"value", value}})})}, {"reason", "as asked"}});
  };
  CHECK(changes({variable("LOG", "info"), variable("LOG", "debug")}) == Strings{"env.0.value info debug"});
  CHECK(changes({variable("LOG", "info"), variable("TRACE", "off")}).empty());
  CHECK(changes({Json::object({{"flag", "fast"}, {"enabled", true}}),
                 Json::object({{"flag", "fast"}, {"enabled", false}})}) == Strings{"enabled true false"});
  CHECK(changes({Json::object({{"flag", "fast"}, {"enabled", true}}),
                 Json::object({{"flag", "safe"}, {"enabled", false}})})
            .empty());
  // What a tool is told may be anything.
  CHECK(changes({Json::object({{"command", "ls"}, {"dry_run", true}}),
                 Json::object({{"command", "cat a"}, {"dry_run", false}})})
            .empty());
}

TEST_CASE("an undone change of a text setting left what was there") {
  Timeline timeline;
  for (const char* image : {"web:1", "web:2", "web:3"})
    timeline.add(static_cast<double>(timeline.traces.size()), "set_image").action_parameters =
        Json::object({{"image", image}});
  timeline.traces[1].outcome.status = Status::rolled_back;
  const Read read(timeline);
  REQUIRE(read.all.changes.size() == 2);
  CHECK(read.all.changes[1].from == "web:1");
}

TEST_CASE("a failed action moved nothing, and a rolled back one left what was there") {
  Timeline timeline = Timeline::scales({3, 5});
  Trace& failed = timeline.add(5, "scale_deployment");
  failed.action_parameters = Json::object({{"replicas", 9}});
  failed.outcome.status = Status::failed;
  Trace& undone = timeline.add(6, "scale_deployment");
  undone.action_parameters = Json::object({{"replicas", 8}});
  undone.outcome.status = Status::rolled_back;
  timeline.add(7, "scale_deployment").action_parameters = Json::object({{"replicas", 6}});
  const Read read(timeline);
  REQUIRE(read.all.moves.size() == 3);
  CHECK(read.all.moves[1].to == 8);
  CHECK(read.all.moves[2].from == 5);
}

TEST_CASE("a proposal does what its parameters say") {
  Timeline timeline = Timeline::scales({3, 5});
  Trace& proposed = timeline.add(5, "scale_deployment");
  proposed.action_parameters = Json::object({{"replicas", 3}});
  proposed.outcome = {};
  const Read read(timeline, true);
  REQUIRE(read.all.moves.size() == 2);
  CHECK(read.all.moves[1].quality == 1);
  CHECK(read.all.moves[1].dir == -1);
}
