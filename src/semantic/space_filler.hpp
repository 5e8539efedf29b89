// Gives every subject of the feed a vector in one space, page by page, and then follows the feed. What is done
// lies in the database, so another process, or the same one after a kill, goes on where this one ended. Of all that
// want to fill a space one does, the holder of its lease.
// A SpaceFiller belongs to one thread; what it tells without a call of the storage may be read by any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <actionhist/embedding.hpp>
#include <actionhist/repository.hpp>

#include "semantic/embedding_pace.hpp"

namespace actionhist {

class SpaceFiller {
 public:
  // The repository must outlive the filler.
  SpaceFiller(Repository& repository, std::shared_ptr<const EmbeddingModel> model);
  // Gives the lease back.
  ~SpaceFiller();
  SpaceFiller(const SpaceFiller&) = delete;
  SpaceFiller& operator=(const SpaceFiller&) = delete;

  // Notes the space, once. Whoever drops it from then on does not want it filled.
  // Throws Error: conflict when the space has another dimension than the model.
  void note();
  // Notes the space and reads the next page. False when every subject has its vector, or the space was dropped.
  bool look();
  // True when this one fills the space for the time that a page takes.
  bool lease();
  // Embeds the page that look() has read. On error another one may try.
  void embed();
  // All three. False when there was nothing to embed, or another one fills the space.
  bool step() {
    const bool more = look() && lease();
    if (more) embed();
    return more;
  }

  // True when nothing was left at the last look, but for texts that the model refuses.
  bool filled() const noexcept { return filled_; }
  bool noted() const noexcept { return noted_; }
  bool dropped() const noexcept { return dropped_; }
  std::int64_t embedded() const noexcept { return embedded_; }
  const EmbeddingModel& model() const noexcept { return *model_; }

 private:
  void embed_page();
  void release() noexcept;

  FeedStore& feed_;
  SpaceStore& spaces_;
  std::shared_ptr<const EmbeddingModel> model_;
  const std::string name_;  // unique among processes
  EmbeddingPace pace_;
  std::vector<FeedSubject> page_;
  std::int64_t after_ = 0;  // up to this seq nothing is left
  std::atomic<std::int64_t> embedded_ = 0;
  bool leased_ = false;
  std::atomic<bool> noted_ = false;
  std::atomic<bool> filled_ = false;
  std::atomic<bool> dropped_ = false;
};

}  // namespace actionhist
