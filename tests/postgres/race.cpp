// The promise of the guard on a server: many agents and a budget of three.
#include <catch2/catch.hpp>

#include <barrier>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "support/effort.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

constexpr int budget = 3;
constexpr int proposals = 16;  // a round, by all agents together

Options agent() {
  Options options{.tenant = "t", .semantic = false};
  options.postgres.pool_max = 2;
  options.postgres.pool_min = 0;
  // A loaded machine may keep an agent waiting; that is not what is tested.
  options.postgres.lock_timeout = 60s;
  options.postgres.statement_timeout = 120s;
  options.postgres.idle_in_transaction_timeout = 120s;
  options.postgres.retry_for = 120s;
  return options;
}

void set_budget(const std::string& uri) {
  History history = open(uri, agent());
  for (Pattern pattern : history.patterns()) {
    pattern.active = pattern.pattern_type == PatternType::action_budget;
    if (pattern.active) pattern.min_occurrences = budget;
    history.put_pattern(pattern);
  }
}

std::string id_of(int round, int proposal) { return fmt::format("r{}-{}", round, proposal); }
std::string resource_of(int round) { return fmt::format("web-{}", round); }

struct Answers {
  std::mutex mutex;
  std::map<int, std::set<std::string>> allowed;  // by round
  int different = 0;                             // second answers that are not the first one
  std::vector<std::string> errors;

  void add(int round, const std::string& id, const Verdict& first, const Verdict& second) {
    std::lock_guard lock(mutex);
    if (first.allowed()) allowed[round].insert(id);
    if (first.repeated || !second.repeated || first.decision != second.decision) ++different;
  }
};

// How many Histories the agents have between them: each its own, or all the same.
enum class Histories { own, shared };

void race(const std::string& uri, int agents, int rounds, Histories histories = Histories::own) {
  Answers answers;
  History common = open(uri, agent());
  std::barrier together(agents);
  std::vector<std::thread> threads;
  for (int a = 0; a < agents; ++a) {
    threads.emplace_back([&, a] {
      try {
        std::optional<History> own;
        if (histories == Histories::own) own = open(uri, agent());
        History& history = own ? *own : common;
        for (int round = 0; round < rounds; ++round) {
          together.arrive_and_wait();
          for (int p = a; p < proposals; p += agents) {
            Action action = restart(id_of(round, p));
            action.action_timestamp.reset();
            action.resource.name = resource_of(round);
            const Verdict first = history.propose(action);
            answers.add(round, action.action_id, first, history.propose(action));
          }
        }
      } catch (const std::exception& error) {
        std::lock_guard lock(answers.mutex);
        answers.errors.emplace_back(error.what());
      }
      together.arrive_and_drop();
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(answers.errors == std::vector<std::string>{});
  CHECK(answers.different == 0);

  int wrong = 0;
  for (int round = 0; round < rounds; ++round) {
    std::set<std::string> stored;
    for (const Trace& trace : common.history({.resource = {.name = resource_of(round)}}).traces) {
      stored.insert(trace.action_id);
    }
    if (stored.size() != budget || stored != answers.allowed[round]) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(common.repository().maintenance().verify().empty());
}

}  // namespace

TEST_CASE("of many agents' proposals exactly as many pass as the budget allows", "[postgres][race]") {
  const std::string uri = fresh_database(shared_server());
  set_budget(uri);
  race(uri, GENERATE(8, 16), effort(30));
}

TEST_CASE("of the proposals of agents in one process exactly as many pass as the budget allows",
          "[postgres][race]") {
  const std::string uri = fresh_database(shared_server());
  set_budget(uri);
  race(uri, 16, effort(12), Histories::shared);
}

TEST_CASE("through a pooler exactly as many pass as the budget allows", "[postgres][race]") {
  const std::string database = database_of(fresh_database(shared_server()));
  const PgBouncer bouncer(shared_server());
  const std::string uri = bouncer.uri(database);
  set_budget(uri);
  race(uri, GENERATE(8, 16), effort(15));
}
