#include "postgres/schema_session.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "postgres/server_error.hpp"

namespace actionhist::postgres {
namespace {

using namespace std::chrono_literals;

constexpr auto persistence = 10min;
constexpr auto patience = "300ms";

PostgresOptions unhurried(PostgresOptions options) {
  options.statement_timeout = options.lock_timeout = options.idle_in_transaction_timeout = 0ms;
  return options;
}

}  // namespace

SchemaSession::SchemaSession(const Target& target, PostgresOptions options, std::string tenant,
                             std::string_view work)
    : schema_(options.schema),
      work_(work),
      connection_(target, unhurried(std::move(options)), std::move(tenant)) {
  if (connection_.pooled()) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("{}: cannot be changed through a pooler in transaction mode; connect to the server "
                    "itself",
                    work_));
  }
}

bool SchemaSession::try_lock() {
  const Result result =
      connection_.run("SELECT pg_try_advisory_lock(hashtextextended('actionhist_' || $1 || ' ' || $2, 0))",
                      Parameters(work_, schema_));
  return result.row(0).get<bool>();
}

void SchemaSession::briefly(const std::string& statements) {
  const std::string script =
      fmt::format("BEGIN; SET LOCAL lock_timeout = '{}'; {}; COMMIT", patience, statements);
  persist([&] {
    try {
      connection_.run_script(script);
      return true;
    } catch (const ServerError& error) {
      if (connection_.in_transaction()) connection_.run("ROLLBACK", {}, Plan::once);
      if (error.sqlstate() != "55P03" && error.sqlstate() != "40P01") throw;
      return false;
    }
  });
}

void SchemaSession::persist(const std::function<bool()>& attempt) {
  const auto deadline = std::chrono::steady_clock::now() + persistence;
  for (auto pause = 50ms; !attempt(); pause = std::min(pause * 2, 1'000ms)) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(
          ErrorCode::timeout,
          fmt::format("{}: a transaction has held resource_action_traces, or another process the same "
                      "work, for ten minutes; see pg_stat_activity",
                      work_));
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace actionhist::postgres
