// How the index follows the database: FeedWorker turns queue rows into the feed, a Replica applies the feed to a
// local index, SyncThread drives both. The steps have no threads of their own, so tests can walk them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include <actionhist/embedding.hpp>
#include <actionhist/repository.hpp>

#include "semantic/replica.hpp"

namespace actionhist {

// The subject as it is now, or nothing when it was deleted.
using SubjectSource = std::function<std::optional<FeedSubject>(const std::string& subject_id)>;

// Used by one thread at a time.
class FeedWorker {
 public:
  // `feed` and `model` must outlive the worker.
  FeedWorker(FeedStore& feed, const EmbeddingModel& model, SubjectSource source);

  // Deals with up to 256 queue rows. False when there was nothing to do or another worker holds the lease.
  bool step();

  // True when the last step took all that it may take at once, so that more is likely to wait.
  bool behind() const noexcept { return behind_; }

  // Gives the lease back, so that another process need not wait for it to end.
  void release() noexcept;

 private:
  std::vector<FeedEmbedding> embed(const std::vector<FeedSubject>& subjects,
                                   std::vector<QueuedSubject>& queued);

  FeedStore& feed_;
  const EmbeddingModel& model_;
  SubjectSource source_;
  std::string name_;  // of this worker, unique among processes
  bool behind_ = false;
};

class SyncThread {
 public:
  // Without a worker only the replica is moved. What goes wrong is given to `log` and kept for error().
  SyncThread(std::unique_ptr<FeedWorker> worker, Replica& replica,
             std::function<void(const std::string&)> log);
  ~SyncThread();

  // Says that there is something to do; `urgent` that somebody waits for it.
  void wake(bool urgent);

  // Of the last round, empty if it went well.
  std::string error() const;

 private:
  void run();
  bool round();

  std::unique_ptr<FeedWorker> worker_;
  Replica& replica_;
  std::function<void(const std::string&)> log_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string error_;    // guarded by mutex_
  bool awake_ = true;    // guarded by mutex_
  bool urgent_ = false;  // guarded by mutex_
  bool stop_ = false;    // guarded by mutex_
  std::thread thread_;
};

}  // namespace actionhist
