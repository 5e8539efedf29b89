// Retention on a server whose clients are killed and whose sessions end: each action goes once, or stays.
#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <random>
#include <thread>

#include <sys/wait.h>

#include "support/effort.hpp"
#include "support/forwarding.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

Options options() {
  Options options{.tenant = "t", .semantic = false};
  options.postgres.pool_min = 0;
  options.postgres.retry_for = 120s;
  return options;
}

// A storage whose commits are not answered: each transaction runs again after it was committed.
class Unanswered final : public Forwarding {
 public:
  using Forwarding::Forwarding;

  void transaction(const std::function<void()>& work) override {
    inner_->transaction(work);
    again_ = true;
    inner_->transaction(work);
    again_ = false;
  }
  bool unanswered() const noexcept override { return again_; }

 private:
  bool again_ = false;
};

// Actions of a hundred days ago, and three of now that stay.
void fill(History& history, int count) {
  std::vector<Action> actions;
  for (int i = 0; i < count; ++i) {
    actions.push_back(restart(fmt::format("old-{}", i), system_now() - 2400h + std::chrono::minutes(i)));
  }
  for (int i = 0; i < 3; ++i) actions.push_back(restart(fmt::format("new-{}", i), system_now()));
  history.record(actions);
  history.set_retention_policy(RetentionPolicy{
      .max_age = std::chrono::days(30), .strategy = RetentionStrategy::oldest_first, .compact = true});
}

std::int64_t compacted(History& history) {
  std::int64_t sum = 0;
  for (const CompactedActions& row :
       history.compacted({.kind = "Deployment", .namespace_ = "prod", .name = "web"})) {
    sum += row.actions;
  }
  return sum;
}

void check_all_gone(History& history, int count) {
  CHECK(history.history({.limit = 10'000}).traces.size() == 3);
  CHECK(compacted(history) == count);
  CHECK(history.summaries().front().total_actions == 3);
  CHECK(history.repository().maintenance().verify() == std::vector<std::string>{});
  for (const int i : {0, count / 2, count - 1}) {
    const auto again = [&] { history.record(restart(fmt::format("old-{}", i), system_now())); };
    CHECK(error_code_of(again) == ErrorCode::conflict);
  }
}

}  // namespace

TEST_CASE("an erasure whose commit was not answered is told as one", "[postgres][retention]") {
  const std::string uri = fresh_database(shared_server());
  History history(std::make_unique<Unanswered>(open_repository(uri, options())), options());
  history.record(restart("a", system_now()));
  CHECK(history.erase("a"));
  CHECK_FALSE(history.erase("a"));
  CHECK_FALSE(history.get("a"));
  CHECK(history.repository().maintenance().verify() == std::vector<std::string>{});
}

TEST_CASE("retention whose sessions end between its transactions removes each action once",
          "[postgres][retention]") {
  const std::string uri = fresh_database(shared_server());
  History history = open(uri, options());
  const int count = effort(60);
  fill(history, count);
  int ended = 0;
  RetentionRequest request{.batch = 7};
  request.progress = [&](const RetentionProgress&) {
    ++ended;
    shared_server().run_sql(
        fmt::format("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND pid <> "
                    "pg_backend_pid()",
                    database_of(uri)));
  };
  const RetentionRun run = history.apply_retention(request);
  CHECK(run.removed == count);
  CHECK(ended > 1);
  REQUIRE(run.operations.size() == 1);
  CHECK(run.operations[0].operation_status == "completed");
  CHECK(run.operations[0].records_deleted == count);
  check_all_gone(history, count);
}

TEST_CASE("retention that a crash of the server interrupts goes on when it is back",
          "[postgres][retention]") {
  PostgresServer server;
  const std::string uri = server.superuser_uri();
  History history = open(uri, options());
  const int count = effort(60);
  fill(history, count);
  RetentionRequest slowly{.batch = 1};
  std::atomic<int> transactions{0};
  slowly.progress = [&](const RetentionProgress&) { ++transactions; };
  // In another thread, because the server ends with the one that has started it.
  std::future<RetentionRun> run =
      std::async(std::launch::async, [&] { return history.apply_retention(slowly); });
  for (int crash = 0; crash < 3; ++crash) {
    const int before = transactions;
    wait_until([&] { return transactions > before + 3 || run.wait_for(0s) == std::future_status::ready; });
    if (crash % 2 == 0) {
      server.kill9();
    } else {
      server.stop(PostgresServer::Stop::immediate);
    }
    server.start();
  }
  CHECK(run.get().removed == count);
  check_all_gone(history, count);
}

TEST_CASE("retention counts what went once and wholly, though no commit is answered at first",
          "[postgres][retention]") {
  const std::string uri = fresh_database(shared_server());
  History history(std::make_unique<Unanswered>(open_repository(uri, options())), options());
  const int count = 25;
  fill(history, count);
  const RetentionRun run = history.apply_retention({.batch = 10});
  CHECK(run.removed == count);
  REQUIRE(run.operations.size() == 1);
  CHECK(run.operations[0].records_deleted == count);
  CHECK(run.operations[0].records_archived == count);
  CHECK(history.retention_operations().at(0).records_after == 3);
  check_all_gone(history, count);
}

TEST_CASE("retention whose process is killed leaves whole batches, and another run goes on",
          "[postgres][retention]") {
  const std::string uri = fresh_database(shared_server());
  const int count = effort(150);
  {
    History history = open(uri, options());
    fill(history, count);
  }
  const auto left = [](History& history) {
    return static_cast<int>(history.history({.limit = 10'000}).traces.size());
  };
  std::mt19937 random(5);
  int killed = 0;
  for (int round = 0; round < 4; ++round) {
    // No History is open here, as one whose child opens another must have it.
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      try {
        RetentionRequest slowly{.batch = 1};
        slowly.progress = [](const RetentionProgress&) { std::this_thread::sleep_for(30ms); };
        open(uri, options()).apply_retention(slowly);
      } catch (const std::exception&) {
        _exit(1);
      }
      _exit(0);
    }
    History history = open(uri, options());
    const int before = left(history);
    wait_until([&] { return left(history) < before || before == 3; });
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 20));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    killed += WIFSIGNALED(status) ? 1 : 0;
    // Its session ends a moment later, perhaps with a commit.
    CHECK(wait_until([&] {
      return shared_server().run_sql(
                 fmt::format("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND pid <> "
                             "pg_backend_pid() AND state <> 'idle'",
                             database_of(uri))) == "0";
    }));
    // What is gone has been counted, to the last action.
    CHECK(compacted(history) + left(history) == count + 3);
    CHECK(history.repository().maintenance().verify() == std::vector<std::string>{});
  }
  CHECK(killed > 0);
  History history = open(uri, options());
  history.apply_retention();
  check_all_gone(history, count);
}
