// The scores of actions of one scope, type and period in a form that can be kept and put together: those of the
// hours of a day make the day's, those of its days a week's or a month's. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/significance.hpp"

namespace actionhist {

class ScoreSummary {
 public:
  // So many scores are kept one by one; of more, how often each thousandth was seen.
  static constexpr std::size_t most_single = 512;
  // Scores from here on are successes.
  static constexpr double success = .6;

  // Scores that follow each other: of an hour of a day or week, of a day of a month.
  struct Run {
    std::int64_t count = 0;
    std::int64_t successes = 0;
    double mean = 0;
    double squares = 0;  // Σ (score − mean)²

    friend bool operator==(const Run&, const Run&) = default;
  };

  ScoreSummary() = default;
  // One run, or of more than most_single 128 of nearly equal length. REQUIRES: not empty; in order of time.
  explicit ScoreSummary(std::vector<double> scores);

  // Puts together what follows in time. `as_one`: each part becomes one run. REQUIRES: no part is empty.
  static ScoreSummary join(std::span<const ScoreSummary* const> parts, bool as_one);

  // What is kept in the database; from other bytes than encoded() made, or made by another version, nothing.
  std::string encoded() const;
  static std::optional<ScoreSummary> decode(std::string_view bytes);

  std::int64_t count() const { return total_.count; }
  std::int64_t successes() const { return total_.successes; }
  double mean() const { return total_.mean; }
  double median() const;
  double deviation() const;  // of the sample; 0 for fewer than two

  // One by one in order of time; empty for more than most_single.
  std::span<const double> scores() const { return scores_; }
  bool single() const { return !scores_.empty(); }
  // By score, to the thousandth unless `exact`. REQUIRES: for `exact`, single().
  std::vector<ScoreCount> counts(bool exact) const;
  std::span<const Run> runs() const { return runs_; }
  // What a trend is taken over: the scores; of more than 128 the means of so many groups of nearly equal length; of
  // more than most_single those of the runs.
  std::vector<double> steps() const;

  friend bool operator==(const ScoreSummary&, const ScoreSummary&) = default;

 private:
  void add_up();

  Run total_;              // of all
  std::vector<Run> runs_;  // in order of time, of all scores
  std::vector<double> scores_;
  std::vector<double> sorted_;              // scores_, for their middle and for comparisons
  std::vector<std::uint32_t> thousandths_;  // how often each was seen, if scores_ is empty
};

}  // namespace actionhist
