// What PostgreSQL and the way to it can answer instead of a result. SQLSTATE is read here and nowhere else.
// A ServerError is a value: it may be copied and read from any thread.
#pragma once

#include <string>
#include <string_view>

#include <libpq-fe.h>

#include <actionhist/error.hpp>

namespace actionhist::postgres {

// What the caller of a transaction can do about it.
enum class Failure {
  permanent,        // nothing: the same again would fail again
  transient,        // run the whole transaction again
  connection_lost,  // as transient; but if a COMMIT had been sent, it may have happened
  no_partition,     // make the partition of the row and run the transaction again
};

class ServerError : public Error {
 public:
  ServerError(ErrorCode code, Failure failure, const std::string& message, std::string sqlstate = {},
              std::string constraint = {})
      : Error(code, message),
        failure_(failure),
        sqlstate_(std::move(sqlstate)),
        constraint_(std::move(constraint)) {}

  Failure failure() const noexcept { return failure_; }
  // Five characters; empty when the connection broke.
  const std::string& sqlstate() const noexcept { return sqlstate_; }
  // The name of the violated constraint, empty for other errors.
  const std::string& constraint() const noexcept { return constraint_; }
  // Whether to run the whole transaction again.
  bool retryable() const noexcept { return failure_ != Failure::permanent; }

 private:
  Failure failure_;
  std::string sqlstate_;
  std::string constraint_;
};

// What a SQLSTATE means. Empty: the connection broke.
ErrorCode error_code(std::string_view sqlstate) noexcept;

// REQUIRES: `result` is a failed one.
ServerError server_error(const PGresult* result);

// The error of an attempt to connect to `where`, from libpq's text in PQERRORS_VERBOSE.
ServerError connect_error(std::string_view where, std::string_view text);

// The connection broke while it was in use.
ServerError lost_connection(std::string_view text);

}  // namespace actionhist::postgres
