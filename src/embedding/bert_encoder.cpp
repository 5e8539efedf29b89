#include "embedding/bert_encoder.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <numeric>

#include <cblas.h>

#include "core/names.hpp"
#include "core/refuse.hpp"

namespace actionhist {
namespace {

constexpr std::string_view file = "model.safetensors";

// e to the x, to 2e-7 of its value, without a branch or a call, so that compilers make vector code of loops over it.
[[gnu::always_inline]] inline float exponential(float x) {
  x = std::min(std::max(x, -87.0F), 88.0F);
  constexpr float to_whole = 12'582'912.0F;  // adding 1.5 × 2^23 leaves no room for a fraction
  const float n = (x * 1.44269504F + to_whole) - to_whole;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;  // ln 2 in two parts
  const float series =
      1 + r * (1 + r * (1.0F / 2 + r * (1.0F / 6 + r * (1.0F / 24 + r * (1.0F / 120 + r * (1.0F / 720))))));
  return series * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

// The error function to 1e-6: Chebyshev's interpolation in x² up to 3.6, where it is as good as 1. Without a division,
// and without a branch, which would keep compilers from making vector code of a loop over it.
[[gnu::always_inline]] inline float error_function(float x) {
  constexpr float end = 3.6F;
  constexpr std::array series = {0.392712093F,  -0.195487273F,  0.143812914F,   -0.113884155F,
                                 0.0897916757F, -0.067313258F,  0.0483659567F,  -0.0349843304F,
                                 0.0211316188F, -0.0076111862F, 0.00465110171F, -0.00602023571F,
                                 0.00261294485F};
  const float within = (std::abs(x + end) - std::abs(x - end)) / 2;
  const float place = within * within * (2 / (end * end)) - 1;
  float sum = series.back();
  for (std::size_t i = series.size() - 1; i-- > 0;) sum = sum * place + series[i];
  return sum * within;
}

[[gnu::always_inline]] inline void gelu_each(std::span<float> values) {
  constexpr float root_of_half = 0.70710678F;
  for (float& x : values) x = 0.5F * x * (1 + error_function(x * root_of_half));
}

// It is most of what is no matrix product, so it is compiled for vectors of eight as well.
#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] void gelu_avx2(std::span<float> values) { gelu_each(values); }

void gelu(std::span<float> values) {
  static const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  avx2 ? gelu_avx2(values) : gelu_each(values);
}
#else
void gelu(std::span<float> values) { gelu_each(values); }
#endif

void softmax(std::span<float> row) {
  const float largest = *std::ranges::max_element(row);
  float sum = 0;
  for (float& x : row) x = exponential(x - largest);
  for (const float x : row) sum += x;
  for (float& x : row) x /= sum;
}

std::size_t size_in(const ModelJson& config, std::string_view key, std::int64_t most) {
  const auto value = config.get<std::int64_t>(key);
  require_between(config.place(key), value, 1, most);
  return static_cast<std::size_t>(value);
}

}  // namespace

BertEncoder::BertEncoder(const ModelJson& config, const Safetensors& tensors) {
  const BertLayout& layout = bert_layout(config);
  const auto require = [&](std::string_view key, std::string_view offered) {
    const auto value = config.get<std::string_view>(key, offered);
    if (value != offered) {
      refuse(config.place(key), fmt::format("\"{}\" is not offered; only {} is", excerpt(value), offered));
    }
  };
  require(layout.activation, "gelu");
  require("position_embedding_type", "absolute");
  width_ = size_in(config, layout.width, 65'536);
  heads_ = size_in(config, layout.heads, 1'024);
  const std::size_t layers = size_in(config, layout.layers, 256);
  const std::size_t inner = size_in(config, layout.inner, 1 << 20);
  if (width_ % heads_ != 0)
    refuse(config.place(layout.heads), fmt::format("does not divide {}", layout.width));
  epsilon_ = static_cast<float>(config.get<double>("layer_norm_eps", 1e-12));

  const std::string prefix(layout.prefix);
  if (tensors.find(prefix + "embeddings.word_embeddings.weight") != nullptr) prefix_ = prefix;
  words_ = read_rows(tensors, "embeddings.word_embeddings.weight");
  positions_ = read_rows(tensors, "embeddings.position_embeddings.weight");
  if (layout.positions_after_padding) {
    const auto padding = config.get<std::int64_t>("pad_token_id", 1);
    const std::size_t rows = positions_.size() / width_;
    if (padding < 0 || static_cast<std::size_t>(padding) + 1 >= rows) {
      refuse(config.place("pad_token_id"), fmt::format("leaves none of {} positions", rows));
    }
    first_position_ = static_cast<std::size_t>(padding) + 1;
  }
  if (layout.token_types) type_ = read_rows(tensors, "embeddings.token_type_embeddings.weight");
  type_.resize(width_);
  first_norm_ = read_norm(tensors, "embeddings.LayerNorm");
  if (layout.relative_positions) read_relative_positions(config, tensors);
  for (std::size_t i = 0; i < layers; ++i) {
    const auto name = [&](std::string_view part) { return fmt::format("{}.{}.{}", layout.layer, i, part); };
    const auto& [query, key, value] = layout.query_key_value;
    Layer& layer = layers_.emplace_back();
    layer.query_key_value = read_linear(tensors, {name(query), name(key), name(value)}, width_, width_);
    layer.attended = read_linear(tensors, {name(layout.attended)}, width_, width_);
    layer.after_attention = read_norm(tensors, name(layout.after_attention));
    layer.inner = read_linear(tensors, {name(layout.inner_layer)}, width_, inner);
    layer.outer = read_linear(tensors, {name(layout.outer_layer)}, inner, width_);
    layer.after_outer = read_norm(tensors, name(layout.after_outer));
  }
}

// Distances share 32 buckets: a half for each direction, of which half are single distances and the others grow as
// their logarithm up to 128 (Raffel and others 2020). In single precision, as the reference has it.
void BertEncoder::read_relative_positions(const ModelJson& config, const Safetensors& tensors) {
  constexpr std::size_t buckets = 32;
  if (config.get<std::int64_t>("relative_attention_num_buckets", buckets) != buckets) {
    refuse(config.place("relative_attention_num_buckets"), "only 32 is offered");
  }
  const std::vector<float> learnt =
      read(tensors, "encoder.relative_attention_bias.weight", {buckets, heads_});
  constexpr std::size_t direction = buckets / 2;
  constexpr std::size_t single = direction / 2;
  const auto bucket_of = [](std::size_t distance) {
    if (distance < single) return distance;
    const float share =
        std::log(static_cast<float>(distance) / single) / static_cast<float>(std::log(128.0 / single));
    return std::min(single + static_cast<std::size_t>(share * single), direction - 1);
  };
  const std::size_t longest = positions();
  for (std::size_t head = 0; head < heads_; ++head) {
    for (std::size_t i = 1; i < 2 * longest; ++i) {
      const std::size_t bucket = i < longest ? bucket_of(longest - i) : bucket_of(i - longest);
      by_distance_.push_back(learnt[(i > longest ? bucket + direction : bucket) * heads_ + head]);
    }
  }
}

std::vector<float> BertEncoder::read(const Safetensors& tensors, const std::string& name,
                                     std::vector<std::size_t> shape) const {
  const Tensor& tensor = tensors.get(prefix_ + name, shape.size());
  if (tensor.shape != shape) {
    refuse(file, fmt::format("tensor \"{}\" is {}, config.json wants {}", prefix_ + name,
                             fmt::join(tensor.shape, " × "), fmt::join(shape, " × ")));
  }
  std::vector<float> values = tensor.floats();
  if (!std::ranges::all_of(values, [](float x) { return std::isfinite(x); })) {
    refuse(file, fmt::format("tensor \"{}\" holds numbers that are not finite", prefix_ + name));
  }
  return values;
}

std::vector<float> BertEncoder::read_rows(const Safetensors& tensors, const std::string& name) const {
  const std::size_t rows = tensors.get(prefix_ + name, 2).shape[0];
  if (rows == 0) refuse(file, fmt::format("tensor \"{}\" is empty", prefix_ + name));
  return read(tensors, name, {rows, width_});
}

BertEncoder::Linear BertEncoder::read_linear(const Safetensors& tensors,
                                             const std::vector<std::string>& names, std::size_t inputs,
                                             std::size_t outputs) const {
  Linear linear{inputs, outputs * names.size(), {}, {}};
  linear.weights.resize(inputs * linear.outputs);
  for (std::size_t part = 0; part < names.size(); ++part) {
    const std::vector<float> weights = read(tensors, names[part] + ".weight", {outputs, inputs});
    const std::vector<float> bias = read(tensors, names[part] + ".bias", {outputs});
    linear.bias.insert(linear.bias.end(), bias.begin(), bias.end());
    for (std::size_t out = 0; out < outputs; ++out) {
      for (std::size_t in = 0; in < inputs; ++in) {
        linear.weights[in * linear.outputs + part * outputs + out] = weights[out * inputs + in];
      }
    }
  }
  return linear;
}

// Old files call the two gamma and beta.
BertEncoder::Norm BertEncoder::read_norm(const Safetensors& tensors, const std::string& name) const {
  const bool old = tensors.find(prefix_ + name + ".gamma") != nullptr;
  return {read(tensors, name + (old ? ".gamma" : ".weight"), {width_}),
          read(tensors, name + (old ? ".beta" : ".bias"), {width_})};
}

std::vector<float> BertEncoder::encode(std::span<const std::uint32_t> ids,
                                       std::span<const std::size_t> lengths) const {
  assert(std::accumulate(lengths.begin(), lengths.end(), std::size_t{0}) == ids.size());
  std::vector<float> rows = first_layer(ids, lengths);
  std::vector<float> projected;
  std::vector<float> attended;
  std::vector<float> inner;
  for (const Layer& layer : layers_) {
    apply(layer.query_key_value, rows, projected);
    attend(projected, lengths, attended);
    apply(layer.attended, attended, projected);
    add_and_norm(layer.after_attention, projected, rows);
    apply(layer.inner, rows, inner);
    gelu(inner);
    apply(layer.outer, inner, projected);
    add_and_norm(layer.after_outer, projected, rows);
  }
  return rows;
}

std::vector<float> BertEncoder::first_layer(std::span<const std::uint32_t> ids,
                                            std::span<const std::size_t> lengths) const {
  std::vector<float> rows(ids.size() * width_);
  std::vector<float> places(rows.size());
  std::size_t token = 0;
  for (const std::size_t length : lengths) {
    for (std::size_t position = first_position_; position < first_position_ + length; ++position, ++token) {
      const float* const word = words_.data() + ids[token] * width_;
      const float* const place = positions_.data() + position * width_;
      for (std::size_t i = 0; i < width_; ++i) {
        rows[token * width_ + i] = word[i] + type_[i];
        places[token * width_ + i] = place[i];
      }
    }
  }
  add_and_norm(first_norm_, places, rows);
  return rows;
}

void BertEncoder::apply(const Linear& linear, std::span<const float> in, std::vector<float>& out) {
  const std::size_t rows = in.size() / linear.inputs;
  out.resize(rows * linear.outputs);
  for (std::size_t row = 0; row < rows; ++row) {
    std::ranges::copy(linear.bias, out.begin() + static_cast<std::ptrdiff_t>(row * linear.outputs));
  }
  const auto m = static_cast<int>(rows);
  const auto n = static_cast<int>(linear.outputs);
  const auto k = static_cast<int>(linear.inputs);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0F, in.data(), k, linear.weights.data(),
              n, 1.0F, out.data(), n);
}

void BertEncoder::add_and_norm(const Norm& norm, std::span<const float> added, std::span<float> rows) const {
  for (std::size_t begin = 0; begin < rows.size(); begin += width_) {
    float* const row = rows.data() + begin;
    const float* const more = added.data() + begin;
    double sum = 0;
    for (std::size_t i = 0; i < width_; ++i) {
      row[i] += more[i];
      sum += row[i];
    }
    const auto mean = static_cast<float>(sum / static_cast<double>(width_));
    double squares = 0;
    for (std::size_t i = 0; i < width_; ++i) {
      row[i] -= mean;
      squares += static_cast<double>(row[i]) * row[i];
    }
    const float scale = 1 / std::sqrt(static_cast<float>(squares / static_cast<double>(width_)) + epsilon_);
    for (std::size_t i = 0; i < width_; ++i) row[i] = row[i] * scale * norm.scale[i] + norm.shift[i];
  }
}

// Each text looks at itself only, each head at its part of the columns.
void BertEncoder::attend(std::span<const float> query_key_value, std::span<const std::size_t> lengths,
                         std::vector<float>& out) const {
  const std::size_t head_width = width_ / heads_;
  const auto stride = static_cast<int>(3 * width_);
  const auto k = static_cast<int>(head_width);
  const float scale = 1 / std::sqrt(static_cast<float>(head_width));
  out.resize(query_key_value.size() / 3);
  std::vector<float> scores;
  std::size_t first = 0;
  for (const std::size_t length : lengths) {
    const auto n = static_cast<int>(length);
    scores.resize(length * length);
    for (std::size_t head = 0; head < heads_; ++head) {
      const float* const query = query_key_value.data() + first * 3 * width_ + head * head_width;
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, k, scale, query, stride, query + width_,
                  stride, 0.0F, scores.data(), n);
      for (std::size_t row = 0; row < length; ++row) {
        const std::span<float> of_row = std::span(scores).subspan(row * length, length);
        if (!by_distance_.empty()) {
          const float* const added =
              by_distance_.data() + head * (2 * positions() - 1) + positions() - 1 - row;
          for (std::size_t i = 0; i < length; ++i) of_row[i] += added[i];
        }
        softmax(of_row);
      }
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, k, n, 1.0F, scores.data(), n,
                  query + 2 * width_, stride, 0.0F, out.data() + first * width_ + head * head_width,
                  static_cast<int>(width_));
    }
    first += length;
  }
}

}  // namespace actionhist
