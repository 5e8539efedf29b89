#include "postgres/readiness.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>

namespace actionhist::postgres {
namespace {

// Longer than this is waited in several steps.
constexpr std::chrono::milliseconds longest_step = std::chrono::hours(1);

// poll(), because it ends with the answer: an event loop that has ever waited to write is woken again whenever the
// server has read what was sent, which costs two changes of the running process for each statement.
bool wait(int socket, short events, Deadline deadline) {
  // libpq has closed it, and tells why.
  if (socket < 0) return true;
  pollfd wanted{socket, events, 0};
  for (;;) {
    const Deadline now = std::chrono::steady_clock::now();
    // Up, so that the last step does not end before the deadline.
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::max(deadline, now) - now);
    const int found = poll(&wanted, 1, static_cast<int>(std::min(left, longest_step).count()));
    // What else may fail is met, and told, by the next use of the socket.
    if (found > 0 || (found < 0 && errno != EINTR)) return true;
    if (found == 0 && left <= longest_step) return false;
  }
}

}  // namespace

bool wait_readable(int socket, Deadline deadline) { return wait(socket, POLLIN, deadline); }
bool wait_writable(int socket, Deadline deadline) { return wait(socket, POLLIN | POLLOUT, deadline); }

}  // namespace actionhist::postgres
