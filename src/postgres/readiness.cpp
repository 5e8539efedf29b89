// Compiled with hidden symbols: the host may carry another version of Asio.
#include "postgres/readiness.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <actionhist/error.hpp>

namespace actionhist::postgres {

namespace asio = boost::asio;

struct Readiness::Loop {
  asio::io_context context{1};
  asio::posix::stream_descriptor descriptor;
  bool read_pending = false;
  bool write_pending = false;
  bool ready = false;

  // With a descriptor of its own for the socket: libpq closes its own when the connection breaks, and the
  // number may belong to another thread's socket a moment later.
  explicit Loop(int socket) : descriptor(context) {
    const int own = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    boost::system::error_code fault;
    descriptor.assign(own, fault);
    if (!fault) return;
    if (own >= 0) close(own);
    throw boost::system::system_error(fault);
  }
};

std::unique_ptr<Readiness::Loop> Readiness::loop_for(int socket) try {
  return std::make_unique<Loop>(socket);
} catch (const boost::system::system_error&) {
  throw Error(ErrorCode::unavailable,
              "database: no file descriptor is free; raise the limit of open files, or lower pool_max");
}

Readiness::Readiness(int socket) : loop_(loop_for(socket)) {}

Readiness::~Readiness() = default;

bool Readiness::wait(bool write, Deadline deadline) {
  Loop& loop = *loop_;
  loop.ready = false;
  // A wait that an earlier call left is kept: it ends with the next event, at worst too early.
  if (!loop.read_pending) {
    loop.read_pending = true;
    loop.descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [&loop](boost::system::error_code) {
      loop.read_pending = false;
      loop.ready = true;
    });
  }
  if (write && !loop.write_pending) {
    loop.write_pending = true;
    loop.descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                               [&loop](boost::system::error_code) {
                                 loop.write_pending = false;
                                 loop.ready = true;
                               });
  }
  while (!loop.ready) {
    loop.context.restart();
    if (loop.context.run_one_until(deadline) == 0) return false;
  }
  // A loop that has ever waited to write is woken again whenever the server has read what was sent, which would
  // cost each later statement two more changes of the running process.
  if (write) loop_ = loop_for(loop.descriptor.native_handle());
  return true;
}

}  // namespace actionhist::postgres
