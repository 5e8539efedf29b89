#include <actionhist/postgres_options.hpp>

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "core/json_fields.hpp"
#include "core/names.hpp"

namespace actionhist {
namespace {

constexpr NameTable<Pooler, 3> pooler_names{{
    {Pooler::detect, "detect"},
    {Pooler::none, "none"},
    {Pooler::transaction, "transaction"},
}};

constexpr NameTable<IndexSet, 3> index_set_names{{
    {IndexSet::lean, "lean"},
    {IndexSet::search, "search"},
    {IndexSet::analytics, "analytics"},
}};

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

template <class Duration>
void check_duration(std::string_view field, Duration value, std::int64_t least) {
  // PostgreSQL keeps its time-outs as 32-bit milliseconds.
  constexpr std::chrono::milliseconds most{2'147'483'647};
  if (value.count() < least) refuse(field, fmt::format("must be at least {}", least));
  if (value > most) refuse(field, "must be at most 24 days");
}

}  // namespace

std::string_view to_string(IndexSet set) noexcept { return name_of(index_set_names, set); }

IndexSet parse_index_set(std::string_view text, std::string_view field) {
  return value_of(index_set_names, text, field);
}

void validate(const PostgresOptions& options) {
  const std::string& schema = options.schema;
  if (schema.empty() || schema.size() > 63 || !letter(schema.front()) ||
      !std::all_of(schema.begin(), schema.end(), [](char c) { return letter(c) || digit(c); })) {
    refuse("schema", "must be 1 to 63 letters, digits and _, and not begin with a digit");
  }
  if (schema.starts_with("pg_")) refuse("schema", "names that begin with pg_ belong to PostgreSQL");
  require_between("pool_max", options.pool_max, 1, 10'000);
  if (options.pool_min < 0) refuse("pool_min", "must not be negative");
  check_duration("idle_timeout", options.idle_timeout, 1);
  check_duration("connect_timeout", options.connect_timeout, 1);
  check_duration("acquire_timeout", options.acquire_timeout, 0);
  check_duration("statement_timeout", options.statement_timeout, 0);
  check_duration("lock_timeout", options.lock_timeout, 0);
  check_duration("idle_in_transaction_timeout", options.idle_in_transaction_timeout, 0);
  check_duration("max_life", options.max_life, 1);
  check_duration("retry_for", options.retry_for, 0);
  check_duration("tcp_user_timeout", options.tcp_user_timeout, 0);
  check_duration("keepalives_idle", options.keepalives_idle, 0);
  check_duration("max_staleness", options.max_staleness, 0);
  if (options.indexes.size() > 1 && std::ranges::count(options.indexes, IndexSet::lean) > 0) {
    refuse("indexes", "lean means no other set");
  }
}

PostgresOptions parse_postgres_options(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "postgres"), "postgres", "postgres.");
  PostgresOptions options;
  const auto duration = [&](std::string_view name, auto& target) {
    auto count = std::int64_t{std::chrono::milliseconds(target).count()};
    reader(name, count);
    target = std::chrono::floor<std::remove_reference_t<decltype(target)>>(std::chrono::milliseconds(count));
  };
  reader("schema", options.schema);
  reader("pool_max", options.pool_max);
  reader("pool_min", options.pool_min);
  duration("idle_timeout_ms", options.idle_timeout);
  duration("connect_timeout_ms", options.connect_timeout);
  duration("acquire_timeout_ms", options.acquire_timeout);
  duration("statement_timeout_ms", options.statement_timeout);
  duration("lock_timeout_ms", options.lock_timeout);
  duration("idle_in_transaction_timeout_ms", options.idle_in_transaction_timeout);
  duration("max_life_ms", options.max_life);
  duration("retry_for_ms", options.retry_for);
  duration("tcp_user_timeout_ms", options.tcp_user_timeout);
  duration("keepalives_idle_ms", options.keepalives_idle);
  std::string pooler;
  reader("pooler", pooler);
  if (!pooler.empty()) options.pooler = value_of(pooler_names, pooler, "postgres.pooler");
  reader("read_standbys", options.read_standbys);
  duration("max_staleness_ms", options.max_staleness);
  std::vector<std::string> sets;
  reader("indexes", sets);
  for (const std::string& set : sets) options.indexes.push_back(parse_index_set(set, "postgres.indexes"));
  reader.expect_done();
  validate(options);
  return options;
}

}  // namespace actionhist
