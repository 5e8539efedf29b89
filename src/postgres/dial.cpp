#include "postgres/dial.hpp"

#include <memory>
#include <optional>

#include <fmt/format.h>

#include "postgres/readiness.hpp"
#include "postgres/resolver.hpp"
#include "postgres/server_error.hpp"

namespace actionhist::postgres {
namespace {

using Handle = std::unique_ptr<PGconn, decltype(&PQfinish)>;

// A pooler or server that says no to the user would say so again; only the next host may be another server.
bool final_answer(const ServerError& error) {
  return error.code() == ErrorCode::denied || error.code() == ErrorCode::invalid_argument;
}

ServerError attempt_error(const Target& target, const Endpoint& endpoint, PGconn* handle) {
  const ServerError said = connect_error(endpoint.text(), PQerrorMessage(handle));
  return ServerError(said.code(), said.failure(), target.redact(said.what()), said.sqlstate());
}

Handle connect(const Target& target, const Endpoint& endpoint, const std::string& address,
               const std::string& attributes, const PostgresOptions& options, Deadline deadline) {
  Target::Settings settings = target.settings(endpoint, address, options);
  settings.emplace_back("target_session_attrs", attributes);
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : settings) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);

  Handle handle(PQconnectStartParams(keywords.data(), values.data(), 0), PQfinish);
  if (!handle) throw ServerError(ErrorCode::unavailable, Failure::permanent, "database: no memory");
  // With SQLSTATE in the text, because libpq gives it in no other way before a connection stands.
  PQsetErrorVerbosity(handle.get(), PQERRORS_VERBOSE);
  PQsetNoticeReceiver(
      handle.get(), [](void*, const PGresult*) {}, nullptr);

  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  if (PQstatus(handle.get()) == CONNECTION_BAD) status = PGRES_POLLING_FAILED;
  while (status != PGRES_POLLING_OK) {
    if (status == PGRES_POLLING_FAILED) throw attempt_error(target, endpoint, handle.get());
    // Made anew each time: libpq may change the socket between two polls.
    Readiness readiness(PQsocket(handle.get()));
    const bool ready = status == PGRES_POLLING_READING ? readiness.wait_readable(deadline)
                                                       : readiness.wait_writable(deadline);
    if (!ready) {
      throw ServerError(ErrorCode::unavailable, Failure::transient,
                        fmt::format("database {}: no connection within connect_timeout", endpoint.text()));
    }
    status = PQconnectPoll(handle.get());
  }
  PQsetErrorVerbosity(handle.get(), PQERRORS_DEFAULT);
  return handle;
}

std::vector<std::string> addresses_of(const Endpoint& endpoint, Deadline deadline) {
  // Where there is nothing to look up, libpq takes the host as it is.
  if (!endpoint.address.empty()) return {endpoint.address};
  if (endpoint.socket() || endpoint.host.empty()) return {""};
  return resolve(endpoint.host, deadline);
}

// The first that answers with the wanted attributes; otherwise what each said is added to `errors`.
Handle try_all(const Target& target, const std::string& attributes, const PostgresOptions& options,
               std::vector<ServerError>& errors) {
  const auto limit = target.connect_timeout(options);
  for (const Endpoint& endpoint : target.endpoints()) {
    try {
      for (const std::string& address : addresses_of(endpoint, deadline_after(limit))) {
        try {
          return connect(target, endpoint, address, attributes, options, deadline_after(limit));
        } catch (const ServerError& error) {
          errors.push_back(error);
          if (final_answer(error)) break;
        }
      }
    } catch (const ServerError& error) {
      errors.push_back(error);
    }
  }
  return {nullptr, PQfinish};
}

// One error for all hosts: the answer that the caller can do most about, with everything that was said.
ServerError combined(const std::vector<ServerError>& errors) {
  const ServerError* telling = &errors.front();
  std::string text;
  for (const ServerError& error : errors) {
    if (final_answer(error) && !final_answer(*telling)) telling = &error;
    if (text.find(error.what()) == text.npos)
      text += fmt::format("{}{}", text.empty() ? "" : " | ", error.what());
  }
  return ServerError(telling->code(), telling->failure(), text, telling->sqlstate());
}

}  // namespace

PGconn* dial(const Target& target, const PostgresOptions& options) {
  std::vector<ServerError> errors;
  // libpq would try all hosts twice by itself, but it only sees one at a time.
  const bool prefer_standby = target.session_attributes() == "prefer-standby";
  Handle handle = try_all(target, prefer_standby ? "standby" : target.session_attributes(), options, errors);
  if (!handle && prefer_standby) handle = try_all(target, "any", options, errors);
  if (!handle) throw combined(errors);
  return handle.release();
}

}  // namespace actionhist::postgres
