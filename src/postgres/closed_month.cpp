#include "postgres/closed_month.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <actionhist/error.hpp>

#include "core/hash.hpp"
#include "postgres/server_error.hpp"
#include "sql/retention_columns.hpp"

namespace actionhist::postgres {
namespace {

// Resources whose counters change in one transaction, and actions that are queued in one.
constexpr int resources_at_once = 500;
constexpr int actions_at_once = 2'000;
// The guard looks at what is usual for a resource, and metrics at the month before.
constexpr auto youth = std::chrono::days(30);

}  // namespace

MonthState parse_month_state(std::string_view text) {
  for (const MonthState state : {MonthState::present, MonthState::detaching, MonthState::detached,
                                 MonthState::archived, MonthState::restoring}) {
    if (to_string(state) == text) return state;
  }
  throw Error(ErrorCode::corrupt, fmt::format("partitions: closed_months says \"{}\"", text));
}

ClosedMonth::ClosedMonth(SchemaSession& session, Month month, Progress progress)
    : session_(session),
      name_(format_month(month)),
      part_("resource_action_traces_" + name_),
      begin_(std::chrono::sys_days(month / 1)),
      end_(std::chrono::sys_days((month + std::chrono::months(1)) / 1)),
      progress_(std::move(progress)) {
  std::ranges::replace(part_, '-', '_');
  started_ = ask("SELECT now()").row(0).get<TimePoint>();
}

Result ClosedMonth::ask(std::string_view sql, Parameters parameters) {
  return session_.connection().run(sql, std::move(parameters), Plan::once);
}

void ClosedMonth::tell(std::string_view step, std::int64_t actions) const {
  if (progress_) progress_({step, actions});
}

std::optional<Closing> ClosedMonth::find() {
  const Result result =
      ask("SELECT state, departure, sha256, archive FROM closed_months WHERE month = $1", Parameters(name_));
  Reader reader(result);
  if (!reader.next()) return std::nullopt;
  Closing closing;
  closing.state = parse_month_state(reader.get<std::string>());
  reader.read(closing.departure).read(closing.sha256).read(closing.archive);
  departure_ = closing.departure;
  return closing;
}

bool ClosedMonth::attached() {
  return ask("SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = "
             "'resource_action_traces'::regclass AND c.relname = $1",
             Parameters(part_))
             .rows() > 0;
}

std::vector<std::string> ClosedMonth::tenants() {
  // From one to the next through the primary key, however many actions each has.
  const std::string text = fmt::format(
      "WITH RECURSIVE each AS ((SELECT tenant_id FROM {0} ORDER BY tenant_id LIMIT 1) UNION ALL SELECT (SELECT "
      "p.tenant_id FROM {0} p WHERE p.tenant_id > each.tenant_id ORDER BY p.tenant_id LIMIT 1) FROM each WHERE "
      "each.tenant_id IS NOT NULL) SELECT tenant_id FROM each WHERE tenant_id IS NOT NULL",
      part_);
  const Result result = ask(text);
  std::vector<std::string> tenants;
  for (Reader reader(result); reader.next();) reader.read(tenants.emplace_back());
  return tenants;
}

std::vector<Result> ClosedMonth::as_tenant(const std::string& tenant, const std::vector<Call>& calls) {
  std::vector<Call> all;
  all.push_back({"SELECT set_config('actionhist.tenant', $1, true)", Parameters(tenant), Plan::once});
  all.insert(all.end(), calls.begin(), calls.end());
  std::vector<Result> results;
  session_.persist([&] {
    try {
      results = session_.connection().run(all);
      return true;
    } catch (const ServerError& error) {
      if (error.sqlstate() != "40P01") throw;
      return false;
    }
  });
  results.erase(results.begin());
  return results;
}

void ClosedMonth::check_free() {
  const auto refuse = [&](std::string_view why) {
    throw Error(ErrorCode::conflict, fmt::format("month {}: {}", name_, why));
  };
  if (end_ + youth > started_) {
    refuse("ended less than 30 days ago, so that the guard and the metrics still read it");
  }
  const std::string text = fmt::format(
      "SELECT EXISTS (SELECT FROM retention_defaults WHERE tenant_id = $1 AND legal_hold) OR (EXISTS (SELECT FROM "
      "action_histories WHERE tenant_id = $1 AND legal_hold) AND EXISTS (SELECT FROM {} p LEFT JOIN "
      "resource_references r ON r.tenant_id = p.tenant_id AND r.resource_id = p.resource_id WHERE p.tenant_id = $1 AND "
      "({} OR {}))), EXISTS (SELECT FROM oscillation_detections WHERE tenant_id = $1 AND "
      "in_force_until > now() AND resolved_at IS NULL AND first_at < $3 AND last_at >= $2), EXISTS (SELECT FROM "
      "oscillation_patterns WHERE tenant_id = $1 AND active AND now() - make_interval(mins => "
      "time_window_minutes::int) < $3)",
      part_, sql::held_by_name("r"), sql::held_by_name("p"));
  for (const std::string& tenant : tenants()) {
    const std::vector<Result> results =
        as_tenant(tenant, {{text, Parameters(tenant, begin_, end_), Plan::once}});
    bool held = false, cited = false, watched = false;
    results[0].row(0).read(held).read(cited).read(watched);
    if (held) refuse(fmt::format("tenant \"{}\" has a legal hold on it; lift that first", tenant));
    if (cited)
      refuse(fmt::format("a detection in force of tenant \"{}\" stands on it; resolve that first", tenant));
    if (watched) refuse(fmt::format("lies in the window of a pattern of tenant \"{}\"", tenant));
  }
}

std::string ClosedMonth::fence() const {
  return fmt::format(
      "CREATE OR REPLACE TRIGGER closed BEFORE INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW EXECUTE FUNCTION "
      "actionhist_closed_month()",
      part_);
}

void ClosedMonth::close() {
  departure_ = uuid_v7(system_now());
  // Transactions that are writing to the month end first.
  session_.briefly(
      fmt::format("{}; INSERT INTO closed_months (month, state, departure) VALUES ('{}', 'detaching', '{}')",
                  fence(), name_, departure_));
  tell("closing the month");
}

void ClosedMonth::count_out() { count(Way::out); }

void ClosedMonth::count_in() {
  count(Way::in);
  announce(Way::in);
}

void ClosedMonth::count(Way way) {
  for (const std::string& tenant : tenants()) count(way, tenant);
}

// Before the month goes and after it is back: a retention run meanwhile sees too few actions, and keeps more.
void ClosedMonth::count(Way way, const std::string& tenant) {
  const std::string_view sign = way == Way::out ? "-" : "+";
  const std::string_view counted = way == Way::out ? "taken" : "returned";
  const std::string page = fmt::format(
      "(SELECT resource_id, count(*) AS n FROM {} WHERE tenant_id = $1 AND resource_id > $2 GROUP BY resource_id "
      "ORDER BY resource_id LIMIT {}) AS page",
      part_, resources_at_once);
  const std::string lock = fmt::format(
      "SELECT FROM action_histories h WHERE h.tenant_id = $1 AND h.resource_id IN (SELECT resource_id FROM {}) "
      "ORDER BY h.resource_id FOR UPDATE",
      page);
  const std::string change = fmt::format(
      "UPDATE action_histories h SET total_actions = h.total_actions {} n, updated_at = now(), version = h.version + 1 "
      "FROM {} WHERE h.tenant_id = $1 AND h.resource_id = page.resource_id",
      sign, page);
  const std::string note = fmt::format(
      "INSERT INTO counted_months (tenant_id, departure, {0}_to, {0}) SELECT $1, $3, coalesce(max(resource_id), $2), "
      "count(*) = 0 FROM {1} ON CONFLICT (tenant_id, departure) DO UPDATE SET {0}_to = excluded.{0}_to, "
      "{0} = excluded.{0} RETURNING {0}_to, {0}",
      counted, page);
  const std::string progress =
      fmt::format("SELECT {0}_to, {0} FROM counted_months WHERE tenant_id = $1 AND departure = $2", counted);
  std::string to;
  bool all = false;
  const auto read = [&](const Result& result) {
    if (Reader reader(result); reader.next()) reader.read(to).read(all);
  };
  read(as_tenant(tenant, {{progress, Parameters(tenant, departure_), Plan::once}})[0]);
  while (!all) {
    Parameters from(tenant);
    from.add_text(to);
    Parameters noted = from;
    noted.add(departure_);
    read(as_tenant(tenant,
                   {{lock, from, Plan::once}, {change, from, Plan::once}, {note, noted, Plan::once}})[2]);
    tell(way == Way::out ? "counting actions out" : "counting actions in");
  }
}

void ClosedMonth::take_out() {
  const auto detach = [&](std::string_view how) {
    return fmt::format("ALTER TABLE resource_action_traces DETACH PARTITION {} {}", part_, how);
  };
  if (attached()) {
    const Result pending =
        ask("SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass($1)", Parameters(part_));
    if (pending.row(0).get<bool>()) {
      session_.connection().run_script(detach("FINALIZE"));
    } else {
      try {
        session_.connection().run_script(detach("CONCURRENTLY"));
      } catch (const ServerError& error) {
        // Somebody has added a default partition.
        if (error.sqlstate() != "55000") throw;
        session_.briefly(detach(""));
      }
    }
    tell("detaching");
  }
  announce(Way::out);
  set_state(MonthState::detached);
  tell("detached");
}

void ClosedMonth::announce(Way way) {
  for (const std::string& tenant : tenants()) announce(way, tenant);
}

// The worker finds the actions gone, or back, and tells the feed. The metrics of these hours are computed anew, and
// what was acted on under an owner is named.
void ClosedMonth::announce(Way way, const std::string& tenant) {
  const std::string hours = fmt::format(
      "INSERT INTO scored_hours (tenant_id, hour) SELECT DISTINCT $1, date_trunc('hour', action_timestamp, 'UTC') "
      "FROM {} WHERE tenant_id = $1 AND effectiveness_score IS NOT NULL",
      part_);
  // The archive may be older than the table of these names.
  const std::string names = fmt::format(
      "INSERT INTO owned_names (tenant_id, kind, name) SELECT DISTINCT $1, kind, name FROM {} WHERE tenant_id = $1 AND "
      "owner IS NOT NULL AND kind IS NOT NULL AND name IS NOT NULL ON CONFLICT DO NOTHING",
      part_);
  as_tenant(tenant, {{hours, Parameters(tenant), Plan::once}, {names, Parameters(tenant), Plan::once}});
  const std::string queue = fmt::format(
      "WITH page AS (SELECT action_id FROM {} WHERE tenant_id = $1 AND action_id > $2 ORDER BY action_id LIMIT {}), "
      "queue AS (INSERT INTO embedding_queue AS q (tenant_id, subject_id, version, enqueued_at) SELECT $1, action_id, "
      "1, now() FROM page ORDER BY action_id ON CONFLICT (tenant_id, subject_id) DO UPDATE SET version = q.version + 1, "
      "attempts = 0, last_error = NULL) SELECT max(action_id), count(*) FROM page",
      part_, actions_at_once);
  std::string after;
  std::int64_t queued = 0;
  for (std::int64_t page = actions_at_once; page == actions_at_once; queued += page) {
    Parameters from(tenant);
    from.add_text(after);
    as_tenant(tenant, {{queue, std::move(from), Plan::once}})[0].row(0).read(after).read(page);
    tell("queueing for the feed", queued + page);
  }
  const std::string log = fmt::format(
      "INSERT INTO retention_operations (tenant_id, operation_id, run_id, resource_id, operation_type, strategy_used, "
      "records_before, records_after, records_deleted, records_archived, retention_criteria, operation_start, "
      "operation_end, operation_duration_ms, operation_status, created_at, updated_at) SELECT $1, $2, $3, '', {0}, "
      "'{1}', $4, now(), floor(extract(epoch FROM now() - $4) * 1000), 'completed', now(), now() FROM "
      "(SELECT count(*) AS n FROM {2} WHERE tenant_id = $1) AS month "
      "ON CONFLICT DO NOTHING",
      way == Way::out ? "'archive', 'month', n, 0, n, n" : "'restore', 'month', 0, n, 0, NULL",
      fmt::format(R"({{"month":"{}"}})", name_), part_);
  const std::string id = uuid_v5(departure_ + (way == Way::out ? " out" : " in"));
  as_tenant(tenant, {{log, Parameters(tenant, id, departure_, started_), Plan::once}});
}

void ClosedMonth::set_state(MonthState state) {
  ask("UPDATE closed_months SET state = $2 WHERE month = $1", Parameters(name_, to_string(state)));
}

void ClosedMonth::drop(const MonthArchive& archive, const std::string& manifest) {
  const std::string drop = fmt::format("DROP TABLE {}", part_);
  const Call calls[] = {
      {drop, {}, Plan::once},
      {"UPDATE closed_months SET state = 'archived', actions = $2, sha256 = $3, archive = $4 WHERE month = $1",
       Parameters(name_, archive.actions, archive.sha256, manifest), Plan::once}};
  session_.connection().run(calls);
  tell("archived", archive.actions);
}

void ClosedMonth::load(const std::vector<std::string>& columns,
                       const std::function<void(Connection&, const std::string& copy)>& fill) {
  Connection& connection = session_.connection();
  // All of it or nothing: whoever is interrupted leaves the archive as the only place.
  connection.run_script("BEGIN");
  connection.run_script(
      fmt::format("CREATE TABLE {0} (LIKE resource_action_traces INCLUDING DEFAULTS); "
                  "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY",
                  part_));
  fill(connection, copy(columns) + "FROM STDIN");
  connection.run_script(fmt::format("ANALYZE {}; {}", part_, fence()));
  set_state(MonthState::detached);
  connection.run_script("COMMIT");
  tell("loaded");
}

void ClosedMonth::put_back() {
  // It is checked and its indexes are built while agents write on.
  session_.briefly(
      fmt::format("ALTER TABLE resource_action_traces ATTACH PARTITION {} FOR VALUES FROM ('{}') TO ('{}'); "
                  "UPDATE closed_months SET state = 'restoring' WHERE month = '{}'",
                  part_, format_time(begin_), format_time(end_), name_));
  tell("attached");
}

void ClosedMonth::open() {
  const std::vector<std::string> counted = tenants();
  session_.briefly(fmt::format(
      "DROP TRIGGER IF EXISTS closed ON {}; DELETE FROM closed_months WHERE month = '{}'", part_, name_));
  tell("restored");
  for (const std::string& tenant : counted) {
    as_tenant(tenant, {{"DELETE FROM counted_months WHERE tenant_id = $1 AND departure = $2",
                        Parameters(tenant, departure_), Plan::once}});
  }
}

std::string ClosedMonth::copy(const std::vector<std::string>& columns) const {
  return fmt::format("COPY {} (\"{}\") ", part_, fmt::join(columns, "\", \""));
}

void ClosedMonth::copy_out(const std::vector<std::string>& columns,
                           const std::function<void(std::span<const std::byte>)>& sink) {
  session_.connection().copy_out(copy(columns) + "TO STDOUT", sink);
}

std::vector<std::string> ClosedMonth::columns() {
  const Result result = ask(
      "SELECT attname::text FROM pg_attribute WHERE attrelid = 'resource_action_traces'::regclass AND attnum > 0 AND "
      "NOT attisdropped ORDER BY attnum");
  std::vector<std::string> columns;
  for (Reader reader(result); reader.next();) reader.read(columns.emplace_back());
  return columns;
}

}  // namespace actionhist::postgres
