// The layers of BERT and its kin (RoBERTa, XLM-R, MPNet, DistilBERT): token ids in, one vector a token out. The matrix products are BLAS's, with as many threads as
// BLAS is set to use. Any thread may encode at once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "embedding/bert_layout.hpp"
#include "embedding/safetensors.hpp"

namespace actionhist {

class BertEncoder {
 public:
  // Of a config.json and the weights beside it. Throws Error: invalid_argument for what does not fit or is of another
  // family than BertLayout has.
  BertEncoder(const ModelJson& config, const Safetensors& tensors);

  std::size_t width() const { return width_; }
  std::size_t vocabulary() const { return words_.size() / width_; }
  // The longest text, in tokens.
  std::size_t positions() const { return positions_.size() / width_ - first_position_; }

  // The last layer's vectors of texts that stand one behind the other: lengths.size() texts of these lengths.
  // REQUIRES: the lengths add up to ids.size(), each at least 1 and at most positions(); ids < vocabulary().
  std::vector<float> encode(std::span<const std::uint32_t> ids, std::span<const std::size_t> lengths) const;

 private:
  struct Linear {
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    std::vector<float> weights;  // inputs × outputs, the other way round than in the file: BLAS is faster so
    std::vector<float> bias;
  };
  struct Norm {
    std::vector<float> scale, shift;
  };
  struct Layer {
    Linear query_key_value, attended, inner, outer;
    Norm after_attention, after_outer;
  };

  Linear read_linear(const Safetensors& tensors, const std::vector<std::string>& names, std::size_t inputs,
                     std::size_t outputs) const;
  Norm read_norm(const Safetensors& tensors, const std::string& name) const;
  std::vector<float> read(const Safetensors& tensors, const std::string& name,
                          std::vector<std::size_t> shape) const;
  std::vector<float> read_rows(const Safetensors& tensors, const std::string& name) const;
  void read_relative_positions(const ModelJson& config, const Safetensors& tensors);

  std::vector<float> first_layer(std::span<const std::uint32_t> ids,
                                 std::span<const std::size_t> lengths) const;
  static void apply(const Linear& linear, std::span<const float> in, std::vector<float>& out);
  // rows = norm(rows + added)
  void add_and_norm(const Norm& norm, std::span<const float> added, std::span<float> rows) const;
  void attend(std::span<const float> query_key_value, std::span<const std::size_t> lengths,
              std::vector<float>& out) const;

  std::string prefix_;  // of the names in the file
  std::size_t width_ = 0;
  std::size_t heads_ = 0;
  float epsilon_ = 1e-12F;
  std::vector<float> words_;
  std::vector<float> positions_;
  std::size_t first_position_ = 0;
  std::vector<float>
      type_;  // of the first kind of token, the only one in a single text; zeros where there are none
  // Head by head what a distance adds to a score, from 1 - positions() to positions() - 1; empty without.
  std::vector<float> by_distance_;
  Norm first_norm_;
  std::vector<Layer> layers_;
};

}  // namespace actionhist
