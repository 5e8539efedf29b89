// Gives every subject of the feed a vector in one space, page by page, and then follows the feed. What is done
// lies in the database, so another process, or the same one after a kill, goes on where this one ended.
// A SpaceFiller belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <actionhist/embedding.hpp>
#include <actionhist/repository.hpp>

#include "semantic/embedding_pace.hpp"

namespace actionhist {

class SpaceFiller {
 public:
  // The repository must outlive the filler.
  SpaceFiller(Repository& repository, std::shared_ptr<const EmbeddingModel> model);

  // Notes the space, once. Whoever drops it from then on does not want it filled.
  // Throws Error: conflict when the space has another dimension than the model.
  void note();
  // Notes the space and reads the next page. False when every subject has its vector, or the space was dropped.
  bool look();
  // Embeds the page that look() has read.
  void embed();
  // Both. False when there was nothing to embed.
  bool step() {
    const bool more = look();
    if (more) embed();
    return more;
  }

  // True when nothing was left at the last look, but for texts that the model refuses.
  bool filled() const noexcept { return filled_; }
  bool dropped() const noexcept { return dropped_; }
  std::int64_t embedded() const noexcept { return embedded_; }
  const EmbeddingModel& model() const noexcept { return *model_; }

 private:
  FeedStore& feed_;
  SpaceStore& spaces_;
  std::shared_ptr<const EmbeddingModel> model_;
  EmbeddingPace pace_;
  std::vector<FeedSubject> page_;
  std::int64_t after_ = 0;  // up to this seq nothing is left
  std::int64_t embedded_ = 0;
  bool noted_ = false;
  bool filled_ = false;
  bool dropped_ = false;
};

}  // namespace actionhist
