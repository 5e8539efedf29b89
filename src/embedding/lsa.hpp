// Latent semantic analysis: the lexical features of a text, weighted by how rare they are in a history, projected
// on the directions in which that history varies most. Words that stand in for each other come close together.
// A model is immutable; any thread may embed at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/embedding.hpp>

namespace actionhist {

class LsaModel final : public EmbeddingModel {
 public:
  // What bytes() gave. Throws Error: corrupt.
  static std::shared_ptr<const LsaModel> read(std::string_view bytes);

  // "lsa/256/…": the last part is a hash of the model.
  std::string space_id() const override { return space_id_; }
  std::size_t dimension() const override { return dimension_; }
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override;

  // The model as it is stored.
  std::string bytes() const;

 private:
  friend class LsaFitter;
  LsaModel() = default;
  // Finds the model's name. To be called when all is set.
  void name();
  void embed_text(std::string_view text, std::span<float> out) const;

  std::size_t dimension_ = 0;
  std::uint64_t documents_ = 0;     // that it was fitted on
  std::vector<std::int32_t> rows_;  // of each bucket its row in projection_, or -1
  std::vector<float> rarity_;       // by row
  std::vector<float> projection_;   // row by row
  std::string space_id_;
};

// Collects texts and fits a model on them: a truncated singular value decomposition by subspace iteration.
// Belongs to one thread.
class LsaFitter {
 public:
  void add(std::string_view text);
  std::size_t documents() const noexcept { return begins_.size() - 1; }

  // The same texts and seed give the same model on the same machine. The dimension may be less than asked for:
  // no more than half of the documents. Throws Error: invalid_argument for fewer than 8 documents with words. Calls
  // `passed` after each of its `passes` (embedding/subspace.hpp) over the documents.
  std::shared_ptr<const LsaModel> fit(std::size_t dimension, std::uint64_t seed,
                                      const std::function<void()>& passed = {}) const;

 private:
  struct Entry {
    std::uint32_t bucket;
    float weight;
  };
  std::vector<Entry> entries_;             // document by document
  std::vector<std::size_t> begins_ = {0};  // of each document in entries_, and the end
};

}  // namespace actionhist
