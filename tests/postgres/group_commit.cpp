// Proposals that are decided while others are on their way are stored together, or not at all.
#include <catch2/catch.hpp>

#include <condition_variable>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "postgres/group_commit.hpp"
#include "postgres/server_error.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::postgres;
using namespace actionhist::test;
using Fate = GroupCommit::Fate;
using Ids = std::vector<std::string>;

namespace {

const std::string web = "resource:web";

// Agents that propose on one resource, each in a thread of its own, and a server that answers when it is told to.
class Agents {
 public:
  ~Agents() { end(); }

  // What is decided on this version of the resource, and of a session that nobody has acted in yet.
  Premise premise(const std::string& id, std::int64_t version, const std::string& session = {}) const {
    Premise premise;
    premise.scopes = {web};
    premise.heads.add({ScopeKind::resource, "web"}, version);
    if (!session.empty()) {
      premise.scopes.push_back("session:" + session);
      premise.heads.add({ScopeKind::session, session}, 0);
    }
    premise.max_traces = 8;
    premise.failures = groups.failures();
    Trace action;
    static_cast<Action&>(action) = restart(id);
    premise.action.emplace(std::move(action));
    return premise;
  }

  // Returns when its place in the order is settled.
  void propose(Premise premise) {
    std::promise<void> joined;
    threads_.emplace_back([this, &joined, premise = std::move(premise)] {
      const std::string id = premise.action->action_id();
      std::string fate;
      try {
        const auto send = [this](std::span<const Trace* const> traces, const GuardedHeads& heads) {
          answer(traces, heads);
        };
        switch (groups.commit(
            premise, [&joined] { joined.set_value(); }, send)) {
          case Fate::stored: fate = "stored"; break;
          case Fate::failed: fate = "failed"; break;
          case Fate::unknown: fate = "unknown"; break;
        }
      } catch (const std::exception& error) {
        fate = error.what();
      }
      std::lock_guard lock(mutex_);
      fates_[id] = fate;
    });
    joined.get_future().wait();
  }

  // The ids of the group that the server gets next.
  Ids next_group() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !asked_.empty(); });
    Ids ids = asked_.front();
    asked_.pop_front();
    return ids;
  }
  // What the server answers to it. The error is the agent's from then on: two threads that let go of one would look
  // to the thread sanitizer like a race, because libstdc++ is not built with it.
  void answer_with(std::exception_ptr error = nullptr) {
    std::lock_guard lock(mutex_);
    answers_.push_back(std::move(error));
    changed_.notify_all();
  }

  // What became of each, once all is over.
  std::map<std::string, std::string> end() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    return fates_;
  }

  GuardCache cache;
  GroupCommit groups{cache};
  std::vector<GuardedHeads> heads;  // of each group that was sent

 private:
  void answer(std::span<const Trace* const> traces, const GuardedHeads& given) {
    std::unique_lock lock(mutex_);
    Ids& ids = asked_.emplace_back();
    for (const Trace* trace : traces) ids.push_back(trace->action_id);
    heads.push_back(given);
    changed_.notify_all();
    changed_.wait(lock, [this] { return !answers_.empty(); });
    const std::exception_ptr error = std::move(answers_.front());
    answers_.pop_front();
    lock.unlock();
    if (error) std::rethrow_exception(error);
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // All below is guarded by mutex_.
  std::deque<Ids> asked_;
  std::deque<std::exception_ptr> answers_;
  std::map<std::string, std::string> fates_;
};

// It shares its text with no other exception, as one that was copied would.
template <class Thrown, class... Arguments>
std::exception_ptr thrown(const Arguments&... arguments) {
  try {
    throw Thrown(arguments...);
  } catch (...) {
    return std::current_exception();
  }
}

std::exception_ptr server_says(Failure failure) {
  return thrown<ServerError>(ErrorCode::unavailable, failure, "the server said no");
}

}  // namespace

TEST_CASE("what is decided while a group is on its way goes together behind it", "[postgres][guard]") {
  Agents agents;
  agents.propose(agents.premise("a", 5));
  CHECK(agents.next_group() == Ids{"a"});
  agents.propose(agents.premise("b", 6, "s"));
  agents.propose(agents.premise("c", 7, "t"));
  agents.propose(agents.premise("d", 8));
  agents.answer_with();
  CHECK(agents.next_group() == Ids{"b", "c", "d"});
  agents.answer_with();
  CHECK(agents.end() == std::map<std::string, std::string>{
                            {"a", "stored"}, {"b", "stored"}, {"c", "stored"}, {"d", "stored"}});
  CHECK(agents.heads[0].histories.of("web") == 5);
  CHECK(agents.heads[1].histories.of("web") == 6);
  CHECK(agents.heads[1].scopes.keys == Ids{"session:s", "session:t"});
}

TEST_CASE("what was decided on something else does not join", "[postgres][guard]") {
  Agents agents;
  agents.propose(agents.premise("a", 5));
  agents.next_group();
  agents.propose(agents.premise("b", 6));
  agents.propose(agents.premise("not after b", 6));
  agents.answer_with();
  CHECK(agents.next_group() == Ids{"b"});
  agents.answer_with();
  CHECK(agents.end() ==
        std::map<std::string, std::string>{{"a", "stored"}, {"b", "stored"}, {"not after b", "failed"}});
  CHECK(agents.groups.failures() == 0);
}

TEST_CASE("a group that is not stored takes with it what counts on it, and nothing else",
          "[postgres][guard]") {
  Agents agents;
  agents.cache.put(web, {.version = 5});
  agents.propose(agents.premise("a", 5));
  agents.next_group();
  CHECK(agents.cache.find(web)->version == 6);
  const Premise late = agents.premise("late", 6);
  agents.propose(agents.premise("b", 6));
  agents.propose(agents.premise("c", 7));
  const bool by_server = GENERATE(true, false);
  agents.answer_with(by_server ? server_says(Failure::permanent)
                               : thrown<std::runtime_error>("the server said no"));
  CHECK(agents.end() ==
        std::map<std::string, std::string>{{"a", "the server said no"}, {"b", "failed"}, {"c", "failed"}});
  CHECK(agents.cache.find(web) == nullptr);
  CHECK(agents.groups.failures() == 1);
  CHECK(agents.heads.size() == 1);

  // What was read before may have counted on it too.
  agents.propose(late);
  agents.propose(agents.premise("again", 5));
  CHECK(agents.next_group() == Ids{"again"});
  agents.answer_with();
  CHECK(agents.end().at("late") == "failed");
  CHECK(agents.end().at("again") == "stored");
}

TEST_CASE("a group whose answer was lost may be stored", "[postgres][guard]") {
  Agents agents;
  agents.propose(agents.premise("a", 5));
  agents.next_group();
  agents.propose(agents.premise("b", 6));
  agents.propose(agents.premise("c", 7));
  agents.answer_with();
  agents.next_group();
  agents.propose(agents.premise("d", 8));
  agents.answer_with(server_says(Failure::connection_lost));
  CHECK(agents.end() == std::map<std::string, std::string>{
                            {"a", "stored"}, {"b", "the server said no"}, {"c", "unknown"}, {"d", "failed"}});
}

TEST_CASE("who reads a scope can wait for what is on its way", "[postgres][guard]") {
  Agents agents;
  agents.propose(agents.premise("a", 5, "s"));
  agents.next_group();
  agents.propose(agents.premise("b", 6));
  CHECK_FALSE(agents.groups.await({"session:s"}, "resource:api", 10ms));
  CHECK(agents.groups.await({"session:s"}, web, 10ms));
  CHECK(agents.groups.await({"session:t"}, {}, 10ms));
  agents.answer_with();
  agents.answer_with();
  CHECK(agents.groups.await({web, "session:s"}, {}, 60s));
  agents.end();
}
