// Actions that come while enough transactions are on their way go together, and fail apart.
#include <catch2/catch.hpp>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "postgres/server_error.hpp"
#include "postgres/shared_insert.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::postgres;
using namespace actionhist::test;
using Ids = std::vector<std::string>;
using Fates = std::map<std::string, std::string>;

namespace {

// Threads that store one action each, and a server that answers when it is told to.
class Writers {
 public:
  ~Writers() { answer(); }

  // Returns when its action waits or is on its way.
  void store(const std::string& id, std::optional<GuardedHeads> heads = {}) {
    threads_.emplace_back([this, id, heads] {
      Trace trace;
      trace.action_id = id;
      const Trace* const row = &trace;
      std::string fate = "stored";
      try {
        const auto sent = [this](SharedInsert::Rows rows, const GuardedHeads* given) { send(rows, given); };
        inserts_.store({&row, 1}, heads ? &*heads : nullptr, sent);
      } catch (const std::exception& error) {
        fate = error.what();
      }
      std::lock_guard lock(mutex_);
      fates_[id] = fate;
    });
    if (++started_ <= at_once) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return calls_.size() == started_; });
    } else {
      while (inserts_.waiting() < started_ - at_once) std::this_thread::yield();
    }
  }

  // As many as are on their way at once, without an answer: what follows has to wait.
  void keep_busy() {
    for (std::size_t i = 0; i < at_once; ++i) store(fmt::format("first {}", i));
  }

  // The server answers everything from now on, and to actions of these ids with an error. What became of those that
  // waited, once all is over.
  Fates answer(std::map<std::string, ServerError> errors = {}) {
    {
      std::lock_guard lock(mutex_);
      errors_ = std::move(errors);
      answering_ = true;
      changed_.notify_all();
    }
    end();
    std::erase_if(fates_, [](const auto& each) { return each.first.starts_with("first"); });
    return fates_;
  }

  struct Call {
    Ids ids;
    std::optional<GuardedHeads> heads;
  };
  // Those behind the ones that came first, by their ids.
  std::vector<Call> calls() {
    std::vector<Call> behind(calls_.begin() + at_once, calls_.end());
    std::ranges::sort(behind, {}, &Call::ids);
    return behind;
  }

 private:
  static constexpr std::size_t at_once = 4;

  void end() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  void send(SharedInsert::Rows rows, const GuardedHeads* heads) {
    std::unique_lock lock(mutex_);
    Call& call = calls_.emplace_back();
    for (const Trace* row : rows) call.ids.push_back(row->action_id);
    if (heads) call.heads = *heads;
    const Ids ids = call.ids;
    changed_.notify_all();
    changed_.wait(lock, [this] { return answering_; });
    for (const std::string& id : ids) {
      const auto error = errors_.find(id);
      if (error == errors_.end()) continue;
      throw ServerError(error->second.code(), error->second.failure(), std::string(error->second.what()),
                        error->second.sqlstate());
    }
  }

  SharedInsert inserts_;
  std::size_t started_ = 0;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // All below is guarded by mutex_.
  bool answering_ = false;
  std::vector<Call> calls_;
  std::map<std::string, ServerError> errors_;
  Fates fates_;
};

GuardedHeads heads_of(const std::string& resource, std::int64_t version, std::int64_t watch = 1) {
  GuardedHeads heads{.watch = watch};
  heads.add({ScopeKind::resource, resource}, version);
  return heads;
}

}  // namespace

TEST_CASE("actions that come while others are on their way go together", "[postgres][commits]") {
  Writers writers;
  writers.keep_busy();
  for (const char* id : {"a", "b", "c"}) writers.store(id);
  CHECK(writers.answer() == Fates{{"a", "stored"}, {"b", "stored"}, {"c", "stored"}});
  REQUIRE(writers.calls().size() == 1);
  CHECK(writers.calls()[0].ids == Ids{"a", "b", "c"});
}

TEST_CASE("an action does not go with one of the same id", "[postgres][commits]") {
  Writers writers;
  writers.keep_busy();
  for (const char* id : {"a", "b", "a"}) writers.store(id);
  CHECK(writers.answer() == Fates{{"a", "stored"}, {"b", "stored"}});
  REQUIRE(writers.calls().size() == 2);
  CHECK(writers.calls()[0].ids == Ids{"a"});
  CHECK(writers.calls()[1].ids == Ids{"a", "b"});
}

TEST_CASE("of actions that fail together each is sent again by itself", "[postgres][commits]") {
  Writers writers;
  writers.keep_busy();
  for (const char* id : {"a", "b", "c"}) writers.store(id);
  CHECK(writers.answer({{"b", ServerError(ErrorCode::conflict, Failure::permanent, "taken")}}) ==
        Fates{{"a", "stored"}, {"b", "taken"}, {"c", "stored"}});
  REQUIRE(writers.calls().size() == 4);
  CHECK(writers.calls()[1].ids == Ids{"a", "b", "c"});
}

TEST_CASE("what passes is told to all that went together, and they are not sent again",
          "[postgres][commits]") {
  Writers writers;
  writers.keep_busy();
  for (const char* id : {"a", "b"}) writers.store(id);
  CHECK(writers.answer({{"b", ServerError(ErrorCode::unavailable, Failure::connection_lost, "gone")}}) ==
        Fates{{"a", "gone"}, {"b", "gone"}});
  CHECK(writers.calls().size() == 1);
}

TEST_CASE("an action that waits for a lock of its own fails alone", "[postgres][commits]") {
  Writers writers;
  writers.keep_busy();
  for (const char* id : {"a", "b"}) writers.store(id);
  const ServerError locked(ErrorCode::timeout, Failure::transient, "held", "55P03");
  CHECK(writers.answer({{"b", locked}}) == Fates{{"a", "stored"}, {"b", "held"}});
}

TEST_CASE("guarded actions go with guarded ones that were decided on the same watch", "[postgres][guard]") {
  Writers writers;
  writers.keep_busy();
  writers.store("a", heads_of("web", 5));
  writers.store("b");
  writers.store("c", heads_of("db", 7));
  writers.store("d", heads_of("web", 6));
  writers.store("watched", heads_of("app", 1, 2));
  writers.store("web moved", heads_of("web", 6));
  writers.answer();
  const auto calls = writers.calls();
  REQUIRE(calls.size() == 4);
  CHECK(calls[0].ids == Ids{"a", "c", "d"});
  CHECK(calls[0].heads->histories.keys == Ids{"db", "web"});
  CHECK(calls[0].heads->histories.versions == std::vector<std::int64_t>{7, 5});
  CHECK(calls[0].heads->histories.moves == std::vector<std::int64_t>{1, 2});
  CHECK(calls[1].ids == Ids{"b"});
  CHECK_FALSE(calls[1].heads);
}

TEST_CASE("agents of one process on many resources are all counted, and each by its own history",
          "[postgres][guard]") {
  const std::string uri = fresh_database(shared_server());
  Options options{.tenant = "t", .semantic = false};
  options.postgres.lock_timeout = 60s;
  options.postgres.statement_timeout = 120s;
  History history = open(uri, options);
  constexpr int agents = 16, actions = 12;
  std::vector<std::thread> threads;
  for (int agent = 0; agent < agents; ++agent) {
    threads.emplace_back([&, agent] {
      for (int i = 0; i < actions; ++i) {
        Action action = restart(fmt::format("{}-{}", agent, i));
        // Neither a loop by any rule nor always guarded.
        action.action_type = fmt::format("step-{}", i);
        action.resource.name = fmt::format("web-{}", agent);
        action.session_id = fmt::format("s-{}", agent % 3);
        if (i % 4 == 3) {
          history.record(action);
          continue;
        }
        action.action_timestamp.reset();
        history.propose(action);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(history.history({.limit = 1000}).traces.size() == agents * actions);
  CHECK(history.repository().maintenance().verify().empty());
}
