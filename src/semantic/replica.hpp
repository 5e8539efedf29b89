// A local index that follows the feed of one tenant and space. It keeps itself in files, so that a start reads
// them and the rest of the feed instead of all of it; with any doubt about them it starts over, and says so.
// step() and close() are used by one thread at a time; the rest from any.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <actionhist/repository.hpp>
#include <actionhist/semantic_index.hpp>

#include "core/files.hpp"

namespace actionhist {

// Where a replica keeps itself, and how.
struct ReplicaFiles {
  std::filesystem::path folder;      // empty: nothing is kept
  bool write = true;                 // false: only read what another process keeps there
  std::size_t least_changes = 4096;  // so many are saved without waiting for the end
  std::chrono::seconds removed_within = std::chrono::hours(1);  // what was deleted leaves the files
  std::chrono::seconds saved_within = std::chrono::days(1);     // what the feed has moved on is in the files
  std::function<void(const std::string&)> log = nullptr;        // why it starts over; may be empty
};

class Replica {
 public:
  // Opens the files if there are any. `feed` must outlive the replica.
  Replica(FeedStore& feed, std::string space_id, std::size_t dimension, ReplicaFiles files = {});

  // Applies the next rows of the feed. False when there were none. Starts over when the feed was rebuilt or trimmed, is
  // not the one that the replica has read, or when its files turn out to be damaged.
  bool step();

  // Saves what has changed if that makes the next start faster. Never throws: the feed has everything.
  void close() noexcept;

  const SemanticIndex& index() const noexcept { return index_; }
  // The vector of a subject's text with this hash; nothing while the index has another text of it, or no vector.
  std::optional<std::vector<float>> vector_of(std::string_view subject_id,
                                              const std::string& content_hash) const;
  std::int64_t seq() const noexcept { return seq_.load(); }
  std::int64_t feed_seq() const noexcept { return feed_seq_.load(); }
  // True once everything that the feed held at the first look has been applied.
  bool caught_up() const noexcept { return caught_up_.load(); }
  // The tenant's embedding space as of the last step; for the thread that steps.
  const std::string& tenant_space() const noexcept { return tenant_space_; }
  // How often it has started over, and whether it began with what its files held.
  std::int64_t rebuilds() const noexcept { return rebuilds_.load(); }
  bool opened() const noexcept { return opened_; }

 private:
  void open();
  // Where the feed ends, after starting over if that is needed.
  FeedHead look();
  void start_over(const std::string& why);
  void apply(const FeedBatch& batch);
  bool lock();
  // Whether the rows changed so much, one was deleted so long ago, or the files are so old, that they should follow.
  bool save_is_due() const;
  // Whether the files are so far behind, in time, that the feed may soon not know what they have read.
  bool files_are_old() const;
  // Whether the graph has at least so many more vectors, and enough of them, than in the files.
  bool linked_since_saved(std::size_t least) const;
  // Nothing happens without the lock, or soon after an attempt that failed.
  void save();
  // Notes that the files may hold what was deleted.
  void files_differ();
  // The note of files that are saved at this time.
  Json cursor(TimePoint saved_at) const;
  void log(const std::string& text) const;

  FeedStore& feed_;
  std::string space_id_;
  IndexOptions options_;
  ReplicaFiles files_;
  std::optional<FolderLock> lock_;
  SemanticIndex index_;
  std::string epoch_;
  std::string batch_id_;  // of the newest batch when the feed was read up to seq_
  std::string tenant_space_;
  // Since the files were written.
  std::size_t changes_ = 0;  // rows of the feed
  std::optional<std::chrono::steady_clock::time_point>
      removed_;                                         // the first deletion, which they must follow
  std::chrono::steady_clock::time_point save_again_{};  // not before
  std::chrono::steady_clock::duration save_pause_{};  // after the last failure, if there was no success since
  std::size_t saved_links_ = 0;
  std::int64_t saved_seq_ = 0;
  TimePoint saved_at_{};
  bool opened_ = false;
  std::atomic<std::int64_t> seq_{0};
  std::atomic<std::int64_t> feed_seq_{0};
  std::atomic<std::int64_t> rebuilds_{0};
  std::atomic<bool> caught_up_{false};
};

}  // namespace actionhist
