// Compiled with hidden symbols: the host may carry another version of Asio.
#include "postgres/readiness.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace actionhist::postgres {

namespace asio = boost::asio;

struct Readiness::Loop {
  asio::io_context context{1};
  asio::posix::stream_descriptor descriptor;
  bool read_pending = false;
  bool write_pending = false;
  bool ready = false;

  explicit Loop(int socket) : descriptor(context, socket) {}
};

Readiness::Readiness(int socket) : loop_(std::make_unique<Loop>(socket)) {}

Readiness::~Readiness() {
  // libpq closes the socket. Waits that are left are dropped with the context.
  if (loop_) loop_->descriptor.release();
}

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
  return true;
}

}  // namespace actionhist::postgres
