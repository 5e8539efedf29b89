#include "job_load.hpp"

#include <algorithm>
#include <cmath>

int JobLoad::jobs_per_second(double elapsed) { return std::fmod(elapsed, 3) < 1.5 ? 16 : 140; }

void JobLoad::feed(double elapsed) {
  due_ += jobs_per_second(elapsed) * (elapsed - fed_);
  fed_ = elapsed;
  for (; due_ >= 1; --due_) {
    if (pool_.submit()) ++submitted_;
  }
}

Reading JobLoad::read(double elapsed) {
  Reading now{pool_.size(), pool_.queued(), 0};
  const int done = queued_ + submitted_ - now.queued;
  const double spent = done * std::chrono::duration<double>(WorkerPool::job_time).count();
  const double had = now.workers * (elapsed - read_at_);
  if (had > 0) now.busy = std::clamp(spent / had, 0., 1.);
  queued_ = now.queued;
  read_at_ = elapsed;
  submitted_ = 0;
  return now;
}
