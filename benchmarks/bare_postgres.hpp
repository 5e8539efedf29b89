// A connection as one uses it by hand: prepared statements, binary both ways. For one thread at a time. What goes wrong
// throws std::runtime_error.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include <actionhist/time.hpp>

#include "postgres/connection.hpp"

namespace actionhist::benchmark {

class BarePostgres {
 public:
  explicit BarePostgres(const std::string& uri) : connection_(PQconnectdb(uri.c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection_));
    execute("SET search_path = actionhist");
    execute("SELECT set_config('actionhist.tenant', 'bench', false)");
  }
  ~BarePostgres() { PQfinish(connection_); }
  BarePostgres(const BarePostgres&) = delete;
  BarePostgres& operator=(const BarePostgres&) = delete;

  void execute(const std::string& sql) { finish(PQexec(connection_, sql.c_str())); }

  TimePoint server_started_at() {
    PGresult* result = PQexec(
        connection_, "SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint::text");
    const std::int64_t microseconds = std::stoll(PQgetvalue(result, 0, 0));
    finish(result);
    return TimePoint(std::chrono::microseconds(microseconds));
  }

  // Prepares the text on its first use.
  void run(const std::string& sql, const postgres::Parameters& parameters) {
    std::string& name = names_[&sql];
    if (name.empty()) {
      name = "s" + std::to_string(names_.size());
      finish(PQprepare(connection_, name.c_str(), sql.c_str(), static_cast<int>(parameters.size()),
                       parameters.types().data()));
    }
    const auto values = parameters.values();
    const std::vector<int> formats(parameters.size(), 1);
    finish(PQexecPrepared(connection_, name.c_str(), static_cast<int>(parameters.size()), values.data(),
                          parameters.lengths().data(), formats.data(), 1));
  }

  // The same for several statements in one pipeline, which is one transaction.
  void run(const std::vector<postgres::Call>& calls) {
    check(PQenterPipelineMode(connection_) == 1);
    for (const postgres::Call& call : calls) {
      std::string& name = named_[std::string(call.sql)];
      const auto& types = call.parameters.types();
      const auto count = static_cast<int>(call.parameters.size());
      if (name.empty()) {
        name = "p" + std::to_string(named_.size());
        check(PQsendPrepare(connection_, name.c_str(), std::string(call.sql).c_str(), count, types.data()) ==
              1);
      }
      const auto values = call.parameters.values();
      const std::vector<int> formats(call.parameters.size(), 1);
      check(PQsendQueryPrepared(connection_, name.c_str(), count, values.data(),
                                call.parameters.lengths().data(), formats.data(), 1) == 1);
    }
    check(PQpipelineSync(connection_) == 1);
    for (bool synced = false; !synced;) {
      PGresult* result = PQgetResult(connection_);
      if (result == nullptr) continue;
      const ExecStatusType status = PQresultStatus(result);
      PQclear(result);
      synced = status == PGRES_PIPELINE_SYNC;
      check(synced || status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
    }
    check(PQexitPipelineMode(connection_) == 1);
  }

  // Reads a whole COPY … TO STDOUT.
  std::vector<std::string> copy_out(const std::string& sql) {
    PQclear(PQexec(connection_, sql.c_str()));
    std::vector<std::string> rows;
    char* buffer = nullptr;
    for (int size; (size = PQgetCopyData(connection_, &buffer, 0)) > 0; PQfreemem(buffer)) {
      rows.emplace_back(buffer, static_cast<std::size_t>(size));
    }
    drain();
    return rows;
  }

  void copy_in(const std::string& sql, const std::vector<std::string>& rows) {
    PQclear(PQexec(connection_, sql.c_str()));
    for (const std::string& row : rows) PQputCopyData(connection_, row.data(), static_cast<int>(row.size()));
    PQputCopyEnd(connection_, nullptr);
    drain();
  }

 private:
  void finish(PGresult* result) {
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      throw std::runtime_error(PQerrorMessage(connection_));
    }
  }
  void drain() {
    while (PGresult* result = PQgetResult(connection_)) finish(result);
  }

  void check(bool done) const {
    if (!done) throw std::runtime_error(PQerrorMessage(connection_));
  }

  PGconn* connection_;
  std::map<const std::string*, std::string> names_;
  std::map<std::string, std::string> named_;  // by text
};

}  // namespace actionhist::benchmark
