// Several processes on one file, killed writers, and a fork: with real processes.
#include <catch2/catch.hpp>

#include <atomic>
#include <random>
#include <set>
#include <thread>

#include <poll.h>

#include "sqlite/repository.hpp"
#include "support/acknowledged.hpp"
#include "support/children.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

constexpr int rounds = 200;

struct Race {
  std::atomic<int> arrived[rounds]{};
  std::atomic<int> allowed[rounds]{};
};

void set_budget(const std::string& path, int actions) {
  History history = open(path, {.semantic = false});
  for (Pattern pattern : history.patterns()) {
    if (pattern.pattern_type != PatternType::action_budget) continue;
    pattern.active = true;
    pattern.min_occurrences = actions;
    history.put_pattern(pattern);
  }
}

}  // namespace

TEST_CASE("with a budget of three, exactly three of many proposals pass, however many processes ask",
          "[process]") {
  const int processes = GENERATE(2, 8);
  const int proposals = 8 / processes + 1;
  TempFolder folder;
  const std::string path = folder.file("h.db");
  set_budget(path, 3);
  Shared<Race> race;
  std::vector<pid_t> children;
  for (int p = 0; p < processes; ++p) {
    children.push_back(spawn([&] {
      History history = open(path, {.semantic = false, .busy_timeout = 60s});
      for (int round = 0; round < rounds; ++round) {
        ++race->arrived[round];
        while (race->arrived[round] < processes) std::this_thread::yield();
        for (int i = 0; i < proposals; ++i) {
          Action action = restart({});
          action.action_timestamp.reset();
          action.resource.name = "web-" + std::to_string(round);
          if (history.propose(action).allowed()) ++race->allowed[round];
        }
      }
    }));
  }
  for (const pid_t child : children) CHECK(wait_for(child) == 0);
  int wrong = 0;
  for (int round = 0; round < rounds; ++round) wrong += race->allowed[round] == 3 ? 0 : 1;
  CHECK(wrong == 0);
  CHECK(open(path, {.semantic = false}).history({.limit = 10'000}).traces.size() == 3 * rounds);
}

TEST_CASE("every acknowledged action survives kill -9, none is there twice, and the index catches up",
          "[process]") {
  TempFolder folder;
  const std::string path = folder.file("h.db");
  open(path, {.semantic = false});
  std::mt19937 random(7);
  std::set<std::string> acknowledged;
  for (int round = 0; round < 200; ++round) {
    int pipe_ends[2];
    REQUIRE(pipe(pipe_ends) == 0);
    const pid_t writer = spawn([&] {
      close(pipe_ends[0]);
      History history = open(path);
      for (int i = 0;; ++i) {
        const std::string id = "r" + std::to_string(round) + "-" + std::to_string(i);
        std::string acks = id + "\n";
        if (i % 3 == 0) {
          std::vector<Action> batch;
          for (int j = 0; j < 5; ++j) {
            batch.push_back(restart(id + "-" + std::to_string(j), system_now()));
            acks += batch.back().action_id + "\n";
          }
          batch.push_back(restart(id, system_now()));
          history.record(batch);
        } else {
          history.record(restart(id, system_now()));
          history.complete(id, completed(0.5));
        }
        if (write(pipe_ends[1], acks.data(), acks.size()) < 0) return;
      }
    });
    close(pipe_ends[1]);
    // Every other writer is killed wherever it is; the rest have stored something, however slow the machine.
    if (round % 2 == 0) {
      pollfd first{pipe_ends[0], POLLIN, 0};
      CHECK(poll(&first, 1, 60'000) == 1);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10 + random() % 40));
    kill(writer, SIGKILL);
    CHECK(wait_for(writer) == 128 + SIGKILL);
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = read(pipe_ends[0], buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(n));
    close(pipe_ends[0]);
    for (std::size_t at = 0, end; (end = text.find('\n', at)) != text.npos; at = end + 1) {
      acknowledged.insert(text.substr(at, end - at));
    }
  }
  History history = open(path);
  CHECK(acknowledged.size() > 200);
  const std::size_t stored = check_all_there(history, acknowledged);
  CHECK(history.repository().maintenance().verify().empty());
  REQUIRE(history.wait_indexed(120s));
  CHECK(history.health().index.rows == stored);
  CHECK(history.health().index.vectors == stored);
}

TEST_CASE("retention that is killed again and again loses nothing that it must keep, and ends", "[process]") {
  TempFolder folder;
  const std::string path = folder.file("h.db");
  constexpr int actions = 3000;
  constexpr int kept = 100;
  {
    History history = open(path, {.semantic = false});
    std::vector<Action> batch;
    for (int i = 0; i < actions; ++i) {
      batch.push_back(restart("a-" + std::to_string(i), system_now() - std::chrono::hours(actions - i + 24)));
      batch.back().outcome = completed(.5);
    }
    history.record(batch);
    history.set_retention_policy(
        RetentionPolicy{.max_actions = kept, .strategy = RetentionStrategy::oldest_first, .compact = true});
  }
  const auto left = [&] { return open(path, {.semantic = false}).summaries().at(0).total_actions; };
  std::mt19937 random(7);
  int killed = 0;
  while (left() > kept) {
    const pid_t child = spawn([&] { open(path, {.semantic = false}).apply_retention({.batch = 10}); });
    std::this_thread::sleep_for(std::chrono::milliseconds(15 + random() % 40));
    kill(child, SIGKILL);
    const int status = wait_for(child);
    if (status != 0) {
      CHECK(status == 128 + SIGKILL);
      ++killed;
    }
    // Each round lets a run go on undisturbed when kills came too early to get anywhere.
    if (killed > 200) break;
  }
  if (left() > kept) open(path, {.semantic = false}).apply_retention({.batch = 10});
  History history = open(path);
  CHECK(killed > 0);
  CHECK(history.repository().maintenance().verify().empty());
  std::set<std::string> stored;
  for (const Trace& trace : history.history({.limit = 10'000}).traces) stored.insert(trace.action_id);
  CHECK(stored.size() == kept);
  for (int i = actions - kept; i < actions; ++i) CHECK(stored.count("a-" + std::to_string(i)) == 1);
  std::int64_t compacted = 0;
  for (const CompactedActions& row :
       history.compacted({.kind = "Deployment", .namespace_ = "prod", .name = "web"}))
    compacted += row.actions;
  CHECK(compacted == actions - kept);
  std::int64_t deleted = 0;
  for (const RetentionOperation& row : history.retention_operations(1000)) deleted += row.records_deleted;
  CHECK(deleted == actions - kept);
  REQUIRE(history.wait_indexed(120s));
  CHECK(history.health().index.rows == kept);
}

TEST_CASE("after fork the child refuses clearly and the parent goes on", "[process]") {
  TempFolder folder;
  auto history = std::make_unique<History>(open(folder.file("h.db")));
  history->record(restart("a-1"));
  history->wait_indexed(10s);
  const pid_t child = spawn([&] {
    if (error_code_of([&] { history->record(restart("a-2")); }) != ErrorCode::unsupported)
      throw std::runtime_error("recorded");
    if (error_code_of([&] { history->similar({.text = "x"}); }) != ErrorCode::unsupported)
      throw std::runtime_error("searched");
    history.reset();
  });
  CHECK(wait_for(child) == 0);
  CHECK(history->record(restart("a-3")).stored);
  CHECK(history->wait_indexed(10s));
  CHECK(history->similar({.text = "pod crashes"}).size() == 2);
}

TEST_CASE("after fork the child cannot use what the parent took from a History, and the file stays whole",
          "[process]") {
  TempFolder folder;
  auto history = std::make_unique<History>(open(folder.file("h.db"), {.semantic = false}));
  history->record(restart("a-1"));
  Items items = history->items();
  Checkpoints checkpoints = history->checkpoints();
  Repository& repository = history->repository();
  const std::vector<ItemChange> theme{{.namespace_ = {"users"}, .key = "theme", .value = Json::parse("{}")}};
  const auto refused = [](const auto& call) {
    if (error_code_of(call) != ErrorCode::unsupported) throw std::runtime_error("not refused");
  };
  const pid_t child = spawn([&] {
    refused([&] { items.put(theme); });
    refused([&] { items.search({}); });
    refused([&] { checkpoints.remove_thread("t"); });
    refused([&] { checkpoints.find({}); });
    refused([&] { repository.actions().get("a-1"); });
    refused([&] { repository.transaction([] {}); });
  });
  CHECK(wait_for(child) == 0);
  // In the middle of a transaction too, whose end is the parent's.
  pid_t inside = -1;
  repository.transaction([&] {
    repository.resources().seen({.kind = "Pod", .name = "p"}, system_now());
    inside = spawn([&] { refused([&] { repository.actions().get("a-1"); }); });
    CHECK(wait_for(inside) == 0);
  });
  items.put(theme);
  CHECK(items.search({}).size() == 1);
  CHECK(repository.maintenance().verify().empty());
}

TEST_CASE("after fork a repository may be destroyed in the child", "[process]") {
  TempFolder folder;
  auto repository = sqlite::open_repository(folder.file("h.db"), {});
  repository->actions().find({});
  CHECK(wait_for(spawn([&] { repository.reset(); })) == 0);
  repository->resources().seen({.kind = "Pod", .name = "p"}, system_now());
  CHECK(repository->maintenance().verify().empty());
}

TEST_CASE("many threads share one History", "[process]") {
  TempFolder folder;
  const std::string uri = GENERATE("memory:", "sqlite:");
  History history = open(uri == "memory:" ? uri : uri + folder.file("h.db"));
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      try {
        for (int i = 0; i < 25; ++i) {
          const std::string id = std::to_string(t) + "-" + std::to_string(i);
          history.record(restart(id, system_now()));
          history.similar({.text = "pod crashes", .limit = 3});
          history.history({.limit = 5});
          if (!history.get(id)) ++failures;
          history.complete(id, completed(0.5));
        }
      } catch (const Error& error) {
        std::fprintf(stderr, "thread: %s\n", error.what());
        ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
  CHECK(history.history({.limit = 1000}).traces.size() == 200);
  REQUIRE(history.wait_indexed(30s));
  CHECK(history.health().index.vectors == 200);
}
