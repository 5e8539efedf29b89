// A model of sentence-transformers with BERT's layers (MiniLM, bge, e5, mpnet, distilroberta, …), from its folder:
// config.json, model.safetensors, tokenizer.json, modules.json and what that names. Any thread may embed at once.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <actionhist/embedding.hpp>
#include <actionhist/model_options.hpp>

#include "embedding/bert_encoder.hpp"
#include "embedding/model_folder.hpp"
#include "embedding/role_prefix.hpp"
#include "embedding/subword_tokenizer.hpp"

namespace actionhist {

class SentenceModel final : public EmbeddingModel {
 public:
  // Throws Error: not_found, unavailable, invalid_argument naming the file and the place in it.
  SentenceModel(const std::filesystem::path& path, const ModelOptions& options);

  std::string space_id() const override { return space_id_; }
  std::size_t dimension() const override { return encoder_->width(); }
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override;

 private:
  // How the vectors of a text's tokens become one.
  enum class Pooling { mean, first };

  void read_modules(ModelFolder& folder);
  void read_prompts(ModelFolder& folder);
  void read_pooling(ModelFolder& folder, const std::string& name);
  void pool(std::span<const float> rows, std::span<float> out) const;

  std::optional<SubwordTokenizer> tokenizer_;  // until the constructor is done
  std::optional<BertEncoder> encoder_;         // the same
  Pooling pooling_ = Pooling::mean;
  bool normalize_ = false;
  std::size_t max_tokens_ = 512;
  RolePrefix prefix_;
  std::string space_id_;
};

}  // namespace actionhist
