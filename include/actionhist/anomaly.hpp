// Runs of actions that did not go as such runs usually go. Plain values, and the model behind them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <actionhist/json.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

// The step of a sequence that was least to be expected.
struct Surprise {
  double nats = 0;           // −ln of its probability
  std::size_t position = 0;  // of the step; the sequence's size if it is its end
};

// Which step follows which, as it was in a history of sequences: a Markov chain of order 1 with additive
// smoothing, whose sequences also begin and end. A model does not change; any thread may use it at once.
class SequenceModel {
 public:
  // The smoothing is added to each count. REQUIRES: smoothing > 0.
  explicit SequenceModel(std::span<const std::vector<std::string>> history, double smoothing = .1);

  // The greatest surprise of the sequence; that it ends counts only if it has `ended`. 0 for an empty one that
  // has not.
  Surprise surprise(std::span<const std::string> sequence, bool ended = true) const;

  // What this share of the history does not exceed; infinite without history. REQUIRES: 0 < quantile <= 1.
  double threshold(double quantile = .99) const;

  std::size_t size() const { return surprises_.size(); }  // sequences of the history

 private:
  double nats(int from, int to) const;
  int id_of(const std::string& step) const;

  double smoothing_;
  std::unordered_map<std::string, int> ids_;
  std::unordered_map<std::uint64_t, double> pairs_;  // how often a step followed another
  std::vector<double> follows_;                      // how often any step followed this one
  std::vector<double> surprises_;                    // of the history, sorted
};

// Which runs to judge. A run is all actions of one correlation, or of one session if they have none.
struct AnomalyQuery {
  std::optional<TimePoint> as_of;  // the clock if absent; later actions are not seen
  std::optional<TimePoint> since;  // runs with an action since then; 24 hours before `as_of` if absent
  int history_days = 30;           // 1 to 366: runs before `since` say what is usual
  Json where;                      // which actions count, as in ActionQuery
  double quantile = .99;  // of the usual surprises: what exceeds it is an anomaly; above 0, at most 1
  int limit = 50;         // 1 to 1,000
};

struct Anomaly {
  std::string scope;      // "correlation:…" or "session:…"
  double surprise = 0;    // of the least expected step, in nats
  double threshold = 0;   // that it exceeds
  std::string previous;   // the action type before that step, "begin" if it was the first
  std::string step;       // the action type, "end" if the run ended too early
  std::string action_id;  // of that step; of the last one for "end"
  std::int64_t actions = 0;
  TimePoint first_at{};
  TimePoint last_at{};
  std::string reason;  // one sentence for people
};

struct Anomalies {
  std::vector<Anomaly> runs;  // most surprising first
  std::int64_t judged = 0;    // runs
  std::int64_t history = 0;   // runs that said what is usual
  bool enough = false;        // at least 20 of them; otherwise nothing is called an anomaly
  std::optional<double> threshold;
  bool complete =
      true;  // false: there were more actions than are read at once (100,000), the oldest are missing
};

std::string to_json(const Anomaly& anomaly);
std::string to_json(const Anomalies& anomalies);
// {"as_of", "since", "history_days", "where", "quantile", "limit"}
// Throws Error: invalid_argument, naming the field.
AnomalyQuery parse_anomaly_query(std::string_view json);

}  // namespace actionhist
