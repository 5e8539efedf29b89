#include "semantic/vector_leg.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/refuse.hpp"
#include "embedding/content_hash.hpp"
#include "embedding/unit_vector.hpp"
#include "semantic/nearest_codes.hpp"
#include "semantic/sign_scan.hpp"

namespace actionhist {
namespace {

// Distances of vectors below this length are far from the largest float.
constexpr double max_squares = 1e30;
constexpr float largest_half = 65'504;

// A graph is extended when so small a part of sealed_rows waits, or of its own size: while it is, more are added. Each
// extension copies it, which for as many slots takes about as long as linking one.
constexpr std::size_t waiting_part = 8;
constexpr std::size_t extension_part = 512;

// What waits behind a large import is linked in steps, so that searches are faster after each and a process that
// ends meanwhile loses one at most.
constexpr std::size_t step_slots = 16'384;
constexpr std::size_t step_part = 8;

// Weights are far from equal where their vector has less than this cosine with one of equal weights. From there on
// walks over clustered parts found less than .97 of the ten nearest, where they found .995 with equal ones.
constexpr double least_evenness = 0.9;

// Gives use(number, span) each part of a vector.
template <class Float, class Use>
void for_each_part(std::span<Float> vector, const std::vector<std::size_t>& parts, Use use) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    use(i, vector.subspan(begin, parts[i]));
    begin += parts[i];
  }
}

}  // namespace

VectorLeg::VectorLeg(const IndexOptions& options)
    : options_(options), vectors_(options.dimension, options.metric, options.precision) {
  if (options_.parts.empty()) options_.parts = {options_.dimension};
}

void VectorLeg::check(std::span<const float> vector, std::string_view field) const {
  if (vector.size() != vectors_.dimension()) {
    refuse(field, fmt::format("has {} dimensions, the index has {}", vector.size(), vectors_.dimension()));
  }
  const double sum = sum_of_squares(vector);
  if (!std::isfinite(sum)) {
    refuse(field, "holds a value that is not finite");
  }
  if (metric() != Metric::cosine && sum > max_squares) {
    refuse(field, "is longer than 1e15");
  }
  if (metric() != Metric::cosine && options_.precision == Precision::half &&
      std::ranges::any_of(vector, [](float value) { return std::abs(value) > largest_half; })) {
    refuse(field, "holds a value above 65504, which the precision half cannot keep");
  }
}

void VectorLeg::check_weights(std::span<const double> weights) const {
  if (weights.empty()) return;
  if (weights.size() != options_.parts.size()) {
    refuse("weights", fmt::format("there are {}, a vector here has {} part{}", weights.size(),
                                  options_.parts.size(), options_.parts.size() == 1 ? "" : "s"));
  }
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  const bool right = std::ranges::all_of(weights, [](double weight) { return weight >= 0; });
  if (!right || !(all > 0) || !std::isfinite(all))
    refuse("weights", "must be finite, none below 0 and one above");
}

std::vector<float> VectorLeg::prepare(std::span<const float> vector) const {
  std::vector<float> out(vector.begin(), vector.end());
  if (metric() == Metric::cosine) {
    for_each_part(std::span(out), options_.parts,
                  [](std::size_t, std::span<float> part) { normalize(part); });
  }
  return out;
}

Vectors::Query VectorLeg::query(std::span<const float> prepared, std::span<const double> weights) const {
  const std::size_t parts = options_.parts.size();
  if (parts == 1) return vectors_.query(prepared);
  std::vector<double> counting(parts, 1);
  std::ranges::copy(weights, counting.begin());
  for_each_part(prepared, options_.parts, [&](std::size_t i, std::span<const float> part) {
    if (std::ranges::all_of(part, [](float x) { return x == 0; })) counting[i] = 0;
  });
  const double all = std::accumulate(counting.begin(), counting.end(), 0.0);
  // Those of rows have length 1, so that the product of a part is its cosine by its share of the weights.
  std::vector<float> scaled(prepared.begin(), prepared.end());
  for_each_part(std::span(scaled), options_.parts, [&](std::size_t i, std::span<float> part) {
    const double share = all > 0 ? counting[i] / all : 0;
    for (float& x : part) x = static_cast<float>(x * share);
  });
  return vectors_.query(scaled);
}

std::vector<float> VectorLeg::vector(std::uint32_t row) const {
  std::vector<float> values(vectors_.dimension());
  vectors_.decode(rows_[row].slot, values.data());
  return values;
}

std::vector<double> VectorLeg::part_cosines(std::span<const float> prepared, std::uint32_t row) const {
  std::vector<double> cosines;
  if (options_.parts.size() == 1) return cosines;
  const std::vector<float> kept = vector(row);
  const float* other = kept.data();
  for_each_part(prepared, options_.parts, [&](std::size_t, std::span<const float> part) {
    cosines.push_back(std::inner_product(part.begin(), part.end(), other, 0.0));
    other += part.size();
  });
  return cosines;
}

std::uint32_t VectorLeg::slot_for(std::span<const float> prepared) {
  const std::vector<std::byte> kept = vectors_.kept_form(prepared);
  const auto hash = static_cast<std::uint32_t>(content_hash(kept.data(), kept.size()).low);
  const std::uint32_t known =
      by_hash_.find(hash, [&](std::uint32_t slot) { return vectors_.keeps(slot, kept); });
  if (known != SlotTable::none) return known;
  const auto slot = static_cast<std::uint32_t>(vectors_.append(prepared));
  first_rows_.push_back(none);
  by_hash_.insert(hash, slot);
  return slot;
}

void VectorLeg::attach(std::uint32_t row, std::uint32_t slot) {
  if (rows_.size() <= row) rows_.resize(row + std::size_t{1});
  std::uint32_t& first = first_rows_[slot];
  if (first == none) {
    ++live_slots_;
  } else {
    rows_[first].previous = row;
  }
  rows_[row] = {slot, none, first};
  first = row;
  ++live_rows_;
}

void VectorLeg::set(std::uint32_t row, std::span<const float> prepared) {
  const std::uint32_t slot = slot_for(prepared);
  if (has(row) && rows_[row].slot == slot) return;
  remove(row);
  attach(row, slot);
}

void VectorLeg::remove(std::uint32_t row) {
  if (!has(row)) return;
  const Row gone = std::exchange(rows_[row], {});
  if (gone.next != none) rows_[gone.next].previous = gone.previous;
  if (gone.previous != none) {
    rows_[gone.previous].next = gone.next;
  } else {
    first_rows_[gone.slot] = gone.next;
  }
  --live_rows_;
  if (first_rows_[gone.slot] == none) --live_slots_;
}

void VectorLeg::move(std::uint32_t from, std::uint32_t to) {
  if (!has(from)) return;
  const std::uint32_t slot = rows_[from].slot;
  remove(from);
  attach(to, slot);
}

std::vector<std::uint32_t> VectorLeg::sample(std::size_t count) const {
  std::vector<std::uint32_t> slots;
  const std::size_t chosen = std::min(count, live_slots_);
  std::size_t seen = 0;
  for (std::uint32_t slot = 0; slots.size() < chosen; ++slot) {
    if (first_rows_[slot] == none) continue;
    if (seen++ == slots.size() * live_slots_ / chosen) slots.push_back(slot);
  }
  return slots;
}

// Of slots that pass, spread over the rows, as many neighbours pass as of all slots, unless the filter follows the
// vectors.
bool VectorLeg::follows(const Request& request, double share) const {
  constexpr std::size_t samples = 32;
  constexpr std::size_t links_each = 4;
  const Passing passing{*this, request.allowed};
  std::vector<std::uint32_t> slots;
  for (std::size_t i = 0; i < samples; ++i) {
    const std::size_t row = request.allowed->next(i * request.allowed->size() / samples);
    if (row >= rows_.size() || rows_[row].slot >= linked()) continue;
    graph_->prefetch(rows_[row].slot);
    slots.push_back(rows_[row].slot);
  }
  std::size_t seen = 0;
  std::size_t passed = 0;
  for (const std::uint32_t slot : slots) {
    const auto links = graph_->neighbours(slot);
    for (const std::uint32_t link : links.first(std::min(links_each, links.size()))) {
      ++seen;
      passed += passing(link);
    }
  }
  // A third of the way from independence to clusters that match as a whole.
  return static_cast<double>(passed) > static_cast<double>(seen) * (share + (1 - share) / 3);
}

bool VectorLeg::uneven(const Vectors::Query& query) const {
  if (options_.parts.size() == 1) return false;
  double lengths = 0;  // of the parts, which are their weights
  double squares = 0;
  for_each_part(std::span(query.values), options_.parts, [&](std::size_t, std::span<const float> part) {
    const double square = sum_of_squares(part);
    lengths += std::sqrt(square);
    squares += square;
  });
  const auto parts = static_cast<double>(options_.parts.size());
  return lengths < least_evenness * std::sqrt(parts * squares);
}

Situation VectorLeg::situation(const Vectors::Query& query, const Request& request) const {
  Situation now;
  now.linked = linked();
  now.matching = std::min(request.matching, live_rows_);
  now.filtered = request.allowed != nullptr;
  now.count = request.count;
  now.width = request.width;
  now.uneven = uneven(query);
  // Signs do not tell large weights from small ones.
  now.signs = SignGate::serves(vectors_) && !now.uneven;
  if (now.filtered && now.linked > 0) {
    // Only where a walk may be chosen and may miss much: a look costs as much as a short scan.
    const double share = static_cast<double>(now.matching) / static_cast<double>(now.linked);
    now.follows = share >= Calibration::two_hop_shares[0] && share < 0.9 && follows(request, share);
  }
  return now;
}

std::vector<std::uint32_t> VectorLeg::matching_slots(const Request& request, std::size_t begin) const {
  std::vector<std::uint32_t> slots;
  const Passing passing{*this, request.allowed};
  if (request.allowed == nullptr || begin > 0) {
    slots.reserve(std::min(request.matching, vectors_.size() - begin));
    for (auto slot = static_cast<std::uint32_t>(begin); slot < vectors_.size(); ++slot) {
      if (passing(slot)) slots.push_back(slot);
    }
    return slots;
  }
  slots.reserve(request.matching);
  Visited& visited = Visited::of_this_thread(vectors_.size());
  request.allowed->for_each([&](std::size_t i) {
    if (i >= rows_.size() || rows_[i].slot == none) return;
    const Row& row = rows_[i];
    const bool shared = row.previous != none || row.next != none;
    if (!shared || visited.first_time(row.slot)) slots.push_back(row.slot);
  });
  return slots;
}

std::vector<Neighbour> VectorLeg::scan(const Vectors::Query& query, std::span<const std::uint32_t> slots,
                                       std::size_t count, Route route) const {
  if (route == Route::full_scan) {
    std::vector<Neighbour> all;
    all.reserve(slots.size());
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (i + 1 < slots.size()) vectors_.prefetch_original(slots[i + 1]);
      all.push_back({vectors_.distance(query, slots[i]), slots[i]});
    }
    return all;
  }
  const std::size_t kept = kept_by_codes(count, calibration_);
  if (route == Route::sign_scan) return measured(query, sign_scan(vectors_, query, slots, kept), count);
  NearestCodes near(vectors_, query, kept);
  near.compare(slots, [](std::size_t, float) {});
  return measured(query, near.take(), count);
}

std::vector<Neighbour> VectorLeg::measured(const Vectors::Query& query, std::span<const Neighbour> by_code,
                                           std::size_t count) const {
  if (vectors_.precision() == Precision::byte) return {by_code.begin(), by_code.end()};
  std::vector<Neighbour> near;
  near.reserve(by_code.size());
  std::vector<float> best;  // a heap of the least distances, the largest first
  best.reserve(count + 1);
  constexpr std::size_t ahead = 2;
  for (std::size_t i = 0; i < by_code.size(); ++i) {
    if (i + ahead < by_code.size()) vectors_.prefetch_original(by_code[i + ahead].slot);
    const Neighbour& one = by_code[i];
    if (best.size() == count && one.distance - vectors_.coarse_error(query, one.slot) > best.front())
      continue;
    near.push_back({vectors_.distance(query, one.slot), one.slot});
    best.push_back(near.back().distance);
    std::push_heap(best.begin(), best.end());
    if (best.size() <= count) continue;
    std::pop_heap(best.begin(), best.end());
    best.pop_back();
  }
  return near;
}

VectorLeg::Answer VectorLeg::nearest(const Vectors::Query& query, const Request& request) const {
  Answer answer;
  const Situation now = situation(query, request);
  Choice choice = choose(now, calibration_);
  std::vector<Neighbour> near;
  const Passing passing{*this, request.allowed};
  const bool walks = choice.route == Route::walk || choice.route == Route::result_walk ||
                     choice.route == Route::two_hop_walk;
  if (walks) {
    const bool plain = choice.route == Route::walk && live_slots_ == vectors_.size();
    const Walked walked = plain ? walk(*graph_, vectors_, query, choice.width)
                                : filtered_walk(*graph_, vectors_, query, choice.width, passing,
                                                choice.route == Route::two_hop_walk,
                                                request.allowed == nullptr ? vectors_.size() : choice.budget);
    near = measured(query, walked.found, request.count);
    answer.distances = walked.distances;
    const std::vector<std::uint32_t> waiting = matching_slots(request, linked());
    const std::vector<Neighbour> rest =
        scan(query, waiting, request.count, now.signs ? Route::sign_scan : Route::code_scan);
    answer.distances += waiting.size();
    near.insert(near.end(), rest.begin(), rest.end());
    // A walk may end in a corner of the graph that holds too few of the slots that match.
    if (!walked.complete || !enough(near, request, now.matching)) {
      near.clear();
      choice = {now.signs ? Route::sign_scan : Route::code_scan,
                walked.complete ? "a walk found fewer rows than match" : "a walk took longer than a scan"};
    }
  }
  if (near.empty() && choice.route != Route::nothing) {
    std::vector<std::uint32_t> slots = matching_slots(request, 0);
    answer.distances += slots.size();
    near = scan(query, std::move(slots), request.count, choice.route);
  }
  answer.route = choice.route;
  answer.why = choice.why;
  answer.width = choice.width;
  answer.rows = rows_of(std::move(near), request);
  return answer;
}

bool VectorLeg::enough(std::span<const Neighbour> near, const Request& request, std::size_t matching) const {
  const std::size_t owed = std::min(request.count, matching);
  std::size_t rows = near.size();  // at least one each
  for (std::size_t i = 0; i < near.size() && rows < owed; ++i) {
    for (std::uint32_t row = rows_[first_rows_[near[i].slot]].next; row != none; row = rows_[row].next) {
      rows += request.allowed == nullptr || request.allowed->test(row);
    }
  }
  return rows >= owed;
}

std::vector<ScoredRow> VectorLeg::rows_of(std::vector<Neighbour> near, const Request& request) const {
  // Of slots behind the first `count` no row is wanted, unless they tie.
  if (near.size() > request.count) {
    const auto last = near.begin() + static_cast<std::ptrdiff_t>(request.count) - 1;
    std::nth_element(near.begin(), last, near.end(), Nearer());
    const float bound = last->distance;
    std::erase_if(near, [bound](const Neighbour& one) { return one.distance > bound; });
  }
  std::vector<ScoredRow> out;
  for (const Neighbour& one : near) __builtin_prefetch(&rows_[first_rows_[one.slot]]);
  for (const Neighbour& one : near) {
    const double similarity = vectors_.similarity(one.distance);
    for (std::uint32_t row = first_rows_[one.slot]; row != none; row = rows_[row].next) {
      if (request.allowed == nullptr || request.allowed->test(row)) out.push_back({row, similarity});
    }
  }
  keep_best(out, request.count, request.before);
  return out;
}

bool VectorLeg::wants_sealing(bool all) const {
  const std::size_t waiting = vectors_.size() - linked();
  if (linked() == 0) return waiting >= options_.sealed_rows;
  return waiting > 0 &&
         (all || waiting >= std::max(options_.sealed_rows / waiting_part, linked() / extension_part));
}

std::optional<Sealing> VectorLeg::wanted_sealing(bool all) const {
  if (!wants_sealing(all)) return std::nullopt;
  const std::size_t waiting = vectors_.size() - linked();
  const std::size_t step = all ? waiting : std::max(step_slots, linked() / step_part);
  const GraphSize defaults = graph_size_for(vectors_.size());
  return Sealing{vectors_,
                 graph_,
                 calibration_,
                 linked() + std::min(waiting, step),
                 {options_.m > 0 ? options_.m
                  : graph_       ? static_cast<int>(graph_->parts().m)
                                 : defaults.m,
                  options_.ef_construction > 0 ? options_.ef_construction : defaults.ef_construction}};
}

void VectorLeg::adopt(Sealing built) {
  graph_ = std::move(built.graph);
  calibration_ = built.calibration;
}

VectorLeg VectorLeg::renumbered(std::span<const std::uint32_t> numbers, std::size_t rows) const {
  VectorLeg out(options_);
  out.vectors_ = vectors_;
  out.graph_ = graph_;
  out.calibration_ = calibration_;
  out.by_hash_ = by_hash_;
  out.first_rows_.assign(first_rows_.size(), none);
  out.rows_.resize(rows);
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    if (rows_[row].slot != none) out.attach(numbers[row], rows_[row].slot);
  }
  return out;
}

VectorLeg VectorLeg::without_dead_slots(const VectorLeg* base) const {
  VectorLeg out(options_);
  std::vector<float> values(vectors_.dimension());
  if (base != nullptr) {
    out.vectors_ = base->vectors_;
    out.by_hash_ = base->by_hash_;
    out.graph_ = base->graph_;
    out.calibration_ = base->calibration_;
    out.first_rows_.assign(base->first_rows_.size(), none);
  } else if (vectors_.has_signs()) {
    out.vectors_.set_mean({vectors_.mean().begin(), vectors_.mean().end()});
  }
  for (std::uint32_t slot = 0; slot < first_rows_.size(); ++slot) {
    if (first_rows_[slot] == none) continue;
    vectors_.decode(slot, values.data());
    const std::uint32_t copy = out.slot_for(values);
    for (std::uint32_t row = first_rows_[slot]; row != none; row = rows_[row].next) out.attach(row, copy);
  }
  return out;
}

void VectorLeg::write(BinaryWriter& out) const {
  out.put(vectors_.size());
  for (std::size_t i = 0; i < vectors_.size() / ChunkLayout::slots; ++i) out.put(vectors_.chunk_id(i));
  out.put_all(vectors_.mean());
  vectors_.write_last(out);
  out.put(calibration_);
  out.put_all(std::span<const Row>(rows_));
  out.put(by_hash_.used());
  out.put_all(by_hash_.entries());
}

void VectorLeg::read(BinaryReader& in, std::vector<std::shared_ptr<std::byte>> files,
                     std::shared_ptr<const Graph> graph) {
  const auto size = in.get<std::size_t>();
  in.require(files.size() == size / ChunkLayout::slots, "another number of vectors than its files");
  std::vector<VectorChunk> chunks;
  for (auto& file : files) chunks.push_back({std::move(file), in.get<std::uint64_t>()});
  const auto mean = in.get_all<float>();
  in.require(mean.empty() || mean.size() == vectors_.dimension(), "a mean of another dimension");
  const std::size_t rest = size % ChunkLayout::slots;
  if (rest > 0) chunks.push_back(vectors_.read_last(in, rest));
  vectors_.adopt(std::move(chunks), size, {mean.begin(), mean.end()});
  calibration_ = in.get<Calibration>();
  in.require(plausible(calibration_), "a calibration that cannot be");
  in.require(!graph || graph->size() <= size, "a graph of more vectors than there are");
  graph_ = std::move(graph);

  const auto rows = in.get_all<Row>();
  first_rows_.assign(size, none);
  rows_.resize(rows.size());
  for (std::uint32_t row = 0; row < rows.size(); ++row) {
    if (rows[row].slot == none) continue;
    in.require(rows[row].slot < size, "a vector outside its table");
    attach(row, rows[row].slot);
  }
  const auto used = in.get<std::size_t>();
  const auto entries = in.get_all<SlotTable::Entry>();
  const bool table =
      entries.empty() ? used == 0 : std::has_single_bit(entries.size()) && used <= entries.size() / 2;
  in.require(table, "a table of slots of an odd size");
  for (const SlotTable::Entry& entry : entries)
    in.require(entry.slot == SlotTable::none || entry.slot < size, "a slot outside its table");
  by_hash_.adopt({entries.begin(), entries.end()}, used);
}

std::size_t VectorLeg::bytes() const {
  return vectors_.bytes() + (graph_ ? graph_->bytes() : 0) + rows_.capacity() * sizeof(Row) +
         first_rows_.capacity() * sizeof(std::uint32_t) + by_hash_.bytes();
}

}  // namespace actionhist
