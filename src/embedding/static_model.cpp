#include "embedding/static_model.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include <cblas.h>
#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "embedding/safetensors.hpp"
#include "embedding/unit_vector.hpp"

namespace actionhist {
namespace {

constexpr std::string_view weights_file = "model.safetensors";

// sentence-transformers put the files of a static model into a folder of their own.
std::filesystem::path folder_of(const std::filesystem::path& path) {
  const auto inner = path / "0_StaticEmbedding";
  std::error_code error;
  return std::filesystem::is_directory(inner, error) ? inner : path;
}

}  // namespace

StaticModel::StaticModel(const std::filesystem::path& path, const ModelOptions& options)
    : folder_(folder_of(path)), tokenizer_(folder_.text("tokenizer.json")), prefix_(options) {
  read_vectors(folder_.bytes(std::string(weights_file)));
  if (folder_.has("config.json")) {
    JsonDocument document;
    const ModelJson config(document.parse(folder_.text("config.json"), "config.json"), "config.json");
    normalize_ = config.get("normalize", false);
    if (config.member("max_length")) {
      const auto longest = config.get<std::int64_t>("max_length");
      if (longest < 1) refuse(config.place("max_length"), "must be at least 1");
      max_tokens_ = static_cast<std::size_t>(longest);
    }
  }
  space_id_ = fmt::format("static/{}/{}", dimension_, folder_.identity("1\n" + prefix_.text()));
}

void StaticModel::read_vectors(std::span<const std::byte> bytes) {
  const Safetensors tensors(bytes);
  const bool model2vec = tensors.find("embeddings") != nullptr;
  const Tensor& rows = tensors.get(model2vec ? "embeddings" : "embedding.weight", 2);
  row_count_ = rows.shape[0];
  dimension_ = rows.shape[1];
  if (row_count_ == 0 || dimension_ == 0 || dimension_ > 65'536) {
    refuse(weights_file, fmt::format("has {} vectors of {} numbers", row_count_, dimension_));
  }
  if (rows.type == TensorType::f32 &&
      reinterpret_cast<std::uintptr_t>(rows.bytes.data()) % alignof(float) == 0) {
    rows_ = reinterpret_cast<const float*>(rows.bytes.data());
  } else {
    converted_ = rows.floats();
    rows_ = converted_.data();
  }
  if (!std::all_of(rows_, rows_ + row_count_ * dimension_, [](float x) { return std::isfinite(x); })) {
    refuse(weights_file, "holds numbers that are not finite");
  }
  if (tensors.find("mapping") != nullptr) {
    for (const std::int64_t row : tensors.get("mapping", 1).integers()) {
      if (row < 0 || static_cast<std::size_t>(row) >= row_count_) {
        refuse(weights_file, fmt::format("tensor \"mapping\" names the row {} of {}", row, row_count_));
      }
      row_of_.push_back(static_cast<std::uint32_t>(row));
    }
  }
  if (tensors.find("weights") != nullptr) weights_ = tensors.get("weights", 1).floats();
  const std::size_t tokens = tokenizer_.size();
  const std::size_t mapped = row_of_.empty() ? row_count_ : row_of_.size();
  if (mapped < tokens || (!weights_.empty() && weights_.size() < tokens)) {
    refuse(weights_file, fmt::format("has vectors for {} tokens and {} weights, tokenizer.json has {} tokens",
                                     mapped, weights_.size(), tokens));
  }
}

void StaticModel::embed(std::span<const std::string_view> texts, EmbeddingRole role,
                        std::span<float> out) const {
  assert(out.size() == texts.size() * dimension_);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    embed_text(prefix_.before(texts[i], role), out.subspan(i * dimension_, dimension_));
  }
}

void StaticModel::embed_text(std::string_view text, std::span<float> out) const {
  thread_local std::vector<std::uint32_t> ids;
  ids.clear();
  tokenizer_.encode(first_characters(text, max_tokens_ * tokenizer_.median_length()), max_tokens_, ids);
  if (const auto unknown = tokenizer_.unknown()) std::erase(ids, *unknown);
  std::fill(out.begin(), out.end(), 0.0F);
  if (ids.empty()) return;
  float* const sum = out.data();
  for (const std::uint32_t id : ids) {
    const float* const row = rows_ + dimension_ * (row_of_.empty() ? id : row_of_[id]);
    const float weight = weights_.empty() ? 1.0F : weights_[id];
    cblas_saxpy(static_cast<int>(dimension_), weight, row, 1, sum, 1);
  }
  if (normalize_) {
    normalize(out);
    return;
  }
  const float scale = 1.0F / static_cast<float>(ids.size());
  for (float& x : out) x *= scale;
}

}  // namespace actionhist
