#include "postgres/link.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include "postgres/dial.hpp"
#include "postgres/server_error.hpp"

namespace actionhist::postgres {

Link::Link(const Target& target, const PostgresOptions& options)
    : handle_(dial(target, options)), owner_(getpid()) {
  try {
    readiness_ = std::make_unique<Readiness>(PQsocket(handle_));
    if (PQsetnonblocking(handle_, 1) != 0) throw lost_connection(PQerrorMessage(handle_));
  } catch (...) {
    close();
    throw;
  }
}

bool Link::inherited() const noexcept { return getpid() != owner_; }

Link::~Link() { close(); }

void Link::close() noexcept {
  if (inherited()) {
    // The event loop is shared with the parent too: what is removed here would be missing there.
    static_cast<void>(readiness_.release());
    handle_ = nullptr;
    return;
  }
  readiness_.reset();
  PQfinish(std::exchange(handle_, nullptr));
}

void Link::time_out() {
  close();
  // Not a time-out: the server would have ended what takes longer than statement_timeout.
  throw ServerError(ErrorCode::unavailable, Failure::connection_lost,
                    "database: no answer in time; the server is overloaded, hangs or cannot be reached");
}

void Link::wait_readable(Deadline deadline) {
  if (!readiness_->wait_readable(deadline)) time_out();
}

void Link::wait_writable(Deadline deadline) {
  if (!readiness_->wait_writable(deadline)) time_out();
}

void Link::check(bool done) {
  if (done) return;
  const std::string text = PQerrorMessage(handle_);
  if (broken()) throw lost_connection(text);
  throw ServerError(ErrorCode::internal, Failure::permanent, "database: " + text);
}

void Link::flush(Deadline deadline) {
  for (;;) {
    const int left = PQflush(handle_);
    if (left == 0) return;
    if (left < 0) throw lost_connection(PQerrorMessage(handle_));
    // The server may have to get rid of answers before it reads on.
    wait_writable(deadline);
    if (PQconsumeInput(handle_) == 0) throw lost_connection(PQerrorMessage(handle_));
  }
}

PGresult* Link::next_result(Deadline deadline) {
  while (PQisBusy(handle_) == 1) {
    wait_readable(deadline);
    // After a failure PQgetResult tells what the server said last.
    if (PQconsumeInput(handle_) == 0) break;
  }
  return PQgetResult(handle_);
}

std::optional<std::pair<char*, int>> Link::next_copy_data(Deadline deadline) {
  for (;;) {
    char* data = nullptr;
    const int size = PQgetCopyData(handle_, &data, 1);
    if (size > 0) return std::pair{data, size};
    if (size == -1) return std::nullopt;
    if (size == -2) throw lost_connection(PQerrorMessage(handle_));
    wait_readable(deadline);
    if (PQconsumeInput(handle_) == 0) throw lost_connection(PQerrorMessage(handle_));
  }
}

void Link::put_copy_data(const char* data, int size, Deadline deadline) {
  for (;;) {
    const int put = PQputCopyData(handle_, data, size);
    if (put == 1) return;
    if (put < 0) throw lost_connection(PQerrorMessage(handle_));
    wait_writable(deadline);
    if (PQconsumeInput(handle_) == 0) throw lost_connection(PQerrorMessage(handle_));
  }
}

void Link::end_copy(const char* reason, Deadline deadline) {
  for (;;) {
    const int put = PQputCopyEnd(handle_, reason);
    if (put == 1) return;
    if (put < 0) throw lost_connection(PQerrorMessage(handle_));
    wait_writable(deadline);
    if (PQconsumeInput(handle_) == 0) throw lost_connection(PQerrorMessage(handle_));
  }
}

bool Link::has_input() const noexcept {
  char byte;
  const ssize_t size = recv(PQsocket(handle_), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  // At the end of the stream, and after an error, the caller's next step meets it.
  return size >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace actionhist::postgres
