// One database, two tenants: neither ever sees a row of the other, whatever it asks, and however.
#include <catch2/catch.hpp>

#include <actionhist/postgres_months.hpp>

#include "postgres/connection.hpp"
#include "postgres/migrations.hpp"
#include "support/effort.hpp"
#include "support/postgres_server.hpp"
#include "support/random_filters.hpp"

using namespace actionhist;
using namespace actionhist::postgres;
using namespace actionhist::test;

namespace {

// What a row of another tenant would show.
const std::string secret = "of-somebody-else";

History open_as(const std::string& uri, const std::string& tenant, bool semantic = false) {
  return open(uri, {.tenant = tenant, .semantic = semantic, .clock = FixedClock()});
}

// The same actions for both, except for what belongs to whom.
void fill(History& history, const std::string& mark) {
  RandomFilters random(7);
  std::vector<Action> actions;
  for (int i = 0; i < 60; ++i) {
    Action action = random.action(i);
    action.model_reasoning = "pod crashes " + mark;
    action.correlation_id = "c";
    action.session_id = "s";
    action.resource.cluster = mark;
    actions.push_back(action);
  }
  actions.front().action_id = "only-" + mark;
  history.record(actions);
  for (int i = 0; i < 6; ++i) {
    Action flip = scale(fmt::format("flip-{}", i), i % 2 ? 6 : 3, i % 2 ? 3 : 6, noon - 60min + i * 5min);
    flip.model_reasoning = mark;
    flip.outcome = completed();
    history.record(flip);
  }
  history.observe({.name = "HighLoad",
                   .fingerprint = "f-" + mark,
                   .labels = Json::object({{"of", mark}}),
                   .starts_at = noon - 30min});
  for (Pattern pattern : history.patterns()) {
    pattern.description = mark;
    // So that a proposal is refused, and leaves a detection.
    if (pattern.pattern_type == PatternType::action_budget) {
      pattern.active = true;
      pattern.min_occurrences = 2;
    }
    history.put_pattern(pattern);
  }
}

std::string everything_of(History& h, RandomFilters& random) {
  std::string text;
  ActionQuery query{.where = random.filter(), .limit = 1 + random.below(40)};
  if (random.below(3) == 0) query.resource.name = "web";
  if (random.below(3) == 0) query.correlation_id = "c";
  for (int page = 0; page < 5; ++page) {
    const Page found = h.history(query);
    for (const Trace& trace : found.traces) text += to_json(trace);
    query.cursor = found.next;
    if (found.next.empty()) break;
  }
  for (const Hit& hit : h.similar({.text = "pod " + secret, .limit = 20, .where = query.where})) {
    text += to_json(hit);
  }
  const std::string id = random.below(2) ? fmt::format("a-{}", random.below(60)) : "only-" + secret;
  if (const auto trace = h.get(id)) text += to_json(*trace);
  for (const Summary& summary : h.summaries()) text += to_json(summary);
  for (const Detection& d : h.detect({.correlation_id = "c"})) text += to_json(d);
  for (const Detection& d : h.detect({.session_id = "s"})) text += to_json(d);
  for (const Pattern& pattern : h.patterns()) text += to_json(pattern);
  Repository& r = h.repository();
  for (const Detection& d : r.patterns().in_force({}, noon)) text += to_json(d);
  for (const Detection& d : r.patterns().detections({.limit = 100})) text += to_json(d);
  for (const Alert& a : r.resources().alerts(noon - 24h, noon)) text += a.fingerprint + a.labels.text();
  for (const QueuedSubject& row : r.feed().queued(1000)) text += row.subject_id;
  for (const FeedSubject& row : r.feed().read("space", {}, 1000).subjects) text += row.subject_id + row.text;
  text += to_json(h.recommend({.alert_name = "HighLoad"}));
  return text;
}

}  // namespace

TEST_CASE("no method shows a tenant anything of another", "[postgres][tenants]") {
  const std::string uri = fresh_database(shared_server());
  // With the indexes whose look-up row-level security does not guard.
  open(uri, {.tenant = "b", .semantic = false, .postgres = {.indexes = {IndexSet::search}}});
  History other = open_as(uri, "b", true);
  fill(other, secret);
  Action refused = scale("refused", 3, 6, noon);
  refused.model_reasoning = secret;
  CHECK_FALSE(other.propose(refused).allowed());
  REQUIRE(other.wait_indexed(60s));

  History mine = open_as(uri, "a");
  RandomFilters random(11);
  CHECK(everything_of(mine, random).find("action_id") == std::string::npos);
  fill(mine, "mine");
  for (int round = 0; round < effort(60); ++round) {
    const std::string seen = everything_of(mine, random);
    REQUIRE(seen.find(secret) == seen.npos);
    REQUIRE(everything_of(other, random).find("mine") == std::string::npos);
  }

  // What is changed under an id that both have, or only the other has, is one's own or nothing.
  mine.complete("a-5", completed(.1));
  CHECK(mine.erase("a-6"));
  CHECK(other.get("a-6"));
  CHECK(other.get("a-5")->outcome != mine.get("a-5")->outcome);
  const std::string id = "only-" + secret;
  CHECK(error_code_of([&] { mine.complete(id, completed()); }) == ErrorCode::not_found);
  CHECK(error_code_of([&] { mine.start(id); }) == ErrorCode::not_found);
  CHECK(error_code_of([&] { mine.link(id, "x", "y"); }) == ErrorCode::not_found);
  CHECK(error_code_of([&] { mine.similar({.action_id = id}); }) == ErrorCode::not_found);
  CHECK_FALSE(mine.erase(id));
  CHECK(mine.record(restart(id)).stored);
  CHECK(other.get(id)->model_reasoning.find(secret) != std::string::npos);
  for (History* history : {&mine, &other}) CHECK(history->repository().maintenance().verify().empty());
}

TEST_CASE("SQL of one's own sees one tenant's rows too, and without a tenant none", "[postgres][tenants]") {
  const std::string uri = fresh_database(shared_server());
  for (const char* tenant : {"a", "b"}) {
    History history = open_as(uri, tenant, true);
    fill(history, tenant);
    history.propose(scale("refused", 3, 6, noon));
    REQUIRE(history.wait_indexed(60s));
  }
  Connection connection(Target(uri), {}, "a");
  const Result tables = connection.run(
      "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid AND "
      "t.attname = 'tenant_id' WHERE c.relnamespace = 'actionhist'::regnamespace AND c.relkind IN ('r', 'p') "
      "AND NOT c.relispartition ORDER BY 1");
  CHECK(tables.rows() >= 15);
  const auto count = [&](const std::string& table, const std::string& condition) {
    return connection.run(fmt::format("SELECT count(*) FROM {} WHERE {}", table, condition), {}, Plan::once)
        .row(0)
        .get<std::int64_t>();
  };
  int filled = 0;
  for (int i = 0; i < tables.rows(); ++i) {
    const auto table = tables.row(i).get<std::string>();
    INFO(table);
    for (const char* tenant : {"a", "b"}) {
      connection.run("SELECT set_config('actionhist.tenant', $1, false)", Parameters(std::string(tenant)));
      CHECK(count(table, fmt::format("tenant_id <> '{}'", tenant)) == 0);
      filled += count(table, "true") > 0 ? 1 : 0;
    }
    for (const char* nobody : {"", "A", "a' OR true --"}) {
      connection.run("SELECT set_config('actionhist.tenant', $1, false)", Parameters().add_text(nobody));
      CHECK(count(table, "true") == 0);
    }
    connection.run("RESET actionhist.tenant");
    CHECK(count(table, "true") == 0);
  }
  CHECK(filled >= 20);

  connection.run("SELECT set_config('actionhist.tenant', 'a', false)");
  const auto refused = [&](const std::string& sql) {
    try {
      connection.run(sql, {}, Plan::once);
    } catch (const ServerError& error) {
      return error.sqlstate();
    }
    return std::string();
  };
  CHECK(refused("INSERT INTO action_ids (tenant_id, action_id, action_timestamp) VALUES ('b', 'x', now())") ==
        "42501");
  CHECK(refused("UPDATE guard_heads SET tenant_id = 'b'") == "42501");
  CHECK(connection.run("DELETE FROM resource_action_traces WHERE tenant_id = 'b'").affected() == 0);
  CHECK(connection.run("UPDATE embedding_queue SET attempts = 9 WHERE tenant_id = 'b'").affected() == 0);
}

TEST_CASE("a month shows nothing to others, whatever they are granted on it", "[postgres][tenants]") {
  const std::string uri = fresh_database(shared_server());
  const std::string database = database_of(uri);
  open_as(uri, "a").record(restart("before", noon));
  const std::string reader = "reports_" + database;
  const auto as_superuser = [&](const std::string& text) { shared_server().run_sql(text, database); };
  as_superuser(fmt::format("CREATE ROLE {} LOGIN PASSWORD 'x'", reader));
  as_superuser(fmt::format("GRANT USAGE ON SCHEMA actionhist TO {}", reader));
  as_superuser(fmt::format("GRANT SELECT ON ALL TABLES IN SCHEMA actionhist TO {}", reader));
  as_superuser(
      fmt::format("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA actionhist GRANT SELECT ON TABLES TO {}",
                  app_role, reader));
  // What an older library made.
  as_superuser("ALTER TABLE actionhist.resource_action_traces_2026_03 DISABLE ROW LEVEL SECURITY");
  const auto step = std::ranges::find_if(
      migrations(), [](const sql::Migration& each) { return each.name.ends_with("month_rows"); });
  Connection(Target(uri), {}, "a").run_script(std::string(step->sql));
  History history = open_as(uri, "a");
  // In a month that is made now, and in one that comes back from a file.
  history.record(restart("now", noon - 30 * 24h));
  TempFolder folder;
  const Month march = std::chrono::year(2024) / 3;
  history.record(restart("old", parse_time("2024-03-10T12:00:00Z")));
  PostgresMonths months(uri);
  months.archive(march, folder.path());
  months.restore(march, folder.path());
  CHECK(history.history({}).traces.size() == 3);

  Connection connection(Target(shared_server().uri(database, reader, "x")), {}, "a");
  const auto rows = [&](const std::string& table) {
    return connection.run("SELECT count(*) FROM " + table, {}, Plan::once).row(0).get<std::int64_t>();
  };
  CHECK(rows("resource_action_traces") == 3);
  for (const char* month : {"2024_03", "2026_02", "2026_03"}) {
    INFO(month);
    CHECK(rows(fmt::format("resource_action_traces_{}", month)) == 0);
  }
  // Only what row-level security does not hold is amiss.
  CHECK(history.repository().maintenance().verify() == std::vector<std::string>{});
  as_superuser(fmt::format("GRANT TRIGGER ON actionhist.resource_action_traces_2026_03 TO {}", reader));
  CHECK(history.repository().maintenance().verify().size() == 1);
}
