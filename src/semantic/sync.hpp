// How the index follows the database: FeedWorker turns queue rows into the feed, a Replica applies the feed to a local
// index, SyncThread drives both. The steps have no threads of their own, so
// tests can walk them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <actionhist/embedding.hpp>
#include <actionhist/repository.hpp>

#include "semantic/embedding_pace.hpp"
#include "semantic/last_error.hpp"
#include "semantic/replica.hpp"
#include "semantic/retry_pause.hpp"
#include "semantic/space_filler.hpp"

namespace actionhist {

// Those of the subjects that were not deleted, as they are now.
using SubjectSource = std::function<std::vector<FeedSubject>(std::span<const std::string> subject_ids)>;

// Used by one thread at a time.
class FeedWorker {
 public:
  // The repository must outlive the worker. `model` is of the tenant's space; without it texts are only sequenced.
  FeedWorker(Repository& repository, std::shared_ptr<const EmbeddingModel> model, SubjectSource source);
  // Gives the lease back, so that another process need not wait for it to end.
  ~FeedWorker();
  FeedWorker(const FeedWorker&) = delete;
  FeedWorker& operator=(const FeedWorker&) = delete;

  // Deals with up to 256 queue rows and as many subjects without a vector. False when there was nothing to do
  // or another worker holds the lease. A worker that was held up for longer than its lease does no harm: what others
  // have dealt with since is left as it is.
  bool step();

  // True when the last step took all that it may take at once, so that more is likely to wait.
  bool behind() const noexcept { return behind_; }

 private:
  bool drain();
  bool lease();

  FeedStore& feed_;
  std::shared_ptr<const EmbeddingModel> model_;
  std::optional<SpaceFiller> backlog_;  // what was fed while the model was not there
  EmbeddingPace pace_;
  SubjectSource source_;
  std::string name_;  // of this worker, unique among processes
  TimePoint trimmed_{};
  TimePoint look_again_{};
  bool leased_ = false;
  bool behind_ = false;
};

class SyncThread {
 public:
  // Without a worker only the replica is moved. What goes wrong is given to `log`, once, and kept for error().
  // `after_round` is called by the thread after each round.
  SyncThread(std::unique_ptr<FeedWorker> worker, Replica& replica,
             std::function<void(const std::string&)> log, std::function<void()> after_round = {});
  ~SyncThread();

  // Says that there is something to do; `urgent` that somebody waits for it.
  void wake(bool urgent);

  // Of the last round, or of a worker that waits to try again; empty if all went well.
  std::string error() const { return error_.text(); }

 private:
  void run();
  bool round();

  std::unique_ptr<FeedWorker> worker_;
  Replica& replica_;
  LastError error_;
  std::function<void()> after_round_;
  // Of the worker's last step. Used by the thread alone.
  std::string worker_error_;
  RetryPause worker_retry_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool awake_ = true;    // guarded by mutex_
  bool urgent_ = false;  // guarded by mutex_
  bool stop_ = false;    // guarded by mutex_
  std::thread thread_;
};

}  // namespace actionhist
