// Waits for a socket under a deadline, on an event loop of its own. Used by one thread at a time. The socket
// stays its owner's and may be closed before this.
#pragma once

#include <memory>

#include "postgres/deadline.hpp"

namespace actionhist::postgres {

class Readiness {
 public:
  // REQUIRES: `socket` is open. Throws Error: unavailable, when the process may open no more files.
  explicit Readiness(int socket);
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // Waits until the socket can be read, or also until it can be written. False at the deadline. May return
  // true too early, never too late.
  bool wait_readable(Deadline deadline) { return wait(false, deadline); }
  bool wait_writable(Deadline deadline) { return wait(true, deadline); }

 private:
  struct Loop;
  static std::unique_ptr<Loop> loop_for(int socket);
  bool wait(bool write, Deadline deadline);

  std::unique_ptr<Loop> loop_;
};

}  // namespace actionhist::postgres
