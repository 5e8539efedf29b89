// What the PostgreSQL engine costs against bare libpq on the same server, which this program starts itself:
// one action against the same statement and against a bare INSERT, a batch against COPY BINARY, the feed
// against COPY out, the guard on against the guard off, and one statement against six. All sides take turns
// in one run; the median of the rounds counts. The server's data lie in memory where there is such a place,
// so that a commit costs no disk, or in a folder that is given, and then each commit waits for its disk. Beside the
// rate stands the processor time of a call, ours and the server's together, which other programs that run meanwhile
// change less.
// Usage: postgres [--rounds N] [--only TEXT] [--folder DIR] [--json]; TEXT is a part of the names of the wanted cases
#include <algorithm>
#include <functional>
#include <iostream>
#include <thread>

#include <CLI/CLI.hpp>

#include <actionhist/actionhist.hpp>

#include "bare_postgres.hpp"
#include "postgres/fresh_insert.hpp"
#include "postgres/trace_rows.hpp"
#include "processor_meter.hpp"
#include "report.hpp"
#include "sample_action.hpp"
#include "sql/trace_columns.hpp"
#include "support/postgres_server.hpp"

namespace {

using namespace actionhist;
using benchmark::BarePostgres;
using benchmark::median;
using benchmark::ProcessorMeter;
using benchmark::Report;
using postgres::Parameters;

const std::string tenant = "bench";

constexpr int resources = 10'000;
int serial = 0;

Action make_action(bool own_id) {
  const int i = serial++;
  Action action = benchmark::sample_action(i, resources);
  if (!own_id) action.action_id = "call-" + std::to_string(i);
  action.action_timestamp = std::chrono::floor<std::chrono::milliseconds>(system_now());
  // No two alike, so that the guard has nothing to refuse.
  action.action_type = "patch_step_" + std::to_string(i);
  action.action_parameters = Json::object({{"key", "timeout"}, {"value", i}});
  return action;
}

std::vector<Action> make_actions(int count, bool own_ids) {
  std::vector<Action> actions;
  for (int i = 0; i < count; ++i) actions.push_back(make_action(own_ids));
  return actions;
}

// The rows that actions become, without storing them.
std::vector<Trace> rows_of(const std::vector<Action>& actions) {
  return open("memory:", {.tenant = tenant, .semantic = false}).record(actions);
}

// Two sides that take turns, in changing order.
struct Pair {
  std::string name;
  std::function<void()> ours;
  std::function<void()> theirs;
};

class Benchmark {
 public:
  Benchmark(int rounds, std::string only, const std::string& folder, Report& report)
      : server_({.settings = {"max_connections = 100", "shared_buffers = 512MB"}, .parent = folder}),
        rounds_(rounds),
        only_(std::move(only)),
        report_(report) {
    for (int i = 0; i < most_clients; ++i) bare_.push_back(std::make_unique<BarePostgres>(uri_));
  }

  void run() {
    // Both sides only say what is new: a resource is described with the first action on it.
    history_.record(make_actions(resources, true));
    for (const int clients : {1, 4, 16}) {
      const int calls = clients == 1 ? 1000 : 4000;
      const std::string with = fmt::format("{} client{}", clients, clients == 1 ? "" : "s");
      compare({"one action / the same statements by libpq, " + with,
               [=, this] { return record(clients, calls, true); },
               [=, this] { return same_statements(clients, calls); }});
      compare({"the same statements through our connection / by libpq, " + with,
               [=, this] { through_connection(clients, calls); },
               [=, this] { same_statements(clients, calls); }});
      compare({"one action / bare INSERT, " + with, [=, this] { return record(clients, calls, true); },
               [=, this] { return bare_insert(clients, calls); }});
      compare({"one action with a caller's id / bare INSERT, " + with,
               [=, this] { return record(clients, calls, false); },
               [=, this] { return bare_insert(clients, calls); }});
    }
    compare({"one action / six round trips, 1 client", [this] { return record(1, 1000, true); },
             [this] { return six_round_trips(1000); }});
    for (const int clients : {1, 4, 16}) {
      const std::string with = fmt::format("{} client{}", clients, clients == 1 ? "" : "s");
      compare({"guarded / unguarded, each time another resource with 4 actions, " + with,
               [=, this] { return propose_cold(clients, 1000, 4); },
               [=, this] { return record(clients, 1000, true); }});
      compare({"guarded / unguarded, each time another resource with 25 actions, " + with,
               [=, this] { return propose_cold(clients, 200, 25); },
               [=, this] { return record(clients, 1000, true); }});
      compare({"guarded / unguarded, resource remembered, " + with,
               [=, this] { return propose_remembered(clients, 1000); },
               [=, this] { return record(clients, 1000, true); }});
      compare({"proposed and completed / recorded and completed, " + with,
               [=, this] { return complete(clients, 500, true); },
               [=, this] { return complete(clients, 500, false); }});
    }
    compare({"guarded, one hot resource, its first 250 actions / unguarded, 16 clients",
             [this] { return propose_hot(250); }, [this] { return record(16, 1000, true); }});
    compare({"guarded, one hot resource, 512 actions in its window / unguarded, 16 clients",
             [this] { return propose_full(512); }, [this] { return record(16, 1000, true); }});
    compare({"batch of 1000 / COPY BINARY into the table", [this] { return batches(); },
             [this] { return copy_in(); }});
    compare({"feed from the beginning / COPY BINARY out", [this] { return read_feed(); },
             [this] { return copy_feed(); }});
  }

 private:
  static constexpr int most_clients = 16;
  static constexpr int batch_rows = 1000;
  static constexpr int batch_count = 10;

  void compare(const Pair& pair) {
    if (pair.name.find(only_) == std::string::npos) return;
    struct Side {
      const std::function<void()>& run;
      std::vector<double> rates = {}, costs = {};
    };
    Side ours{pair.ours}, theirs{pair.theirs};
    std::vector<double> faster, cheaper;
    const auto run = [this](Side& side) {
      meter_.reset();
      side.run();
      side.rates.push_back(meter_.calls_a_second());
      side.costs.push_back(meter_.microseconds_a_call());
    };
    for (int round = 0; round < rounds_; ++round) {
      const bool first = round % 2 == 0;
      if (first) run(ours);
      run(theirs);
      if (!first) run(ours);
      faster.push_back(ours.rates.back() / theirs.rates.back());
      cheaper.push_back(theirs.costs.back() / ours.costs.back());
    }
    report_.add(pair.name, "rate", median(ours.rates), "1/s", median(theirs.rates), median(faster));
    report_.add(pair.name, "processor", median(ours.costs), "us", median(theirs.costs), median(cheaper));
  }

  // Measures `work(client, i)` for each of so many calls, shared by the clients.
  void measure(int clients, int calls, const std::function<void(int, int)>& work, double rows_a_call = 1) {
    meter_.start();
    std::vector<std::thread> threads;
    for (int c = 0; c < clients; ++c) {
      threads.emplace_back([&, c] {
        for (int i = c; i < calls; i += clients) work(c, i);
      });
    }
    for (std::thread& thread : threads) thread.join();
    meter_.stop(calls * rows_a_call);
  }

  void record(int clients, int calls, bool own_ids) {
    const auto actions = make_actions(calls, own_ids);
    measure(clients, calls, [&](int, int i) { history_.record(actions[static_cast<std::size_t>(i)]); });
  }

  void propose(int clients, std::vector<Action> actions) {
    for (Action& action : actions) action.action_timestamp.reset();
    measure(clients, static_cast<int>(actions.size()),
            [&](int, int i) { history_.propose(actions[static_cast<std::size_t>(i)]); });
  }

  // As many actions on so many resources that nobody has acted on.
  static std::vector<Action> on_new_resources(int count, int resources) {
    std::vector<Action> actions = make_actions(count, true);
    const int first = serial;
    for (int i = 0; i < count; ++i) {
      actions[static_cast<std::size_t>(i)].resource.name = fmt::format("new-{}-{}", first, i % resources);
    }
    return actions;
  }

  // Each time another resource, on which so many actions have just been recorded, so that nothing of it is remembered.
  void propose_cold(int clients, int calls, int recorded) {
    const auto actions = on_new_resources(calls * (recorded + 1), calls);
    history_.record(std::span(actions).first(actions.size() - static_cast<std::size_t>(calls)));
    propose(clients, {actions.end() - calls, actions.end()});
  }

  // The first proposal on each of 100 resources is not counted.
  void propose_remembered(int clients, int calls) {
    auto actions = on_new_resources(calls + 100, 100);
    for (int i = 0; i < 100; ++i) {
      Action first = actions[static_cast<std::size_t>(i)];
      first.action_timestamp.reset();
      history_.propose(first);
    }
    propose(clients, {actions.begin() + 100, actions.end()});
  }

  // What an agent does again and again: the next action on a resource comes after the outcome of the last.
  void complete(int clients, int calls, bool guarded) {
    const auto actions = on_new_resources(calls, 4 * clients);
    measure(clients, calls, [&](int, int i) {
      Action action = actions[static_cast<std::size_t>(i)];
      if (guarded) action.action_timestamp.reset();
      const std::string id =
          guarded ? history_.propose(action).trace->action_id : history_.record(action).action_id;
      history_.complete(id, {.status = Status::completed});
    });
  }

  // 16 agents on one resource, and then on the next.
  void propose_hot(int calls) {
    for (int resource = 0; resource < 4; ++resource) propose(16, on_new_resources(calls, 1));
  }

  void propose_full(int calls) {
    const auto on_hot = [&] {
      auto actions = make_actions(calls, true);
      for (Action& action : actions) action.resource.name = "hot";
      return actions;
    };
    if (!std::exchange(full_, true)) history_.record(on_hot());
    propose(16, on_hot());
  }

  // What the engine sends once it knows the resource.
  std::vector<std::vector<postgres::Call>> statements(int calls) {
    const std::vector<Trace> traces = rows_of(make_actions(calls, true));
    postgres::KnownResources known;
    const TimePoint server = bare_.front()->server_started_at();
    std::vector<std::vector<postgres::Call>> rows(traces.size());
    for (std::size_t i = 0; i < traces.size(); ++i) {
      const Trace* const row = &traces[i];
      known.add(*row, server);
      postgres::add_fresh_insert(rows[i], tenant, {&row, 1}, known);
    }
    return rows;
  }

  void same_statements(int clients, int calls) {
    const auto rows = statements(calls);
    measure(clients, calls, [&](int c, int i) {
      bare_[static_cast<std::size_t>(c)]->run(rows[static_cast<std::size_t>(i)]);
    });
  }

  // Without what comes before and after: checks, ids, parameters, the pool.
  void through_connection(int clients, int calls) {
    while (connections_.size() < static_cast<std::size_t>(clients)) {
      connections_.push_back(
          std::make_unique<postgres::Connection>(postgres::Target(uri_), PostgresOptions{}, tenant));
    }
    const auto rows = statements(calls);
    measure(clients, calls, [&](int c, int i) {
      connections_[static_cast<std::size_t>(c)]->run(rows[static_cast<std::size_t>(i)]);
    });
  }

  // Nothing but the row: no counter, no resource, no queue.
  void bare_insert(int clients, int calls) {
    const std::vector<Trace> traces = rows_of(make_actions(calls, true));
    std::vector<Parameters> rows;
    for (const Trace& trace : traces) rows.push_back(row_of(trace));
    measure(clients, calls, [&](int c, int i) {
      bare_[static_cast<std::size_t>(c)]->run(insert_row(), rows[static_cast<std::size_t>(i)]);
    });
  }

  static const std::string& insert_row() {
    static const std::string sql =
        fmt::format("INSERT INTO resource_action_traces (tenant_id, {}) SELECT $1, {}", sql::trace_columns(),
                    postgres::trace_values());
    return sql;
  }

  static Parameters row_of(const Trace& trace) {
    Parameters parameters(tenant);
    postgres::add_trace(parameters, trace);
    return parameters;
  }

  // As the project's first design did it: resource, history, their ids, the trace and the counter, each asked
  // for and waited for inside a transaction.
  void six_round_trips(int calls) {
    static const std::string begin = "BEGIN";
    static const std::string resource =
        "INSERT INTO resource_references (tenant_id, resource_id, cluster, api_group, api_version, kind, namespace, "
        "name, created_at, last_seen) VALUES ($1, $2, '', '', '', $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING";
    static const std::string history =
        "INSERT INTO action_histories (tenant_id, resource_id, created_at, updated_at) VALUES ($1, $2, $3, $3) "
        "ON CONFLICT DO NOTHING";
    static const std::string counter =
        "UPDATE action_histories SET total_actions = total_actions + 1, last_action_at = $3, updated_at = $3 "
        "WHERE tenant_id = $1 AND resource_id = $2";
    static const std::string commit = "COMMIT";
    const std::vector<Trace> traces = rows_of(make_actions(calls, true));
    measure(1, calls, [&](int, int i) {
      const Trace& trace = traces[static_cast<std::size_t>(i)];
      BarePostgres& bare = *bare_.front();
      bare.run(begin, {});
      bare.run(resource, Parameters(tenant, trace.resource_id, trace.resource.kind, trace.resource.namespace_,
                                    trace.resource.name, trace.time()));
      bare.run(history, Parameters(tenant, trace.resource_id, trace.time()));
      bare.run(insert_row(), row_of(trace));
      bare.run(counter, Parameters(tenant, trace.resource_id, trace.time()));
      bare.run(commit, {});
    });
  }

  void batches() {
    std::vector<std::vector<Action>> all;
    for (int i = 0; i < batch_count; ++i) all.push_back(make_actions(batch_rows, true));
    measure(
        1, batch_count, [&](int, int i) { history_.record(all[static_cast<std::size_t>(i)]); }, batch_rows);
  }

  // The rows of one batch, as the server itself writes them, loaded again and again under a fresh time.
  void copy_in() {
    BarePostgres& bare = *bare_.front();
    if (copied_.empty()) {
      history_.record(make_actions(batch_rows, true));
      copied_ = bare.copy_out(fmt::format(
          "COPY (SELECT tenant_id, {} FROM resource_action_traces WHERE tenant_id = 'bench' AND created_at "
          "> '-infinity' ORDER BY action_timestamp DESC LIMIT {}) TO STDOUT (FORMAT binary)",
          sql::trace_columns(), batch_rows));
      // Row-level security refuses COPY FROM: the owner of all copies.
      admin_ = std::make_unique<BarePostgres>(server_.superuser_uri(test::database_of(uri_)));
      admin_->execute(
          "CREATE TABLE copied (LIKE resource_action_traces INCLUDING ALL) PARTITION BY RANGE "
          "(action_timestamp)");
      admin_->execute("CREATE TABLE copied_all PARTITION OF copied FOR VALUES FROM (MINVALUE) TO (MAXVALUE)");
    }
    for (int i = 0; i < batch_count; ++i) {
      // The same ids go in again, so those before must be gone; that is not counted.
      admin_->execute("DELETE FROM copied");
      measure(
          1, 1,
          [&](int, int) {
            admin_->copy_in(
                fmt::format("COPY copied (tenant_id, {}) FROM STDIN (FORMAT binary)", sql::trace_columns()),
                copied_);
          },
          batch_rows);
    }
  }

  void fill_feed() {
    // What was recorded before is not part of it.
    BarePostgres& bare = *bare_.front();
    bare.execute("DELETE FROM embedding_queue");
    bare.execute(
        "INSERT INTO embedding_queue (tenant_id, subject_id, version, enqueued_at) SELECT 'bench', 'subject-' || i, 1, "
        "now() FROM generate_series(1, 20000) AS i");
    FeedStore& feed = history_.repository().feed();
    history_.repository().spaces().put("space", 384, system_now());
    for (auto queued = feed.queued(500); !queued.empty(); queued = feed.queued(500)) {
      std::vector<FeedSubject> subjects;
      std::vector<FeedEmbedding> embeddings;
      for (const QueuedSubject& row : queued) {
        FeedSubject& s = subjects.emplace_back();
        s.subject_id = row.subject_id;
        s.text =
            "Deployment prod/web: the container aborts at start because the ConfigMap holds an invalid key";
        s.content_hash = "hash of " + row.subject_id;
        s.fields = Json::object({{"kind", "Deployment"}, {"namespace", "prod"}, {"name", "web"}});
        FeedEmbedding& e = embeddings.emplace_back();
        e.subject_id = s.subject_id;
        e.space_id = "space";
        e.content_hash = s.content_hash;
        e.vector.assign(384, 0.05F);
      }
      feed.sequence(subjects, queued);
      feed.append(embeddings, queued);
    }
  }

  void read_feed() {
    if (history_.repository().feed().head().seq == 0) fill_feed();
    FeedStore& feed = history_.repository().feed();
    std::int64_t rows = 0;
    meter_.start();
    const std::int64_t last = feed.head().seq;
    for (std::int64_t after = 0; after < last;) {
      const FeedBatch batch = feed.read("space", {after}, 2000);
      rows += static_cast<std::int64_t>(batch.subjects.size() + batch.embeddings.size());
      after = batch.last.seq;
    }
    meter_.stop(static_cast<double>(rows));
  }

  void copy_feed() {
    if (history_.repository().feed().head().seq == 0) fill_feed();
    std::size_t rows = 0;
    meter_.start();
    for (const char* table : {"feed_subjects", "embeddings"}) {
      rows += bare_.front()
                  ->copy_out(fmt::format(
                      "COPY (SELECT * FROM {} WHERE tenant_id = 'bench') TO STDOUT (FORMAT binary)", table))
                  .size();
    }
    meter_.stop(static_cast<double>(rows));
  }

  test::PostgresServer server_;
  ProcessorMeter meter_{server_};
  const std::string uri_ = test::fresh_database(server_);
  History history_ = open(uri_, {.tenant = tenant, .semantic = false, .worker = false});
  std::vector<std::unique_ptr<BarePostgres>> bare_;
  std::vector<std::unique_ptr<postgres::Connection>> connections_;
  std::unique_ptr<BarePostgres> admin_;
  std::vector<std::string> copied_;
  bool full_ = false;  // the window of the hot resource
  int rounds_;
  std::string only_;
  Report& report_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures the PostgreSQL engine against bare libpq.", "postgres");
  int rounds = 5;
  std::string only, folder;
  bool json = false;
  app.add_option("--rounds", rounds, "how often the sides take turns")->check(CLI::PositiveNumber);
  app.add_option("--only", only, "a part of the names of the wanted cases");
  app.add_option("--folder", folder, "where the server's data are put; in memory if not given")
      ->check(CLI::ExistingDirectory);
  app.add_flag("--json", json, "one JSON object a line");
  CLI11_PARSE(app, argc, argv);
  try {
    Report report("postgres", json);
    Benchmark(rounds, only, folder, report).run();
  } catch (const std::exception& error) {
    std::cerr << "postgres: " << error.what() << '\n';
    return 1;
  }
}
