#include "analysis/score_summary.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <numeric>

#include "analysis/statistics.hpp"

namespace actionhist {
namespace {

constexpr std::size_t groups = 128;
constexpr int resolution = 1000;
constexpr char version = 1;  // of the bytes; others are made anew

std::size_t thousandth(double score) {
  return static_cast<std::size_t>(std::lround(std::clamp(score, 0., 1.) * resolution));
}

ScoreSummary::Run run_of(std::span<const double> scores) {
  ScoreSummary::Run run;
  run.count = static_cast<std::int64_t>(scores.size());
  run.mean = mean(scores);
  for (const double score : scores) {
    run.successes += score >= ScoreSummary::success;
    run.squares += (score - run.mean) * (score - run.mean);
  }
  return run;
}

// Groups of nearly equal length. REQUIRES: at least as many scores.
std::vector<ScoreSummary::Run> grouped(std::span<const double> scores) {
  std::vector<ScoreSummary::Run> runs;
  for (std::size_t i = 0; i < groups; ++i) {
    const std::size_t first = scores.size() * i / groups;
    const std::size_t last = scores.size() * (i + 1) / groups;
    runs.push_back(run_of(scores.subspan(first, last - first)));
  }
  return runs;
}

// Chan, Golub and LeVeque (1979).
ScoreSummary::Run sum_of(std::span<const ScoreSummary::Run> runs) {
  ScoreSummary::Run all;
  double sum = 0;
  for (const ScoreSummary::Run& run : runs) {
    all.count += run.count;
    all.successes += run.successes;
    sum += static_cast<double>(run.count) * run.mean;
  }
  all.mean = sum / static_cast<double>(all.count);
  for (const ScoreSummary::Run& run : runs) {
    all.squares +=
        run.squares + static_cast<double>(run.count) * (run.mean - all.mean) * (run.mean - all.mean);
  }
  return all;
}

// Bytes that mean the same on every machine: LEB128 for counts, little-endian for doubles.
void put(std::string& bytes, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(number | 0x80);
  bytes += static_cast<char>(number);
}

void put(std::string& bytes, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(bits >> shift);
}

// Reads what put() wrote; what is not there is 0, and noticed.
struct Input {
  std::string_view bytes;
  bool good = true;

  unsigned char byte() {
    good = good && !bytes.empty();
    if (!good) return 0;
    const auto first = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    return first;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint64_t part = byte();
      value |= (part & 0x7f) << shift;
      if (part < 0x80) break;
    }
    return value;
  }
  double real() {
    std::uint64_t bits = 0;
    for (int shift = 0; shift < 64; shift += 8) bits |= static_cast<std::uint64_t>(byte()) << shift;
    return std::bit_cast<double>(bits);
  }
  // How many follow, each of at least so many bytes.
  std::size_t count(std::size_t least) {
    const std::uint64_t value = number();
    good = good && value <= bytes.size() / least;
    return good ? static_cast<std::size_t>(value) : 0;
  }
};

}  // namespace

ScoreSummary::ScoreSummary(std::vector<double> scores) {
  assert(!scores.empty());
  if (scores.size() <= most_single) {
    runs_.push_back(run_of(scores));
    scores_ = std::move(scores);
  } else {
    runs_ = grouped(scores);
    thousandths_.resize(resolution + 1);
    for (const double score : scores) ++thousandths_[thousandth(score)];
  }
  add_up();
}

ScoreSummary ScoreSummary::join(std::span<const ScoreSummary* const> parts, bool as_one) {
  ScoreSummary joined;
  std::int64_t count = 0;
  for (const ScoreSummary* part : parts) {
    count += part->count();
    if (as_one) {
      joined.runs_.push_back(part->total_);
    } else {
      joined.runs_.insert(joined.runs_.end(), part->runs_.begin(), part->runs_.end());
    }
  }
  const bool single = count <= static_cast<std::int64_t>(most_single);
  if (!single) joined.thousandths_.resize(resolution + 1);
  for (const ScoreSummary* part : parts) {
    if (single) {
      joined.scores_.insert(joined.scores_.end(), part->scores_.begin(), part->scores_.end());
      continue;
    }
    for (const double score : part->scores_) ++joined.thousandths_[thousandth(score)];
    for (std::size_t i = 0; i < part->thousandths_.size(); ++i)
      joined.thousandths_[i] += part->thousandths_[i];
  }
  joined.add_up();
  return joined;
}

// The same scores give the same figures, whatever they were put together from.
void ScoreSummary::add_up() {
  total_ = single() ? run_of(scores_) : sum_of(runs_);
  sorted_ = scores_;
  std::ranges::sort(sorted_);
}

std::string ScoreSummary::encoded() const {
  std::string bytes(1, version);
  put(bytes, std::uint64_t{scores_.size()});
  for (const double score : scores_) put(bytes, score);
  if (!single()) {
    const auto kinds = std::ranges::count_if(thousandths_, [](std::uint32_t seen) { return seen != 0; });
    put(bytes, static_cast<std::uint64_t>(kinds));
    std::size_t previous = 0;
    for (std::size_t i = 0; i < thousandths_.size(); ++i) {
      if (thousandths_[i] == 0) continue;
      put(bytes, std::uint64_t{i - previous});
      put(bytes, std::uint64_t{thousandths_[i]});
      previous = i;
    }
  }
  // A single run is that of the scores.
  const bool implied = single() && runs_.size() == 1;
  put(bytes, std::uint64_t{implied ? 0 : runs_.size()});
  for (const Run& run : implied ? std::span<const Run>() : std::span(runs_)) {
    put(bytes, static_cast<std::uint64_t>(run.count));
    put(bytes, static_cast<std::uint64_t>(run.successes));
    put(bytes, run.mean);
    put(bytes, run.squares);
  }
  return bytes;
}

std::optional<ScoreSummary> ScoreSummary::decode(std::string_view bytes) {
  Input input{bytes};
  if (input.byte() != version) return std::nullopt;
  ScoreSummary summary;
  summary.scores_.resize(input.count(sizeof(double)));
  for (double& score : summary.scores_) score = input.real();
  if (!summary.single()) {
    summary.thousandths_.resize(resolution + 1);
    std::uint64_t at = 0;
    for (std::size_t left = input.count(2); left > 0; --left) {
      at += input.number();
      if (at >= summary.thousandths_.size()) return std::nullopt;
      summary.thousandths_[at] = static_cast<std::uint32_t>(input.number());
    }
  }
  summary.runs_.resize(input.count(2 + 2 * sizeof(double)));
  for (Run& run : summary.runs_) {
    run.count = static_cast<std::int64_t>(input.number());
    run.successes = static_cast<std::int64_t>(input.number());
    run.mean = input.real();
    run.squares = input.real();
  }
  if (summary.runs_.empty() && summary.single()) summary.runs_.push_back(run_of(summary.scores_));
  if (!input.good || !input.bytes.empty() || summary.runs_.empty()) return std::nullopt;
  std::int64_t in_runs = 0;
  for (const Run& run : summary.runs_) in_runs += run.count;
  const auto kept = summary.single() ? static_cast<std::int64_t>(summary.scores_.size())
                                     : std::accumulate(summary.thousandths_.begin(),
                                                       summary.thousandths_.end(), std::int64_t{0});
  if (in_runs != kept) return std::nullopt;
  summary.add_up();
  return summary;
}

double ScoreSummary::median() const {
  if (single()) return (sorted_[(sorted_.size() - 1) / 2] + sorted_[sorted_.size() / 2]) / 2;
  const auto score_at = [&](std::int64_t rank) {
    std::size_t i = 0;
    for (; rank >= thousandths_[i]; ++i) rank -= thousandths_[i];
    return static_cast<double>(i) / resolution;
  };
  return (score_at((count() - 1) / 2) + score_at(count() / 2)) / 2;
}

double ScoreSummary::deviation() const {
  return count() < 2 ? 0 : std::sqrt(total_.squares / static_cast<double>(count() - 1));
}

std::vector<double> ScoreSummary::steps() const {
  if (single() && scores_.size() <= groups) return scores_;
  std::vector<double> means;
  for (const Run& run : single() ? grouped(scores_) : runs_) means.push_back(run.mean);
  return means;
}

std::vector<ScoreCount> ScoreSummary::counts(bool exact) const {
  std::vector<ScoreCount> counts;
  if (!single()) {
    for (std::size_t i = 0; i < thousandths_.size(); ++i) {
      if (thousandths_[i] != 0) counts.push_back({static_cast<double>(i) / resolution, thousandths_[i]});
    }
    return counts;
  }
  counts.reserve(sorted_.size());
  for (const double each : sorted_) {
    const double score = exact ? each : static_cast<double>(thousandth(each)) / resolution;
    if (counts.empty() || counts.back().score != score) counts.push_back({score, 0});
    ++counts.back().count;
  }
  return counts;
}

}  // namespace actionhist
