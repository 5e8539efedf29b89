// A model whose vectors are means of stored token vectors (model2vec, StaticEmbedding): a folder with
// model.safetensors, tokenizer.json and config.json. Any thread may embed at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <actionhist/embedding.hpp>
#include <actionhist/model_options.hpp>

#include "embedding/model_folder.hpp"
#include "embedding/role_prefix.hpp"
#include "embedding/subword_tokenizer.hpp"

namespace actionhist {

class StaticModel final : public EmbeddingModel {
 public:
  // Throws Error: not_found, unavailable, invalid_argument naming the file and the place in it.
  StaticModel(const std::filesystem::path& path, const ModelOptions& options);

  std::string space_id() const override { return space_id_; }
  std::size_t dimension() const override { return dimension_; }
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override;

 private:
  void read_vectors(std::span<const std::byte> bytes);
  void embed_text(std::string_view text, std::span<float> out) const;

  ModelFolder folder_;
  SubwordTokenizer tokenizer_;
  std::vector<float> converted_;  // the rows of files that hold no aligned F32
  const float* rows_ = nullptr;   // in the mapped file, or in converted_
  std::size_t row_count_ = 0;
  std::size_t dimension_ = 0;
  std::vector<float> weights_;         // of each token, or empty
  std::vector<std::uint32_t> row_of_;  // for each token; empty when token and row are the same
  std::size_t max_tokens_ = 512;
  bool normalize_ = false;
  RolePrefix prefix_;
  std::string space_id_;
};

}  // namespace actionhist
