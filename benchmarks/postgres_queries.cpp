// How long the PostgreSQL engine takes for each form of a query over two years of actions, of which the tenant that
// asks has 60 %, with both sets of indexes, and how that grows with the number of actions; and for the latest 50 of a
// resource, against the same statement by hand over libpq, both taking turns: we are asked by kind and name, the
// statement by hand is given the resource's id. It starts a server of its own, whose data lie in memory where there is
// such a place.
// Usage: postgres_queries [--rows N,N,…] [--rounds N] [--json]; 100000,1000000 rows and 200 rounds if not given
#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <map>

#include <CLI/CLI.hpp>
#include <libpq-fe.h>

#include <actionhist/actionhist.hpp>

#include "postgres/parameters.hpp"
#include "report.hpp"
#include "sql/trace_columns.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"
#include "support/two_years.hpp"

namespace {

using namespace actionhist;
using namespace actionhist::test;
using benchmark::Report;
using postgres::Parameters;

// What a program asks for by hand: one prepared statement, binary both ways, planned for its parameters.
class ByHand {
 public:
  explicit ByHand(const std::string& uri) : connection_(PQconnectdb(uri.c_str()), PQfinish) {
    for (const char* sql : {"SET search_path = actionhist", "SET plan_cache_mode = force_custom_plan",
                            "SELECT set_config('actionhist.tenant', 'big', false)"}) {
      PQclear(PQexec(connection_.get(), sql));
    }
    const std::string text = "SELECT " + sql::trace_columns() +
                             " FROM resource_action_traces WHERE tenant_id = $1 AND resource_id = $2 AND "
                             "action_timestamp >= $3 ORDER BY action_timestamp DESC, action_id DESC LIMIT 50";
    PQclear(PQprepare(connection_.get(), "latest", text.c_str(), 0, nullptr));
  }

  int latest(const std::string& resource_id, TimePoint since) {
    const Parameters parameters("big", resource_id, since);
    const auto values = parameters.values();
    const std::vector<int> formats(parameters.size(), 1);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexecPrepared(connection_.get(), "latest", static_cast<int>(parameters.size()), values.data(),
                       parameters.lengths().data(), formats.data(), 1),
        PQclear);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
      throw std::runtime_error(PQerrorMessage(connection_.get()));
    return PQntuples(result.get());
  }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

double milliseconds_of(const std::function<std::size_t()>& ask) {
  const auto start = std::chrono::steady_clock::now();
  if (ask() == 0) throw std::runtime_error("a query of the benchmark has found nothing");
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double at(std::vector<double> times, double part) {
  std::ranges::sort(times);
  return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
}

struct Form {
  std::string name;
  std::function<std::size_t(History&, int round)> ask;
};

Resource web(int i) { return {.kind = "Deployment", .name = fmt::format("web-{}", i % 20 * 10)}; }
TimePoint days_ago(int days) { return noon - std::chrono::hours(24 * days); }

std::vector<Form> forms() {
  const auto count = [](History& h, ActionQuery query) { return h.history(query).traces.size(); };
  const auto where = [count](std::string json) {
    return [count, json](History& h, int) { return count(h, {.where = Json::parse(json)}); };
  };
  return {
      {"an action by its id",
       [](History& h, int i) { return std::size_t{h.get(fmt::format("a-{}", i * 10 + 10)).has_value()}; }},
      {"a resource, 30 days",
       [=](History& h, int i) { return count(h, {.resource = web(i), .since = days_ago(30)}); }},
      {"a resource, 365 days",
       [=](History& h, int i) { return count(h, {.resource = web(i), .since = days_ago(365)}); }},
      {"a correlation",
       [=](History& h, int i) { return count(h, {.correlation_id = fmt::format("c-{}", i + 1)}); }},
      {"the latest of the tenant", [=](History& h, int) { return count(h, {}); }},
      {"a day long ago",
       [=](History& h, int i) {
         return count(h, {.since = days_ago(400 + i % 100), .until = days_ago(399 + i % 100)});
       }},
      {"a rare action type", where(R"({"action_type": "drain_node"})")},
      {"a common action type", where(R"({"action_type": "restart_1"})")},
      {"a rare alert", where(R"({"alert_name": "RareAlert"})")},
      {"a rare model", where(R"({"model_used": "rare-model"})")},
      {"failed actions", where(R"({"execution_status": "failed"})")},
      {"low scores", where(R"({"effectiveness_score": {"$lt": 0.1}})")},
      {"long durations", where(R"({"execution_duration_ms": {"$gt": 800000}})")},
      {"a label", where(R"({"alert_labels.pod": "p-30"})")},
      {"a parameter and a type", where(R"({"action_parameters.replicas": 50, "action_type": "restart_2"})")},
      {"a rare word", [](History& h, int) { return h.similar({.text = "quorum"}).size(); }},
      {"a common word and a rare one",
       [](History& h, int) { return h.similar({.text = "memory quorum"}).size(); }},
  };
}

class Queries {
 public:
  Queries(Report& report, int rounds) : report_(report), rounds_(rounds) {}

  void run(PostgresServer& server, int rows) {
    const std::string uri = fresh_database(server);
    Options options{.tenant = "big", .semantic = false, .clock = FixedClock()};
    options.postgres.statement_timeout = std::chrono::minutes(10);
    open(uri, options);
    server.run_sql(two_years_of_traces(rows), database_of(uri));
    options.postgres.indexes = {IndexSet::search, IndexSet::analytics};
    History history = open(uri, options);
    server.run_sql("VACUUM ANALYZE", database_of(uri));
    for (const Form& form : forms()) {
      std::vector<double> times;
      for (int i = 0; i < rounds_; ++i)
        times.push_back(milliseconds_of([&] { return form.ask(history, i); }));
      const double p95 = at(times, .95);
      const auto [first, fresh] = first_.try_emplace(form.name, p95);
      // Growth: the p95 against that of the first number of rows.
      report_.add(fmt::format("{}, {} rows", form.name, rows), "p95", p95, "ms",
                  fresh ? std::nullopt : std::optional(first->second),
                  fresh ? std::nullopt : std::optional(p95 / first->second));
    }
    ByHand hand(uri);
    for (const int days : {30, 365}) {
      std::vector<double> ours, theirs;
      for (int i = 0; i < rounds_; ++i) {
        const Resource resource = web(i);
        theirs.push_back(milliseconds_of([&] {
          return static_cast<std::size_t>(hand.latest("r-" + resource.name.substr(4), days_ago(days)));
        }));
        ours.push_back(milliseconds_of(
            [&] { return history.history({.resource = resource, .since = days_ago(days)}).traces.size(); }));
      }
      report_.add(fmt::format("latest 50 of a resource in {} days, {} rows", days, rows), "median",
                  at(ours, .5), "ms", at(theirs, .5), at(ours, .5) / at(theirs, .5));
    }
  }

 private:
  Report& report_;
  int rounds_;
  std::map<std::string, double> first_;  // p95 at the first number of rows
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures queries of the PostgreSQL engine.", "postgres_queries");
  std::vector<int> rows = {100'000, 1'000'000};
  int rounds = 200;
  bool json = false;
  app.add_option("--rows", rows, "numbers of actions, one database each, with commas")->delimiter(',');
  app.add_option("--rounds", rounds, "how often each form is asked")->check(CLI::PositiveNumber);
  app.add_flag("--json", json, "one JSON object a line");
  CLI11_PARSE(app, argc, argv);
  try {
    Report report("postgres_queries", json);
    Queries queries(report, rounds);
    PostgresServer server(PostgresSetup{.fsync = false, .settings = {"shared_buffers = 256MB"}});
    for (const int count : rows) queries.run(server, count);
  } catch (const std::exception& error) {
    std::cerr << "postgres_queries: " << error.what() << '\n';
    return 1;
  }
}
