#include "semantic/vectors.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "semantic/drawn_id.hpp"
#include "semantic/huge_pages.hpp"

namespace actionhist {
namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t huge_page = 2 << 20;

// Each part of a chunk fills pages, so that a full chunk has no byte between them that append() did not set.
static_assert(ChunkLayout::slots % page == 0);

std::size_t round_up(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

std::size_t bytes_of(Precision precision) {
  return precision == Precision::full ? sizeof(float) : precision == Precision::half ? sizeof(Half) : 0;
}

// Memory that the system gives when it is touched, so that a small index does not pay for a whole chunk.
std::shared_ptr<std::byte> allocate(std::size_t bytes) {
  const std::size_t alignment = bytes >= huge_page ? huge_page : page;
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(alignment, round_up(bytes, alignment)));
  if (memory == nullptr) throw std::bad_alloc();
  return {memory, std::free};
}

// Scales the largest component to ±127 and returns what a unit is worth.
float quantise(const float* vector, std::size_t dimension, std::int8_t* out) {
  float largest = 0;
  for (std::size_t i = 0; i < dimension; ++i) largest = std::max(largest, std::abs(vector[i]));
  if (largest < 1e-30F) {  // its inverse may be no float
    std::memset(out, 0, dimension);
    return 0;
  }
  const float units = 127 / largest;
  for (std::size_t i = 0; i < dimension; ++i) {
    const float scaled = vector[i] * units;
    out[i] = static_cast<std::int8_t>(scaled + (scaled < 0 ? -0.5F : 0.5F));
  }
  return largest / 127;
}

void take_signs(const float* vector, std::span<const float> mean, std::uint64_t* out) {
  for (std::size_t begin = 0; begin < mean.size(); begin += 64) {
    const std::size_t end = std::min(mean.size(), begin + 64);
    std::uint64_t word = 0;
    for (std::size_t i = begin; i < end; ++i)
      word |= static_cast<std::uint64_t>(vector[i] > mean[i]) << (i - begin);
    *out++ = word;
  }
}

}  // namespace

ChunkLayout::ChunkLayout(std::size_t dimension, Precision precision)
    : code_bytes(round_up(dimension, 32)),
      sign_words((dimension + 63) / 64),
      original_bytes(dimension * bytes_of(precision)),
      signs(slots * code_bytes),
      scales(signs + slots * sign_words * sizeof(std::uint64_t)),
      squares(scales + slots * sizeof(float)),
      originals(round_up(squares + slots * sizeof(float), page)),
      bytes(round_up(originals + slots * original_bytes, page)) {}

Vectors::Vectors(std::size_t dimension, Metric metric, Precision precision)
    : dimension_(dimension),
      metric_(metric),
      precision_(precision),
      squared_(metric == Metric::l2),
      layout_(dimension, precision),
      prefetched_(std::min<std::size_t>(layout_.code_bytes, 1024)),
      kernels_(&kernels()) {}

std::size_t Vectors::append(std::span<const float> vector) {
  const std::size_t place = size_ % ChunkLayout::slots;
  if (place == 0) {
    chunks_.push_back({allocate(layout_.bytes), drawn_id()});
    // A small index should not pay for large pages.
    if (size_ > 0) prefer_huge_pages(chunks_.back().memory.get(), layout_.bytes);
    if (size_ == ChunkLayout::slots) prefer_huge_pages(chunks_.front().memory.get(), layout_.bytes);
  }
  std::byte* chunk = chunks_.back().memory.get();
  std::byte* code_at = chunk + place * layout_.code_bytes;
  std::memset(code_at, 0, layout_.code_bytes);
  auto* code = reinterpret_cast<std::int8_t*>(code_at);
  const float scale = quantise(vector.data(), dimension_, code);
  reinterpret_cast<float*>(chunk + layout_.scales)[place] = scale;
  reinterpret_cast<float*>(chunk + layout_.squares)[place] = squares_of(code, scale);
  std::byte* original = chunk + layout_.originals + place * layout_.original_bytes;
  if (precision_ == Precision::full) {
    std::memcpy(original, vector.data(), layout_.original_bytes);
  } else if (precision_ == Precision::half) {
    std::transform(vector.begin(), vector.end(), reinterpret_cast<Half*>(original), to_half);
  }
  ++size_;
  if (has_signs()) {
    take_signs(vector.data(), mean_,
               reinterpret_cast<std::uint64_t*>(chunk + layout_.signs) + place * layout_.sign_words);
  } else if (size_ == mean_slots) {
    find_mean();
  }
  return size_ - 1;
}

// Of the code, not of the vector: so two that have the same code are 0 apart.
float Vectors::squares_of(const std::int8_t* code, float scale) const {
  return static_cast<float>(kernels_->dot_int8(code, code, layout_.code_bytes)) * scale * scale;
}

void Vectors::find_mean() {
  std::vector<double> sums(dimension_, 0);
  std::vector<float> values(dimension_);
  for (std::size_t slot = 0; slot < size_; ++slot) {
    decode(slot, values.data());
    for (std::size_t i = 0; i < dimension_; ++i) sums[i] += static_cast<double>(values[i]);
  }
  mean_.resize(dimension_);
  for (std::size_t i = 0; i < dimension_; ++i)
    mean_[i] = static_cast<float>(sums[i] / static_cast<double>(size_));
  for (std::size_t slot = 0; slot < size_; ++slot) {
    decode(slot, values.data());
    std::byte* chunk = chunks_[slot / ChunkLayout::slots].memory.get();
    take_signs(values.data(), mean_,
               reinterpret_cast<std::uint64_t*>(chunk + layout_.signs) +
                   slot % ChunkLayout::slots * layout_.sign_words);
  }
}

void Vectors::set_mean(std::vector<float> mean) { mean_ = std::move(mean); }

std::vector<std::byte> Vectors::kept_form(std::span<const float> vector) const {
  std::vector<std::byte> kept;
  if (precision_ == Precision::full) {
    kept.resize(vector.size_bytes());
    std::memcpy(kept.data(), vector.data(), kept.size());
  } else if (precision_ == Precision::half) {
    kept.resize(layout_.original_bytes);
    std::transform(vector.begin(), vector.end(), reinterpret_cast<Half*>(kept.data()), to_half);
  } else {
    kept.resize(layout_.code_bytes + sizeof(float));
    const float unit = quantise(vector.data(), dimension_, reinterpret_cast<std::int8_t*>(kept.data()));
    std::memcpy(kept.data() + layout_.code_bytes, &unit, sizeof unit);
  }
  return kept;
}

bool Vectors::keeps(std::size_t slot, std::span<const std::byte> kept) const {
  if (precision_ == Precision::byte) {
    const float unit = scale(slot);
    return std::memcmp(code(slot), kept.data(), layout_.code_bytes) == 0 &&
           std::memcmp(&unit, kept.data() + layout_.code_bytes, sizeof unit) == 0;
  }
  const std::byte* at = original(slot);
  return std::memcmp(at, kept.data(), kept.size()) == 0;
}

void Vectors::decode(std::size_t slot, float* out) const {
  const std::byte* at = original(slot);
  if (precision_ == Precision::full) {
    std::memcpy(out, at, layout_.original_bytes);
  } else if (precision_ == Precision::half) {
    const auto* values = reinterpret_cast<const Half*>(at);
    std::transform(values, values + dimension_, out, from_half);
  } else {
    const float unit = scale(slot);
    std::transform(code(slot), code(slot) + dimension_, out,
                   [unit](std::int8_t x) { return static_cast<float>(x) * unit; });
  }
}

Vectors::Query Vectors::query(std::span<const float> vector) const {
  Query query;
  query.values.assign(vector.begin(), vector.end());
  query.code.resize(layout_.code_bytes);
  query.scale = quantise(vector.data(), dimension_, query.code.data());
  query.squares = squares_of(query.code.data(), query.scale);
  if (has_signs()) {
    query.signs.resize(layout_.sign_words);
    take_signs(vector.data(), mean_, query.signs.data());
  }
  return query;
}

void Vectors::adopt(std::vector<VectorChunk> chunks, std::size_t size, std::vector<float> mean) {
  chunks_ = std::move(chunks);
  size_ = size;
  mean_ = std::move(mean);
}

void Vectors::write_last(BinaryWriter& out) const {
  const std::size_t slots = size_ % ChunkLayout::slots;
  if (slots == 0) return;
  const auto part = [&](std::size_t begin, std::size_t bytes_each) {
    out.put_all(std::span<const std::byte>(chunks_.back().memory.get() + begin, slots * bytes_each));
  };
  part(0, layout_.code_bytes);
  part(layout_.signs, layout_.sign_words * sizeof(std::uint64_t));
  part(layout_.scales, sizeof(float));
  part(layout_.squares, sizeof(float));
  part(layout_.originals, layout_.original_bytes);
}

VectorChunk Vectors::read_last(BinaryReader& in, std::size_t slots) const {
  // Whoever else read the same slots goes on with others: the chunk becomes another one here.
  VectorChunk chunk{allocate(layout_.bytes), drawn_id()};
  const auto part = [&](std::size_t begin, std::size_t bytes_each) {
    const auto bytes = in.get_all<std::byte>();
    in.require(bytes.size() == slots * bytes_each, "vectors of another size");
    std::memcpy(chunk.memory.get() + begin, bytes.data(), bytes.size());
  };
  part(0, layout_.code_bytes);
  part(layout_.signs, layout_.sign_words * sizeof(std::uint64_t));
  part(layout_.scales, sizeof(float));
  part(layout_.squares, sizeof(float));
  part(layout_.originals, layout_.original_bytes);
  return chunk;
}

std::size_t Vectors::bytes() const { return size_ * (layout_.bytes / ChunkLayout::slots); }

}  // namespace actionhist
