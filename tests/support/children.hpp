// Child processes of a test, and memory that they share. A child is forked while the test has no History and no
// index of its own open.
#pragma once

#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>

#include <csignal>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace actionhist::test {

// Runs `work` in a child process; it ends with 0, or with 1 when `work` throws.
inline pid_t spawn(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child != 0) return child;
  // A test that is stopped leaves nothing behind.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int status = 0;
  try {
    work();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child: %s\n", error.what());
    status = 1;
  }
  // Without the destructors of the test program.
  _exit(status);
}

// What it ended with, or 128 and the signal that ended it.
inline int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Memory that all children share.
template <class T>
class Shared {
 public:
  Shared() : data_(mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (data_ == MAP_FAILED) throw std::runtime_error("mmap failed");
    new (data_) T();
  }
  ~Shared() { munmap(data_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T* operator->() const { return static_cast<T*>(data_); }
  T& operator*() const { return *static_cast<T*>(data_); }

 private:
  void* data_;
};

}  // namespace actionhist::test
