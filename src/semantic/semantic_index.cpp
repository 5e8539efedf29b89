#include <actionhist/semantic_index.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/filter.hpp"
#include "core/owner_process.hpp"
#include "core/refuse.hpp"
#include "semantic/index_options.hpp"
#include "semantic/row_table.hpp"
#include "semantic/search.hpp"
#include "semantic/similarity_scale.hpp"
#include "semantic/snapshot.hpp"

namespace actionhist {
namespace {

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

  explicit State(Snapshot opened)
      : options(opened.options),
        table(std::move(opened.table)),
        note(std::move(opened.note)),
        unverified(std::move(opened.unverified)) {
    if (unverified.empty()) return;
    const std::lock_guard lock(builder_mutex);
    wake_builder();
  }

  ~State() {
    {
      const std::lock_guard lock(builder_mutex);
      stop = true;
    }
    builder_wakes.notify_all();
    if (builder.joinable()) builder.join();
  }

  // Changes the table through `change(row)` for each of `count` rows, letting searches in between.
  template <class Change>
  void change_each(std::size_t count, Change change) {
    for (std::size_t i = 0; i < count;) {
      const auto lock = gate.exclusive();
      const auto until = std::chrono::steady_clock::now() + longest_lock;
      do {
        change(i++);
      } while (i < count && std::chrono::steady_clock::now() < until);
    }
  }

  // REQUIRES: the caller holds `writers`.
  bool wants_building(bool all) const {
    return table->wants_compaction() || table->wants_new_slots() || table->vectors().wants_sealing(all);
  }

  // Has what the last change made necessary built in the background. REQUIRES: the caller holds `writers`.
  void changed() {
    if (!wants_building(false)) return;
    const std::lock_guard lock(builder_mutex);
    wake_builder();
  }

  // REQUIRES: the caller holds `builder_mutex`.
  void wake_builder() {
    work_waits = true;
    if (!builder.joinable()) builder = std::thread([this] { run(); });
    builder_wakes.notify_all();
  }

  void run() {
    for (;;) {
      {
        std::unique_lock lock(builder_mutex);
        builder_wakes.wait(lock, [this] { return stop || work_waits; });
        if (stop) return;
        work_waits = false;
      }
      while (!stop && build(false)) continue;
      verify_files();
    }
  }

  // Reads what was not read when the files were opened.
  void verify_files() {
    while (!stop) {
      Snapshot::Unverified part;
      {
        const std::lock_guard lock(builder_mutex);
        if (unverified.empty()) return;
        part = std::move(unverified.back());
        unverified.pop_back();
        verifying = true;
      }
      const bool whole = verify(part);
      const std::lock_guard lock(builder_mutex);
      // Not after clear(): the rows of that file are gone.
      if (verifying && !whole) damage = fmt::format("index: file \"{}\" is damaged", part.file);
      verifying = false;
    }
  }

  // Saves one snapshot at a time.
  void save(const std::string& folder, const Json& given) {
    const std::lock_guard one(saving);
    std::optional<SnapshotWriter> writer;
    {
      const std::lock_guard lock(writers);
      writer.emplace(*table, given);
    }
    const auto chunks = writer->write(folder);

    const std::lock_guard lock(writers);
    note = given;
    const Vectors& now = table->vectors().vectors();
    const auto locked = gate.exclusive();
    for (std::size_t i = 0; i < std::min(chunks.size(), now.chunks()); ++i) {
      if (chunks[i] && now.chunk_id(i) == writer->vectors().chunk_id(i)) table->replace_chunk(i, chunks[i]);
    }
  }

  // Builds one thing that is wanted. False when nothing is, or it cannot be.
  bool build(bool all) {
    const std::lock_guard one(building);
    try {
      build_one(all);
      const std::lock_guard lock(builder_mutex);
      build_error.clear();
    } catch (const std::exception& error) {
      const std::lock_guard lock(builder_mutex);
      build_error = error.what();
      return false;
    }
    const std::lock_guard writer(writers);
    return wants_building(all);
  }

  // REQUIRES: the caller holds `building`.
  void build_one(bool all) {
    std::optional<Sealing> sealing;
    std::optional<VectorLeg> fresh;  // without dead slots
    std::uint64_t generation_then = 0;
    {
      const std::lock_guard writer(writers);
      generation_then = generation;
      if (table->wants_compaction()) {
        // Only writers change the table, so this may read it beside the searches.
        auto compacted = table->compacted();
        const auto lock = gate.exclusive();
        table.swap(compacted);
      }
      if (table->wants_new_slots()) fresh = table->vectors().without_dead_slots(nullptr);
      // What takes the place of a whole graph must be whole.
      sealing = fresh ? fresh->wanted_sealing(true) : table->vectors().wanted_sealing(all);
    }
    if (!sealing && !fresh) return;
    if (sealing && !sealing->build([this] { return stop.load(); })) return;

    const std::lock_guard writer(writers);
    if (generation != generation_then) return;  // cleared meanwhile
    if (!fresh) {
      // Its memory is given back when no search waits.
      const std::shared_ptr<const Graph> before = table->vectors().graph();
      const auto lock = gate.exclusive();
      table->adopt(std::move(*sealing));
      return;
    }
    if (sealing) fresh->adopt(std::move(*sealing));
    VectorLeg next = table->vectors().without_dead_slots(&*fresh);
    {
      const auto lock = gate.exclusive();
      table->swap_vectors(next);
    }
  }

  // REQUIRES: the caller holds the gate.
  double similarity_at(double percentile, std::span<const double> weights) const {
    require_between("percentile", percentile, 0, 100);
    const VectorLeg& vectors = table->vectors();
    vectors.check_weights(weights);
    const std::lock_guard lock(scale_mutex);
    if (!scale.fits(vectors, weights)) scale = SimilarityScale(vectors, weights);
    return scale.at(percentile);
  }

  std::vector<IndexHit> search(const IndexQuery& query, SearchPlan* plan) const {
    const Filter filter = parse_filter(query.where);
    const auto lock = gate.shared();
    std::optional<double> least_similarity;
    if (query.percentile) least_similarity = similarity_at(*query.percentile, query.weights);
    return actionhist::search(*table, query, filter, least_similarity, plan);
  }

  static constexpr auto longest_lock = std::chrono::microseconds(300);

  const IndexOptions options;
  const OwnerProcess process;
  std::mutex saving;    // taken first; held while files are written
  std::mutex building;  // taken first; held while something is built
  std::mutex writers;   // taken before the gate; held over a whole change
  mutable Gate gate;
  std::unique_ptr<RowTable> table;  // guarded by gate; replaced and changed only under both
  std::uint64_t generation = 0;     // guarded by writers; counts clear()
  Json note;                        // guarded by writers
  mutable std::mutex scale_mutex;   // taken last
  mutable SimilarityScale scale;    // guarded by scale_mutex

  mutable std::mutex builder_mutex;
  std::condition_variable builder_wakes;
  std::atomic<bool> stop = false;
  bool work_waits = false;                       // guarded by builder_mutex
  std::string build_error;                       // guarded by builder_mutex
  std::string damage;                            // guarded by builder_mutex
  std::vector<Snapshot::Unverified> unverified;  // guarded by builder_mutex
  bool verifying = false;                        // guarded by builder_mutex
  std::thread builder;                           // guarded by builder_mutex
};

namespace {

template <class State>
State& alive(const std::unique_ptr<State>& state) {
  if (!state) refuse("index", "was moved from");
  state->process.require("index");
  return *state;
}

}  // namespace

GraphSize graph_size_for(std::size_t vectors) {
  if (vectors < 100'000) return {16, 64};
  return vectors <= 1'000'000 ? GraphSize{16, 128} : GraphSize{32, 128};
}

std::size_t estimated_bytes(std::size_t vectors, const IndexOptions& options) {
  checked(options);
  const ChunkLayout layout(options.dimension, options.precision);
  const auto m = static_cast<std::size_t>(options.m > 0 ? options.m : graph_size_for(vectors).m);
  constexpr std::size_t around_a_row = 200;  // its id, its places in the tables
  return vectors * (layout.bytes / ChunkLayout::slots + 2 * m * sizeof(std::uint32_t) + 16 + around_a_row);
}

SemanticIndex::SemanticIndex(IndexOptions options) : state_(std::make_unique<State>(options)) {}
SemanticIndex::SemanticIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
SemanticIndex::~SemanticIndex() {
  // The child leaks what belongs to its parent.
  if (state_ && state_->process.inherited()) static_cast<void>(state_.release());
}

SemanticIndex::SemanticIndex(SemanticIndex&&) noexcept = default;
SemanticIndex& SemanticIndex::operator=(SemanticIndex&& other) noexcept {
  SemanticIndex taken(std::move(other));
  std::swap(state_, taken.state_);
  return *this;
}

void SemanticIndex::put(std::span<const IndexRow> rows) {
  State& state = alive(state_);
  const std::lock_guard writer(state.writers);
  for (const IndexRow& row : rows) state.table->check(row);
  state.change_each(rows.size(), [&](std::size_t i) { state.table->put(rows[i]); });
  state.changed();
}

bool SemanticIndex::set_fields(std::string_view id, Json fields) {
  State& state = alive(state_);
  const std::lock_guard writer(state.writers);
  const auto lock = state.gate.exclusive();
  const auto row = state.table->find(id);
  if (row) state.table->set_fields(*row, fields);
  return row.has_value();
}

bool SemanticIndex::set_vector(std::string_view id, std::span<const float> vector) {
  State& state = alive(state_);
  const std::lock_guard writer(state.writers);
  state.table->vectors().check(vector, "vector");
  {
    const auto lock = state.gate.exclusive();
    const auto row = state.table->find(id);
    if (!row) return false;
    state.table->set_vector(*row, vector);
  }
  state.changed();
  return true;
}

bool SemanticIndex::remove(std::string_view id) {
  State& state = alive(state_);
  const std::lock_guard writer(state.writers);
  {
    const auto lock = state.gate.exclusive();
    const auto row = state.table->find(id);
    if (!row) return false;
    state.table->remove(*row);
  }
  state.changed();
  return true;
}

void SemanticIndex::clear() {
  State& state = alive(state_);
  const std::lock_guard writer(state.writers);
  auto empty = std::make_unique<RowTable>(state.options);
  const auto lock = state.gate.exclusive();
  state.table.swap(empty);
  ++state.generation;
  state.note = {};
  {
    const std::lock_guard scale(state.scale_mutex);
    state.scale = {};
  }
  const std::lock_guard builder(state.builder_mutex);
  state.unverified.clear();
  state.verifying = false;
  state.damage.clear();
}

void SemanticIndex::save(const std::string& folder, const Json& note) {
  if (!note.absent() && note.text()[0] != '{') refuse("note", "expected a JSON object");
  alive(state_).save(folder, note);
}

SemanticIndex SemanticIndex::open(const std::string& folder) {
  auto snapshot = read_snapshot(folder);
  if (!snapshot) throw Error(ErrorCode::not_found, fmt::format("index: nothing was saved in \"{}\"", folder));
  return SemanticIndex(std::make_unique<State>(std::move(*snapshot)));
}

Json SemanticIndex::note() const {
  State& state = alive(state_);
  const std::lock_guard lock(state.writers);
  return state.note;
}

std::string SemanticIndex::damage() const {
  const State& state = alive(state_);
  const std::lock_guard lock(state.builder_mutex);
  return state.damage;
}

void SemanticIndex::optimize() {
  State& state = alive(state_);
  while (state.build(true)) continue;
  const std::lock_guard lock(state.builder_mutex);
  if (!state.build_error.empty()) throw Error(ErrorCode::internal, state.build_error);
}

IndexStats SemanticIndex::stats() const {
  const State& state = alive(state_);
  IndexStats stats;
  {
    const auto lock = state.gate.shared();
    stats = state.table->stats();
  }
  const std::lock_guard lock(state.builder_mutex);
  stats.error = state.build_error;
  stats.verified = state.unverified.empty() && !state.verifying;
  return stats;
}

std::optional<std::uint64_t> SemanticIndex::version(std::string_view id) const {
  const State& state = alive(state_);
  const auto lock = state.gate.shared();
  const auto row = state.table->find(id);
  if (!row) return std::nullopt;
  return state.table->version(*row);
}

std::optional<std::vector<float>> SemanticIndex::vector(std::string_view id) const {
  const State& state = alive(state_);
  const auto lock = state.gate.shared();
  const auto row = state.table->find(id);
  if (!row || !state.table->vectors().has(*row)) return std::nullopt;
  return state.table->vectors().vector(*row);
}

std::vector<IndexHit> SemanticIndex::search(const IndexQuery& query) const {
  return alive(state_).search(query, nullptr);
}

std::vector<std::vector<IndexHit>> SemanticIndex::search(std::span<const IndexQuery> queries) const {
  std::vector<std::vector<IndexHit>> all;
  all.reserve(queries.size());
  for (const IndexQuery& query : queries) all.push_back(search(query));
  return all;
}

SearchPlan SemanticIndex::explain(const IndexQuery& query) const {
  SearchPlan plan;
  alive(state_).search(query, &plan);
  return plan;
}

double SemanticIndex::similarity_at(double percentile, std::span<const double> weights) const {
  const State& state = alive(state_);
  const auto lock = state.gate.shared();
  return state.similarity_at(percentile, weights);
}

}  // namespace actionhist
