// How the server carries out what the library asks, seen by auto_explain: over two years of actions, of which one
// tenant has most, each form of a query reads only the months in range, by an index that is meant for it.
#include <catch2/catch.hpp>

#include <set>
#include <sstream>

#include "support/effort.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"
#include "support/two_years.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

class TwoYears {
 public:
  TwoYears() : uri_(fresh_database(shared_server())), database_(database_of(uri_)) {
    open(uri_, options());
    shared_server().run_sql(two_years_of_traces(scaled(40'000)), database_);
    for (const char* setting : {"session_preload_libraries = 'auto_explain'", "auto_explain.log_analyze = on",
                                "auto_explain.log_timing = off", "auto_explain.log_nested_statements = on"}) {
      set(setting);
    }
  }

  Options options() const {
    Options options{.tenant = "big", .semantic = false, .clock = FixedClock()};
    options.postgres.pool_min = 0;
    options.postgres.pool_max = 1;  // plans are kept for each connection
    return options;
  }
  // With these indexes; its plans are logged.
  History with(IndexSet indexes) const {
    // Building them would be logged row by row.
    set("auto_explain.log_min_duration = -1");
    Options wanted = options();
    wanted.postgres.indexes = {indexes};
    open(uri_, wanted);
    set("auto_explain.log_min_duration = 0");
    return open(uri_, options());
  }

 private:
  void set(const std::string& setting) const {
    shared_server().run_sql(fmt::format("ALTER DATABASE {} SET {}", database_, setting));
  }

  std::string uri_, database_;
};

const TwoYears& two_years() {
  static const TwoYears one;
  return one;
}

// What the server has said since the last look.
class Plans {
 public:
  Plans() { take(); }

  std::string take() {
    const std::string log = shared_server().log();
    const std::string fresh = log.substr(std::min(seen_, log.size()));
    seen_ = log.size();
    return fresh;
  }

 private:
  std::size_t seen_ = 0;
};

// The months, as "2026_03", that nodes of this name have read in the last plan of `log` that reads any. Those after
// the last action are left out: they are empty.
std::set<std::string> months_of(const std::string& log, std::string_view node) {
  constexpr std::string_view table = "resource_action_traces_";
  std::set<std::string> months;
  std::istringstream lines(log.substr(log.rfind("Query Text: ", log.rfind(table))));
  for (std::string line; std::getline(lines, line);) {
    const auto scan = line.find(node);
    const auto on = scan == line.npos ? scan : line.find(" on ", scan);
    const auto name = on == line.npos ? on : line.find(table, on);
    if (name == line.npos || line.find("never executed") != line.npos) continue;
    if (line.find("Bitmap Index Scan") != line.npos)
      continue;  // it names an index, for a scan of the heap above
    const std::string month = line.substr(name + table.size(), 7);
    if (month <= "2026_03") months.insert(month);
  }
  return months;
}

struct Form {
  std::string name;
  std::function<std::size_t(History&)> ask;  // how many it found
  std::string index;                         // the end of the index's name in a month
  std::size_t months = 25;                   // at most
};

std::size_t count(History& h, const ActionQuery& query) { return h.history(query).traces.size(); }
ActionQuery where(std::string_view json) { return {.where = Json::parse(json)}; }

void check(History& history, const std::vector<Form>& forms) {
  history.get("a-1");  // a connection that knows the settings
  Plans plans;
  for (const Form& form : forms) {
    INFO(form.name);
    CHECK(form.ask(history) > 0);
    const std::string plan = plans.take();
    INFO(plan.substr(0, 20'000));
    CHECK(plan.find("Query Text: ") != std::string::npos);
    CHECK(months_of(plan, "Seq Scan").empty());
    if (!form.index.empty()) CHECK(plan.find(form.index) != std::string::npos);
    const std::set<std::string> months = months_of(plan, "Scan");
    CHECK_FALSE(months.empty());
    CHECK(months.size() <= form.months);
  }
}

// Of every schema, whatever its index sets.
std::vector<Form> lean_forms() {
  const Resource web{.kind = "Deployment", .name = "web-3"};
  const auto days = [](int n) { return noon - std::chrono::hours(24 * n); };
  return {
      {"an action by its id", [](History& h) { return std::size_t{h.get("a-11").has_value()}; }, "_pkey", 1},
      {"the latest of a resource", [=](History& h) { return count(h, {.resource = web}); },
       "tenant_id_resource_id"},
      {"the latest of a resource in 30 days",
       [=](History& h) { return count(h, {.resource = web, .since = days(30)}); }, "tenant_id_resource_id",
       2},
      {"the latest of a resource in 365 days",
       [=](History& h) { return count(h, {.resource = web, .since = days(365)}); }, "tenant_id_resource_id",
       13},
      {"a correlation", [](History& h) { return count(h, {.correlation_id = "c-40"}); },
       "tenant_id_correlation_id"},
      {"the latest of a tenant", [](History& h) { return count(h, {}); }, "tenant_id_action_timestamp", 2},
      {"a tenant's in a week long ago",
       [=](History& h) { return count(h, {.since = days(400), .until = days(393)}); },
       "tenant_id_action_timestamp", 2},
      {"a filter without an index, in a week",
       [=](History& h) {
         return count(
             h,
             {.since = days(30), .until = days(23), .where = Json::object({{"alert_severity", "warning"}})});
       },
       "tenant_id_action_timestamp", 2},
      {"the window of a guarded resource",
       [=](History& h) {
         return h.repository().actions().recent({ScopeKind::resource, "r-3"}, days(60), noon, 100).size();
       },
       "tenant_id_resource_id", 3},
      {"the window of a session",
       [=](History& h) {
         return h.repository().actions().recent({ScopeKind::session, "s-3"}, days(2), noon, 100).size();
       },
       "tenant_id_session_id", 2},
      {"what retention asks of a resource",
       [=](History& h) {
         return h.repository()
             .retention()
             .facts("r-3", {.before = days(700), .limit = 100, .best = 5, .examples = 5, .now = noon})
             .candidates.size();
       },
       "tenant_id_resource_id"},
      {"the scores of a day",
       [=](History& h) { return h.repository().metrics().scores(days(1), noon).size(); },
       "tenant_id_action_timestamp_idx", 1},
      {"assessments that are due",
       [](History& h) { return h.lease_assessments("w", 5, std::chrono::seconds(1)).size(); },
       "tenant_id_effectiveness_due"},
  };
}

}  // namespace

TEST_CASE("what every schema serves, it serves by index and in the months asked for", "[postgres][plans]") {
  History history = two_years().with(IndexSet::lean);
  check(history, lean_forms());
}

TEST_CASE("the set analytics serves filters of columns", "[postgres][plans]") {
  History history = two_years().with(IndexSet::analytics);
  check(
      history,
      {{"an action type", [](History& h) { return count(h, where(R"({"action_type": "drain_node"})")); },
        "_type "},
       {"an alert", [](History& h) { return count(h, where(R"({"alert_name": "RareAlert"})")); }, "_alert "},
       {"a model", [](History& h) { return count(h, where(R"({"model_used": "rare-model"})")); }, "_model "},
       {"a status", [](History& h) { return count(h, where(R"({"execution_status": "failed"})")); },
        "_status "},
       {"pending or executing",
        [](History& h) {
          return count(h, where(R"({"execution_status": {"$in": ["pending", "executing"]}})"));
        },
        "_status "},
       {"a namespace", [](History& h) { return count(h, where(R"({"namespace": "rare-space"})")); },
        "_namespace "},
       {"a low score", [](History& h) { return count(h, where(R"({"effectiveness_score": {"$lt": 0.1}})")); },
        "_effectiveness "},
       {"a long duration",
        [](History& h) { return count(h, where(R"({"execution_duration_ms": {"$gt": 800000}})")); },
        "_duration "}});
}

TEST_CASE("the set search serves words and values inside JSON, under row-level security too",
          "[postgres][plans]") {
  History history = two_years().with(IndexSet::search);
  check(
      history,
      {{"a rare word", [](History& h) { return h.similar({.text = "quorum", .limit = 5}).size(); },
        "_words "},
       {"a label", [](History& h) { return count(h, where(R"({"alert_labels.pod": "p-30"})")); }, "_labels "},
       {"a parameter", [](History& h) { return count(h, where(R"({"action_parameters.replicas": 42})")); },
        "_parameters "},
       {"a state",
        [](History& h) { return count(h, where(R"({"resource_state_before.spec.replicas": 42})")); },
        "_state "},
       {"a field of one's own", [](History& h) { return count(h, where(R"({"metadata.ticket": "T-40"})")); },
        "_metadata "}});
}

TEST_CASE("of a proposal and an outcome only what looks into the months is planned anew",
          "[postgres][plans]") {
  History history = two_years().with(IndexSet::lean);
  Plans plans;
  // The server tries a statement five times with its values before it keeps a plan.
  for (int i = 0; i < 10; ++i) {
    Action action = restart(fmt::format("planned-{}", i), noon);
    action.action_timestamp.reset();
    action.resource.name = action.correlation_id = action.session_id = action.action_id;
    plans.take();
    REQUIRE(history.propose(action).allowed());
    history.complete(action.action_id, {.status = Status::completed});
  }
  constexpr std::string_view begin = "Query Text: ";
  const std::string log = plans.take();
  int kept = 0;
  for (std::size_t at = log.find(begin); at != std::string::npos;) {
    const std::size_t next = log.find(begin, at + 1);
    const std::string plan = log.substr(at, next - at);
    at = next;
    if (plan.find("resource_action_traces") != std::string::npos) continue;
    INFO(plan);
    CHECK(plan.find("'big'") == std::string::npos);
    ++kept;
  }
  // The heads and the resource before; the history, the heads and the queue with the action and with its outcome.
  CHECK(kept >= 7);
}

TEST_CASE("what was detected is listed, settled and counted by index", "[postgres][plans]") {
  const std::string uri = fresh_database(shared_server());
  const std::string database = database_of(uri);
  Options options{.tenant = "big", .semantic = false, .clock = FixedClock()};
  options.postgres.pool_max = 1;
  open(uri, options);
  // All but the last ten have ended, and were judged if there was something to judge.
  const int rows = scaled(40'000);
  shared_server().run_sql(
      fmt::format(
          "INSERT INTO actionhist.oscillation_detections (tenant_id, detection_id, pattern_id, pattern_type, scope, "
          "resources, detected_at, confidence, severity, action_count, time_span_minutes, matching_actions, first_at, "
          "last_at, prevention_applied, prevention_action, resolved_at, prevention_successful) SELECT 'big', 'd-' || i, "
          "(ARRAY['scale-oscillation', 'resource-thrashing', 'ineffective-loop', 'action-budget'])[1 + i % 4], "
          "'scale-oscillation', 'resource:r-' || i % 500, '[]', at, .5, 'low', 0, 0, '[]', at, at, i % 2 = 0, "
          "CASE WHEN i % 2 = 0 THEN 'block-action' END, CASE WHEN i <= {0} - 10 THEN at END, "
          "CASE WHEN i <= {0} - 10 AND i % 2 = 0 THEN true END FROM generate_series(1, {0}) AS i, "
          "LATERAL (SELECT '2026-03-10 11:59 UTC'::timestamptz - ({0} - i) * interval '1 minute' AS at) AS times",
          rows),
      database);
  shared_server().run_sql("VACUUM ANALYZE actionhist.oscillation_detections", database);
  for (const char* setting : {"session_preload_libraries = 'auto_explain'", "auto_explain.log_analyze = on",
                              "auto_explain.log_timing = off", "auto_explain.log_min_duration = 0"}) {
    shared_server().run_sql(fmt::format("ALTER DATABASE {} SET {}", database, setting));
  }
  History history = open(uri, options);
  Repository& repository = history.repository();
  Plans plans;
  const auto check = [&](std::string_view index, std::size_t wanted,
                         const std::function<std::size_t()>& ask) {
    plans.take();
    INFO(index);
    CHECK(ask() == wanted);
    const std::string plan = plans.take();
    INFO(plan.substr(0, 20'000));
    CHECK(plan.find(index) != std::string::npos);
    CHECK(plan.find("Seq Scan on oscillation_detections") == std::string::npos);
  };
  const auto list = [&](const DetectionQuery& query) {
    return [=, &history] { return history.detections(query).size(); };
  };
  check("detections_time", 50, list({}));
  check("detections_scope", 50, list({.scope = "resource:r-7"}));
  check("detections_pattern", 50, list({.pattern_id = "ineffective-loop"}));
  // By one of the two indexes that hold few others.
  check("Index Scan using detections_", 10, list({.unresolved = true}));
  check("detections_unsettled", 10, [&] { return repository.learning().unsettled(noon, noon, 100).size(); });
  check("detections_pattern", 5, [&] {
    repository.learning().refresh_pattern_rates();
    return history.patterns().size();
  });
}
