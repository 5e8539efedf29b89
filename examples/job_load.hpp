// A square wave of jobs for a WorkerPool, and what can be seen of the pool from outside.
// A JobLoad belongs to the thread of its pool.
#pragma once

#include "worker_pool.hpp"

struct Reading {
  int workers = 0;
  int queued = 0;
  double busy = 0;  // 0 to 1: how much of the workers' time went into jobs since the last reading
};

class JobLoad {
 public:
  // `pool` must outlive the load.
  explicit JobLoad(WorkerPool& pool) : pool_(pool) {}

  // Submits the jobs that have become due. `elapsed` is in seconds since the load began and only grows.
  void feed(double elapsed);

  Reading read(double elapsed);

  // One and a half quiet seconds, as many loud ones. One worker does about 50 jobs a second.
  static int jobs_per_second(double elapsed);

 private:
  WorkerPool& pool_;
  double fed_ = 0;
  double due_ = 0;
  int submitted_ = 0;  // since the last reading
  int queued_ = 0;     // at the last reading
  double read_at_ = 0;
};
