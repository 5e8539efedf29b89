#include "history/background.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/error.hpp>

#include "embedding/aspects.hpp"
#include "history/index.hpp"

namespace actionhist {
namespace {

constexpr std::array<std::string_view, 12> of_another_world{
    "The soup needs an onion, two carrots and a little salt.",
    "He plays the violin in the orchestra of the town.",
    "We walked along the beach until it got dark.",
    "Her grandfather was born in a village near the border.",
    "The museum shows paintings of the nineteenth century.",
    "Which bus goes to the swimming pool on Sundays?",
    "The tailor shortened the sleeves of the blue coat.",
    "They planted apple trees behind the school.",
    "My tooth hurts when I drink cold water.",
    "The referee ended the match in the rain.",
    "Please send me the recipe of that cake.",
    "The cat sleeps on the warm windowsill.",
};

// A question or two may mean something to a memory all the same, so not the most.
double upper_quartile(std::vector<double> values) {
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(values.size() * 3 / 4);
  std::ranges::nth_element(values, place);
  return std::max(0., *place);
}

double measure(const Index& index) {
  std::vector<std::string> texts;
  for (const std::string_view question : of_another_world)
    texts.push_back(join_aspects({std::string(question)}));
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<float> vectors(views.size() * index.dimension);
  index.model->embed(views, EmbeddingRole::query, vectors);

  IndexQuery query;
  query.limit = 1;
  if (base_of_aspects(index.space_id)) query.weights = {1, 0, 0};
  std::vector<double> best;
  for (std::size_t i = 0; i < views.size(); ++i) {
    query.vector = std::span(vectors).subspan(i * index.dimension, index.dimension);
    const std::vector<IndexHit> nearest = index.replica->index().search(query);
    best.push_back(nearest.empty() ? 0 : nearest.front().similarity);
  }
  return upper_quartile(std::move(best));
}

}  // namespace

double Background::cosine(const Index& index) const {
  if (!index.model) return 0;
  const std::size_t rows = index.replica->index().stats().rows;
  {
    const std::lock_guard lock(mutex_);
    if (measured_ && rows <= 2 * measured_->rows && measured_->rows <= 2 * rows) return measured_->cosine;
    if (std::chrono::steady_clock::now() < not_before_) return 1;
  }
  try {
    // Without the lock: a host's model may call back.
    const Measured fresh{rows, measure(index)};
    const std::lock_guard lock(mutex_);
    measured_ = fresh;
    return fresh.cosine;
  } catch (const Error&) {
    // Whoever needs the model's answer itself is told; words say enough for this.
    const std::lock_guard lock(mutex_);
    not_before_ = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    return 1;
  }
}

}  // namespace actionhist
