// The reading half of PostgresActionStore: lists, windows, text and summaries.
#include <algorithm>

#include <fmt/format.h>

#include "core/refuse.hpp"
#include "core/trace_fields.hpp"
#include "postgres/condition.hpp"
#include "postgres/indexed_search.hpp"
#include "postgres/reads.hpp"
#include "postgres/action_store.hpp"
#include "sql/cursor.hpp"
#include "sql/resource_rows.hpp"
#include "sql/trace_columns.hpp"

namespace actionhist::postgres {
namespace {

// The index of times serves only what repeats its condition; without one, a plan goes by the resource.
constexpr std::string_view by_time = " AND created_at > '-infinity'";
constexpr int max_searched = 100'000;
// Of what an index finds, the newest ones are looked at first.
constexpr int found_at_first = 2'000;

// What is known by a kind and a name, whatever its cluster and group.
struct NamedResource {
  std::vector<std::string> ids;
  bool owned = false;  // something of that name was acted on under its owner
  std::int64_t actions = 0;
  std::optional<TimePoint> last;  // the time of the newest action
};

NamedResource named_resource(Engine& engine, const Resource& resource) {
  const Result rows = engine.read(
      "SELECT r.resource_id, false, coalesce(h.total_actions, 0), h.last_action_at FROM resource_references r LEFT JOIN "
      "action_histories h ON h.tenant_id = r.tenant_id AND h.resource_id = r.resource_id WHERE r.tenant_id = $1 AND "
      "r.kind = $2 AND r.name = $3 UNION ALL SELECT NULL, true, 0, NULL FROM owned_names WHERE tenant_id = $1 AND "
      "kind = $2 AND name = $3",
      Parameters(engine.tenant(), resource.kind, resource.name));
  NamedResource named;
  for (Reader reader(rows); reader.next();) {
    std::string id;
    bool owned = false;
    std::int64_t actions = 0;
    std::optional<TimePoint> last;
    reader.read(id).read(owned).read(actions).read(last);
    named.owned |= owned;
    named.actions += actions;
    if (!owned) named.ids.push_back(std::move(id));
    if (last && (!named.last || *last > *named.last)) named.last = last;
  }
  return named;
}

// Where to read from, one after the other until a page is full; nothing is the beginning of time. A plan is made for
// each month that it might read, which costs more than reading a page; the newest actions of a resource are mostly in
// few. So the month of the newest and the one before come first, then half a year, then the rest.
std::vector<std::optional<TimePoint>> starts(const ActionQuery& query, const NamedResource& named,
                                             const std::optional<sql::Cursor>& after) {
  std::vector<std::optional<TimePoint>> all;
  if (named.last && !named.owned && named.actions > query.limit) {
    TimePoint newest = *named.last;
    if (query.until) newest = std::min(newest, *query.until);
    if (after) newest = std::min(newest, after->time);
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(newest));
    for (const int months : {1, 7}) {
      const auto month = day.year() / day.month() - std::chrono::months(months);
      const TimePoint start{std::chrono::sys_days(month / 1)};
      if (query.since && start <= *query.since) break;
      all.emplace_back(start);
    }
  }
  all.push_back(query.since);
  return all;
}

// The text of a query, growing together with its parameters.
class Statement {
 public:
  // Of all actions, or of those that were found.
  explicit Statement(const std::string& tenant, const std::optional<FoundActions>& found = {})
      : text_("SELECT " + sql::trace_columns() + " FROM "), parameters_(tenant) {
    if (found) {
      // Looked up one by one: for a join the planner would rather read all months.
      text_ +=
          "(SELECT DISTINCT id, at FROM unnest($2::text[], $3::timestamptz[]) AS f (id, at)) AS found, LATERAL "
          "(SELECT * FROM resource_action_traces WHERE tenant_id = $1 AND action_id = id AND action_timestamp = at "
          "LIMIT 1) AS traces";
      parameters_.add(found->ids).add(found->times);
      count_ += 2;
    } else {
      text_ += "resource_action_traces";
    }
    text_ += " WHERE tenant_id = $1";
  }

  // `form` holds one {} for the parameter's number.
  template <class Value>
  void add(std::string_view form, const Value& value) {
    text_ += fmt::format(fmt::runtime(form), fmt::format("${}", ++count_));
    parameters_.add(value);
  }
  void add(std::string_view text) { text_ += text; }
  // Kind and name have to be asked for too.
  void add(const NamedResource& named) {
    if (named.owned) {
      add(" AND (owner IS NOT NULL OR resource_id = ANY({}))", std::span<const std::string>(named.ids));
    } else if (named.ids.size() == 1) {
      add(" AND resource_id = {}", named.ids.front());
    } else {
      add(" AND resource_id = ANY({})", std::span<const std::string>(named.ids));
    }
  }
  void add(const sql::Condition& condition) {
    text_ += " AND " + condition.text;
    postgres::add(parameters_, condition);
    count_ += static_cast<int>(condition.parameters.size());
  }

  int next() const { return count_ + 1; }
  std::string& text() { return text_; }
  Parameters take() { return std::move(parameters_); }

 private:
  std::string text_;
  Parameters parameters_;
  int count_ = 1;
};

// All actions among which the query's are, if an index of JSON documents knows few enough.
std::optional<FoundActions> found_by_document(Engine& engine, const ActionQuery& query) {
  for (const sql::Containment& wanted : sql::containments(query.where)) {
    auto found = find_documents(engine, wanted, query.since, query.until, found_at_first);
    if (found && found->all) return found;
  }
  return std::nullopt;
}

// Of the actions that were found by an index, or else of the newest ones, those that hold most of the words.
std::vector<Trace> search_among(Engine& engine, const std::optional<FoundActions>& found,
                                std::span<const std::string> words, const Json& where, int limit) {
  Statement statement(engine.tenant(), found);
  statement.add(sql::condition(where, sql::Dialect::postgresql, statement.next()));
  if (!found) {
    statement.add(by_time);
    statement.add(" ORDER BY action_timestamp DESC LIMIT {}", max_searched);
  }
  statement.text() =
      "WITH recent AS MATERIALIZED (SELECT *, lower(concat_ws(' ', alert_name, alert_annotations, model_reasoning, "
      "action_type, action_parameters, kind, name, metadata, execution_error)) AS searched FROM (" +
      std::string("SELECT * FROM") + statement.text().substr(statement.text().find(" FROM ") + 5) +
      ") AS newest) SELECT " + sql::trace_columns() + " FROM (SELECT *, 0";
  for (const std::string& word : words) statement.add(" + (position({} IN searched) > 0)::int", word);
  statement.add(
      " AS found FROM recent) AS counted WHERE found > 0 ORDER BY found DESC, action_timestamp DESC, "
      "action_id LIMIT {}",
      limit);
  return read_traces(engine.read(statement.text(), statement.take(), Plan::once));
}

}  // namespace

Page PostgresActionStore::find(const ActionQuery& query) {
  require_between("limit", query.limit, 1, 10'000);
  const bool by_resource = !query.resource.kind.empty() && !query.resource.name.empty();
  NamedResource named;
  std::optional<FoundActions> found;
  if (by_resource) {
    named = named_resource(engine_, query.resource);
    if (named.ids.empty() && !named.owned) return {};
  } else if (query.correlation_id.empty()) {
    found = found_by_document(engine_, query);
    if (found && found->ids.empty()) return {};
  }
  std::optional<sql::Cursor> after;
  if (!query.cursor.empty()) after = sql::read_cursor(query.cursor);

  const auto read = [&](std::optional<TimePoint> since, std::optional<TimePoint> until, int limit) {
    Statement statement(engine_.tenant(), found);
    if (by_resource) statement.add(named);
    visit_resource(query.resource, [&](std::string_view name, const std::string& part) {
      if (!part.empty()) statement.add(fmt::format(" AND {} = {{}}", name), part);
    });
    if (!query.correlation_id.empty()) statement.add(" AND correlation_id = {}", query.correlation_id);
    if (since) statement.add(" AND action_timestamp >= {}", *since);
    if (until) statement.add(" AND action_timestamp < {}", *until);
    if (after) {
      // The first condition lets whole months be passed over.
      statement.add(" AND action_timestamp <= {}", after->time);
      statement.add(" AND (action_timestamp, action_id) < ({}", after->time);
      statement.add(", {})", after->action_id);
    }
    statement.add(sql::condition(query.where, sql::Dialect::postgresql, statement.next()));
    if (!by_resource && query.correlation_id.empty() && !found) statement.add(by_time);
    statement.add(" ORDER BY action_timestamp DESC, action_id DESC LIMIT {}", limit);
    return read_traces(engine_.read(statement.text(), statement.take(), Plan::once));
  };
  const int wanted = query.limit + 1;
  Page page;
  std::optional<TimePoint> until = query.until;
  for (const std::optional<TimePoint> since : starts(query, named, after)) {
    std::vector<Trace> traces = read(since, until, wanted - static_cast<int>(page.traces.size()));
    std::ranges::move(traces, std::back_inserter(page.traces));
    if (page.traces.size() == static_cast<std::size_t>(wanted)) break;
    until = since;
  }
  if (page.traces.size() > static_cast<std::size_t>(query.limit)) {
    page.traces.pop_back();
    page.next = sql::write_cursor(page.traces.back());
  }
  return page;
}

std::vector<Trace> PostgresActionStore::recent(const Scope& scope, TimePoint since, TimePoint until,
                                               int limit, std::optional<Effect> effect) {
  std::vector<Call> calls{ask_recent(engine_.tenant(), scope, since, until, limit, effect)};
  std::vector<Trace> traces = read_traces(engine_.run(std::move(calls)).front());
  std::ranges::reverse(traces);
  return traces;
}

std::vector<Trace> PostgresActionStore::search_text(std::span<const std::string> words, const Json& where,
                                                    int limit) {
  if (words.empty()) return {};
  for (const int most : {found_at_first, max_searched}) {
    const std::optional<FoundActions> found = find_words(engine_, words, most);
    // Without the index the newest actions are read, each of them.
    if (!found) break;
    std::vector<Trace> traces = search_among(engine_, found, words, where, limit);
    if (found->all || most == max_searched || traces.size() >= static_cast<std::size_t>(limit)) return traces;
  }
  return search_among(engine_, std::nullopt, words, where, limit);
}

std::vector<Summary> PostgresActionStore::summaries(std::optional<TimePoint> changed_since, TimePoint now,
                                                    int limit) {
  // Scores are summed in whole billionths, so that the mean does not depend on the order of the rows.
  constexpr std::string_view text =
      "SELECT r.resource_id, r.cluster, r.api_group, r.api_version, r.kind, r.namespace, r.name, "
      "  h.total_actions, h.last_action_at, "
      "  count(t.action_id) FILTER (WHERE t.action_timestamp > $2), count(t.action_id), "
      "  avg(CASE WHEN t.execution_status = 'completed' THEN 1.0::float8 "
      "           WHEN t.execution_status IN ('failed', 'rolled-back', 'escalated') THEN 0.0::float8 END), "
      "  sum(floor(t.effectiveness_score * 1e9 + 0.5)::int8)::float8 / nullif(count(t.effectiveness_score) * "
      "1e9::float8, 0) "
      "FROM (SELECT * FROM action_histories WHERE tenant_id = $1 AND updated_at >= $5 AND last_action_at IS NOT NULL "
      "  ORDER BY last_action_at DESC, resource_id LIMIT $6) AS h "
      "JOIN resource_references r ON r.tenant_id = h.tenant_id AND r.resource_id = h.resource_id "
      "LEFT JOIN resource_action_traces t ON t.tenant_id = h.tenant_id AND t.resource_id = h.resource_id "
      "  AND t.action_timestamp > $3 AND t.action_timestamp <= $4 "
      "GROUP BY r.tenant_id, r.resource_id, h.total_actions, h.last_action_at "
      "ORDER BY h.last_action_at DESC, r.resource_id";
  const Result result = engine_.read(
      text,
      Parameters(engine_.tenant(), now - std::chrono::hours{24}, now - std::chrono::hours{24 * 7}, now,
                 changed_since.value_or(TimePoint{}), limit),
      Plan::once);
  return read_rows(result, sql::read_summary<Reader>);
}

}  // namespace actionhist::postgres
