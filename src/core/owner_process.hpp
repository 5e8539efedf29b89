// The process that opened something. Threads, locks and file handles of the parent mean nothing in the child of a
// fork(): what it inherits must not be used, and is leaked instead of destroyed.
#pragma once

#include <string_view>

#include <sys/types.h>
#include <unistd.h>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist {

class OwnerProcess {
 public:
  bool inherited() const noexcept { return getpid() != pid_; }

  // Throws Error: unsupported in a child, naming `what` was opened.
  void require(std::string_view what) const {
    if (!inherited()) return;
    throw Error(
        ErrorCode::unsupported,
        fmt::format("{}: opened before fork(); start the child with exec or spawn and open another there",
                    what));
  }

 private:
  pid_t pid_ = getpid();
};

}  // namespace actionhist
