#include "worker_pool.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

namespace {

using namespace std::chrono_literals;

// Written and read whole: the kernel never splits so few bytes.
enum class Job : unsigned int { work = 1, leave = 2 };

void check(int error, const char* what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

bool write_job(int pipe, Job job) { return write(pipe, &job, sizeof(job)) == sizeof(job); }

bool read_job(int pipe, Job& job) {
  for (;;) {
    const ssize_t got = read(pipe, &job, sizeof(job));
    if (got < 0 && errno == EINTR) continue;
    return got == sizeof(job);
  }
}

}  // namespace

WorkerPool::WorkerPool(int size) {
  int ends[2];
  // Closed in the workers, so that they see the end of the queue even when this process is killed.
  if (pipe2(ends, O_CLOEXEC) != 0) check(errno, "pipe");
  take_ = ends[0];
  give_ = ends[1];
  fcntl(give_, F_SETFL, O_NONBLOCK);
  try {
    resize(size);
  } catch (...) {
    close_queue();
    throw;
  }
}

WorkerPool::~WorkerPool() { close_queue(); }

void WorkerPool::close_queue() {
  for (const pid_t worker : workers_) kill(worker, SIGTERM);
  for (const pid_t worker : workers_) {
    while (waitpid(worker, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  close(take_);
  close(give_);
}

bool WorkerPool::submit() { return write_job(give_, Job::work); }

int WorkerPool::queued() const {
  int bytes = 0;
  ioctl(take_, FIONREAD, &bytes);
  return bytes / static_cast<int>(sizeof(Job));
}

int WorkerPool::size() {
  std::erase_if(workers_, [](pid_t worker) { return waitpid(worker, nullptr, WNOHANG) == worker; });
  return static_cast<int>(workers_.size());
}

int WorkerPool::resize(int wanted) {
  while (size() < wanted) start_worker();
  for (int surplus = size() - wanted; surplus > 0; --surplus) write_job(give_, Job::leave);
  const auto patience = std::chrono::steady_clock::now() + 2s;
  while (size() > wanted && std::chrono::steady_clock::now() < patience) std::this_thread::sleep_for(1ms);
  return size();
}

// A plain fork() would copy the open History into the worker, where it cannot be used.
void WorkerPool::start_worker() {
  char program[] = "/proc/self/exe";
  char argument[] = "--worker";
  char* arguments[] = {program, argument, nullptr};
  posix_spawn_file_actions_t files;
  check(posix_spawn_file_actions_init(&files), "posix_spawn_file_actions_init");
  posix_spawn_file_actions_adddup2(&files, take_, STDIN_FILENO);
  pid_t worker = 0;
  const int error = posix_spawn(&worker, program, &files, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&files);
  check(error, "posix_spawn");
  workers_.push_back(worker);
}

int WorkerPool::work() {
  // Ctrl-C reaches the whole group; the parent decides when a worker goes.
  std::signal(SIGINT, SIG_IGN);
  Job job{};
  while (read_job(STDIN_FILENO, job) && job == Job::work) std::this_thread::sleep_for(job_time);
  return 0;
}
