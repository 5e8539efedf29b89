// Ineffective loop: the same is tried again although it did not help. An exact cycle of R repeats has a
// confidence of 1 − 2^−R; n attempts without success have 1 − U, with U the upper Wilson bound of their
// rate of success. The surest rule of a resource speaks.
#include <algorithm>
#include <map>
#include <span>

#include "analysis/loops.hpp"
#include "analysis/wilson.hpp"

namespace actionhist {
namespace {

bool is_attempt(const Step& step) { return step.mutating && step.began(); }

// A call that failed with another result than the one before it came further.
bool came_further(const Step& last, const Step& step) {
  if (step.status != Status::failed) return false;
  const std::string& result = step.trace->outcome.result_hash;
  const std::string& before = last.trace->outcome.result_hash;
  return !result.empty() && !before.empty() && result != before;
}

Match chain_match(Steps run, std::size_t attempts) {
  Match match("ineffective-chain");
  match.confidence = confidence_of_failure(attempts);
  match.severity = attempts >= 4 ? Severity::high : Severity::medium;
  const auto mean = mean_score(run);
  if (attempts >= 5 && mean && *mean < .3) match.severity = Severity::critical;
  match.facts.member("attempts", attempts);
  match.steps = std::move(run);
  return match;
}

// Whether the proposal at the end of the steps may complete a chain: it needs so many attempts of its type right
// before it, none of which ended well.
bool may_complete_chain(Attempts& judged, const Steps& steps, std::size_t wanted) {
  std::size_t attempts = 0;
  for (auto step = steps.rbegin(); step != steps.rend() && attempts < wanted; ++step) {
    if (!is_attempt(**step)) continue;
    if (!(*step)->same_type(*steps.back())) return false;
    const Progress progress = judged.of(**step);
    if (progress == Progress::success || (progress == Progress::unknown && (*step)->ended())) return false;
    if (progress != Progress::unknown) ++attempts;
  }
  return attempts >= wanted;
}

// (b) Consecutive ineffective attempts of one type on one resource; their parameters may differ.
std::optional<Match> find_chain(const Window& window, Attempts& judged, const Steps& steps) {
  const auto wanted = static_cast<std::size_t>(window.pattern().min_occurrences);
  if (window.candidate() != nullptr && !may_complete_chain(judged, steps, wanted)) return std::nullopt;
  std::string_view type;
  Steps entries;
  std::size_t begin = 0;  // of the run at the end of `entries`
  std::size_t attempts = 0;
  std::span<const Step*> longest;
  std::size_t longest_attempts = 0;
  entries.reserve(steps.size());
  const auto restart = [&] {
    begin = entries.size();
    attempts = 0;
  };
  // What ended well, or at least without a sign of failure, ends the loop for good.
  const auto end_loop = [&] {
    restart();
    longest = {};
    longest_attempts = 0;
  };
  const auto keep_as_longest = [&] {
    longest = std::span(entries).subspan(begin);
    longest_attempts = attempts;
  };
  for (const Step* step : steps) {
    if (!is_attempt(*step)) continue;
    if (step->type->plain != type) {
      restart();
      type = step->type->plain;
    }
    const Progress progress = judged.of(*step);
    if (progress == Progress::success) {
      end_loop();
      continue;
    }
    if (progress == Progress::unknown) {
      // What still runs says nothing yet.
      if (step->ended()) end_loop();
      if (step->candidate && attempts >= wanted) {
        entries.push_back(step);
        keep_as_longest();
      }
      continue;
    }
    const bool first = begin == entries.size();
    if (progress == Progress::inconclusive && first) continue;
    if (!first && came_further(*entries.back(), *step)) restart();
    entries.push_back(step);
    if (++attempts >= longest_attempts) keep_as_longest();
  }
  if (longest_attempts < wanted) return std::nullopt;
  return chain_match({longest.begin(), longest.end()}, longest_attempts);
}

// (c) Attempts of any type for one alert on one resource, none of which helped.
std::optional<Match> find_safety_net(const Thresholds& thresholds, Attempts& judged, const Steps& steps) {
  Match match("safety-net");
  std::size_t attempts = 0;
  for (const Step* step : steps) {
    const Progress progress = judged.of(*step);
    if (progress == Progress::success) return std::nullopt;
    if (progress == Progress::unknown && !step->candidate) continue;
    if (progress != Progress::unknown) ++attempts;
    match.steps.push_back(step);
  }
  if (static_cast<double>(attempts) < thresholds.safety_net_attempts) return std::nullopt;
  const auto mean = mean_score(match.steps);
  match.confidence = confidence_of_failure(attempts);
  match.severity = mean && *mean < .3 ? Severity::critical : Severity::high;
  match.facts.member("attempts", attempts).member("alert", alert_key(*steps.front()->trace));
  return match;
}

// The strongest rule for each resource, and the names of all rules that hold for it.
class Strongest {
 public:
  explicit Strongest(const Window& window) : window_(window) {}

  void add(std::string_view resource, std::optional<Match> match) {
    if (!match || !answers(window_, *match)) return;
    Entry& entry = entries_[resource];
    entry.rules.push_back(match->sub_kind);
    keep_stronger(window_, entry.best, std::move(match));
  }

  void report_all(const Thresholds& thresholds, Finding& finding) {
    for (auto& [resource, entry] : entries_) {
      entry.best->facts.key("rules").begin_array();
      for (const std::string_view rule : entry.rules) entry.best->facts.value(rule);
      entry.best->facts.end_array();
      report(window_, thresholds, std::move(*entry.best), finding);
    }
  }

 private:
  struct Entry {
    std::optional<Match> best;
    std::vector<std::string_view> rules;
  };

  const Window& window_;
  std::map<std::string_view, Entry> entries_;
};

// The one resource of the steps, or nothing when there are several or it is not known.
std::string_view common_resource(const Steps& steps) {
  const auto elsewhere = [&](const Step* step) { return step->place != steps.front()->place; };
  return std::ranges::any_of(steps, elsewhere) ? std::string_view() : steps.front()->resource;
}

bool same_cause(const Step& a, const Step& b) {
  return a.place == b.place && a.trace->alert_fingerprint == b.trace->alert_fingerprint;
}

// A proposal can only continue the attempts for its own alert on its own resource.
bool may_continue(const Step* candidate, const Step& step) {
  return candidate == nullptr || same_cause(*candidate, step);
}

}  // namespace

void find_ineffective_loop(const Window& window, const Thresholds& thresholds, Finding& finding) {
  const auto wanted = static_cast<std::size_t>(window.pattern().min_occurrences);
  if (window.steps().size() < wanted) return;
  Attempts attempts(window, thresholds);
  Strongest strongest(window);
  if (auto cycle = find_exact_cycle(window, thresholds, attempts)) {
    const std::string_view resource = common_resource(cycle->steps);
    strongest.add(resource, std::move(cycle));
  }
  bool alerts_matter = false;
  for (const auto& [resource, steps] : window.judged_resources()) {
    if (steps.size() < wanted) continue;
    strongest.add(resource, find_chain(window, attempts, steps));
    strongest.add(resource, find_same_state(window, attempts, steps));
    strongest.add(resource, find_hash_chain(window, thresholds, attempts, steps));
    alerts_matter |= !steps.back()->trace->alert_fingerprint.empty();
  }
  std::map<std::pair<std::string_view, std::string_view>, Steps> by_alert;
  Steps* last = nullptr;
  for (const Step* step : window.steps()) {
    const std::string& fingerprint = step->trace->alert_fingerprint;
    if (!is_attempt(*step) || fingerprint.empty() || !may_continue(window.candidate(), *step)) continue;
    if (last == nullptr || !same_cause(*last->back(), *step)) last = &by_alert[{fingerprint, step->resource}];
    last->push_back(step);
  }
  for (const auto& [key, steps] : by_alert) {
    if (static_cast<double>(steps.size()) < thresholds.safety_net_attempts) continue;
    strongest.add(key.second, find_safety_net(thresholds, attempts, steps));
  }
  strongest.report_all(thresholds, finding);
  if (alerts_matter && !window.evidence().alerts_known && finding.detections.empty()) {
    not_evaluated(window, "whether the alert came back is not known without alert events", finding);
  }
}

}  // namespace actionhist
