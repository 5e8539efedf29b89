// What every engine promises of a space with a vector for each aspect of an action: queries weigh them.
#include <limits>
#include <thread>

#include <catch2/catch.hpp>

#include "support/models.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

constexpr const char* space = "aspects/1/hashed-lexical/1024/1";

struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  std::string uri = engine.uri(folder);

  Fixture() { UNSCOPED_INFO(engine.name); }

  Options options(std::shared_ptr<const EmbeddingModel> model = by_aspect(hashed_lexical_model())) const {
    return {.tenant = "default", .model = std::move(model), .index_folder = folder.file("index")};
  }
};

// The same trouble answered in two ways, and the same answer to two troubles.
std::vector<Action> crossed() {
  std::vector<Action> actions;
  for (const char* alert : {"OutOfMemory", "DiskFull"}) {
    for (const char* type : {"restart_pod", "expand_volume"}) {
      Action action = restart(std::string(alert) + " " + type, noon + std::chrono::minutes(actions.size()));
      action.alert_name = alert;
      action.action_type = type;
      action.model_reasoning = {};
      actions.push_back(std::move(action));
    }
  }
  return actions;
}

std::vector<float> vector_of(std::string_view text) {
  const auto model = by_aspect(hashed_lexical_model());
  std::vector<float> vector(model->dimension());
  model->embed({&text, 1}, EmbeddingRole::document, vector);
  return vector;
}

std::vector<std::string> ids(const std::vector<Hit>& hits) {
  std::vector<std::string> out;
  for (const Hit& hit : hits) out.push_back(hit.trace.action_id);
  return out;
}

// An outcome with words of its own.
Outcome failed(std::string error) {
  Outcome outcome;
  outcome.status = Status::failed;
  outcome.execution_error = std::move(error);
  return outcome;
}

}  // namespace

TEST_CASE("weights turn the order of answers", "[aspects]") {
  Fixture f;
  History history = open(f.uri, f.options());
  history.record(crossed());
  REQUIRE(history.wait_indexed(30s));
  CHECK(history.health().space_id == space);
  SimilarQuery query{.vector = vector_of("OutOfMemory\nDeployment\n\nexpand_volume"), .limit = 3};
  query.weights = Aspects{.context = 3, .action = 1};
  CHECK(ids(history.similar(query)) == std::vector<std::string>{"OutOfMemory expand_volume",
                                                                "OutOfMemory restart_pod",
                                                                "DiskFull expand_volume"});
  query.weights = Aspects{.context = 1, .action = 3};
  const auto hits = history.similar(query);
  CHECK(ids(hits) == std::vector<std::string>{"OutOfMemory expand_volume", "DiskFull expand_volume",
                                              "OutOfMemory restart_pod"});
  REQUIRE(hits[1].explain.aspects);
  const Aspects cosines = *hits[1].explain.aspects;
  CHECK(cosines.action == Approx(1));
  CHECK(cosines.context < 0.9);
  CHECK(cosines.outcome == 0);
  CHECK(hits[1].explain.similarity == Approx((cosines.context + 3 * cosines.action) / 4));
}

TEST_CASE("an outcome that arrives later is found by its words", "[aspects]") {
  Fixture f;
  History history = open(f.uri, f.options());
  history.record(crossed());
  REQUIRE(history.wait_indexed(30s));
  const SimilarQuery query{.text = "quota exceeded in this zone", .weights = Aspects{.outcome = 1}};
  for (const Hit& hit : history.similar(query)) CHECK(hit.explain.similarity == 0);
  history.complete("DiskFull expand_volume", failed("the storage quota of the zone is exceeded"));
  REQUIRE(history.wait_indexed(30s));
  const auto hits = history.similar(query);
  REQUIRE_FALSE(hits.empty());
  CHECK(hits[0].trace.action_id == "DiskFull expand_volume");
  CHECK(hits[0].explain.similarity > 0.3);
  CHECK(hits[0].explain.similarity == Approx(hits[0].explain.aspects->outcome));
  CHECK(hits[0].explain.aspects->context < hits[0].explain.aspects->outcome);
}

TEST_CASE("an action is found like another by the aspects that count", "[aspects]") {
  Fixture f;
  History history = open(f.uri, f.options());
  history.record(crossed());
  REQUIRE(history.wait_indexed(30s));
  SimilarQuery query{.action_id = "OutOfMemory restart_pod", .limit = 1};
  query.weights = Aspects{.context = 1};
  CHECK(ids(history.similar(query)) == std::vector<std::string>{"OutOfMemory expand_volume"});
  query.weights = Aspects{.action = 1};
  CHECK(ids(history.similar(query)) == std::vector<std::string>{"DiskFull restart_pod"});
}

TEST_CASE("filters and the choice among hits work with weights", "[aspects]") {
  Fixture f;
  History history = open(f.uri, f.options());
  std::vector<Action> actions = crossed();
  for (const char* id : {"twin 1", "twin 2"}) {
    actions.push_back(actions[0]);
    actions.back().action_id = id;
  }
  history.record(actions);
  REQUIRE(history.wait_indexed(30s));
  SimilarQuery query{.vector = vector_of("OutOfMemory\nDeployment\n\nrestart_pod"),
                     .weights = Aspects{.context = 1, .action = 2}};
  CHECK(history.similar(query).size() == 6);
  query.where = Json::object({{"alert_name", "DiskFull"}});
  CHECK(ids(history.similar(query)) ==
        std::vector<std::string>{"DiskFull restart_pod", "DiskFull expand_volume"});
  query.where = {};
  query.distinct = 1;
  CHECK(history.similar(query).size() == 4);
  query.distinct.reset();
  query.mmr_lambda = 0.3;
  query.limit = 2;
  CHECK(history.similar(query)[1].trace.action_type == "expand_volume");
  query.mmr_lambda.reset();
  query.limit = 10;
  query.percentile = 99;
  for (const Hit& hit : history.similar(query)) CHECK(hit.trace.action_type == "restart_pod");
  CHECK(history.similar(query).size() >= 3);
}

TEST_CASE("a memory changes to vectors by aspect and back, and keeps them in files", "[aspects]") {
  Fixture f;
  if (f.engine.name == "memory") return;
  const std::string whole = hashed_lexical_model()->space_id();
  SimilarQuery query{.vector = vector_of("OutOfMemory\nDeployment\n\nexpand_volume"),
                     .limit = 1,
                     .weights = Aspects{.action = 1}};
  const auto follow = [](History& history, std::string_view wanted) {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (history.health().space_id != wanted && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(10ms);
    return history.health().space_id == wanted;
  };
  {
    History history = open(f.uri, f.options({}));
    std::vector<Action> actions = crossed();
    // So many that the index is worth files.
    for (int i = 0; i < 600; ++i) {
      actions.push_back(restart("other " + std::to_string(i), noon));
      actions.back().model_reasoning = "case " + std::to_string(i);
    }
    history.record(actions);
    REQUIRE(history.wait_indexed(60s));
    CHECK_FALSE(history.similar({.text = "OutOfMemory"})[0].explain.aspects);
    const SpaceSwitch result = history.switch_space(space, {.force = true});
    CHECK(result.switched);
    CHECK(result.embedded == 604);
    REQUIRE(follow(history, space));
    CHECK(history.similar(query)[0].trace.action_type == "expand_volume");
  }
  {
    History history = open(f.uri, f.options({}));
    REQUIRE(history.wait_indexed(60s));
    CHECK(history.health().space_id == space);
    const auto hits = history.similar(query);
    CHECK(hits[0].trace.action_type == "expand_volume");
    CHECK(hits[0].explain.aspects->action == Approx(1));
    CHECK(history.switch_space(whole, {.force = true}).embedded == 0);
    REQUIRE(follow(history, whole));
    CHECK_THAT(error_text_of([&] { history.similar({.text = "a", .weights = query.weights}); }),
               Catch::StartsWith("weights: "));
  }
}

TEST_CASE("a recommendation goes by the situation alone", "[aspects]") {
  Fixture f;
  History history = open(f.uri, f.options());
  std::vector<Action> actions = crossed();
  actions[0].outcome = completed(0.9);
  actions[2].outcome = completed(0.1);
  history.record(actions);
  REQUIRE(history.wait_indexed(30s));
  RecommendQuery query;
  query.alert_name = "OutOfMemory";
  const Recommendations found = history.recommend(query);
  REQUIRE_FALSE(found.actions.empty());
  CHECK(found.actions[0].action_type == "restart_pod");
}

TEST_CASE("weights that mean nothing are refused by name", "[aspects]") {
  Fixture f;
  const auto refused = [](History& history, const Aspects& weights) {
    return error_text_of([&] { history.similar({.text = "disk", .weights = weights}); });
  };
  History history = open(f.uri, f.options());
  history.record(crossed());
  REQUIRE(history.wait_indexed(30s));
  for (const Aspects& weights : {Aspects{}, Aspects{.context = 1, .action = -1},
                                 Aspects{.outcome = std::numeric_limits<double>::quiet_NaN()},
                                 Aspects{.outcome = std::numeric_limits<double>::infinity()}}) {
    CHECK_THAT(refused(history, weights), Catch::StartsWith("weights: "));
  }
  CHECK(parse_aspects(R"({"action": 2})").action == 2);
  CHECK(parse_aspects("{}").context == 0);
  for (const char* wrong : {R"({"actions": 2})", R"({"action": "much"})", "[1, 2]", "2", ""})
    CHECK_THAT(error_text_of([&] { parse_aspects(wrong); }), Catch::StartsWith("weights"));
}

TEST_CASE("one vector for all aspects cannot be weighed, and words alone say that they are not",
          "[aspects]") {
  Fixture f;
  const SimilarQuery query{.text = "disk", .weights = Aspects{.action = 1}};
  {
    History history = open(f.uri, f.options({}));
    history.record(crossed());
    REQUIRE(history.wait_indexed(30s));
    CHECK_THAT(error_text_of([&] { history.similar(query); }),
               Catch::StartsWith("weights: ") && Catch::Contains("hashed-lexical/1024/1"));
  }
  Options off = f.options({});
  off.semantic = false;
  History history = open(f.uri, off);
  history.record(restart("disk"));
  for (const Hit& hit : history.similar({.text = "pod crashes", .weights = query.weights}))
    CHECK_THAT(hit.explain.fallback, Catch::Contains("weights"));
}
