#include "postgres/connection.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "postgres/migrations.hpp"

namespace actionhist::postgres {
namespace {

using std::chrono::milliseconds;

// Beyond statement_timeout, for the way there and back and a server that is slow to stop.
constexpr milliseconds grace{5'000};
// SQLSTATE of a change where only reading is allowed.
constexpr std::string_view read_only = "25006";
// What a server keeps for us; texts beyond this many are planned each time.
constexpr std::size_t max_prepared = 500;
// A server takes messages of less than a gibibyte; the rest is for what stands around the values.
constexpr std::size_t max_message = 1'000'000'000;

// is_local ($8, or whether another process answers than the one that greeted us): behind a pooler in
// transaction mode nothing may stay on the server's connection, which others use next.
constexpr std::string_view set_up_sql =
    "SELECT s.pooled, pg_catalog.pg_is_in_recovery(), pg_catalog.clock_timestamp(),"
    " pg_catalog.set_config('search_path', $1, s.pooled),"
    " pg_catalog.set_config('actionhist.tenant', $2, s.pooled),"
    " pg_catalog.set_config('statement_timeout', $3, s.pooled),"
    " pg_catalog.set_config('lock_timeout', $4, s.pooled),"
    " pg_catalog.set_config('idle_in_transaction_session_timeout', $5, s.pooled),"
    " CASE WHEN $6 THEN pg_catalog.set_config('default_transaction_read_only', 'on', s.pooled) END"
    " FROM (SELECT coalesce($8, pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.<>) $7) AS pooled) s";

constexpr std::string_view context_sql =
    "SELECT pg_catalog.set_config('search_path', $1, true),"
    " pg_catalog.set_config('actionhist.tenant', $2, true),"
    " pg_catalog.set_config('statement_timeout', $3, true),"
    " pg_catalog.set_config('lock_timeout', $4, true),"
    " pg_catalog.set_config('idle_in_transaction_session_timeout', $5, true),"
    " CASE WHEN $6 THEN pg_catalog.set_config('transaction_read_only', 'on', true) END";

std::string milliseconds_text(milliseconds value) { return fmt::format("{}ms", value.count()); }

std::optional<bool> pooled_by_option(Pooler pooler) {
  if (pooler == Pooler::detect) return std::nullopt;
  return pooler == Pooler::transaction;
}

bool same_types(const std::vector<TypeId>& prepared, const std::vector<TypeId>& given) {
  // A NULL without a type fits everywhere.
  return std::equal(prepared.begin(), prepared.end(), given.begin(), given.end(),
                    [](TypeId known, TypeId wanted) { return known == wanted || wanted == 0; });
}

// The server no longer knows a name, or what a statement returns has changed: prepare it anew.
bool stale_statement(const ServerError& error) {
  return error.sqlstate() == "26000" || error.sqlstate() == "0A000";
}

}  // namespace

void check_server_version(int version) {
  if (version >= 150'000) return;
  const std::string text = version >= 100'000 ? fmt::format("{}.{}", version / 10'000, version % 10'000)
                                              : fmt::format("{}.{}", version / 10'000, version / 100 % 100);
  throw Error(ErrorCode::unsupported,
              fmt::format("database: PostgreSQL {} is too old; 15 or newer is needed", text));
}

void check_message_size(std::size_t bytes) {
  if (bytes <= max_message) return;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("database: {} MB are more than PostgreSQL takes at once; give fewer at once",
                          bytes / 1'000'000));
}

Connection::Connection(const Target& target, const PostgresOptions& options, std::string tenant,
                       ServerClock* clock, Access access)
    : options_(options),
      search_path_(fmt::format("\"{}\", pg_temp", options.schema)),
      access_(access),
      link_(target, options) {
  version_ = PQserverVersion(link_.handle());
  check_server_version(version_);
  link_.check(PQenterPipelineMode(link_.handle()) == 1);
  patience_ = target.connect_timeout(options) + grace;
  set_up(tenant, clock);
  refuse_newer_schema(target);
  patience_.reset();
}

void Connection::set_up(const std::string& tenant, ServerClock* clock) {
  Parameters settings;
  settings.add_text(search_path_)
      .add_text(tenant)
      .add_text(milliseconds_text(options_.statement_timeout))
      .add_text(milliseconds_text(options_.lock_timeout))
      .add_text(milliseconds_text(options_.idle_in_transaction_timeout))
      .add(access_ == Access::read);
  Parameters parameters = settings;
  parameters.add(PQbackendPID(link_.handle())).add(pooled_by_option(options_.pooler));
  const auto asked = ServerClock::uptime();
  const Result result = run(set_up_sql, std::move(parameters), Plan::once);
  TimePoint server_time;
  result.row(0).read(pooled_).read(standby_).read(server_time);
  if (clock) clock->heard(server_time, asked);
  if (pooled_) context_.push_back({context_sql, std::move(settings), Plan::once});
}

// Each connection looks: a process that is open while a newer library migrates would write on by the old rules.
void Connection::refuse_newer_schema(const Target& target) {
  int version = 0;
  try {
    version = run(fmt::format("SELECT coalesce(pg_catalog.max(version), 0) FROM \"{}\".actionhist_migrations",
                              options_.schema),
                  {}, Plan::once)
                  .row(0)
                  .get<int>();
  } catch (const ServerError& error) {
    // There is no memory yet, or it is none of this login's: whoever asks for it says so.
    if (error.code() != ErrorCode::unsupported && error.code() != ErrorCode::denied) throw;
  }
  const int known = migrations().back().version;
  if (version <= known) return;
  throw Error(ErrorCode::unsupported,
              fmt::format("database \"{}\" has schema {}, newer than this library's {}; update the library",
                          target.location(), version, known));
}

bool Connection::in_transaction() const noexcept {
  return !link_.broken() && PQtransactionStatus(link_.handle()) != PQTRANS_IDLE;
}

Deadline Connection::deadline() const {
  if (patience_) return deadline_after(*patience_);
  return options_.statement_timeout.count() == 0 ? no_deadline
                                                 : deadline_after(options_.statement_timeout + grace);
}

void Connection::check_usable() const {
  if (link_.inherited()) {
    throw Error(ErrorCode::unsupported,
                "database: the connection was opened before fork(); open another in the child");
  }
  if (link_.broken()) throw lost_connection("it is closed");
}

Connection::Prepared* Connection::prepared(const Call& call) {
  if (call.plan == Plan::once || pooled_) return nullptr;
  auto found = prepared_.find(call.sql);
  if (found != prepared_.end()) {
    for (Prepared& known : found->second) {
      if (same_types(known.types, call.parameters.types())) return &known;
    }
  }
  if (prepared_count_ >= max_prepared) return nullptr;
  if (found == prepared_.end()) found = prepared_.try_emplace(std::string(call.sql)).first;
  ++prepared_count_;
  return &found->second.emplace_back(Prepared{call.parameters.types(), fmt::format("ah{}", ++names_)});
}

void Connection::forget_prepared() {
  prepared_.clear();
  prepared_count_ = 0;
}

void Connection::send(const Call& call, std::size_t index, std::vector<Step>& steps) {
  const Parameters& parameters = call.parameters;
  const auto count = static_cast<int>(parameters.size());
  const std::vector<const char*> values = parameters.values();
  if (binary_.size() < parameters.size()) binary_.resize(parameters.size(), 1);
  PGconn* handle = link_.handle();
  Prepared* const statement = prepared(call);
  if (statement == nullptr) {
    steps.push_back({index, nullptr});
    link_.check(PQsendQueryParams(handle, std::string(call.sql).c_str(), count, parameters.types().data(),
                                  values.data(), parameters.lengths().data(), binary_.data(), 1) == 1);
    return;
  }
  if (!statement->sent) {
    steps.push_back({index, statement});
    link_.check(PQsendPrepare(handle, statement->name.c_str(), std::string(call.sql).c_str(), count,
                              parameters.types().data()) == 1);
    statement->sent = true;
  }
  steps.push_back({index, nullptr});
  link_.check(PQsendQueryPrepared(handle, statement->name.c_str(), count, values.data(),
                                  parameters.lengths().data(), binary_.data(), 1) == 1);
}

std::vector<Result> Connection::run_once(std::span<const Call> calls, bool& committed) {
  std::vector<Step> steps;
  steps.reserve(calls.size() * 2);
  try {
    for (std::size_t i = 0; i < calls.size(); ++i) {
      send(calls[i], i, steps);
      if (i == 0 && first_patience_) link_.check(PQsendFlushRequest(link_.handle()) == 1);
    }
    link_.check(PQpipelineSync(link_.handle()) == 1);
    link_.flush(deadline());
  } catch (...) {
    // Half a pipeline cannot be taken back.
    link_.close();
    throw;
  }

  std::vector<Result> results;
  results.reserve(calls.size());
  std::optional<ServerError> failure;
  std::size_t step = 0;
  for (bool synced = false; !synced;) {
    const bool first = results.empty() && first_patience_;
    PGresult* raw = link_.next_result(first ? deadline_after(*first_patience_) : deadline());
    if (raw == nullptr) {
      if (link_.broken() || ++step > steps.size()) {
        if (failure) throw *failure;
        const std::string text = PQerrorMessage(link_.handle());
        link_.close();
        throw lost_connection(text);
      }
      continue;
    }
    Result result(raw);
    switch (PQresultStatus(raw)) {
      case PGRES_PIPELINE_SYNC: synced = true; break;
      case PGRES_TUPLES_OK:
      case PGRES_COMMAND_OK:
      case PGRES_EMPTY_QUERY:
        if (steps[step].prepared != nullptr) break;
        committed = committed || result.command() == "COMMIT";
        results.push_back(std::move(result));
        break;
      case PGRES_FATAL_ERROR:
        if (!failure) failure = error_of(raw);
        [[fallthrough]];
      case PGRES_PIPELINE_ABORTED:
        if (step < steps.size() && steps[step].prepared != nullptr) steps[step].prepared->sent = false;
        if (link_.broken()) throw *failure;
        break;
      default:
        // COPY has functions of its own.
        link_.close();
        throw Error(ErrorCode::internal, "database: a statement that does not belong into a pipeline");
    }
  }
  if (failure) throw *failure;
  return results;
}

ServerError Connection::error_of(const PGresult* result) const {
  ServerError error = server_error(result);
  if (access_ == Access::write || error.sqlstate() != read_only) return error;
  return ServerError(ErrorCode::denied, Failure::permanent,
                     "database: attempt to write; it was opened with read_only, open it without",
                     error.sqlstate());
}

void Connection::note(const ServerError& error) {
  // A primary that has become a standby is of no more use for what we had it for.
  const bool demoted = error.sqlstate() == read_only && access_ == Access::write && !standby_;
  if (demoted || error.failure() == Failure::connection_lost) unfit_ = true;
  if (stale_statement(error)) forget_prepared();
}

std::vector<Result> Connection::run(std::span<const Call> calls) {
  check_usable();
  for (const Call& call : calls) check_message_size(call.sql.size() + call.parameters.bytes());
  const bool alone = !in_transaction();
  bool committed = false;
  try {
    return run_once(calls, committed);
  } catch (const ServerError& error) {
    note(error);
    // Nothing of the pipeline has happened, so it can be sent again by us; otherwise the caller has to run
    // its whole transaction again.
    if (!stale_statement(error) || !error.retryable() || !alone || committed || broken()) throw;
  }
  if (in_transaction()) run("ROLLBACK", {}, Plan::once);
  return run_once(calls, committed);
}

Result Connection::run(std::string_view sql, Parameters parameters, Plan plan) {
  const Call call{sql, std::move(parameters), plan};
  return std::move(run(std::span(&call, 1)).front());
}

Result Connection::start_simple(std::string_view sql) {
  check_usable();
  link_.check(PQexitPipelineMode(link_.handle()) == 1);
  try {
    link_.check(PQsendQuery(link_.handle(), std::string(sql).c_str()) == 1);
    link_.flush(deadline());
    PGresult* raw = link_.next_result(deadline());
    if (raw == nullptr) throw lost_connection(PQerrorMessage(link_.handle()));
    Result result(raw);
    if (PQresultStatus(raw) == PGRES_FATAL_ERROR) {
      const ServerError error = error_of(raw);
      finish_simple();
      throw error;
    }
    return result;
  } catch (const ServerError& error) {
    note(error);
    throw;
  }
}

std::int64_t Connection::finish_simple() {
  std::optional<ServerError> failure;
  std::int64_t affected = 0;
  while (PGresult* raw = link_.next_result(deadline())) {
    const Result result(raw);
    const ExecStatusType status = PQresultStatus(raw);
    if (status == PGRES_FATAL_ERROR && !failure) failure = error_of(raw);
    if (status == PGRES_COMMAND_OK) affected = result.affected();
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
      link_.close();
      throw Error(ErrorCode::internal, "database: COPY inside of a script");
    }
    if (link_.broken()) break;
  }
  if (!link_.broken()) link_.check(PQenterPipelineMode(link_.handle()) == 1);
  if (failure) {
    note(*failure);
    throw *failure;
  }
  return affected;
}

void Connection::run_script(std::string_view sql) {
  const Result first = start_simple(sql);
  const ExecStatusType status = PQresultStatus(first.handle());
  if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
    link_.close();
    throw Error(ErrorCode::internal, "database: COPY inside of a script");
  }
  finish_simple();
}

bool Connection::reset() noexcept try {
  patience_.reset();
  first_patience_.reset();
  if (link_.inherited() || broken()) return false;
  if (in_transaction()) {
    // A connection that cannot even do this soon is not worth waiting for.
    patience_ = grace;
    run("ROLLBACK", {}, Plan::once);
    patience_.reset();
  }
  return !broken() && !in_transaction();
} catch (const std::exception&) {
  return false;
}

bool Connection::alive(milliseconds within) noexcept try {
  if (link_.inherited() || broken()) return false;
  const Deadline until = deadline_after(within);
  // An empty pipeline costs the server nothing.
  link_.check(PQpipelineSync(link_.handle()) == 1);
  link_.flush(until);
  for (;;) {
    PGresult* raw = link_.next_result(until);
    if (raw == nullptr) return false;
    const Result result(raw);
    if (PQresultStatus(raw) == PGRES_PIPELINE_SYNC) return !broken();
    if (PQresultStatus(raw) == PGRES_FATAL_ERROR) break;
  }
  link_.close();
  return false;
} catch (const std::exception&) {
  link_.close();
  return false;
}

}  // namespace actionhist::postgres
