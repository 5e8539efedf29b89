// What every engine promises a replica: whatever becomes of the database, it finds the rows that are there.
#include "semantic/replica.hpp"

#include <filesystem>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "support/models.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

const Small model;

// A memory whose index is only moved by hand.
struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  std::string uri = engine.uri(folder);

  Fixture() { UNSCOPED_INFO(engine.name); }

  History start(const std::string& of) const { return open(of, {.tenant = "default", .semantic = false}); }

  // Actions of these ids, in the feed with their vectors.
  static void feed(History& history, const std::string& mark, int actions) {
    std::vector<Action> batch;
    for (int i = 0; i < actions; ++i) {
      batch.push_back(restart(fmt::format("{}-{}", mark, i)));
      batch.back().model_reasoning += fmt::format(" {} {}", mark, i);
    }
    history.record(batch);
    history.backfill();
    history.repository().spaces().put(model.space_id(), 4, noon);
    FeedStore& feed = history.repository().feed();
    std::vector<FeedEmbedding> embeddings;
    for (const FeedSubject& subject : history.repository().spaces().missing(model.space_id(), 0, 1000)) {
      std::vector<float> vector(4);
      const std::string_view text = subject.text;
      model.embed({&text, 1}, EmbeddingRole::document, vector);
      embeddings.push_back({subject.subject_id, model.space_id(), subject.content_hash, std::move(vector)});
    }
    CHECK(feed.append(embeddings, {}) == actions);
  }

  // The database as it is now. REQUIRES: nobody has it open.
  std::string copy() const {
    if (engine.name == "postgresql") {
      shared_server().run_sql(
          fmt::format("CREATE DATABASE {0}_copy TEMPLATE {0} OWNER {1}", database_of(uri), app_role));
      return shared_server().uri(database_of(uri) + "_copy");
    }
    std::filesystem::copy_file(folder.file("history.db"), folder.file("copy.db"));
    return "sqlite:" + folder.file("copy.db");
  }
};

void catch_up(Replica& replica) {
  while (replica.step()) continue;
}

// Its rows and vectors are those of these actions.
void check(const Replica& replica, std::initializer_list<std::pair<const char*, int>> marks) {
  std::size_t rows = 0;
  for (const auto& [mark, actions] : marks) {
    for (int i = 0; i < actions; ++i) CHECK(replica.index().vector(fmt::format("{}-{}", mark, i)));
    rows += static_cast<std::size_t>(actions);
  }
  CHECK(replica.index().stats().rows == rows);
}

}  // namespace

TEST_CASE("a replica that was away finds all rows of a database that was put back and went on from there",
          "[replica]") {
  Fixture f;
  if (f.engine.name == "memory") return;
  ReplicaFiles files;
  files.folder = f.folder.file("index");
  files.least_changes = 1;
  {
    History history = f.start(f.uri);
    f.feed(history, "kept", 20);
  }
  const std::string older = f.copy();
  {
    History history = f.start(f.uri);
    f.feed(history, "lost", 20);
    Replica replica(history.repository().feed(), model.space_id(), 4, files);
    catch_up(replica);
    check(replica, {{"kept", 20}, {"lost", 20}});
  }
  // An ordinary start goes on with what is in the files.
  {
    History history = f.start(f.uri);
    Replica replica(history.repository().feed(), model.space_id(), 4, files);
    CHECK(replica.opened());
    CHECK(replica.seq() == history.repository().feed().head().seq);
    f.feed(history, "more", 2);
    files.least_changes = 1000;
    catch_up(replica);
    CHECK(replica.rebuilds() == 0);
    check(replica, {{"kept", 20}, {"lost", 20}, {"more", 2}});
  }
  History history = f.start(older);
  f.feed(history, "other", GENERATE(20, 30));  // up to the number that the files have, and beyond
  Replica replica(history.repository().feed(), model.space_id(), 4, files);
  CHECK(replica.opened());
  CHECK(replica.seq() <= history.repository().feed().head().seq);
  catch_up(replica);
  CHECK(replica.rebuilds() == 1);
  CHECK(replica.seq() == history.repository().feed().head().seq);
  CHECK(replica.index().version("other-0"));
  CHECK(replica.index().version("other-19"));
  CHECK_FALSE(replica.index().version("lost-0"));
  CHECK(replica.index().stats().rows ==
        history.repository().feed().read(model.space_id(), {}, 1000).subjects.size());
}

TEST_CASE("a replica that stood at the end of a quiet feed goes on from there", "[replica]") {
  Fixture f;
  History history = f.start(f.uri);
  f.feed(history, "a", 5);
  FeedStore& feed = history.repository().feed();
  Replica replica(feed, model.space_id(), 4);
  catch_up(replica);
  std::this_thread::sleep_for(2ms);
  const TimePoint quiet_until = system_now();
  std::this_thread::sleep_for(2ms);
  f.feed(history, "b", 5);
  feed.trim(quiet_until, system_now());
  catch_up(replica);
  CHECK(replica.rebuilds() == 0);
  check(replica, {{"a", 5}, {"b", 5}});
}

TEST_CASE("only a replica that was away for longer than the feed remembers starts over", "[replica]") {
  Fixture f;
  History history = f.start(f.uri);
  f.feed(history, "a", 5);
  FeedStore& feed = history.repository().feed();
  Replica behind(feed, model.space_id(), 4);
  Replica current(feed, model.space_id(), 4);
  catch_up(behind);
  f.feed(history, "b", 5);
  catch_up(current);
  feed.trim(system_now() - 1h, system_now());
  REQUIRE_FALSE(feed.read(model.space_id(), {1, feed.head().batch_id}, 10).lost);
  CHECK(feed.read(model.space_id(), {1, "nosuch"}, 10).lost);
  SECTION("not yet") {
    catch_up(behind);
    CHECK(behind.rebuilds() == 0);
  }
  SECTION("by now") {
    feed.trim(system_now() + 1h, system_now());
    catch_up(behind);
    CHECK(behind.rebuilds() == 1);
  }
  f.feed(history, "c", 5);
  catch_up(behind);
  catch_up(current);
  CHECK(current.rebuilds() == 0);
  check(current, {{"a", 5}, {"b", 5}, {"c", 5}});
  check(behind, {{"a", 5}, {"b", 5}, {"c", 5}});
}
