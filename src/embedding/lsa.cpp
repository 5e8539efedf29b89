#include "embedding/lsa.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <utility>

#include <cblas.h>
#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/hash.hpp"
#include "core/refuse.hpp"
#include "embedding/features.hpp"
#include "embedding/subspace.hpp"
#include "embedding/unit_vector.hpp"

namespace actionhist {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t bucket_count = 1 << 15;
constexpr std::size_t least_documents = 8;
constexpr std::string_view magic = "actionhist lsa 1\n";

struct Header {
  std::uint64_t documents;
  std::uint32_t dimension;
  std::uint32_t rows;
};

template <class T>
void put(std::string& out, const std::vector<T>& values) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

template <class T>
void take(std::string_view& bytes, std::vector<T>& values, std::size_t count) {
  if (bytes.size() < count * sizeof(T)) throw Error(ErrorCode::corrupt, "lsa: the model ends too early");
  values.resize(count);
  std::memcpy(values.data(), bytes.data(), count * sizeof(T));
  bytes.remove_prefix(count * sizeof(T));
}

}  // namespace

std::shared_ptr<const LsaModel> LsaModel::read(std::string_view bytes) {
  Header header{};
  if (!bytes.starts_with(magic) || bytes.size() < magic.size() + sizeof header) {
    throw Error(ErrorCode::corrupt, "lsa: this is no model");
  }
  bytes.remove_prefix(magic.size());
  std::memcpy(&header, bytes.data(), sizeof header);
  bytes.remove_prefix(sizeof header);
  if (header.dimension == 0 || header.dimension > 4096 || header.rows > bucket_count) {
    throw Error(ErrorCode::corrupt, "lsa: the model has a size that cannot be");
  }
  std::shared_ptr<LsaModel> model(new LsaModel);
  model->documents_ = header.documents;
  model->dimension_ = header.dimension;
  std::vector<std::uint32_t> buckets;
  take(bytes, buckets, header.rows);
  take(bytes, model->rarity_, header.rows);
  take(bytes, model->projection_, std::size_t{header.rows} * header.dimension);
  if (!bytes.empty()) throw Error(ErrorCode::corrupt, "lsa: the model is longer than it says");
  model->rows_.assign(bucket_count, -1);
  for (std::size_t row = 0; row < buckets.size(); ++row) {
    if (buckets[row] >= bucket_count) throw Error(ErrorCode::corrupt, "lsa: the model names no such feature");
    model->rows_[buckets[row]] = static_cast<std::int32_t>(row);
  }
  model->name();
  return model;
}

std::string LsaModel::bytes() const {
  std::vector<std::uint32_t> buckets(rarity_.size());
  for (std::size_t bucket = 0; bucket < rows_.size(); ++bucket) {
    if (rows_[bucket] >= 0)
      buckets[static_cast<std::size_t>(rows_[bucket])] = static_cast<std::uint32_t>(bucket);
  }
  const Header header{documents_, static_cast<std::uint32_t>(dimension_),
                      static_cast<std::uint32_t>(rarity_.size())};
  std::string out(magic);
  out.append(reinterpret_cast<const char*>(&header), sizeof header);
  put(out, buckets);
  put(out, rarity_);
  put(out, projection_);
  return out;
}

void LsaModel::name() { space_id_ = fmt::format("lsa/{}/{}", dimension_, sha256_hex(bytes()).substr(0, 16)); }

void LsaModel::embed_text(std::string_view text, std::span<float> out) const {
  std::fill(out.begin(), out.end(), 0.0F);
  for (const Feature& feature : features_of(text)) {
    const std::int32_t found = rows_[feature.bucket(bucket_count)];
    if (found < 0) continue;
    const auto row = static_cast<std::size_t>(found);
    const float weight = std::sqrt(static_cast<float>(feature.count)) * rarity_[row];
    const float signed_weight = feature.negative() ? -weight : weight;
    cblas_saxpy(static_cast<int>(dimension_), signed_weight, projection_.data() + row * dimension_, 1,
                out.data(), 1);
  }
  normalize(out);
}

void LsaModel::embed(std::span<const std::string_view> texts, EmbeddingRole, std::span<float> out) const {
  assert(out.size() == texts.size() * dimension_);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    embed_text(texts[i], out.subspan(i * dimension_, dimension_));
  }
}

void LsaFitter::add(std::string_view text) {
  for (const Feature& feature : features_of(text)) {
    const float weight = std::sqrt(static_cast<float>(feature.count));
    entries_.push_back(
        {static_cast<std::uint32_t>(feature.bucket(bucket_count)), feature.negative() ? -weight : weight});
  }
  // A text without words says nothing.
  if (entries_.size() > begins_.back()) begins_.push_back(entries_.size());
}

std::shared_ptr<const LsaModel> LsaFitter::fit(std::size_t dimension, std::uint64_t seed,
                                               const std::function<void()>& passed) const {
  if (documents() < least_documents) {
    refuse("fit_space", fmt::format("needs at least {} searchable actions with words, there are {}; "
                                    "what was just recorded is, once it is indexed",
                                    least_documents, documents()));
  }
  std::shared_ptr<LsaModel> model(new LsaModel);
  model->documents_ = documents();
  model->rows_.assign(bucket_count, -1);
  std::vector<std::uint32_t> containing;  // documents, by row
  std::vector<std::size_t> last;          // document that was counted, by row
  for (std::size_t document = 0; document < documents(); ++document) {
    for (std::size_t i = begins_[document]; i < begins_[document + 1]; ++i) {
      std::int32_t& row = model->rows_[entries_[i].bucket];
      if (row < 0) {
        row = static_cast<std::int32_t>(containing.size());
        containing.push_back(0);
        last.push_back(documents());
      }
      const auto at = static_cast<std::size_t>(row);
      if (std::exchange(last[at], document) != document) ++containing[at];
    }
  }
  const auto n = static_cast<double>(documents());
  for (const std::uint32_t df : containing) {
    model->rarity_.push_back(static_cast<float>(std::log(1 + (n - df + 0.5) / (df + 0.5))));
  }

  SparseMatrix matrix;
  matrix.columns = containing.size();
  matrix.entries.reserve(entries_.size());
  for (std::size_t document = 0; document < documents(); ++document) {
    const std::size_t begin = matrix.entries.size();
    double squares = 0;
    for (std::size_t i = begins_[document]; i < begins_[document + 1]; ++i) {
      const auto row = static_cast<std::size_t>(model->rows_[entries_[i].bucket]);
      const float value = entries_[i].weight * model->rarity_[row];
      matrix.entries.push_back({static_cast<std::uint32_t>(row), value});
      squares += static_cast<double>(value) * value;
    }
    const auto scale = static_cast<float>(1 / std::sqrt(squares));
    for (std::size_t i = begin; i < matrix.entries.size(); ++i) matrix.entries[i].value *= scale;
    matrix.ends.push_back(matrix.entries.size());
  }
  const std::size_t most = std::min(documents() / 2, matrix.columns);
  model->projection_ = leading_directions(matrix, std::min(dimension, most), seed, passed);
  model->dimension_ = model->projection_.size() / matrix.columns;
  model->name();
  return model;
}

}  // namespace actionhist
