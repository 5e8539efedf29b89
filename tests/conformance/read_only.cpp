// What every engine that keeps anything promises of a memory that is opened with read_only.
#include <catch2/catch.hpp>

#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

const Resource web{.kind = "Deployment", .namespace_ = "prod", .name = "web"};
const ItemChange item{.namespace_ = {"a"}, .key = "k", .value = Json::object({{"n", 1}}), .ttl = 24h};

// A memory with something of each kind, opened again to be read.
struct Fixture {
  Engine engine;
  TempFolder folder;
  Options options{.tenant = "t", .semantic = false, .clock = FixedClock()};
  std::string uri = engine.uri(folder);
  std::string detection_id;

  explicit Fixture(Engine given) : engine(std::move(given)) {
    History writer = open(uri, options);
    Pattern budget;
    for (const Pattern& each : writer.patterns()) {
      if (each.pattern_type == PatternType::action_budget) budget = each;
    }
    budget.active = true;
    budget.min_occurrences = 2;
    writer.put_pattern(budget);
    writer.record(scale("done", 3, 5, noon - 2h));
    writer.complete("done", completed(.5));
    writer.record(restart("running"));
    writer.propose(restart("pending", noon));
    const Verdict refused = writer.propose(restart("refused", noon));
    if (!refused.detections.empty()) detection_id = refused.detections.front().detection_id;
    writer.observe({.name = "HighLoad", .starts_at = noon});
    writer.items().put({&item, 1});
    Checkpoint checkpoint;
    checkpoint.thread_id = "thread";
    checkpoint.checkpoint_id = "1";
    writer.checkpoints().put(checkpoint);
    options.read_only = true;
  }
};

}  // namespace

TEST_CASE("what is opened with read_only denies every call that would change something", "[read_only]") {
  const Engine engine = GENERATE(from_range(engines()));
  if (engine.name == "memory") return;  // begins empty
  Fixture f(engine);
  History h = open(f.uri, f.options);
  REQUIRE_FALSE(f.detection_id.empty());
  const Action action = restart("new", noon);
  const Checkpoint checkpoint = h.checkpoints().find({}).at(0);
  Pattern changed = h.patterns().front();
  changed.description = "changed";
  const std::vector<float> vector(8, 1.0F);
  const SubjectVector imported{"done", vector};
  const std::pair<const char*, std::function<void()>> writes[] = {
      {"record", [&] { h.record(action); }},
      {"propose", [&] { h.propose(action); }},
      {"propose with an override", [&] { h.propose(action, {.actor = "me", .reason = "so"}); }},
      {"start", [&] { h.start("pending"); }},
      {"complete", [&] { h.complete("running", completed()); }},
      {"assess", [&] { h.assess("done", {.score = .9}); }},
      {"observe", [&] { h.observe({.name = "a", .starts_at = noon}); }},
      {"link", [&] { h.link("done", "running", "after"); }},
      {"resource_seen", [&] { h.resource_seen(web); }},
      {"resource_deleted", [&] { h.resource_deleted(web); }},
      {"erase", [&] { h.erase("done"); }},
      {"set_retention_policy", [&] { h.set_retention_policy(RetentionPolicy{.max_actions = 1}); }},
      {"put_pattern", [&] { h.put_pattern(changed); }},
      {"remove_pattern", [&] { h.remove_pattern(h.patterns().front().pattern_id); }},
      {"resolve", [&] { h.resolve(f.detection_id); }},
      {"analyse", [&] { h.analyse(); }},
      {"refresh_metrics", [&] { h.refresh_metrics(); }},
      {"upkeep", [&] { h.upkeep(); }},
      {"set_guard_policy", [&] { h.set_guard_policy(web, {.min_occurrences = 3}); }},
      {"backfill", [&] { h.backfill(); }},
      {"import_vectors",
       [&] {
         h.import_vectors("mine", {&imported, 1});
       }},
      {"Items::put",
       [&] {
         h.items().put({&item, 1});
       }},
      {"Checkpoints::put", [&] { h.checkpoints().put(checkpoint); }},
      {"Checkpoints::remove_thread", [&] { h.checkpoints().remove_thread("thread"); }},
  };
  for (const auto& [call, write] : writes) {
    INFO(engine.name << ' ' << call);
    const std::string text = error_text_of(write);
    CHECK(error_code_of(write) == ErrorCode::denied);
    INFO(text);
    CHECK(text.find("it was opened with read_only") != std::string::npos);
  }
}

TEST_CASE("what is opened with read_only answers what only reads", "[read_only]") {
  const Engine engine = GENERATE(from_range(engines()));
  if (engine.name == "memory") return;
  INFO(engine.name);
  Fixture f(engine);
  f.options.semantic = GENERATE(false, true);
  f.options.index_folder = "";
  History h = open(f.uri, f.options);
  CHECK(h.health().ready);
  CHECK(h.get("done")->outcome.effectiveness_score == .5);
  CHECK(h.history({.resource = web}).traces.size() == 3);
  CHECK(h.summaries().size() == 1);
  // Both ways, and without a trace of it.
  CHECK_FALSE(h.check(restart("new", noon)).allowed());
  Action other = restart("other", noon);
  other.resource.name = "db";
  CHECK(h.check(other).allowed());
  CHECK(h.detections().size() == 1);
  CHECK(h.detection(f.detection_id)->refusals == 1);
  CHECK_NOTHROW(h.detect({.resource = web}));
  // By words; an index has nothing yet once it has loaded, because nobody works off the queue.
  const std::vector<Hit> hits = h.similar({.text = "pod crashes"});
  if (!f.options.semantic) CHECK_FALSE(hits.empty());
  CHECK_NOTHROW(h.recommend({.alert_name = "HighLoad"}));
  CHECK_FALSE(h.context({.alert_name = "HighLoad"}).content.empty());
  CHECK_NOTHROW(h.metrics());
  CHECK(h.overrides().empty());
  CHECK(h.retention_plan().empty());
  CHECK(h.retention_operations().empty());
  CHECK_NOTHROW(h.guard_policy(web));
  CHECK_NOTHROW(h.spaces());
  CHECK(h.failed_subjects().empty());
  // Reading would renew it.
  const ItemKey key{item.namespace_, item.key};
  const auto found = h.items().get({&key, 1});
  REQUIRE(found.at(0));
  CHECK(found[0]->expires_at == noon + 24h);
  CHECK(h.items().search({}).size() == 1);
  CHECK(h.checkpoints().find({}).size() == 1);
}
