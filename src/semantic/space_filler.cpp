#include "semantic/space_filler.hpp"

#include <algorithm>
#include <exception>

#include "core/hash.hpp"
#include "semantic/embedding_batch.hpp"

namespace actionhist {

SpaceFiller::SpaceFiller(Repository& repository, std::shared_ptr<const EmbeddingModel> model)
    : feed_(repository.feed()),
      spaces_(repository.spaces()),
      model_(std::move(model)),
      name_(uuid_v7(system_now())) {}

SpaceFiller::~SpaceFiller() { release(); }

void SpaceFiller::note() {
  if (noted_) return;
  spaces_.put(model_->space_id(), static_cast<std::int64_t>(model_->dimension()), system_now());
  noted_ = true;
}

bool SpaceFiller::look() {
  note();
  page_.clear();
  if (dropped_) return false;
  const std::int64_t newest = feed_.head().seq;
  if (newest > after_) {
    page_ = spaces_.missing(model_->space_id(), after_, static_cast<int>(pace_.texts()));
  }
  if (page_.empty()) after_ = std::max(after_, newest);
  filled_ = page_.empty();
  if (filled_) return false;
  const std::vector<EmbeddingSpace> known = spaces_.spaces(false);
  dropped_ = std::ranges::find(known, model_->space_id(), &EmbeddingSpace::space_id) == known.end();
  return !dropped_;
}

bool SpaceFiller::lease() {
  const bool held = spaces_.lease(model_->space_id(), name_, EmbeddingPace::lease);
  leased_ = leased_ || held;
  return held;
}

void SpaceFiller::release() noexcept {
  if (!leased_) return;
  leased_ = false;
  try {
    spaces_.release(model_->space_id(), name_);
  } catch (const std::exception&) {
    // The lease ends by itself.
  }
}

void SpaceFiller::embed() {
  try {
    embed_page();
  } catch (...) {
    release();
    throw;
  }
}

void SpaceFiller::embed_page() {
  const auto refused = [&](const FeedSubject& subject, std::string_view error) {
    spaces_.refuse(subject, error, system_now());
  };
  const std::vector<FeedEmbedding> embeddings = embed_subjects(*model_, page_, refused, pace_);
  if (!embeddings.empty()) feed_.append(embeddings, {});
  embedded_ += static_cast<std::int64_t>(embeddings.size());
  after_ = page_.back().seq;
  page_.clear();
}

}  // namespace actionhist
