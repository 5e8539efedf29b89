// What recording costs on a file with synchronous=FULL, against bare SQLite: one action against a bare insert
// of the trace's row, and a batch of 1,000 against a hand-written loop over prepared statements that writes the
// same rows to the same tables. Both take turns in one run; the median of the rounds counts.
// Usage: embedded [--rounds N] [--json]
#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>

#include <sqlite3.h>
#include <unistd.h>

#include <actionhist/actionhist.hpp>

#include "core/trace_fields.hpp"
#include "report.hpp"
#include "sample_action.hpp"
#include "sql/placeholders.hpp"
#include "sql/trace_columns.hpp"
#include "sqlite/text_index.hpp"

namespace {

using namespace actionhist;
using benchmark::median;
using benchmark::Report;

constexpr int singles = 200;
constexpr int batch_rows = 1000;
constexpr int batches = 4;

Action make_action(const std::string& id, int i) {
  Action action = benchmark::sample_action(i, 100);
  action.action_id = id;
  action.action_timestamp = system_now();
  action.correlation_id = "incident-" + std::to_string(i / 10);
  action.resource_state_before = Json::object({{"timeout", "30x"}});
  return action;
}

void check(sqlite3* db, int code) {
  if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
    throw std::runtime_error(sqlite3_errmsg(db));
}

// A prepared statement as one writes it by hand.
class Statement {
 public:
  Statement(sqlite3* db, const std::string& sql) : db_(db) {
    check(db, sqlite3_prepare_v2(db, sql.c_str(), -1, &statement_, nullptr));
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(const std::string& text) {
    ++at_;
    if (text.empty()) return;
    sqlite3_bind_text(statement_, at_, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  void bind(const Json& json) { bind(json.text()); }
  void bind(std::int64_t number) { sqlite3_bind_int64(statement_, ++at_, number); }
  void bind(double number) { sqlite3_bind_double(statement_, ++at_, number); }
  void bind(TimePoint time) { bind(std::int64_t{time.time_since_epoch().count()}); }
  void bind(Status status) { bind_name(to_string(status)); }
  void bind(Effect effect) { bind_name(to_string(effect)); }
  template <class T>
  void bind(const std::optional<T>& value) {
    value ? bind(*value) : void(++at_);
  }
  void run() {
    check(db_, sqlite3_step(statement_));
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    at_ = 0;
  }

 private:
  void bind_name(std::string_view name) {
    sqlite3_bind_text(statement_, ++at_, name.data(), static_cast<int>(name.size()), SQLITE_STATIC);
  }
  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int at_ = 0;
};

// The floor: SQLite without us, on the same schema.
class BareSqlite {
 public:
  explicit BareSqlite(const std::string& path) {
    open_repository(path);
    sqlite3_open(path.c_str(), &db_);
    execute("PRAGMA journal_mode = WAL");
    execute("PRAGMA synchronous = FULL");
    trace_ = std::make_unique<Statement>(
        db_, sql::insert_into("resource_action_traces", sql::trace_columns(), sql::Dialect::sqlite));
    resource_ = std::make_unique<Statement>(
        db_,
        "INSERT INTO resource_references (tenant_id, resource_id, cluster, api_group, api_version, kind, "
        "namespace, name, created_at, last_seen) VALUES (?, ?, '', '', '', ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    history_ = std::make_unique<Statement>(
        db_,
        "INSERT INTO action_histories (tenant_id, resource_id, total_actions, last_action_at, created_at, "
        "updated_at) VALUES (?1, ?2, 1, ?3, ?4, ?4) ON CONFLICT DO UPDATE SET total_actions = total_actions + 1, "
        "last_action_at = max(last_action_at, excluded.last_action_at), updated_at = excluded.updated_at");
    queue_ = std::make_unique<Statement>(
        db_, "INSERT INTO embedding_queue (tenant_id, subject_id, version, enqueued_at) VALUES (?, ?, 1, ?)");
    text_ = std::make_unique<Statement>(
        db_, "INSERT INTO action_texts (tenant_id, action_id, words) VALUES (?, ?, ?)");
  }
  ~BareSqlite() {
    trace_.reset();
    resource_.reset();
    history_.reset();
    queue_.reset();
    text_.reset();
    sqlite3_close(db_);
  }
  BareSqlite(const BareSqlite&) = delete;
  BareSqlite& operator=(const BareSqlite&) = delete;

  void insert_trace(const Trace& trace) {
    trace_->bind(tenant_);
    visit_columns(trace, [&](std::string_view, const auto& member) { trace_->bind(member); });
    trace_->run();
  }

  void insert_all(const std::vector<Trace>& traces, bool texts = true) {
    execute("BEGIN IMMEDIATE");
    for (const Trace& trace : traces) {
      insert_trace(trace);
      resource_->bind(tenant_);
      resource_->bind(trace.resource_id);
      for (const std::string* text :
           {&trace.resource.kind, &trace.resource.namespace_, &trace.resource.name}) {
        resource_->bind(*text);
      }
      resource_->bind(trace.time());
      resource_->bind(trace.time());
      resource_->run();
      history_->bind(tenant_);
      history_->bind(trace.resource_id);
      history_->bind(trace.time());
      history_->bind(trace.created_at);
      history_->run();
      queue_->bind(tenant_);
      queue_->bind(trace.action_id);
      queue_->bind(trace.created_at);
      queue_->run();
      if (!texts) continue;
      const std::string words = sqlite::searchable_words(trace);
      text_->bind(tenant_);
      text_->bind(trace.action_id);
      text_->bind(words);
      text_->run();
    }
    if (texts) {
      execute(
          "INSERT INTO action_words (rowid, words) SELECT doc, words FROM action_texts WHERE doc > (SELECT "
          "indexed FROM action_words_head); UPDATE action_words_head SET indexed = (SELECT max(doc) FROM "
          "action_texts)");
    }
    execute("COMMIT");
  }

 private:
  void execute(const char* sql) { check(db_, sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }

  const std::string tenant_ = "default";
  sqlite3* db_ = nullptr;
  std::unique_ptr<Statement> trace_, resource_, history_, queue_, text_;
};

// Rows a second of `work`, which writes `rows` of them.
double rate(int rows, const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return rows / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::vector<Trace> as_stored(const std::vector<Action>& actions) {
  return open("memory:", {.semantic = false}).record(actions);
}

// One kind of History against the floor, taking turns.
void compare(const std::string& name, const Options& options, const std::filesystem::path& folder, int rounds,
             Report& report) {
  History history = open((folder / (name + ".db")).string(), options);
  BareSqlite bare((folder / (name + "-bare.db")).string());
  std::vector<double> ours_single, bare_single, ratio_single, ours_batch, bare_batch, ratio_batch;
  int serial = 0;
  const auto make = [&](int count, const std::string& prefix) {
    std::vector<Action> actions;
    for (int i = 0; i < count; ++i, ++serial)
      actions.push_back(make_action(prefix + std::to_string(serial), serial));
    return actions;
  };
  for (int round = 0; round < rounds; ++round) {
    const auto mine = make(singles, "s");
    const auto floor = as_stored(make(singles, "s"));
    ours_single.push_back(rate(singles, [&] {
      for (const Action& action : mine) history.record(action);
    }));
    bare_single.push_back(rate(singles, [&] {
      for (const Trace& trace : floor) bare.insert_trace(trace);
    }));
    ratio_single.push_back(ours_single.back() / bare_single.back());
    for (int i = 0; i < batches; ++i) {
      const auto my_batch = make(batch_rows, "b");
      const auto floor_batch = as_stored(make(batch_rows, "b"));
      ours_batch.push_back(rate(batch_rows, [&] { history.record(my_batch); }));
      bare_batch.push_back(rate(batch_rows, [&] { bare.insert_all(floor_batch); }));
      ratio_batch.push_back(ours_batch.back() / bare_batch.back());
    }
  }
  report.add(name + ", one action", "rate", median(ours_single), "rows/s", median(bare_single),
             median(ratio_single));
  report.add(name + ", batch of 1000", "rate", median(ours_batch), "rows/s", median(bare_batch),
             median(ratio_batch));
}

// What the text index costs: the floor with it against the floor without.
void compare_texts(const std::filesystem::path& folder, int rounds, Report& report) {
  BareSqlite with((folder / "with.db").string());
  BareSqlite without((folder / "without.db").string());
  std::vector<double> with_rates, without_rates, ratios;
  for (int round = 0; round < rounds * batches; ++round) {
    std::vector<Action> actions;
    for (int i = 0; i < batch_rows; ++i) {
      const int serial = round * batch_rows + i;
      actions.push_back(make_action("t" + std::to_string(serial), serial));
    }
    const std::vector<Trace> traces = as_stored(actions);
    with_rates.push_back(rate(batch_rows, [&] { with.insert_all(traces); }));
    without_rates.push_back(rate(batch_rows, [&] { without.insert_all(traces, false); }));
    ratios.push_back(with_rates.back() / without_rates.back());
  }
  report.add("text index, batch of 1000", "rate", median(with_rates), "rows/s", median(without_rates),
             median(ratios));
}

}  // namespace

int main(int argc, char** argv) {
  bool as_json = false;
  int rounds = 9;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json") {
      as_json = true;
    } else if (argument == "--rounds" && i + 1 < argc) {
      const std::string_view count = argv[++i];
      std::from_chars(count.data(), count.data() + count.size(), rounds);
    } else {
      std::cerr << "usage: embedded [--rounds N] [--json]\n";
      return 2;
    }
  }
  // Beside the build, because /tmp may be memory, where a sync costs nothing.
  std::string folder = (std::filesystem::current_path() / "bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    std::cerr << "embedded: cannot make a folder here\n";
    return 1;
  }
  try {
    Report report("embedded", as_json);
    compare("recording", {.semantic = false}, folder, rounds, report);
    compare("recording and indexing", {}, folder, rounds, report);
    compare_texts(folder, rounds, report);
  } catch (const std::exception& error) {
    std::cerr << "embedded: " << error.what() << '\n';
  }
  std::filesystem::remove_all(folder);
}
