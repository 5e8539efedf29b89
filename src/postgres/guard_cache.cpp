#include "postgres/guard_cache.hpp"

#include <algorithm>

namespace actionhist::postgres {
namespace {

using namespace std::chrono_literals;

// A reading is not used for longer: it would keep more and more that no window holds any more.
constexpr auto longest_use = 30min;
constexpr std::size_t most_entries = 4'000;
constexpr std::size_t most_traces = 40'000;
// Proposals of others on the same scopes make for more than one lost race.
constexpr int skips_after_loss = 8;

template <class Row, class Wanted>
std::vector<Row> chosen(const std::vector<Row>& rows, Wanted wanted) {
  std::vector<Row> result;
  std::ranges::copy_if(rows, std::back_inserter(result), wanted);
  return result;
}

std::size_t count_of(const std::shared_ptr<GuardReading>& reading) {
  std::size_t count = 0;
  if (reading) {
    for (const auto& traces : reading->recent) count += traces.size();
  }
  return count;
}

}  // namespace

std::optional<GuardView> view_of(const GuardReading& reading, const GuardQuestion& question) {
  const bool reaches = question.now >= reading.now && question.now < reading.now + longest_use &&
                       question.window <= reading.window &&
                       question.now - question.baseline >= reading.watch->since;
  if (!reaches) return std::nullopt;
  GuardView view;
  bool acted = false;
  for (std::size_t i = 0; i < question.scopes.size(); ++i) {
    const auto since = [&](std::chrono::microseconds span) {
      return chosen(reading.recent[i], [&](const Trace& trace) {
        return trace.time() >= question.now - span && trace.time() <= question.now + 5min;
      });
    };
    std::vector<Trace>& recent = view.recent.emplace_back(since(question.window));
    if (question.busy(question.scopes[i], recent)) {
      if (!reading.usual) return std::nullopt;
      recent = since(question.baseline);
    }
    acted = acted || !recent.empty();
  }
  view.policy = reading.policy;
  view.patterns = reading.watch->patterns;
  view.in_force = chosen(reading.in_force, [&](const Detection& detection) {
    return detection.in_force_until && *detection.in_force_until > question.now;
  });
  const auto alerts = [&](std::chrono::microseconds span) {
    return chosen(reading.watch->alerts, [&](const Alert& alert) {
      return alert.starts_at >= question.now - span && alert.starts_at <= question.now;
    });
  };
  view.alerts = alerts(question.alerts);
  if (!view.alerts.empty() && acted) view.alerts = alerts(question.baseline);
  return view;
}

GuardCache::Turn GuardCache::take_turn(const std::vector<std::string>& scopes,
                                       std::chrono::milliseconds patience) {
  std::vector<std::size_t> places;
  for (const std::string& scope : scopes) places.push_back(std::hash<std::string>()(scope) % turns_.size());
  // In order and each once, or two threads might wait for each other.
  std::ranges::sort(places);
  const auto twice = std::ranges::unique(places);
  places.erase(twice.begin(), twice.end());
  // By the system's clock: ThreadSanitizer does not see the locks that are waited for by the steady one.
  const auto until = std::chrono::system_clock::now() + patience;
  Turn turn;
  for (const std::size_t place : places) turn.emplace_back(turns_[place], until);
  return turn;
}

bool GuardCache::promising(const std::string& key) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.to_skip == 0) return true;
  --found->second.to_skip;
  return false;
}

std::shared_ptr<const GuardReading> GuardCache::find(const std::string& key,
                                                     const std::vector<std::string>& scopes) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.reading) return nullptr;
  const GuardReading& reading = *found->second.reading;
  const bool same_watch = watch_ && watch_->version == reading.heads.watch;
  const bool same = same_watch && std::ranges::all_of(scopes, [&](const std::string& scope) {
                      const auto known = versions_.find(scope);
                      return known != versions_.end() && known->second == reading.heads.version(scope);
                    });
  return same ? found->second.reading : nullptr;
}

void GuardCache::make_room() {
  if (entries_.size() < most_entries && traces_ < most_traces) return;
  entries_.clear();
  versions_.clear();
  traces_ = 0;
}

std::shared_ptr<const GuardReading> GuardCache::put(const std::string& key,
                                                    const std::vector<std::string>& scopes,
                                                    GuardReading reading) {
  std::lock_guard lock(mutex_);
  make_room();
  for (const std::string& scope : scopes) versions_[scope] = reading.heads.version(scope);
  Entry& entry = entries_[key];
  traces_ -= count_of(entry.reading);
  entry.reading = std::make_shared<GuardReading>(std::move(reading));
  traces_ += count_of(entry.reading);
  return entry.reading;
}

void GuardCache::stored(const Premise& premise) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(premise.key);
  if (found == entries_.end() || !found->second.reading) return;
  std::shared_ptr<GuardReading>& reading = found->second.reading;
  // A decision that did not get its turn may have put another reading here.
  if (premise.scopes.empty() ||
      reading->heads.version(premise.scopes.front()) != premise.heads.version(premise.scopes.front())) {
    return;
  }
  traces_ -= count_of(reading);
  // The present one may be in use.
  if (reading.use_count() > 1) reading = std::make_shared<GuardReading>(*reading);
  reading->heads.move();
  const Trace& action = *premise.action;
  const auto earlier = [](const Trace& a, const Trace& b) {
    return std::pair(a.time(), std::string_view(a.action_id)) <
           std::pair(b.time(), std::string_view(b.action_id));
  };
  for (std::vector<Trace>& traces : reading->recent) {
    traces.insert(std::upper_bound(traces.begin(), traces.end(), action, earlier), action);
    if (traces.size() > premise.max_traces) traces.erase(traces.begin());
  }
  for (const std::string& scope : premise.scopes) versions_[scope] = reading->heads.version(scope);
  traces_ += count_of(reading);
}

void GuardCache::lost(const Premise& premise) {
  forget(premise.scopes);
  std::lock_guard lock(mutex_);
  entries_[premise.key].to_skip = skips_after_loss;
}

void GuardCache::forget(const std::vector<std::string>& scopes) {
  std::lock_guard lock(mutex_);
  for (const std::string& scope : scopes) versions_.erase(scope);
}

std::shared_ptr<const Watch> GuardCache::watch() const {
  std::lock_guard lock(mutex_);
  return watch_;
}

void GuardCache::put_watch(std::shared_ptr<const Watch> watch) {
  std::lock_guard lock(mutex_);
  watch_ = std::move(watch);
}

}  // namespace actionhist::postgres
