// Worker processes behind one queue, as an autoscaler finds them. The queue is a pipe: a job is a few bytes
// in it, and the worker that reads them first does the job. When the pool goes, the workers do.
// A WorkerPool belongs to one thread and is the only parent of processes in its program.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

class WorkerPool {
 public:
  // How long a job takes.
  static constexpr std::chrono::milliseconds job_time{20};

  // Starts `size` copies of this program with the argument --worker.
  // Throws std::system_error when the machine has no process or pipe left.
  explicit WorkerPool(int size);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Adds a job. False when the queue is full.
  bool submit();

  // Jobs that no worker has taken yet.
  int queued() const;

  // Workers that are alive, whatever happened to the others.
  int size();

  // Starts workers, or lets as many leave as are too many, each after the job that it has.
  // Returns the size that was reached. Throws std::system_error as the constructor does.
  int resize(int size);

  // What a worker does: jobs from its standard input until there are no more. Returns its exit status.
  static int work();

 private:
  void start_worker();
  void close_queue();

  std::vector<pid_t> workers_;
  int take_ = -1;  // ends of the pipe
  int give_ = -1;
};
