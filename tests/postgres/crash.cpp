// Clients, sessions and the server are killed while actions are written. What was acknowledged is there
// afterwards, once; what goes on living goes on by itself.
#include <catch2/catch.hpp>

#include <atomic>
#include <fstream>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include <sys/wait.h>

#include "support/acknowledged.hpp"
#include "support/effort.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

Options writer_options() {
  Options options{.tenant = "t", .semantic = false};
  options.postgres.pool_min = 0;
  options.postgres.pool_max = 2;
  options.postgres.retry_for = 120s;
  return options;
}

// Single actions, batches, proposals and outcomes, in turns. Returns the ids that the History has answered.
std::vector<std::string> write_one(History& history, const std::string& prefix, int i) {
  const std::string id = fmt::format("{}-{}", prefix, i);
  if (i % 4 == 0) {
    std::vector<Action> batch;
    std::vector<std::string> ids;
    for (int j = 0; j < 5; ++j) {
      ids.push_back(fmt::format("{}-{}", id, j));
      batch.push_back(restart(ids.back(), system_now()));
    }
    history.record(batch);
    return ids;
  }
  if (i % 4 == 1) {
    Action action = restart(id);
    action.action_timestamp.reset();
    action.resource.name = id;
    if (!history.propose(action).allowed()) throw std::runtime_error("refused");
  } else {
    history.record(restart(id, system_now()));
  }
  if (i % 4 == 2) history.complete(id, completed(.5));
  return {id};
}

void check_database(const std::string& uri, const std::set<std::string>& acknowledged) {
  History history = open(uri, writer_options());
  check_all_there(history, acknowledged);
  CHECK(history.repository().maintenance().verify() == std::vector<std::string>{});
}

// Threads that write until they are stopped, each with a History of its own.
class Writers {
 public:
  Writers(const std::string& uri, int count) {
    // Opening is repeated for connect_timeout only: who opens wants to know soon.
    for (int w = 0; w < count; ++w) histories_.push_back(open(uri, writer_options()));
    for (int w = 0; w < count; ++w) threads_.emplace_back([this, w] { write(w); });
  }
  ~Writers() { stop(); }

  void stop() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  std::size_t count() {
    std::lock_guard lock(mutex_);
    return acknowledged_.size();
  }
  // Waits until `more` further actions are acknowledged.
  void go_on(std::size_t more) {
    const std::size_t wanted = count() + more;
    const bool went_on = wait_until([&] { return count() >= wanted || !errors().empty(); }, 120s);
    REQUIRE(errors() == std::vector<std::string>{});
    REQUIRE(went_on);
  }
  std::vector<std::string> errors() {
    std::lock_guard lock(mutex_);
    return errors_;
  }
  const std::set<std::string>& acknowledged() const { return acknowledged_; }

 private:
  void write(int w) {
    History& history = histories_[static_cast<std::size_t>(w)];
    try {
      for (int i = 0; !stop_; ++i) {
        const auto ids = write_one(history, fmt::format("w{}", w), i);
        std::lock_guard lock(mutex_);
        acknowledged_.insert(ids.begin(), ids.end());
      }
    } catch (const std::exception& error) {
      std::lock_guard lock(mutex_);
      errors_.emplace_back(error.what());
    }
  }

  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::set<std::string> acknowledged_;  // guarded by mutex_
  std::vector<std::string> errors_;     // guarded by mutex_
  std::vector<History> histories_;      // each used by one thread
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("sessions that are ended while they write cost nothing and nobody an error", "[postgres][crash]") {
  const std::string uri = fresh_database(shared_server());
  open(uri, writer_options());
  Writers writers(uri, 4);
  for (int round = 0; round < effort(30); ++round) {
    writers.go_on(10);
    shared_server().run_sql(
        fmt::format("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                    "datname = '{}' AND pid <> pg_backend_pid()",
                    database_of(uri)));
  }
  writers.go_on(10);
  writers.stop();
  REQUIRE(writers.errors() == std::vector<std::string>{});
  check_database(uri, writers.acknowledged());
}

TEST_CASE("a server that crashes while they write loses nothing, and its clients go on",
          "[postgres][crash]") {
  PostgresServer server;
  const std::string uri = fresh_database(server);
  open(uri, writer_options());
  Writers writers(uri, 4);
  for (int round = 0; round < effort(4); ++round) {
    writers.go_on(20);
    if (round % 2 == 0) {
      server.stop(PostgresServer::Stop::immediate);
    } else {
      server.kill9();
    }
    server.start();
  }
  writers.go_on(20);
  writers.stop();
  REQUIRE(writers.errors() == std::vector<std::string>{});
  check_database(uri, writers.acknowledged());
}

TEST_CASE("clients that are killed while they write leave whole actions only", "[postgres][crash]") {
  const std::string uri = fresh_database(shared_server());
  open(uri, writer_options());
  TempFolder folder;
  std::mt19937 random(7);
  std::set<std::string> acknowledged;
  for (int round = 0; round < effort(15); ++round) {
    const std::string list = folder.file(std::to_string(round));
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      try {
        History history = open(uri, writer_options());
        std::ofstream out(list);
        for (int i = 0;; ++i) {
          for (const std::string& id : write_one(history, fmt::format("r{}", round), i)) out << id << "\n";
          out.flush();
        }
      } catch (const std::exception&) {
      }
      _exit(1);
    }
    wait_until([&] { return std::filesystem::exists(list) && std::filesystem::file_size(list) > 50; });
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 30));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    std::ifstream in(list);
    for (std::string id; std::getline(in, id) && !in.eof();) acknowledged.insert(id);
  }
  CHECK(acknowledged.size() > 15);
  check_database(uri, acknowledged);
}

TEST_CASE("a commit whose answer was lost is told as stored, and stored once", "[postgres][crash]") {
  const std::string uri = fresh_database(shared_server());
  History history = open(uri, writer_options());
  const Trace trace = history.record(restart("direct", parse_time("2026-03-10T12:00:00Z")));
  CHECK(trace.stored);
  // To the library a lost answer means that the same call runs again, after it has committed.
  CHECK(history.repository().actions().insert({&trace, 1}).front().stored);
  CHECK_FALSE(history.record(restart("direct", parse_time("2026-03-10T12:00:00Z"))).stored);
  CHECK(history.history({}).traces.size() == 1);
  CHECK(history.summaries().front().total_actions == 1);
}
