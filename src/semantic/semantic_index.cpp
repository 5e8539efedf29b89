#include <actionhist/semantic_index.hpp>

#include <mutex>
#include <shared_mutex>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/filter.hpp"
#include "semantic/row_table.hpp"
#include "semantic/search.hpp"

namespace actionhist {
namespace {

constexpr std::size_t max_dimension = 65'536;

[[noreturn]] void refuse(std::string_view field, std::string_view why) {
  throw Error(ErrorCode::invalid_argument, fmt::format("{}: {}", field, why));
}

const IndexOptions& checked(const IndexOptions& options) {
  if (options.dimension < 1 || options.dimension > max_dimension) refuse("dimension", "must be 1 to 65536");
  if (options.m < 2 || options.m > 256) refuse("m", "must be 2 to 256");
  if (options.ef_construction < 1) refuse("ef_construction", "must be at least 1");
  if (options.ef_search < 1) refuse("ef_search", "must be at least 1");
  return options;
}

// A shared lock under which nobody starves: whoever arrives after a waiting writer waits behind it. The
// plain std::shared_mutex lets readers in for as long as any of them is inside.
class Gate {
 public:
  std::shared_lock<std::shared_mutex> shared() {
    const std::lock_guard door(door_);
    return std::shared_lock(mutex_);
  }
  std::unique_lock<std::shared_mutex> exclusive() {
    const std::lock_guard door(door_);
    return std::unique_lock(mutex_);
  }

 private:
  std::mutex door_;
  std::shared_mutex mutex_;
};

}  // namespace

struct SemanticIndex::State {
  explicit State(const IndexOptions& given)
      : options(checked(given)), table(std::make_unique<RowTable>(given)) {}

  // Links and compacts what a change left to do. REQUIRES: the caller holds `writers`.
  void maintain() {
    while (const std::size_t count = table->linkable()) {
      const auto lock = gate.exclusive();  // for one batch, so that searches come between
      table->link(count);
    }
    if (!table->wants_compaction()) return;
    // Only writers change the table, so this may read it beside the searches.
    auto compacted = table->compacted();
    const auto lock = gate.exclusive();
    table.swap(compacted);
  }

  const IndexOptions options;
  std::mutex writers;  // taken before the gate; held over a whole change with its maintenance
  mutable Gate gate;
  std::unique_ptr<RowTable> table;  // guarded by gate; replaced and changed only under both
};

SemanticIndex::SemanticIndex(IndexOptions options) : state_(std::make_unique<State>(options)) {}
SemanticIndex::~SemanticIndex() = default;
SemanticIndex::SemanticIndex(SemanticIndex&&) noexcept = default;
SemanticIndex& SemanticIndex::operator=(SemanticIndex&&) noexcept = default;

void SemanticIndex::put(std::span<const IndexRow> rows) {
  const std::lock_guard writer(state_->writers);
  for (const IndexRow& row : rows) state_->table->check(row);
  {
    const auto lock = state_->gate.exclusive();
    for (const IndexRow& row : rows) state_->table->put(row);
  }
  state_->maintain();
}

bool SemanticIndex::set_fields(std::string_view id, Json fields) {
  const std::lock_guard writer(state_->writers);
  const auto lock = state_->gate.exclusive();
  const auto row = state_->table->find(id);
  if (row) state_->table->set_fields(*row, fields);
  return row.has_value();
}

bool SemanticIndex::set_vector(std::string_view id, std::span<const float> vector) {
  const std::lock_guard writer(state_->writers);
  state_->table->vectors().check(vector, "vector");
  {
    const auto lock = state_->gate.exclusive();
    const auto row = state_->table->find(id);
    if (!row) return false;
    state_->table->set_vector(*row, vector);
  }
  state_->maintain();
  return true;
}

bool SemanticIndex::remove(std::string_view id) {
  const std::lock_guard writer(state_->writers);
  {
    const auto lock = state_->gate.exclusive();
    const auto row = state_->table->find(id);
    if (!row) return false;
    state_->table->remove(*row);
  }
  state_->maintain();
  return true;
}

void SemanticIndex::clear() {
  const std::lock_guard writer(state_->writers);
  auto empty = std::make_unique<RowTable>(state_->options);
  const auto lock = state_->gate.exclusive();
  state_->table.swap(empty);
}

IndexStats SemanticIndex::stats() const {
  const auto lock = state_->gate.shared();
  return state_->table->stats();
}

std::vector<IndexHit> SemanticIndex::search(const IndexQuery& query) const {
  const Filter filter = parse_filter(query.where);
  const auto lock = state_->gate.shared();
  return actionhist::search(*state_->table, query, filter);
}

}  // namespace actionhist
