#include "embedding/hashed_lexical.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "embedding/features.hpp"
#include "embedding/unit_vector.hpp"

namespace actionhist {
namespace {

constexpr std::size_t dimension_count = 1024;
void embed_text(std::string_view text, std::span<float> out) {
  std::fill(out.begin(), out.end(), 0.0F);
  for (const Feature& feature : features_of(text)) {
    const float weight = std::sqrt(static_cast<float>(feature.count));
    out[feature.bucket(dimension_count)] += feature.negative() ? -weight : weight;
  }
  normalize(out);
}

}  // namespace

void HashedLexicalModel::embed(std::span<const std::string_view> texts, EmbeddingRole,
                               std::span<float> out) const {
  assert(out.size() == texts.size() * dimension_count);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    embed_text(texts[i], out.subspan(i * dimension_count, dimension_count));
  }
}

std::shared_ptr<const EmbeddingModel> hashed_lexical_model() {
  static const auto model = std::make_shared<const HashedLexicalModel>();
  return model;
}

}  // namespace actionhist
