#include "semantic/row_table.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/refuse.hpp"

namespace actionhist {
namespace {

constexpr std::size_t few_tombstones = 1024;  // not worth a compaction
constexpr double max_tombstones = 0.3;

std::uint64_t start_of(std::string_view id) {
  std::uint64_t start = 0;
  for (std::size_t i = 0; i < 8; ++i)
    start = start << 8 | (i < id.size() ? static_cast<unsigned char>(id[i]) : 0);
  return start;
}

bool too_many(std::size_t dead, std::size_t all) {
  return dead > few_tombstones && static_cast<double>(dead) > max_tombstones * static_cast<double>(all);
}

}  // namespace

void RowTable::check(const IndexRow& row) const {
  if (row.id.empty()) refuse("id", "is empty");
  if (!row.vector.empty()) vectors_.check(row.vector, fmt::format("vector of \"{}\"", row.id));
  if (!row.fields.absent() && row.fields.text()[0] != '{') {
    throw Error(ErrorCode::invalid_argument, fmt::format("fields of \"{}\": expected a JSON object", row.id));
  }
}

std::uint32_t RowTable::append(std::string_view id, ContentHash text, std::uint64_t version) {
  const auto row = static_cast<std::uint32_t>(rows_.size());
  rows_.push_back({std::string(id), text, version});
  by_id_.erase(id);
  by_id_.emplace(rows_.back().id, row);
  id_starts_.push_back(start_of(id));
  id_bytes_ += rows_.back().id.capacity();
  alive_.push_back(true);
  return row;
}

void RowTable::put(const IndexRow& given) {
  const ContentHash text = content_hash(given.text.data(), given.text.size());
  const auto before = find(given.id);
  std::uint32_t row = 0;
  if (before && rows_[*before].text == text) {
    row = *before;
    rows_[row].version = given.version;
  } else {
    row = append(given.id, text, given.version);
    lexical_.add(row, given.text);
    if (before) {
      lexical_.remove(*before);
      fields_.clear(*before);
      vectors_.move(*before, row);
      alive_.reset(*before);
    }
  }
  fields_.set(row, given.fields);
  if (given.vector.empty()) {
    vectors_.remove(row);
  } else {
    set_vector(row, given.vector);
  }
}

std::optional<std::uint32_t> RowTable::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  return found->second;
}

void RowTable::set_vector(std::uint32_t row, std::span<const float> vector) {
  vectors_.set(row, vectors_.prepare(vector));
}

void RowTable::remove(std::uint32_t row) {
  by_id_.erase(rows_[row].id);
  alive_.reset(row);
  lexical_.remove(row);
  fields_.clear(row);
  vectors_.remove(row);
}

bool RowTable::wants_compaction() const { return too_many(rows_.size() - by_id_.size(), rows_.size()); }

bool RowTable::wants_new_slots() const { return too_many(vectors_.dead(), vectors_.slots()); }

std::unique_ptr<RowTable> RowTable::compacted() const {
  auto out = std::make_unique<RowTable>(options_);
  std::vector<std::uint32_t> numbers(rows_.size(), VectorLeg::none);
  alive_.for_each([&](std::size_t i) {
    const auto row = static_cast<std::uint32_t>(i);
    const std::uint32_t copy = out->append(rows_[row].id, rows_[row].text, rows_[row].version);
    numbers[row] = copy;
    out->lexical_.add_from(copy, lexical_, row);
    out->fields_.set_from(copy, fields_, row);
  });
  out->vectors_ = vectors_.renumbered(numbers, out->rows_.size());
  return out;
}

void RowTable::write(BinaryWriter& out) const {
  out.put(rows_.size());
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    // Nothing of a deleted row reaches the disk.
    out.put_text(alive_.test(row) ? std::string_view(rows_[row].id) : std::string_view());
    out.put(rows_[row].text);
    out.put(rows_[row].version);
  }
  lexical_.write(out);
  fields_.write(out);
  vectors_.write(out);
}

void RowTable::read(BinaryReader& in, std::vector<std::shared_ptr<std::byte>> chunks,
                    std::shared_ptr<const Graph> graph) {
  const auto rows = in.get<std::size_t>();
  in.require(rows < 0xffff'ffffU && rows <= in.left(), "more rows than bytes");
  by_id_.reserve(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::string_view id = in.get_text();
    const auto text = in.get<ContentHash>();
    const auto version = in.get<std::uint64_t>();
    const std::uint32_t row = append(id, text, version);
    if (!id.empty()) continue;
    by_id_.erase(id);
    alive_.reset(row);
  }
  in.require(by_id_.size() == alive_.count(), "an id that comes twice");
  lexical_.read(in);
  fields_.read(in, rows);
  vectors_.read(in, std::move(chunks), std::move(graph));
}

Bitmap RowTable::select(const Filter& filter) const {
  Bitmap rows = fields_.select(filter, rows_.size());
  rows &= alive_;
  return rows;
}

IndexStats RowTable::stats() const {
  IndexStats stats;
  stats.rows = by_id_.size();
  stats.vectors = vectors_.rows();
  stats.linked = vectors_.linked();
  stats.deleted = std::max(rows_.size() - by_id_.size(), vectors_.dead());
  stats.ef_search =
      vectors_.calibration().slots > 0 ? static_cast<int>(vectors_.calibration().walk.width) : 0;
  stats.terms = lexical_.terms();
  const std::size_t ids = rows_.size() * (sizeof(Row) + 64) + id_bytes_;
  stats.bytes = ids + alive_.bytes() + lexical_.bytes() + fields_.bytes() + vectors_.bytes();
  return stats;
}

}  // namespace actionhist
