// What every engine promises about actions. Runs over each of them.
#include <catch2/catch.hpp>

#include <atomic>
#include <cmath>
#include <set>
#include <thread>

#include "core/hash.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

// Runs the rest of a test case once an engine.
struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  FixedClock clock;
  History history = open(engine.uri(folder), {.tenant = "default", .clock = clock});

  Fixture() { UNSCOPED_INFO(engine.name); }
};

}  // namespace

TEST_CASE("an action is stored with all that it was given", "[actions]") {
  Fixture f;
  Action action = scale("a-1", 3, 5, noon - 1h);
  action.correlation_id = "inc-1";
  action.session_id = "s-1";
  action.actor = "agent";
  action.environment = "production";
  action.alert_labels = Json::object({{"app.kubernetes.io/name", "web"}});
  action.alert_annotations = Json::object({{"summary", "zu viel Last – 高負荷"}});
  action.alert_firing_time = noon - 2h;
  action.model_used = "model";
  action.routing_tier = "route1";
  action.model_confidence = 0.875;
  action.alternative_actions = Json::array({Json::object({{"action", "restart"}})});
  action.pre_spec_hash = "h1";
  action.metadata = Json::object({{"root_cause", "load"}});
  action.outcome = completed(0.25);
  action.outcome.execution_start_time = noon - 50min;
  action.outcome.execution_end_time = noon - 49min;
  action.outcome.kubernetes_operations = Json::array({Json::object({{"operation", "patch"}})});
  action.outcome.effectiveness_criteria = Json::object({{"alert_resolved", true}});

  const Trace stored = f.history.record(action);
  CHECK(stored.stored);
  const Trace read = f.history.get("a-1").value();
  CHECK(to_json(read) == to_json(stored));
  CHECK(read.model_confidence == 0.875);
  CHECK(read.alert_annotations == action.alert_annotations);
  CHECK(read.effect == Effect::mutating);
  CHECK(read.resource.api_group == "apps");
  CHECK(read.outcome.execution_duration_ms == 60'000);
  CHECK(read.time() == noon - 1h);
  CHECK(read.created_at == noon);
}

TEST_CASE("an id that is stored already gives the stored trace", "[actions]") {
  Fixture f;
  f.history.record(restart("a-1", noon - 1h));
  const Trace again = f.history.record(scale("a-1", 1, 2, noon));
  CHECK_FALSE(again.stored);
  CHECK(again.action_type == "restart_deployment");
  CHECK(again.time() == noon - 1h);

  const Action twice[] = {restart("a-2"), restart("a-2")};
  const auto both = f.history.record(twice);
  CHECK(both[0].stored);
  CHECK_FALSE(both[1].stored);
  CHECK(f.history.history({}).traces.size() == 2);
}

TEST_CASE("an owner that is not known does not take the place of the resource", "[actions]") {
  Fixture f;
  Action action = restart("a-1");
  const std::string own = f.history.record(action).resource_id;
  int i = 1;
  for (const char* owner : {"StatefulSet/", "/web", "Deployment/unknown", "unknown/web", "unknown", ""}) {
    action.action_id = "a-" + std::to_string(++i);
    action.owner = owner;
    const Trace stored = f.history.record(action);
    CHECK(stored.resource_id == own);
    CHECK(stored.owner.empty());
  }
  action.action_id = "a-9";
  for (const char* owner : {"apps/v1/Deployment/web", "Deployment/web/", "web"}) {
    action.owner = owner;
    CHECK(error_text_of([&] { f.history.record(action); }).find("must be KIND/NAME") != std::string::npos);
  }
}

TEST_CASE("a resource \"unknown\" is no question", "[actions]") {
  Fixture f;
  f.history.record(restart("a-1"));
  CHECK(error_text_of([&] { f.history.history({.resource = {.kind = "unknown"}}); }).find("kind: ") == 0);
  CHECK(error_text_of([&] { f.history.history({.resource = {.name = "Unknown"}}); }).find("name: ") == 0);
  CHECK(error_code_of([&] { f.history.detect({.resource = {.kind = "unknown"}}); }) ==
        ErrorCode::invalid_argument);
  Action unknown = restart("a-2");
  unknown.resource.kind = "unknown";
  f.history.record(unknown);
  const Page page = f.history.history({.where = Json::parse(R"({"kind": null})")});
  REQUIRE(page.traces.size() == 1);
  CHECK(page.traces[0].action_id == "a-2");
}

TEST_CASE("several actions are read at once, in the order of their ids", "[actions]") {
  Fixture f;
  const std::string ours = f.history.record(restart("", noon - 1h + 123us)).action_id;
  const std::string elsewhere = uuid_v7(noon - 48h);  // carries another time than its action's
  for (const std::string& id : {std::string("b"), elsewhere, std::string("a"), std::string("gone")})
    f.history.record(restart(id, noon - 72h));
  const std::string gone = f.history.record(restart("", noon - 2h)).action_id;
  REQUIRE(f.history.erase("gone"));
  REQUIRE(f.history.erase(gone));

  const std::vector<std::string> wanted{"b", gone, ours, "never", "gone", elsewhere, "a"};
  const std::vector<Trace> traces = f.history.repository().actions().get(wanted);
  REQUIRE(traces.size() == 4);
  const std::vector<std::string> stored{"b", ours, elsewhere, "a"};
  for (std::size_t i = 0; i < stored.size(); ++i)
    CHECK(to_json(traces[i]) == to_json(*f.history.get(stored[i])));
  CHECK(f.history.repository().actions().get(std::span<const std::string>{}).empty());
}

TEST_CASE("what another source tells is stored once, and completed when its outcome comes", "[actions]") {
  Fixture f;
  const auto done = [&](const std::vector<Action>& told) {
    const ActionImport result = f.history.import_actions(told);
    return std::array{result.stored, result.completed, result.present};
  };
  using Done = std::array<std::int64_t, 3>;
  const Action begun = restart("a-1");
  Action ended = begun;
  ended.outcome.status = Status::failed;
  ended.outcome.execution_error = "quota exceeded";
  ended.outcome.effectiveness_score = .1;
  CHECK(done({begun, restart("b-1")}) == Done{2, 0, 0});
  f.clock.advance(1min);
  CHECK(done({ended, restart("b-1")}) == Done{0, 1, 1});
  const Trace stored = *f.history.get("a-1");
  CHECK(stored.outcome.status == Status::failed);
  CHECK(stored.outcome.execution_error == "quota exceeded");
  CHECK(done({ended, begun}) == Done{0, 0, 2});
  CHECK(*f.history.get("a-1") == stored);
  // record() leaves it as it stands, and so does what is told of another action under its id.
  ended.action_id = "b-1";
  CHECK(f.history.record(ended).outcome.status == Status::pending);
  Action other = ended;
  other.action_type = "drain_node";
  CHECK(done({other}) == Done{0, 0, 1});
  // All of it or nothing.
  ended.outcome.execution_start_time = noon - 30min;
  ended.outcome.execution_end_time = noon - 40min;
  CHECK(error_code_of([&] { done({restart("c-1"), ended}); }) == ErrorCode::invalid_argument);
  CHECK_FALSE(f.history.get("c-1"));
}

TEST_CASE("an id that we make is unique and carries the action's time", "[actions]") {
  Fixture f;
  std::set<std::string> ids;
  for (int i = 0; i < 50; ++i) ids.insert(f.history.record(restart("", noon - 1h + 123us)).action_id);
  CHECK(ids.size() == 50);
  CHECK(f.history.get(*ids.begin())->time() == noon - 1h + 123us);
}

TEST_CASE("a batch is stored as a whole or not at all", "[actions]") {
  Fixture f;
  std::vector<Action> batch;
  for (int i = 0; i < 10; ++i) batch.push_back(restart("b-" + std::to_string(i)));
  batch[7].action_type.clear();
  const std::string text = error_text_of([&] { f.history.record(batch); });
  CHECK(text == "actions[7].action_type: is required");
  CHECK(f.history.history({}).traces.empty());
  batch[7].action_type = "restart";
  CHECK(f.history.record(batch).size() == 10);
  CHECK(f.history.record(std::span<const Action>{}).empty());
}

TEST_CASE("bad input is refused with the field's name, and nothing is stored", "[actions]") {
  Fixture f;
  const auto refused = [&](auto change) {
    Action action = restart("bad");
    change(action);
    const std::string text = error_text_of([&] { f.history.record(action); });
    CHECK(error_code_of([&] { f.history.record(action); }) == ErrorCode::invalid_argument);
    return text;
  };
  CHECK(refused([](Action& a) { a.action_type.clear(); }) == "action_type: is required");
  CHECK(refused([](Action& a) { a.action_timestamp.reset(); }).starts_with("action_timestamp: is required"));
  CHECK(refused([](Action& a) { a.model_confidence = 1.5; }) == "model_confidence: must be between 0 and 1");
  CHECK(refused([](Action& a) { a.model_confidence = std::nan(""); }).starts_with("model_confidence: "));
  CHECK(refused([](Action& a) { a.action_id = std::string(300, 'x'); }) ==
        "action_id: is 300 bytes long, at most 255 are kept");
  CHECK(refused([](Action& a) {
          a.action_timestamp = parse_time("9999-01-01T00:00:00Z");
        }).starts_with("action_timestamp: 9999-01-01T00:00:00Z is in the future"));
  CHECK(refused([](Action& a) {
          a.action_timestamp = parse_time("1999-12-31T23:59:59Z");
        }).starts_with("action_timestamp: 1999"));
  CHECK(refused([](Action& a) {
          a.model_reasoning = std::string(1'000'000, 'x');
        }).starts_with("model_reasoning: is 1000000 bytes"));
  CHECK(refused([](Action& a) { a.alert_name = "\xff"; }) == "alert_name: is not valid UTF-8");
  CHECK(refused([](Action& a) { a.actor = std::string("a\0b", 3); }) == "actor: holds a NUL character");
  CHECK(refused([](Action& a) { a.resource.name = "\xc0"; }) ==
        "resource_reference.name: is not valid UTF-8");
  CHECK(refused([](Action& a) { a.action_parameters = Json::array({1}); }) ==
        "action_parameters: must be a JSON object");
  CHECK(
      refused([](Action& a) { a.outcome.effectiveness_score = -0.1; }).starts_with("effectiveness_score: "));
  CHECK(refused([](Action& a) {
          a.outcome.execution_start_time = noon;
          a.outcome.execution_end_time = noon - 1s;
        }) == "execution_end_time: is before execution_start_time");
  CHECK(f.history.history({}).traces.empty());
  CHECK(f.history.health().feed.queued == 0);
}

TEST_CASE("secrets never reach the store", "[actions]") {
  Fixture f;
  Action action = restart("s-1");
  action.action_parameters = Json::object({{"password", "hunter2"}});
  action.model_reasoning = "login with token=abcdef123456";
  f.history.record(action);
  const std::string all = to_json(*f.history.get("s-1"));
  CHECK(all.find("hunter2") == all.npos);
  CHECK(all.find("abcdef123456") == all.npos);
}

TEST_CASE("an action goes from pending through executing to its outcome", "[actions]") {
  Fixture f;
  f.history.record(restart("a-1"));
  f.clock.advance(1min);
  CHECK(f.history.start("a-1").outcome.status == Status::executing);
  f.clock.advance(1min);
  const Trace done = f.history.complete("a-1", completed(0.9));
  CHECK(done.outcome.status == Status::completed);
  CHECK(done.outcome.execution_duration_ms == 60'000);
  CHECK(done.outcome.effectiveness_score == 0.9);
  CHECK(done.outcome.effectiveness_assessed_at == noon + 2min);
  CHECK(done.updated_at == noon + 2min);
}

TEST_CASE("the same outcome again changes nothing, another is a conflict unless it corrects", "[actions]") {
  Fixture f;
  f.history.record(restart("a-1"));
  const Trace first = f.history.complete("a-1", completed(0.9));
  f.clock.advance(1h);
  CHECK(f.history.complete("a-1", completed(0.9)).updated_at == first.updated_at);
  Outcome failed;
  failed.status = Status::failed;
  failed.execution_error = "rollout timed out";
  CHECK(error_code_of([&] { f.history.complete("a-1", failed); }) == ErrorCode::conflict);
  CHECK(f.history.get("a-1")->outcome.status == Status::completed);
  CHECK(f.history.complete("a-1", failed, true).outcome.execution_error == "rollout timed out");
  CHECK(error_code_of([&] { f.history.start("a-1"); }) == ErrorCode::conflict);
  CHECK(error_code_of([&] { f.history.complete("nosuch", completed()); }) == ErrorCode::not_found);
  CHECK(error_code_of([&] { f.history.complete("a-1", Outcome{}); }) == ErrorCode::invalid_argument);
  Outcome endless = completed();
  endless.execution_duration_ms = std::numeric_limits<std::int64_t>::max();
  CHECK(error_text_of([&] { f.history.complete("a-1", endless); }).find("execution_duration_ms: ") == 0);
}

TEST_CASE("the end by an agent's clock may lie a little before the start by ours", "[actions]") {
  Fixture f;
  f.history.record(restart("a-1", noon - 1h));
  f.history.start("a-1");
  Outcome outcome = completed();
  outcome.execution_end_time = noon - 6min;
  CHECK(error_text_of([&] { f.history.complete("a-1", outcome); }) ==
        "execution_end_time: is before execution_start_time");
  outcome.execution_end_time = noon - 3s;
  const Outcome stored = f.history.complete("a-1", outcome).outcome;
  CHECK(stored.execution_end_time == noon);
  CHECK(stored.execution_duration_ms == 0);
  // Of one clock they are as they were said.
  outcome.execution_start_time = noon - 1s;
  CHECK(error_code_of([&] { f.history.complete("a-1", outcome, true); }) == ErrorCode::invalid_argument);
}

TEST_CASE("a duration follows the times that are corrected, unless it was given", "[actions]") {
  Fixture f;
  for (const char* id : {"derived", "given"}) {
    Action action = restart(id, noon - 1h);
    action.outcome.execution_start_time = noon - 500s;
    f.history.record(action);
  }
  Outcome outcome = completed();
  outcome.execution_end_time = noon - 400s;
  CHECK(f.history.complete("derived", outcome).outcome.execution_duration_ms == 100'000);
  outcome.execution_duration_ms = 77;
  f.history.complete("given", outcome);
  outcome.execution_duration_ms.reset();
  outcome.execution_end_time = noon - 100s;
  CHECK(f.history.complete("derived", outcome, true).outcome.execution_duration_ms == 400'000);
  CHECK(f.history.complete("given", outcome, true).outcome.execution_duration_ms == 77);
}

TEST_CASE("a text that grows as its secrets are taken out is cut, not refused", "[actions]") {
  Fixture f;
  f.history.record(restart("a-1"));
  Outcome failed;
  failed.status = Status::failed;
  while (failed.execution_error.size() < 256 * 1024 - 20) failed.execution_error += "password=äbc ";
  const std::string kept = f.history.complete("a-1", failed).outcome.execution_error;
  CHECK(kept.size() <= 256 * 1024);
  CHECK(kept.size() > 256 * 1024 - 4);
  CHECK(kept.find("äbc") == std::string::npos);
}

TEST_CASE("of two outcomes at the same moment one is stored and the other a conflict", "[actions]") {
  Fixture f;
  for (int round = 0; round < 30; ++round) {
    const std::string id = "a-" + std::to_string(round);
    f.history.record(restart(id));
    std::atomic<int> stored = 0;
    std::atomic<int> conflicts = 0;
    const auto say = [&](Status status) {
      Outcome outcome;
      outcome.status = status;
      try {
        f.history.complete(id, outcome);
        ++stored;
      } catch (const Error& error) {
        conflicts += error.code() == ErrorCode::conflict;
      }
    };
    std::thread other(say, Status::failed);
    say(Status::completed);
    other.join();
    CHECK(stored == 1);
    CHECK(conflicts == 1);
  }
}

TEST_CASE("effectiveness comes from the parts that were assessed", "[actions]") {
  Fixture f;
  f.history.record(restart("a-1"));
  CHECK_FALSE(f.history.assess("a-1", {}).outcome.effectiveness_score);
  CHECK(f.history.assess("a-1", {.health = 1, .alert = 0}).outcome.effectiveness_score.value() ==
        Approx(0.5333).margin(1e-4));
  CHECK(
      f.history.assess("a-1", {.score = 0.75, .method = "manual"}).outcome.effectiveness_assessment_method ==
      "manual");
  CHECK(error_code_of([&] { f.history.assess("a-1", {.health = 2}); }) == ErrorCode::invalid_argument);
  CHECK(error_code_of([&] { f.history.assess("x", {.health = 1}); }) == ErrorCode::not_found);
}

TEST_CASE("pages are in a stable order without gaps or repeats", "[actions]") {
  Fixture f;
  std::vector<Action> batch;
  // Many of one time: the id decides.
  for (int i = 0; i < 25; ++i)
    batch.push_back(restart("p-" + std::to_string(100 + i), noon - std::chrono::minutes(i / 10)));
  f.history.record(batch);
  std::vector<std::string> seen;
  ActionQuery query{.limit = 7};
  for (;;) {
    const Page page = f.history.history(query);
    for (const Trace& trace : page.traces) seen.push_back(trace.action_id);
    if (page.next.empty()) break;
    query.cursor = page.next;
  }
  REQUIRE(seen.size() == 25);
  CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 25);
  CHECK(seen.front() == "p-109");
  CHECK(seen.back() == "p-120");
  CHECK(error_code_of([&] { f.history.history({.cursor = "rubbish"}); }) == ErrorCode::invalid_argument);
  CHECK(error_code_of([&] { f.history.history({.limit = 0}); }) == ErrorCode::invalid_argument);
}

TEST_CASE("a resource's actions come newest first, over however many months they lie", "[actions]") {
  Fixture f;
  std::vector<Action> batch;
  std::vector<std::string> newest_first;
  const int days[] = {0, 1, 9, 10, 11, 37, 38, 69, 70, 160, 221, 222, 222, 400, 800, 1'200, 3'000};
  for (int i = 0; i < 17; ++i) {
    newest_first.push_back("m-" + std::to_string(50 - i));
    batch.push_back(restart(newest_first.back(), noon - std::chrono::hours(24 * days[i])));
  }
  f.history.record(batch);
  for (const int limit : {1, 2, 5, 16, 17, 18}) {
    for (const int last : {17, 13, 9, 6}) {
      INFO("pages of " << limit << ", " << last << " in range");
      ActionQuery query{.resource = {.kind = "Deployment", .name = "web"}, .limit = limit};
      if (last < 17) query.since = noon - std::chrono::hours(24 * days[last - 1]);
      std::vector<std::string> seen;
      do {
        const Page page = f.history.history(query);
        for (const Trace& trace : page.traces) seen.push_back(trace.action_id);
        query.cursor = page.next;
      } while (!query.cursor.empty());
      CHECK(seen == std::vector(newest_first.begin(), newest_first.begin() + last));
      query.until = noon - std::chrono::hours(24 * 37);
      const std::vector<Trace> older = f.history.history(query).traces;
      REQUIRE(older.size() == std::size_t(std::min(limit, last - 6)));
      if (!older.empty()) CHECK(older.front().action_id == newest_first[6]);
    }
  }
}

TEST_CASE("history is found by resource, time and filter", "[actions]") {
  Fixture f;
  Action other = restart("o-1", noon - 2h);
  other.resource.name = "api";
  Action clustered = scale("c-1", 3, 9, noon - 1h);
  clustered.resource.cluster = "eu";
  clustered.alert_labels = Json::object({{"app.kubernetes.io/name", "web"}, {"team", "a"}});
  clustered.metadata = Json::object({{"ticket", Json::object({{"id", "7"}})}});
  const Action all[] = {restart("r-1", noon - 3h), other, clustered};
  f.history.record(all);
  const auto ids = [&](const ActionQuery& query) {
    std::string text;
    for (const Trace& trace : f.history.history(query).traces) text += trace.action_id + " ";
    return text;
  };
  const auto where = [&](std::string_view text) { return ids({.where = Json::parse(text)}); };
  CHECK(ids({}) == "c-1 o-1 r-1 ");
  CHECK(ids({.resource = {.kind = "deployments", .namespace_ = "prod", .name = "web"}}) == "c-1 r-1 ");
  CHECK(ids({.resource = {.cluster = "eu"}}) == "c-1 ");
  CHECK(ids({.since = noon - 2h}) == "c-1 o-1 ");
  CHECK(ids({.until = noon - 2h}) == "r-1 ");
  CHECK(where(R"({"action_parameters.replicas": {"$gt": 3}})") == "c-1 ");
  CHECK(where(R"({"action_parameters.replicas": "9"})").empty());
  CHECK(where(R"({"alert_labels.app.kubernetes.io/name": "web"})") == "c-1 ");
  CHECK(where(R"({"metadata.ticket.id": "7"})") == "c-1 ");
  CHECK(where(R"({"alert_severity": "critical", "name": {"$ne": "web"}})") == "o-1 ");
  CHECK(where(R"({"timestamp": {"$gte": "2026-03-10T11:00:00Z"}})") == "c-1 ");
  CHECK(where(R"({"metadata.ticket": {"$exists": false}})") == "o-1 r-1 ");
  CHECK(where(R"({"alert_name": "x' OR 1=1 --"})").empty());
  CHECK(error_code_of([&] { where(R"({"metadata.a\"b": 1})"); }) == ErrorCode::invalid_argument);
}

TEST_CASE("follow-ups are linked once", "[actions]") {
  Fixture f;
  const Action both[] = {restart("a-1"), restart("a-2")};
  f.history.record(both);
  f.history.link("a-1", "a-2", "correction");
  const Trace trace = f.history.link("a-1", "a-2", "correction");
  CHECK(trace.follow_up_actions.text() == R"([{"action_id":"a-2","relation":"correction"}])");
  CHECK(error_code_of([&] { f.history.link("none", "a-2", "x"); }) == ErrorCode::not_found);
}

TEST_CASE("an erased action is gone and its id stays taken", "[actions]") {
  Fixture f;
  f.history.record(restart("a-1"));
  CHECK(f.history.erase("a-1"));
  CHECK_FALSE(f.history.erase("a-1"));
  CHECK_FALSE(f.history.get("a-1"));
  CHECK(error_code_of([&] { f.history.record(restart("a-1")); }) == ErrorCode::conflict);
  CHECK(f.history.summaries().front().total_actions == 0);
}

TEST_CASE("a duration that nobody gave is left out where it could not be true", "[actions]") {
  Fixture f;
  Action action = restart("a");
  action.outcome.execution_start_time = parse_time("2010-01-01T00:00:00Z");
  action.outcome.execution_end_time = noon;
  f.history.record(action);
  CHECK_FALSE(f.history.get("a")->outcome.execution_duration_ms);
  f.history.record(restart("b"));
  f.history.start("b", parse_time("2010-01-01T00:00:00Z"));
  Outcome done;
  done.status = Status::completed;
  CHECK_FALSE(f.history.complete("b", done).outcome.execution_duration_ms);
}

TEST_CASE("tenants share a file and nothing else", "[actions]") {
  TempFolder folder;
  const std::string uri = "sqlite:" + folder.file("h.db");
  History a = open(uri, {.tenant = "a", .clock = FixedClock()});
  History b = open(uri, {.tenant = "b", .clock = FixedClock()});
  a.record(restart("x-1"));
  CHECK_FALSE(b.get("x-1"));
  CHECK(b.history({}).traces.empty());
  CHECK(b.summaries().empty());
  CHECK(b.record(restart("x-1")).stored);
  CHECK(b.erase("x-1"));
  CHECK(a.get("x-1"));
  CHECK(error_code_of([&] { open(uri, {.tenant = ""}); }) == ErrorCode::invalid_argument);
}
