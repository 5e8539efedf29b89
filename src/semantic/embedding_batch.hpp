// From the texts of subjects to their embeddings, a batch at a time. Any thread may embed at once.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include <actionhist/embedding.hpp>
#include <actionhist/repository.hpp>

#include "semantic/embedding_pace.hpp"

namespace actionhist {

// Called with a subject whose text the model never takes, and why.
using Refused = std::function<void(const FeedSubject& subject, std::string_view error)>;

// Embeds the texts in one call and tells `pace` how long it took; one that the model refuses is given to `refused` and
// does not hold up the others. Throws what the model throws, but for Error: invalid_argument.
std::vector<FeedEmbedding> embed_subjects(const EmbeddingModel& model, std::span<const FeedSubject> subjects,
                                          const Refused& refused, EmbeddingPace& pace);

}  // namespace actionhist
