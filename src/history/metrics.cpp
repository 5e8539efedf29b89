// Effectiveness by scope, type and period, kept up to date from what changed.
#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <thread>
#include <tuple>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "core/refuse.hpp"
#include "history/known_resource.hpp"
#include "history/metric_tables.hpp"
#include "history/state.hpp"
#include "history/validate.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

constexpr std::array periods{MetricPeriod::hour, MetricPeriod::day, MetricPeriod::week, MetricPeriod::month};
// Hours whose changes are worked off together.
constexpr int batch_hours = 10'000;
constexpr int most_of_resource = 10'000;  // as History::metrics() says
constexpr auto turn_time = 1min;
constexpr auto turn_check = 20ms;

// A period whose metrics have to be computed. In this order parts come before the whole.
struct Touched {
  TimePoint end;
  std::chrono::hours length;
  MetricPeriod period;

  TimePoint start() const { return end - length; }
  friend auto operator<=>(const Touched&, const Touched&) = default;
};
// Whether its scores changed, or only those of the period before, which it is compared with.
using Work = std::map<Touched, bool>;

// Adds the periods that the scores of an hour are in, and those after them.
void add_periods(Work& work, TimePoint hour) {
  for (const MetricPeriod period : periods) {
    const auto length = period_length(period);
    const TimePoint end = period_start(period, hour) + length;
    work[{end, length, period}] = true;
    work.try_emplace({end + length, length, period}, false);
  }
}

ScoredAction scored(const Trace& trace) {
  return {trace.time(),     trace.action_type, trace.resource.namespace_,         trace.resource.kind,
          trace.alert_name, trace.model_used,  *trace.outcome.effectiveness_score};
}

// Metrics that are computed and not yet stored. Each transaction waits for the disk, so several periods share one.
class Unwritten {
 public:
  explicit Unwritten(Repository& repository) : repository_(repository) {}

  bool enough() const { return rows_ >= 4000; }
  void add(MetricPeriod period, TimePoint start, std::vector<KeptMetric> metrics) {
    rows_ += metrics.size();
    periods_.push_back({period, start, std::move(metrics)});
  }
  void write() {
    repository_.transaction([&] {
      for (const Period& each : periods_)
        repository_.metrics().replace(each.period, each.start, each.metrics);
    });
    periods_.clear();
    rows_ = 0;
  }

 private:
  struct Period {
    MetricPeriod period;
    TimePoint start;
    std::vector<KeptMetric> metrics;
  };

  Repository& repository_;
  std::vector<Period> periods_;
  std::size_t rows_ = 0;
};

// Of two refreshes at once, one could put back what the other has just computed anew. So one has the turn, of all
// processes; one that dies, or stands still, loses it after a while.
class RefreshTurn {
 public:
  explicit RefreshTurn(Repository& repository)
      : learning_(repository.learning()), clock_(repository.clock()) {}
  ~RefreshTurn() {
    try {
      if (until_) learning_.lease(Duty::metrics, name_, clock_(), *until_ - turn_time);
    } catch (const std::exception&) {
      // It ends by itself.
    }
  }
  RefreshTurn(const RefreshTurn&) = delete;
  RefreshTurn& operator=(const RefreshTurn&) = delete;

  // Takes the turn, or holds on to it.
  bool mine() {
    const TimePoint now = clock_();
    if (until_ && now < *until_ - turn_time / 2) return true;
    until_.reset();
    if (learning_.lease(Duty::metrics, name_, now, now + turn_time)) until_ = now + turn_time;
    return until_.has_value();
  }

 private:
  LearningStore& learning_;
  Clock clock_;
  std::string name_ = uuid_v7(system_now());
  std::optional<TimePoint> until_;
};

// One resource has few actions: its metrics are made when they are asked for, and stored nowhere.
std::vector<EffectivenessMetric> metrics_of_resource(Repository& repository, const std::string& id,
                                                     const MetricQuery& query, TimePoint now) {
  std::vector<MetricPeriod> wanted(periods.begin(), periods.end());
  if (query.metric_period) wanted = {*query.metric_period};
  // Periods are read as a whole, and the one before the first too, which that is compared with.
  const TimePoint since = std::clamp(query.since.value_or(TimePoint{}), TimePoint{}, now);
  const TimePoint until = std::clamp(query.until.value_or(now), TimePoint{}, now);
  TimePoint first = since;
  TimePoint last = until;
  for (const MetricPeriod period : wanted) {
    first = std::min(first, period_start(period, since) - period_length(period));
    last = std::max(last, period_start(period, until) + period_length(period));
  }
  std::vector<ScoredAction> scores;
  for (const Trace& trace :
       repository.actions().recent({ScopeKind::resource, id}, first, last, most_of_resource)) {
    const bool counts = query.action_type.empty() || trace.action_type == query.action_type;
    if (counts && trace.outcome.effectiveness_score) scores.push_back(scored(trace));
  }
  std::vector<EffectivenessMetric> metrics;
  for (const MetricPeriod period : wanted)
    std::ranges::move(resource_metrics(period, id, scores), std::back_inserter(metrics));
  std::erase_if(metrics, [&](const EffectivenessMetric& metric) {
    return (query.since && metric.period_end <= *query.since) ||
           (query.until && metric.period_start >= *query.until);
  });
  const auto place = [](const EffectivenessMetric& m) { return std::tie(m.period_start, m.period_end); };
  std::ranges::stable_sort(metrics, std::greater(), place);
  if (metrics.size() > static_cast<std::size_t>(query.limit))
    metrics.resize(static_cast<std::size_t>(query.limit));
  return metrics;
}

}  // namespace

MetricRefresh History::refresh_metrics(bool full) {
  State& state = alive(state_);
  if (full) state.repository->metrics().mark_all_scored();
  for (;;) {
    if (const auto done = state.try_refresh_metrics()) return *done;
    std::this_thread::sleep_for(turn_check);
  }
}

std::optional<MetricRefresh> History::State::try_refresh_metrics() {
  Router::Call call(router, UseCase::effectiveness_metrics);
  RefreshTurn turn(*repository);
  MetricStore& store = repository->metrics();
  MetricRefresh done;
  for (;;) {
    if (!turn.mine()) return std::nullopt;
    const std::vector<ScoredHour> hours = store.scored_hours(batch_hours);
    if (hours.empty()) return done;
    Work work;
    for (const ScoredHour& marked : hours) add_periods(work, marked.hour);
    MetricTables tables(store);
    Unwritten unwritten(*repository);
    for (const auto& [touched, changed] : work) {
      if (!turn.mine()) return std::nullopt;
      if (unwritten.enough()) unwritten.write();
      const TimePoint start = touched.start();
      const MetricTable& now =
          changed ? tables.make(touched.period, start) : tables.of(touched.period, start);
      if (!changed && now.empty()) continue;
      auto metrics =
          metrics_of(touched.period, start, now, tables.of(touched.period, start - touched.length));
      ++done.periods;
      done.metrics += static_cast<std::int64_t>(metrics.size());
      unwritten.add(touched.period, start, std::move(metrics));
    }
    if (!turn.mine()) return std::nullopt;
    unwritten.write();
    // What changed meanwhile has a mark of its own, which stays.
    store.forget(hours);
    for (std::size_t i = 0; i < hours.size(); ++i) {
      if (i == 0 || hours[i].hour != hours[i - 1].hour) ++done.hours;
    }
  }
}

std::vector<EffectivenessMetric> History::metrics(const MetricQuery& query) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::effectiveness_metrics);
  require_between("limit", query.limit, 1, 100'000);
  const bool named = query.resource != Resource{};
  if (named && query.scope_type.value_or(MetricScope::resource) != MetricScope::resource)
    refuse("scope_type", fmt::format("\"{}\" is not that of a resource; leave out one of them",
                                     to_string(*query.scope_type)));
  if (named && !query.scope_value.empty())
    refuse("scope_value", "names what resource names; leave out one of them");
  std::vector<EffectivenessMetric> report;
  if (named || query.scope_type == MetricScope::resource) {
    const Resource resource = known_resource(*state.repository, query.resource);
    const std::string id =
        query.scope_value.empty() ? resource_id(state.repository->tenant(), resource) : query.scope_value;
    if (id.empty()) refuse("resource", "kind and name are required");
    report = metrics_of_resource(*state.repository, id, query, state.now());
  } else {
    report = state.repository->metrics().metrics(query);
  }
  adjust(report);
  return report;
}

std::vector<Trace> History::lease_assessments(std::string_view worker, int limit,
                                              std::chrono::seconds lease) {
  State& state = alive(state_);
  validate_id(worker, "worker");
  require_between("limit", limit, 1, 1000);
  require_between("lease_seconds", lease.count(), 1, 86'400);
  const TimePoint now = state.now();
  return state.repository->learning().lease_assessments(worker, now, now + lease, limit);
}

}  // namespace actionhist
