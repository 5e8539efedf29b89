// What effectiveness metrics cost and how far they can be trusted: a fleet of 60 days whose answers are known, refreshed
// as a whole and hour by hour, beside the plain query for counts and means; and by simulation how often the intervals
// hold the mean, and how often a trend is seen where none is.
// Usage: metrics [--actions N] [--resources N] [--draws N] [--postgres] [--folder DIR] [--json]. The file lies in DIR,
// the system's temporary folder if not given; with --postgres the fleet is on a server that this program starts.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <random>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <actionhist/actionhist.hpp>

#include "analysis/statistics.hpp"
#include "analysis/trend.hpp"
#include "program.hpp"
#include "report.hpp"
#include "support/postgres_server.hpp"

namespace {

using namespace actionhist;
using namespace std::chrono_literals;
using benchmark::median;
using benchmark::Report;

constexpr int days = 60;
constexpr int fall_day = 45;  // from here on the last type works less
const TimePoint first_day = parse_time("2026-01-05T00:00:00Z");

using Random = std::mt19937_64;

double uniform(Random& random) { return std::uniform_real_distribution<double>(0, 1)(random); }

// Scores as assessments have them: near 0 or near 1, some between.
double draw_score(Random& random, double mean) {
  const double near = uniform(random) < mean ? 1 - .2 * uniform(random) : .2 * uniform(random);
  return std::round(near * 1000) / 1000;
}
double true_mean(double mean) { return mean * .9 + (1 - mean) * .1; }

constexpr std::array<double, 8> type_means{.9, .8, .7, .6, .5, .4, .3, .8};

double mean_of(int type, int day) {
  return type + 1 == static_cast<int>(type_means.size()) && day >= fall_day
             ? .3
             : type_means[static_cast<std::size_t>(type)];
}

Action make_action(Random& random, TimePoint at, int resources) {
  const int resource = static_cast<int>(random() % static_cast<unsigned>(resources));
  const int type = static_cast<int>(random() % type_means.size());
  const int day = static_cast<int>((at - first_day) / 24h);
  Action action;
  action.action_timestamp = at;
  action.action_type = fmt::format("type_{}", type);
  action.alert_name = fmt::format("Alert{}", resource % 12);
  action.model_used = fmt::format("model-{}", resource % 3);
  action.resource = {.kind = resource % 5 == 0 ? "StatefulSet" : "Deployment",
                     .namespace_ = fmt::format("team-{}", resource % 10),
                     .name = fmt::format("service-{}", resource)};
  action.outcome.status = Status::completed;
  action.outcome.effectiveness_score = draw_score(random, mean_of(type, day));
  return action;
}

void record(History& history, Random& random, TimePoint begin, std::chrono::microseconds span, int actions,
            int resources) {
  std::vector<Action> batch;
  for (int i = 0; i < actions; ++i) {
    // span · i does not fit from 1.8 million actions in 60 days on.
    const auto since = span / actions * i + span % actions * i / actions;
    batch.push_back(make_action(random, begin + since, resources));
    if (batch.size() < 5000 && i + 1 < actions) continue;
    history.record(batch);
    batch.clear();
  }
}

double seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// What a user would ask the database without us.
class Plain {
 public:
  virtual ~Plain() = default;

  // Counts, means and deviations of all scopes and periods: the same groups that a refresh makes.
  double aggregate() {
    return seconds([&] {
      for (const char* scope : scopes) {
        for (const char* start : starts) {
          ask(fmt::format(
              "SELECT sum(n) + sum(mean) + sum(square) FROM (SELECT {} AS start, {} AS scope, "
              "action_type, count(*) AS n, avg(effectiveness_score) AS mean, "
              "avg(effectiveness_score * effectiveness_score) AS square FROM resource_action_traces "
              "WHERE effectiveness_score IS NOT NULL GROUP BY 1, 2, 3) AS groups",
              fmt::format(fmt::runtime(start), second()), scope));
        }
      }
    });
  }

  // One scan of the actions, by type alone.
  double scan() {
    return seconds([&] {
      ask("SELECT sum(n) + sum(mean) FROM (SELECT action_type, count(*) AS n, avg(effectiveness_score) AS mean "
          "FROM resource_action_traces WHERE effectiveness_score IS NOT NULL GROUP BY action_type) AS groups");
    });
  }

  // All metrics as one text.
  virtual std::string metrics() = 0;

  static constexpr std::array scopes{"''", "namespace", "kind", "alert_name", "model_used"};
  static constexpr std::array starts{"{} / 3600", "{} / 86400", "({} - 345600) / 604800", "{} / 2592000"};
  static constexpr double groupings = scopes.size() * starts.size();

 protected:
  // The first value of a query's first row.
  virtual std::string ask(const std::string& sql) = 0;
  // The time of an action in whole seconds.
  virtual const char* second() const = 0;
};

// A second connection to the file.
class PlainSqlite final : public Plain {
 public:
  explicit PlainSqlite(const std::string& path) {
    if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(db_));
  }
  ~PlainSqlite() override { sqlite3_close(db_); }
  PlainSqlite(const PlainSqlite&) = delete;
  PlainSqlite& operator=(const PlainSqlite&) = delete;

  std::string metrics() override {
    std::string text;
    run("SELECT * FROM action_effectiveness_metrics", [&](sqlite3_stmt* row) {
      for (int i = 0; i < sqlite3_column_count(row); ++i) text += value(row, i) + '\n';
    });
    return text;
  }

 private:
  std::string ask(const std::string& sql) override {
    std::string first;
    run(sql, [&](sqlite3_stmt* row) { first = value(row, 0); });
    return first;
  }
  const char* second() const override { return "action_timestamp / 1000000"; }

  static std::string value(sqlite3_stmt* row, int column) {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
  }

  void run(const std::string& sql, const std::function<void(sqlite3_stmt*)>& visit) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(db_));
    while (sqlite3_step(statement) == SQLITE_ROW) visit(statement);
    sqlite3_finalize(statement);
  }

  sqlite3* db_ = nullptr;
};

class PlainPostgres final : public Plain {
 public:
  // `server` must outlive it.
  PlainPostgres(const test::PostgresServer& server, std::string database)
      : server_(server), database_(std::move(database)) {}

  std::string metrics() override {
    return ask(
        "SELECT string_agg(m::text, ' ' ORDER BY metric_period, period_start, scope_type, scope_value, "
        "action_type) FROM action_effectiveness_metrics m");
  }

 private:
  std::string ask(const std::string& sql) override {
    return server_.run_sql("SET search_path = actionhist; " + sql, database_);
  }
  const char* second() const override { return "extract(epoch FROM action_timestamp)::bigint"; }

  const test::PostgresServer& server_;
  std::string database_;
};

// How many of the answers that are known from the making of the fleet come out.
void judge(Report& out, History& history) {
  int right = 0;
  int asked = 0;
  for (const EffectivenessMetric& metric : history.metrics(
           {.scope_type = MetricScope::global, .metric_period = MetricPeriod::day, .limit = 100'000})) {
    const int day = static_cast<int>((metric.period_start - first_day) / 24h);
    if (day >= days) continue;
    const double truth = true_mean(mean_of(metric.action_type.back() - '0', day));
    right += metric.confidence_interval_lower <= truth && truth <= metric.confidence_interval_upper;
    ++asked;
  }
  out.add("fleet", "daily_intervals_right", static_cast<double>(right) / asked, "share");
  int alarms = 0;
  bool first = false;
  for (const EffectivenessMetric& metric : history.metrics(
           {.scope_type = MetricScope::global, .metric_period = MetricPeriod::day, .limit = 100'000})) {
    if (!metric.alarm) continue;
    const auto day = (metric.period_start - first_day) / 24h;
    const bool fallen = day == fall_day && metric.action_type.back() == '7';
    first = first || fallen;
    alarms += !fallen;
  }
  out.add("fleet", "fall_seen_on_its_day", first, "1 = yes");
  out.add("fleet", "other_alarms", alarms, "of days and types");
}

void fleet(Report& out, History& history, Plain& plain, int actions, int resources) {
  Random random(1);
  const double recorded =
      seconds([&] { record(history, random, first_day, 24h * days, actions, resources); });
  out.add("fleet", "actions", actions, "actions");
  out.add("fleet", "recorded", actions / recorded, "1/s");
  history.refresh_metrics();
  judge(out, history);

  // An hour after the other of the day that follows.
  std::vector<double> increments;
  for (int hour = 0; hour < 24; ++hour) {
    record(history, random, first_day + 24h * days + 1h * hour, 1h, actions / (days * 24), resources);
    increments.push_back(seconds([&] { history.refresh_metrics(); }));
  }
  const std::string step_by_step = plain.metrics();
  std::vector<double> full;
  std::vector<double> aggregate;
  std::vector<double> scan;
  for (int round = 0; round < 3; ++round) {
    aggregate.push_back(plain.aggregate());
    scan.push_back(plain.scan());
    full.push_back(seconds([&] { history.refresh_metrics(true); }));
  }
  const double whole = median(full);
  out.add("fleet", "full_refresh_to_same_groups", whole, "s", median(aggregate), whole / median(aggregate));
  const double grouping = median(aggregate) / Plain::groupings;
  out.add("fleet", "full_refresh_to_one_grouping", whole, "s", grouping, whole / grouping);
  out.add("fleet", "full_refresh_to_one_scan", whole, "s", median(scan), whole / median(scan));
  const double increment = median(increments);
  out.add("fleet", "hour_to_full", increment, "s", whole, increment / whole);
  out.add("fleet", "same_bytes", step_by_step == plain.metrics(), "1 = yes");
}

void fleet_in_file(Report& out, const std::filesystem::path& parent, int actions, int resources) {
  const std::filesystem::path folder = parent / fmt::format("actionhist-metrics-{}", getpid());
  std::filesystem::create_directories(folder);
  try {
    const std::string path = (folder / "fleet.db").string();
    History history = open(path, {.semantic = false, .worker = false});
    PlainSqlite plain(path);
    fleet(out, history, plain, actions, resources);
  } catch (...) {
    std::filesystem::remove_all(folder);
    throw;
  }
  std::filesystem::remove_all(folder);
}

void fleet_on_server(Report& out, int actions, int resources) {
  test::PostgresServer server({.fsync = false, .settings = {"shared_buffers = 512MB"}});
  const std::string uri = test::fresh_database(server);
  History history = open(uri, {.tenant = "fleet", .semantic = false, .worker = false});
  PlainPostgres plain(server, test::database_of(uri));
  fleet(out, history, plain, actions, resources);
}

using Sample = std::function<double(Random&)>;

// The share of 95 % intervals that hold the true mean.
double coverage(const Sample& sample, double truth, int n, int draws, Random& random) {
  int held = 0;
  for (int i = 0; i < draws; ++i) {
    std::vector<double> scores;
    for (int j = 0; j < n; ++j) scores.push_back(sample(random));
    const Interval interval = score_interval(mean(scores), deviation(scores), n);
    held += interval.lower <= truth && truth <= interval.upper;
  }
  return static_cast<double>(held) / draws;
}

double false_trends(int n, int draws, Random& random) {
  int seen = 0;
  for (int i = 0; i < draws; ++i) {
    std::vector<double> scores;
    for (int j = 0; j < n; ++j) scores.push_back(draw_score(random, .7));
    const Trend trend = mann_kendall(scores);
    seen += trend.p < .05 && trend.direction != 0;
  }
  return static_cast<double>(seen) / draws;
}

void simulate(Report& out, int draws) {
  Random random(2);
  const auto square = [](Random& r) { return std::pow(uniform(r), 2); };
  const auto root = [](Random& r) { return std::sqrt(uniform(r)); };
  const auto assessed = [](Random& r) { return draw_score(r, .7); };
  for (const int n : {5, 10, 20}) {
    const auto add = [&](std::string_view name, const Sample& sample, double truth) {
      out.add("coverage", fmt::format("{}_n{}", name, n), coverage(sample, truth, n, draws, random), "share",
              .93);
    };
    add("even", uniform, .5);
    add("mostly_low", square, 1. / 3);
    add("mostly_high", root, 2. / 3);
    add("assessed", assessed, true_mean(.7));
  }
  for (const int n : {8, 12, 20, 50})
    out.add("false_trends", fmt::format("n{}", n), false_trends(n, draws, random), "share", .05);
}

}  // namespace

int main(int argc, char** argv) {
  int actions = 200'000;
  int resources = 10'000;
  int draws = 20'000;
  std::filesystem::path parent = std::filesystem::temp_directory_path();
  bool on_server = false;
  bool as_json = false;
  CLI::App app("What effectiveness metrics cost, and how far they can be trusted", "metrics");
  app.add_option("--actions", actions, "Actions of the fleet")->check(CLI::Range(1'440, 100'000'000));
  app.add_option("--resources", resources, "Resources of the fleet")->check(CLI::PositiveNumber);
  app.add_option("--draws", draws, "Samples of a simulation")->check(CLI::PositiveNumber);
  app.add_flag("--postgres", on_server, "The fleet is on a server instead of in a file");
  app.add_option("--folder", parent, "Where the file lies");
  app.add_flag("--json", as_json, "One line of JSON a figure");
  return benchmark::program(app, argc, argv, [&] {
    Report out("metrics", as_json);
    simulate(out, draws);
    on_server ? fleet_on_server(out, actions, resources) : fleet_in_file(out, parent, actions, resources);
  });
}
