#include "postgres/guard_cache.hpp"

#include <algorithm>
#include <utility>

namespace actionhist::postgres {
namespace {

using namespace std::chrono_literals;

// A reading is not used for longer: it would keep more and more that no window holds any more.
constexpr auto longest_use = 30min;
constexpr std::size_t most_entries = 20'000;
constexpr std::size_t most_traces = 40'000;
// Proposals of others on the same scopes make for more than one lost race.
constexpr int skips_after_loss = 8;

// Takes out what no decision looks at.
void keep_judged(std::vector<RecentTrace>& recent, int most) {
  if (recent.size() <= static_cast<std::size_t>(most)) return;
  const auto newest = recent.end() - most;
  auto more = judged_before({newest, recent.end()}, most);
  // From the newest of the older ones on, so that those that stay are the newest that mutate.
  auto kept = newest;
  for (auto each = newest; each != recent.begin() && more > 0;) {
    if (!(--each)->mutating()) continue;
    if (--kept != each) *kept = std::move(*each);
    --more;
  }
  recent.erase(recent.begin(), kept);
}

// The actions of a reading in the span before `now` that a decision looks at. They share the reading where they can.
SharedRows<RecentTrace> newest(const std::shared_ptr<const ScopeReading>& reading,
                               const GuardQuestion& question, std::chrono::microseconds span) {
  const std::vector<RecentTrace>& all = reading->recent;
  const auto first = std::ranges::lower_bound(all, question.now - span, {}, &RecentTrace::time);
  const auto last = std::ranges::upper_bound(first, all.end(), question.now + 5min, {}, &RecentTrace::time);
  const auto count = std::min<std::ptrdiff_t>(last - first, question.max_traces);
  const std::span newest(last - count, last);
  const std::span older(first, last - count);
  if (older.empty() || judged_before(newest, question.max_traces) == 0) return {reading, newest};
  std::vector<RecentTrace> judged(first, last);
  keep_judged(judged, question.max_traces);
  return SharedRows(std::move(judged));
}

SharedRows<Alert> alerts_of(const std::shared_ptr<const Watch>& watch, TimePoint since, TimePoint until) {
  const auto first = std::ranges::lower_bound(watch->alerts, since, {}, &Alert::starts_at);
  const auto last = std::ranges::upper_bound(first, watch->alerts.end(), until, {}, &Alert::starts_at);
  return {watch, std::span(first, last)};
}

// As ResourceStore::earlier_alerts gives them.
EarlierAlerts earlier_of(const Watch& watch, const EarlierAlertQuery& query) {
  EarlierAlerts earlier;
  for (const std::string& fingerprint : query.fingerprints) {
    const auto known = watch.firings.find(fingerprint);
    if (known == watch.firings.end()) continue;
    const auto first = std::ranges::lower_bound(known->second, query.since, {}, &Alert::starts_at);
    const auto end = std::ranges::lower_bound(first, known->second.end(), query.until, {}, &Alert::starts_at);
    if (first == end) continue;
    const Alert& last = **std::prev(end);
    EarlierFirings& firings = earlier.firings.emplace_back();
    firings.fingerprint = fingerprint;
    firings.resource = last.resource;
    firings.firings = end - first;
    firings.last_starts_at = last.starts_at;
    firings.last_ends_at = last.ends_at;
    for (const Alert* const alert : std::span(first, end))
      firings.latest_end = std::max(firings.latest_end, alert->ends_at);
  }
  if (query.namespaces.empty()) return earlier;
  const auto first = std::ranges::lower_bound(watch.alerts, query.since, {}, &Alert::starts_at);
  const auto end = std::ranges::lower_bound(watch.alerts, query.until, {}, &Alert::starts_at);
  for (const std::string& name : query.namespaces) {
    const bool critical = std::any_of(first, end, [&](const Alert& alert) {
      return alert.severity == "critical" && alert.resource.namespace_ == name;
    });
    if (critical) earlier.critical_namespaces.push_back(name);
  }
  return earlier;
}

}  // namespace

int judged_before(std::span<const RecentTrace> newest, int most) {
  if (newest.size() < static_cast<std::size_t>(most)) return 0;
  return most - static_cast<int>(std::ranges::count_if(newest, &RecentTrace::mutating));
}

bool ScopeReading::reaches(const Scope& scope, const GuardQuestion& question) const {
  if (question.now < now || question.now >= now + longest_use || question.window > window) return false;
  return usual || !question.busy(scope, recent);
}

std::optional<GuardView> view_of(const ScopeReadings& readings, const std::shared_ptr<const Watch>& watch,
                                 const GuardQuestion& question) {
  if (question.now - std::max(question.baseline, question.alerts) < watch->since) return std::nullopt;
  GuardView view;
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const ScopeReading& reading = *readings[i];
    SharedRows<RecentTrace>& recent =
        view.recent.emplace_back(newest(readings[i], question, question.window));
    if (question.busy(question.scopes[i], recent)) {
      recent = newest(readings[i], question, question.baseline);
    }
    if (question.scopes[i].kind == ScopeKind::resource) view.policy = reading.policy;
    std::ranges::copy_if(reading.in_force, std::back_inserter(view.in_force),
                         [&](const Detection& detection) {
                           return detection.in_force_until && *detection.in_force_until > question.now;
                         });
  }
  // In the order in which the database gives them.
  std::ranges::stable_sort(view.in_force, {}, [](const Detection& detection) {
    return std::tie(detection.as_of, detection.scope, detection.pattern_id, detection.detection_id);
  });
  view.patterns = {watch, watch->patterns};
  view.alerts = alerts_of(watch, question.now - question.alerts, question.now);
  if (question.asks_earlier(view)) view.earlier = earlier_of(*watch, question.earlier(view));
  return view;
}

GuardCache::Turn GuardCache::take_turn(const std::vector<std::string>& scopes,
                                       std::chrono::milliseconds patience) {
  std::vector<std::size_t> places;
  for (const std::string& scope : scopes) places.push_back(std::hash<std::string>()(scope) % turns_.size());
  // In order and each once, or two threads might wait for each other.
  std::ranges::sort(places);
  places.erase(std::unique(places.begin(), places.end()), places.end());
  // By the system's clock: ThreadSanitizer does not see the locks that are waited for by the steady one.
  const auto until = std::chrono::system_clock::now() + patience;
  Turn turn;
  for (const std::size_t place : places) turn.emplace_back(turns_[place], until);
  return turn;
}

const GuardCache::Entry* GuardCache::known(std::string_view scope) const {
  const auto place = places_.find(scope);
  return place == places_.end() ? nullptr : &*place->second;
}

GuardCache::Entry* GuardCache::known(std::string_view scope) {
  return const_cast<Entry*>(std::as_const(*this).known(scope));
}

ScopeReading& GuardCache::own(Entry& entry) {
  if (entry.reading.use_count() > 1) entry.reading = std::make_shared<ScopeReading>(*entry.reading);
  return *entry.reading;
}

GuardCache::Entry& GuardCache::entry(const std::string& scope) {
  if (const auto place = places_.find(scope); place != places_.end()) {
    entries_.splice(entries_.begin(), entries_, place->second);
  } else {
    entries_.push_front({scope, nullptr, 0});
    places_.emplace(entries_.front().scope, entries_.begin());
  }
  return entries_.front();
}

void GuardCache::drop(Entry& entry) {
  if (entry.reading) traces_ -= entry.reading->recent.size();
  entry.reading.reset();
}

void GuardCache::make_room() {
  while (entries_.size() > 1 && (entries_.size() > most_entries || traces_ > most_traces)) {
    drop(entries_.back());
    places_.erase(entries_.back().scope);
    entries_.pop_back();
  }
}

bool GuardCache::promising(const std::vector<std::string>& scopes) {
  std::lock_guard lock(mutex_);
  bool promising = true;
  for (const std::string& scope : scopes) {
    Entry* const entry = known(scope);
    if (!entry || entry->to_skip == 0) continue;
    --entry->to_skip;
    promising = false;
  }
  return promising;
}

std::shared_ptr<const ScopeReading> GuardCache::find(const std::string& scope) {
  std::lock_guard lock(mutex_);
  return known(scope) ? entry(scope).reading : nullptr;
}

std::shared_ptr<const ScopeReading> GuardCache::put(const std::string& scope, ScopeReading reading) {
  auto shared = std::make_shared<ScopeReading>(std::move(reading));
  std::lock_guard lock(mutex_);
  Entry& entry = this->entry(scope);
  drop(entry);
  entry.reading = shared;
  traces_ += shared->recent.size();
  make_room();
  return shared;
}

void GuardCache::expect(const Premise& premise) {
  const RecentTrace& action = *premise.action;
  const auto earlier = [](const RecentTrace& a, const RecentTrace& b) {
    return std::pair(a.time(), std::string_view(a.action_id())) <
           std::pair(b.time(), std::string_view(b.action_id()));
  };
  std::lock_guard lock(mutex_);
  for (const std::string& scope : premise.scopes) {
    Entry* const entry = known(scope);
    if (!entry || !entry->reading) continue;
    // A decision that did not get its turn may have put another reading here.
    if (entry->reading->version != premise.heads.version(scope)) {
      drop(*entry);
      continue;
    }
    ScopeReading& reading = own(*entry);
    ++reading.version;
    std::vector<RecentTrace>& traces = reading.recent;
    traces.insert(std::upper_bound(traces.begin(), traces.end(), action, earlier), action);
    ++traces_;
    // All at once, because those that stay have to move.
    if (traces.size() >= 3 * premise.max_traces) {
      traces_ -= traces.size();
      keep_judged(traces, static_cast<int>(premise.max_traces));
      traces_ += traces.size();
    }
  }
  make_room();
}

std::vector<std::optional<std::int64_t>> GuardCache::versions(const std::vector<std::string>& scopes) const {
  std::lock_guard lock(mutex_);
  std::vector<std::optional<std::int64_t>> versions;
  for (const std::string& scope : scopes) {
    const Entry* const entry = known(scope);
    versions.push_back(entry && entry->reading ? std::optional(entry->reading->version) : std::nullopt);
  }
  return versions;
}

void GuardCache::change(const Trace& action, const std::vector<std::string>& scopes,
                        const std::vector<std::optional<std::int64_t>>& before) {
  const RecentTrace changed(action);
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    Entry* const entry = known(scopes[i]);
    if (!entry || !entry->reading) continue;
    if (entry->reading->version != before[i]) {
      drop(*entry);
      continue;
    }
    ScopeReading& reading = own(*entry);
    ++reading.version;
    const auto place = std::ranges::find(reading.recent, action.action_id, &RecentTrace::action_id);
    if (place != reading.recent.end()) *place = changed;
  }
}

void GuardCache::lost(const std::vector<std::string>& scopes) {
  std::lock_guard lock(mutex_);
  for (const std::string& scope : scopes) {
    Entry& entry = this->entry(scope);
    drop(entry);
    entry.to_skip = skips_after_loss;
  }
}

void GuardCache::forget(const std::vector<std::string>& scopes) {
  std::lock_guard lock(mutex_);
  for (const std::string& scope : scopes) {
    if (Entry* const entry = known(scope)) drop(*entry);
  }
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
