#include "postgres/insert_statement.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "core/trace_fields.hpp"
#include "sql/trace_columns.hpp"

namespace actionhist::postgres {
namespace {

template <class Member>
constexpr std::string_view column_type() {
  constexpr FieldType type = field_type<Member>();
  if constexpr (type == FieldType::time) return "timestamptz";
  if constexpr (type == FieldType::number) return "float8";
  if constexpr (type == FieldType::integer) return "int8";
  return "text";
}

// The rows to store as a table `input`: every column of a trace, and `registers`.
std::string input(InsertShape shape) {
  std::string types, names;
  int parameter = 1;
  const auto add = [&](std::string_view name, std::string_view type) {
    types += shape.many ? fmt::format("${}::{}[], ", ++parameter, type)
                        : fmt::format("${}::{} AS {}, ", ++parameter, type, name);
    names += fmt::format("{}, ", name);
  };
  visit_columns(Trace{}, [&](std::string_view name, const auto& member) {
    add(name, column_type<std::remove_cvref_t<decltype(member)>>());
  });
  if (shape.many) add("registers", "bool");
  types.resize(types.size() - 2);
  names.resize(names.size() - 2);
  return shape.many ? fmt::format("SELECT * FROM unnest({}) AS input({})", types, names) : "SELECT " + types;
}

std::string make_statement(InsertShape shape) {
  const std::string& columns = sql::trace_columns();
  std::string text = "WITH input AS (" + input(shape) + ")";
  constexpr std::string_view unknown =
      "NOT EXISTS (SELECT FROM action_ids a WHERE a.tenant_id = $1 AND a.action_id = input.action_id)";
  std::string wanted(unknown);
  if (shape.registers) {
    text += fmt::format(
        ", registered AS (INSERT INTO action_ids (tenant_id, action_id, action_timestamp) "
        "SELECT $1, action_id, action_timestamp FROM input {}ORDER BY action_id ON CONFLICT DO NOTHING "
        "RETURNING action_id)",
        shape.many ? "WHERE registers " : "");
    constexpr std::string_view registered = "action_id IN (SELECT action_id FROM registered)";
    wanted = shape.many ? fmt::format("({} OR (NOT registers AND {}))", registered, unknown) : registered;
  }
  text += fmt::format(
      ", trace AS (INSERT INTO resource_action_traces (tenant_id, {0}) SELECT $1, {0} FROM input WHERE {1} "
      "ON CONFLICT DO NOTHING RETURNING action_id, action_timestamp, resource_id, created_at)",
      columns, wanted);
  text +=
      ", stored AS (SELECT input.*, coalesce(strpos(owner, '/') > 0, false) AS owned FROM input JOIN trace USING (action_id) WHERE input.resource_id IS NOT NULL)"
      ", reference AS (INSERT INTO resource_references (tenant_id, resource_id, cluster, api_group, "
      "api_version, kind, namespace, name, created_at, last_seen) "
      // What is guarded under its owner is described by that: "Deployment/web".
      "SELECT DISTINCT ON (resource_id) $1, resource_id, coalesce(cluster, ''), "
      "CASE WHEN owned THEN '' ELSE coalesce(api_group, '') END, "
      "CASE WHEN owned THEN '' ELSE coalesce(api_version, '') END, "
      "CASE WHEN owned THEN split_part(owner, '/', 1) ELSE coalesce(kind, '') END, coalesce(namespace, ''), "
      "CASE WHEN owned THEN substr(owner, strpos(owner, '/') + 1) ELSE coalesce(name, '') END, "
      "action_timestamp, action_timestamp FROM stored ORDER BY resource_id, action_timestamp, action_id "
      "ON CONFLICT DO NOTHING)"
      ", incarnation AS (INSERT INTO resource_incarnations (tenant_id, resource_id, resource_uid, api_version, "
      "created_at, last_seen) SELECT DISTINCT ON (resource_id, resource_uid) $1, resource_id, resource_uid, "
      "coalesce(api_version, ''), action_timestamp, action_timestamp FROM stored WHERE resource_uid IS NOT "
      "NULL AND NOT owned ORDER BY resource_id, resource_uid, action_timestamp, action_id ON CONFLICT DO NOTHING)"
      ", history AS (INSERT INTO action_histories AS h (tenant_id, resource_id, total_actions, last_action_at, "
      "created_at, updated_at) SELECT $1, resource_id, count(*), max(action_timestamp), max(created_at), "
      "max(created_at) FROM stored GROUP BY resource_id ORDER BY resource_id "
      "ON CONFLICT (tenant_id, resource_id) DO UPDATE SET "
      "total_actions = h.total_actions + excluded.total_actions, "
      "last_action_at = greatest(h.last_action_at, excluded.last_action_at), updated_at = excluded.updated_at)"
      ", queue AS (INSERT INTO embedding_queue AS q (tenant_id, subject_id, version, enqueued_at) "
      "SELECT $1, action_id, 1, created_at FROM trace ORDER BY action_id "
      "ON CONFLICT (tenant_id, subject_id) DO UPDATE SET version = q.version + 1, attempts = 0, "
      "last_error = NULL) "
      "SELECT ";
  text += shape.must_be_new ? "1 / count(*) FROM trace" : "action_id FROM trace";
  return text;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// One column of all traces. What was not given is NULL; texts point into the traces.
struct Column {
  FieldType type{};
  std::vector<std::string_view> texts;
  std::vector<std::optional<TimePoint>> times;
  std::vector<std::optional<double>> numbers;
  std::vector<std::optional<std::int64_t>> integers;

  template <class Member>
  void push(const Member& member) {
    type = field_type<Member>();
    if constexpr (field_type<Member>() == FieldType::time) {
      times.emplace_back(member);
    } else if constexpr (field_type<Member>() == FieldType::number) {
      numbers.push_back(member);
    } else if constexpr (field_type<Member>() == FieldType::integer) {
      integers.push_back(member);
    } else if constexpr (std::is_same_v<Member, std::string>) {
      texts.emplace_back(member);
    } else if constexpr (std::is_same_v<Member, Json>) {
      texts.emplace_back(member.text());
    } else if constexpr (std::is_same_v<Member, std::optional<Effect>>) {
      texts.push_back(member ? to_string(*member) : std::string_view{});
    } else {
      texts.push_back(to_string(member));
    }
  }

  void add_to(Parameters& parameters) const {
    switch (type) {
      case FieldType::time: parameters.add(std::span(times)); break;
      case FieldType::number: parameters.add(std::span(numbers)); break;
      case FieldType::integer: parameters.add(std::span(integers)); break;
      default: parameters.add_nullable_texts(texts);
    }
  }
};

}  // namespace

std::optional<TimePoint> time_inside(std::string_view id) {
  // xxxxxxxx-xxxx-7xxx-…: the first twelve digits are milliseconds.
  if (id.size() != 36 || id[8] != '-' || id[13] != '-' || id[14] != '7' || id[18] != '-' || id[23] != '-') {
    return std::nullopt;
  }
  std::int64_t milliseconds = 0;
  for (std::size_t i = 0; i < 36; ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) continue;
    const int value = digit(id[i]);
    if (value < 0) return std::nullopt;
    if (i < 13) milliseconds = milliseconds * 16 + value;
  }
  // Beyond this the microseconds would not fit; no such time is ever stored.
  if (milliseconds > std::int64_t{1} << 45) return std::nullopt;
  return TimePoint(std::chrono::milliseconds(milliseconds));
}

bool carries_its_time(const Trace& trace) { return time_inside(trace.action_id) == trace.action_timestamp; }

const std::string& insert_statement(InsertShape shape) {
  const auto place = [](InsertShape s) {
    return (s.many ? 1u : 0u) + (s.registers ? 2u : 0u) + (s.must_be_new ? 4u : 0u);
  };
  static const std::array<std::string, 8> texts = [&] {
    std::array<std::string, 8> all;
    for (const bool many : {false, true}) {
      for (const bool registers : {false, true}) {
        for (const bool must_be_new : {false, true}) {
          const InsertShape each{many, registers, must_be_new};
          all[place(each)] = make_statement(each);
        }
      }
    }
    return all;
  }();
  return texts[place(shape)];
}

Parameters insert_parameters(const std::string& tenant, std::span<const Trace* const> traces,
                             InsertShape shape) {
  Parameters parameters(tenant);
  if (!shape.many) {
    visit_columns(*traces.front(), [&](std::string_view, const auto& member) { parameters.add(member); });
    return parameters;
  }
  std::vector<Column> columns;
  for (const Trace* trace : traces) {
    std::size_t column = 0;
    visit_columns(*trace, [&](std::string_view, const auto& member) {
      if (column == columns.size()) columns.emplace_back();
      columns[column++].push(member);
    });
  }
  for (const Column& column : columns) column.add_to(parameters);
  std::vector<bool> registers;
  for (const Trace* trace : traces) registers.push_back(!carries_its_time(*trace));
  parameters.add(registers);
  return parameters;
}

}  // namespace actionhist::postgres
