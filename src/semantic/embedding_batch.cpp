#include "semantic/embedding_batch.hpp"

#include <chrono>

#include <actionhist/error.hpp>

namespace actionhist {

std::vector<FeedEmbedding> embed_subjects(const EmbeddingModel& model, std::span<const FeedSubject> subjects,
                                          const Refused& refused, EmbeddingPace& pace) {
  if (subjects.empty()) return {};
  std::vector<std::string_view> texts;
  for (const FeedSubject& subject : subjects) texts.push_back(subject.text);
  const std::size_t dimension = model.dimension();
  std::vector<float> vectors(texts.size() * dimension);
  const auto vector = [&](std::size_t i) { return std::span(vectors).subspan(i * dimension, dimension); };
  std::vector<bool> usable(texts.size(), true);
  const auto begun = std::chrono::steady_clock::now();
  try {
    model.embed(texts, EmbeddingRole::document, vectors);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      try {
        model.embed(std::span(texts).subspan(i, 1), EmbeddingRole::document, vector(i));
      } catch (const Error& one) {
        if (one.code() != ErrorCode::invalid_argument) throw;
        usable[i] = false;
        refused(subjects[i], one.what());
      }
    }
  }
  pace.took(texts.size(), std::chrono::steady_clock::now() - begun);
  std::vector<FeedEmbedding> embeddings;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    if (!usable[i]) continue;
    FeedEmbedding& e = embeddings.emplace_back();
    e.subject_id = subjects[i].subject_id;
    e.space_id = model.space_id();
    e.content_hash = subjects[i].content_hash;
    e.vector.assign(vector(i).begin(), vector(i).end());
  }
  return embeddings;
}

}  // namespace actionhist
