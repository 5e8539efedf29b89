// Keeps FAISS from starting threads: a pool of OpenMP threads would outlive fork() only in the parent.
#pragma once

#include <omp.h>

namespace actionhist {

// While it lives, this thread's parallel regions have one thread.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace actionhist
