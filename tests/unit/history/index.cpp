// The index that a History answers from, while another one takes its place and while things fail.
#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/forwarding.hpp"
#include "support/models.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

template <class Done>
bool wait_for(Done done) {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

// A feed of which the index of one space cannot read until it is let; meanwhile the queue fails.
class HeldFeed final : public ForwardingFeed {
 public:
  using ForwardingFeed::ForwardingFeed;

  std::vector<QueuedSubject> queued(int limit) override {
    if (waiting && !released) throw Error(ErrorCode::unavailable, "the queue is away");
    return ForwardingFeed::queued(limit);
  }
  FeedBatch read(std::string_view space_id, const FeedCursor& after, int limit) override {
    if (space_id == hashed_lexical_model()->space_id() && std::this_thread::get_id() != test) {
      waiting = true;
      wait_for([&] { return released.load(); });
    }
    return ForwardingFeed::read(space_id, after, limit);
  }

  const std::thread::id test = std::this_thread::get_id();
  std::atomic<bool> waiting = false;
  std::atomic<bool> released = false;
};

class Held final : public Forwarding {
 public:
  Held() : Forwarding(open_repository("memory:", {})) {}
  FeedStore& feed() override { return feed_; }

 private:
  HeldFeed feed_{inner_->feed()};

 public:
  HeldFeed& held = feed_;
};

// The built-in model under another name, which does something before it embeds a query.
class Interrupted final : public Renamed {
 public:
  Interrupted() : Renamed("interrupted/1024/1") {}
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override {
    if (role == EmbeddingRole::query && on_query) on_query();
    Renamed::embed(texts, role, out);
  }
  std::function<void()> on_query;
};

// Cannot embed while it is told not to.
class Failing final : public Renamed {
 public:
  Failing() : Renamed("failing/1024/1") {}
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override {
    if (fails) throw Error(ErrorCode::unavailable, "no electricity");
    Renamed::embed(texts, role, out);
  }
  std::atomic<bool> fails = true;
};

}  // namespace

TEST_CASE("an index may be replaced while a callback of its own thread answers from it", "[index]") {
  auto storage = std::make_unique<Held>();
  HeldFeed& feed = storage->held;
  auto model = std::make_shared<Interrupted>();
  std::promise<History*> opened;
  std::atomic<bool> asked = false;
  Options options{.tenant = "default", .model = model};
  options.log = [&, history = opened.get_future().share()](LogLevel, std::string_view) {
    // Only the thread of the present index runs now.
    if (feed.waiting && !asked.exchange(true)) history.get()->similar({.text = "crash"});
  };
  History history(std::move(storage), options);
  model->on_query = [&] {
    feed.released = true;
    wait_for([&] { return history.health().space_id != model->space_id(); });
  };
  history.record(restart("a-1"));
  REQUIRE(history.wait_indexed(30s));
  opened.set_value(&history);
  const std::string next = hashed_lexical_model()->space_id();
  CHECK(history.switch_space(next, {.force = true}).switched);
  CHECK(asked);
  CHECK(history.health().space_id == next);
  CHECK(history.similar({.text = "crash"}).size() == 1);
}

TEST_CASE("an error of the index that lasts is logged once, and its end too", "[index]") {
  auto model = std::make_shared<Failing>();
  std::mutex mutex;
  std::vector<std::string> lines;
  Options options{.tenant = "default", .model = model};
  options.log = [&](LogLevel, std::string_view line) {
    const std::lock_guard lock(mutex);
    lines.emplace_back(line);
  };
  const auto logged = [&] {
    const std::lock_guard lock(mutex);
    return lines;
  };
  History history = open("memory:", options);
  history.record(restart("a-1"));
  REQUIRE(wait_for([&] { return !logged().empty(); }));
  std::this_thread::sleep_for(1s);  // tries after 100, 300 and 700 ms
  CHECK(logged() == std::vector<std::string>{"index: no electricity"});
  CHECK(history.health().index_error == "no electricity");
  model->fails = false;
  REQUIRE(wait_for([&] { return logged().size() > 1; }));
  CHECK(logged().back() == "index: works again, after: no electricity");
}

TEST_CASE("a fitted space that somebody drops at once is told as a conflict", "[index]") {
  // Another process, as soon as anything is committed.
  class Dropping final : public Forwarding {
   public:
    Dropping() : Forwarding(open_repository("memory:", {})) {}
    void transaction(const std::function<void()>& work) override {
      Forwarding::transaction(work);
      for (const EmbeddingSpace& space : spaces().spaces(false)) {
        if (space.fitted) spaces().drop(space.space_id);
      }
    }
  };
  History history(std::make_unique<Dropping>());
  for (int i = 0; i < 20; ++i) {
    Action action = restart("a-" + std::to_string(i));
    action.model_reasoning = "case " + std::to_string(i * 7919 % 100) + " of " + std::to_string(i % 3);
    history.record(action);
  }
  REQUIRE(history.wait_indexed(30s));
  CHECK(error_code_of([&] { history.fit_space({.dimension = 2}); }) == ErrorCode::conflict);
}

TEST_CASE("one may wait for the index as long as the clock can tell", "[index]") {
  History history = open("memory:", {.tenant = "default"});
  history.record(restart("a-1"));
  CHECK(history.wait_indexed(std::chrono::milliseconds::max()));
  CHECK(history.similar({.text = "crash"}).size() == 1);
}

TEST_CASE("a model that could not be offered, because the database was away, is offered again", "[index]") {
  // Fails the first time that a thread of the index asks for the spaces, which is to switch.
  class Away final : public Forwarding {
   public:
    using Forwarding::Forwarding;
    SpaceStore& spaces() override {
      if (std::this_thread::get_id() != test && !failed.exchange(true))
        throw Error(ErrorCode::unavailable, "the database is away");
      return Forwarding::spaces();
    }
    const std::thread::id test = std::this_thread::get_id();
    std::atomic<bool> failed = false;
  };
  const TempFolder folder;
  const std::string uri = folder.file("history.db");
  {
    History before = open(uri, {.tenant = "default"});
    before.record(restart("a-1"));
    REQUIRE(before.wait_indexed(30s));
  }
  const Options options{.tenant = "default", .model = std::make_shared<Renamed>("renamed/1024/1")};
  auto storage = std::make_unique<Away>(open_repository(uri, options));
  const Away& away = *storage;
  History history(std::move(storage), options);
  CHECK(wait_for([&] { return history.health().space_id == "renamed/1024/1"; }));
  CHECK(away.failed);
}
