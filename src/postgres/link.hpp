// A libpq connection whose every wait has a deadline. Used by one thread at a time.
#pragma once

#include <memory>
#include <optional>

#include <libpq-fe.h>
#include <sys/types.h>

#include "postgres/deadline.hpp"
#include "postgres/readiness.hpp"
#include "postgres/target.hpp"

namespace actionhist::postgres {

class Link {
 public:
  // Connects to the first server of the target that is there and has the wanted role.
  // Throws ServerError: denied, unavailable, with what was said by each host.
  Link(const Target& target, const PostgresOptions& options);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  PGconn* handle() const noexcept { return handle_; }
  // After close() and when libpq has noticed that the other side is gone.
  bool broken() const noexcept { return handle_ == nullptr || PQstatus(handle_) == CONNECTION_BAD; }
  // In the child of a fork() the connection is still the parent's: nothing may be sent, not even goodbye.
  bool inherited() const noexcept;

  // The functions below throw ServerError: unavailable, at the deadline, after closing the connection, because
  // the answer would come into the next question; and when the connection broke.

  // Sends what libpq has buffered, and reads meanwhile.
  void flush(Deadline deadline);
  // The next result; empty where libpq has none for the current command.
  PGresult* next_result(Deadline deadline);
  // The next piece of COPY TO; empty at the end. Freed with PQfreemem.
  std::optional<std::pair<char*, int>> next_copy_data(Deadline deadline);
  // Buffers a piece of COPY FROM.
  void put_copy_data(const char* data, int size, Deadline deadline);
  // Ends COPY FROM; with a `reason`, nothing is copied.
  void end_copy(const char* reason, Deadline deadline);
  // Throws if a call that only buffers has failed.
  void check(bool done);

  // Whether the server has said something unasked, such as goodbye.
  bool has_input() const noexcept;

  void close() noexcept;

 private:
  [[noreturn]] void time_out();
  void wait_readable(Deadline deadline);
  void wait_writable(Deadline deadline);

  PGconn* handle_ = nullptr;
  std::unique_ptr<Readiness> readiness_;
  pid_t owner_;
};

}  // namespace actionhist::postgres
