#include "postgres/indexes.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "postgres/schema_session.hpp"

namespace actionhist::postgres {
namespace {

struct IndexDefinition {
  IndexSet set;
  std::string_view name;  // of the index of all months; that of each has a name of its own
  std::string_view on;    // what stands behind the table's name
};

// The columns behind each filter's own keep the order of a list, so that a page is read and not sorted.
constexpr IndexDefinition all[] = {
    {IndexSet::search, "traces_words",
     "USING gin (\"{0}\".actionhist_words(alert_name, alert_annotations, model_reasoning, action_type, "
     "action_parameters, kind, name, metadata, execution_error))"},
    {IndexSet::search, "traces_labels", "USING gin ((alert_labels::jsonb) jsonb_path_ops)"},
    {IndexSet::search, "traces_parameters", "USING gin ((action_parameters::jsonb) jsonb_path_ops)"},
    {IndexSet::search, "traces_state", "USING gin ((resource_state_before::jsonb) jsonb_path_ops)"},
    {IndexSet::search, "traces_metadata", "USING gin ((metadata::jsonb) jsonb_path_ops)"},
    {IndexSet::analytics, "traces_type", "(tenant_id, action_type, action_timestamp, action_id)"},
    {IndexSet::analytics, "traces_alert",
     "(tenant_id, alert_name, action_timestamp, action_id) WHERE alert_name IS NOT NULL"},
    {IndexSet::analytics, "traces_model",
     "(tenant_id, model_used, action_timestamp, action_id) WHERE model_used IS NOT NULL"},
    {IndexSet::analytics, "traces_status", "(tenant_id, execution_status, action_timestamp, action_id)"},
    {IndexSet::analytics, "traces_namespace",
     "(tenant_id, namespace, action_timestamp, action_id) WHERE namespace IS NOT NULL"},
    {IndexSet::analytics, "traces_effectiveness",
     "(tenant_id, effectiveness_score) WHERE effectiveness_score IS NOT NULL"},
    {IndexSet::analytics, "traces_duration",
     "(tenant_id, execution_duration_ms) WHERE execution_duration_ms IS NOT NULL"},
};

bool wanted(const IndexDefinition& index, std::span<const IndexSet> sets) {
  return std::ranges::find(sets, index.set) != sets.end();
}

std::string quoted(std::string_view schema, std::string_view name) {
  return fmt::format("\"{}\".\"{}\"", schema, name);
}

// "resource_action_traces_2026_03" has "resource_action_traces_2026_03_words".
std::string index_of_month(std::string_view month, const IndexDefinition& index) {
  return fmt::format("{}{}", month, index.name.substr(index.name.find('_')));
}

// One index in one schema, in the words of PostgreSQL. Every name is qualified.
class Statements {
 public:
  Statements(std::string_view schema, const IndexDefinition& index) : schema_(schema), index_(index) {}

  std::string create_parent() const { return create("CREATE INDEX", index_.name, "ONLY ", traces); }
  std::string create_whole() const { return create("CREATE INDEX IF NOT EXISTS", index_.name, "", traces); }
  std::string create_month(const std::string& month) const {
    return create("CREATE INDEX CONCURRENTLY", index_of_month(month, index_), "", month);
  }
  std::string attach(const std::string& month) const {
    return fmt::format("ALTER INDEX {} ATTACH PARTITION {}", quoted(schema_, index_.name),
                       quoted(schema_, index_of_month(month, index_)));
  }
  std::string drop_month(const std::string& month) const {
    return "DROP INDEX CONCURRENTLY IF EXISTS " + quoted(schema_, index_of_month(month, index_));
  }
  std::string drop() const { return "DROP INDEX IF EXISTS " + quoted(schema_, index_.name); }

 private:
  static constexpr std::string_view traces = "resource_action_traces";

  std::string create(std::string_view verb, std::string_view name, std::string_view only,
                     std::string_view table) const {
    return fmt::format("{} \"{}\" ON {}{} {}", verb, name, only, quoted(schema_, table),
                       fmt::format(fmt::runtime(index_.on), schema_));
  }

  std::string_view schema_;
  const IndexDefinition& index_;
};

// What there is of an index.
struct IndexState {
  bool exists = false;
  bool complete = false;
  std::vector<std::string> lacking;     // months without their part
  std::vector<std::string> unattached;  // months whose part is no part of the whole, or half built
};

IndexState state_of(const std::function<Result(std::string_view, Parameters)>& run, std::string_view schema,
                    const IndexDefinition& index) {
  const std::string name(index.name);
  const std::string space(schema);
  IndexState state;
  {
    const Result whole = run(
        "SELECT i.indisvalid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_index i ON "
        "i.indexrelid = c.oid WHERE n.nspname = $1 AND c.relname = $2",
        Parameters(space, name));
    Reader reader(whole);
    state.exists = reader.next();
    if (state.exists) state.complete = reader.get<bool>();
  }
  const Result months = run(
      "SELECT m.relname::text, own.oid IS NOT NULL, part.inhrelid IS NOT NULL FROM pg_namespace n JOIN pg_class t ON "
      "t.relnamespace = n.oid AND t.relname = 'resource_action_traces' JOIN pg_inherits h ON h.inhparent = t.oid "
      "JOIN pg_class m ON m.oid = h.inhrelid LEFT JOIN pg_class own ON own.relnamespace = n.oid AND "
      "own.relname = m.relname || $3 LEFT JOIN (pg_inherits part JOIN pg_index p ON p.indexrelid = part.inhrelid "
      "JOIN pg_class w ON w.oid = part.inhparent) ON p.indrelid = m.oid AND w.relname = $2 AND "
      "w.relnamespace = n.oid WHERE n.nspname = $1 ORDER BY m.relname DESC",
      Parameters(space, name, name.substr(name.find('_'))));
  for (Reader reader(months); reader.next();) {
    std::string month;
    bool own = false;
    bool attached = false;
    reader.read(month).read(own).read(attached);
    if (own && !attached) state.unattached.push_back(month);
    if (!attached) state.lacking.push_back(std::move(month));
  }
  return state;
}

class Builder {
 public:
  explicit Builder(const Engine& engine)
      : session_(engine.target(), engine.options(), engine.tenant(), "indexes") {
    // Asked for again and again: who waits inside of a statement would be waited for by a build of the other.
    session_.persist([this] { return session_.try_lock(); });
  }

  void build(const IndexDefinition& index) {
    const Statements statements(session_.schema(), index);
    if (state(index).complete) return;
    if (!state(index).exists) session_.briefly(statements.create_parent());
    for (IndexState now = state(index); !now.lacking.empty(); now = state(index)) {
      const std::string& month = now.lacking.front();
      if (std::ranges::find(now.unattached, month) != now.unattached.end()) {
        session_.connection().run_script(statements.drop_month(month));
      }
      session_.connection().run_script(statements.create_month(month));
      session_.briefly(statements.attach(month));
    }
  }

  void drop(const IndexDefinition& index) {
    const Statements statements(session_.schema(), index);
    const IndexState now = state(index);
    for (const std::string& month : now.unattached)
      session_.connection().run_script(statements.drop_month(month));
    if (now.exists) session_.briefly(statements.drop());
  }

 private:
  IndexState state(const IndexDefinition& index) {
    return state_of(
        [this](std::string_view sql, Parameters parameters) {
          return session_.connection().run(sql, std::move(parameters), Plan::once);
        },
        session_.schema(), index);
  }

  SchemaSession session_;
};

}  // namespace

void apply_indexes(const Engine& engine, std::span<const IndexSet> sets) {
  Builder builder(engine);
  for (const IndexDefinition& index : all) {
    if (wanted(index, sets)) {
      builder.build(index);
    } else {
      builder.drop(index);
    }
  }
}

std::string index_script(Engine& engine, std::span<const IndexSet> sets) {
  const auto run = [&](std::string_view sql, Parameters parameters) {
    return engine.run(sql, std::move(parameters), Plan::once);
  };
  std::string script;
  const auto add = [&](const std::string& statement) { script += statement + ";\n"; };
  for (const IndexDefinition& index : all) {
    const Statements statements(engine.options().schema, index);
    const IndexState state = state_of(run, engine.options().schema, index);
    if (!wanted(index, sets)) {
      for (const std::string& month : state.unattached) add(statements.drop_month(month));
      if (state.exists) add(statements.drop());
    } else if (state.lacking.empty()) {
      if (!state.complete) add(statements.create_whole());
    } else {
      if (!state.exists) add(statements.create_parent());
      for (const std::string& month : state.lacking) {
        if (std::ranges::find(state.unattached, month) != state.unattached.end())
          add(statements.drop_month(month));
        add(statements.create_month(month));
        add(statements.attach(month));
      }
    }
  }
  return script;
}

bool has_index(Engine& engine, std::string_view name) {
  const Result result =
      engine.run("SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass($1) AND indisvalid)",
                 Parameters(name));
  return result.row(0).get<bool>();
}

std::vector<std::string> incomplete_indexes(Engine& engine) {
  std::vector<std::string> names;
  for (const IndexDefinition& index : all) names.emplace_back(index.name);
  const Result result = engine.run(
      "SELECT name FROM unnest($1::text[]) AS name JOIN pg_index ON indexrelid = to_regclass(name) WHERE NOT "
      "indisvalid",
      Parameters(names));
  std::vector<std::string> incomplete;
  for (Reader reader(result); reader.next();) reader.read(incomplete.emplace_back());
  return incomplete;
}

}  // namespace actionhist::postgres
