// Walks over the feed. Usable from any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include <actionhist/repository.hpp>

namespace actionhist {

// Gives every page of the feed to `use`, with the embeddings of a space.
template <class Use>
void for_each_page(FeedStore& feed, std::string_view space_id, Use use) {
  constexpr int page_rows = 1024;
  for (FeedCursor after;;) {
    FeedBatch batch = feed.read(space_id, after, page_rows);
    if (batch.subjects.empty() && batch.embeddings.empty()) return;
    after.seq = batch.last.seq;
    use(batch);
  }
}

}  // namespace actionhist
