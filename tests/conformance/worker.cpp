// What every engine promises about workers: whatever order their steps come in, the feed tells what was stored last.
#include <thread>
#include <utility>

#include <catch2/catch.hpp>

#include "history/subject.hpp"
#include "semantic/space_filler.hpp"
#include "semantic/sync.hpp"
#include "support/models.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

// Is held up once, before it embeds.
class HeldUp final : public Renamed {
 public:
  HeldUp() : Renamed("held-up/1024/1") {}
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override {
    if (const auto once = std::exchange(meanwhile, {})) once();
    Renamed::embed(texts, role, out);
  }
  mutable std::function<void()> meanwhile;
};

// Takes a few texts, and then a server is away.
class Failing final : public Renamed {
 public:
  Failing() : Renamed("failing/1024/1") {}
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override {
    if (--calls < 0) throw Error(ErrorCode::unavailable, "the model is away");
    embedded += texts.size();
    Renamed::embed(texts, role, out);
  }
  mutable int calls = 1;
  mutable std::size_t embedded = 0;
};

struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  History history = open(engine.uri(folder), {.tenant = "default", .semantic = false});
  Repository& repository = history.repository();
  FeedStore& feed = repository.feed();

  Fixture() { UNSCOPED_INFO(engine.name); }

  std::vector<std::string> space_ids() {
    std::vector<std::string> ids;
    for (const EmbeddingSpace& space : repository.spaces().spaces(false)) ids.push_back(space.space_id);
    return ids;
  }

  FeedBatch batch(const EmbeddingModel& model) { return feed.read(model.space_id(), {}, 1000); }

  // A worker that finds the lease free does all there is to do.
  void work(const std::shared_ptr<const EmbeddingModel>& model) {
    feed.release(feed.head().worker);
    FeedWorker worker(repository, model, subject_source(repository));
    while (worker.step()) continue;
  }
};

}  // namespace

TEST_CASE("what a worker has read does not come back once another has dealt with what is newer", "[worker]") {
  Fixture f;
  const auto model = std::make_shared<HeldUp>();
  const Action both[] = {restart("erased"), restart("ended")};
  f.history.record(both);
  const auto overtake = [&] {
    f.history.erase("erased");
    Outcome outcome = completed();
    outcome.execution_error = "the quota is exhausted";
    f.history.complete("ended", outcome);
    f.work(model);
  };
  SECTION("held up before it tells the feed") {
    const SubjectSource stored = subject_source(f.repository);
    FeedWorker late(f.repository, model, [&](std::span<const std::string> ids) {
      auto subjects = stored(ids);
      if (const auto once = std::exchange(model->meanwhile, {})) once();
      return subjects;
    });
    model->meanwhile = overtake;
    CHECK(late.step());
  }
  SECTION("held up by its model") {
    FeedWorker late(f.repository, model, subject_source(f.repository));
    model->meanwhile = overtake;
    CHECK(late.step());
  }
  SECTION("held up while it fills a space") {
    FeedWorker(f.repository, nullptr, subject_source(f.repository)).step();
    SpaceFiller late(f.repository, model);
    REQUIRE(late.look());
    model->meanwhile = overtake;
    late.embed();
  }
  f.work(model);
  CHECK(f.feed.head().queued == 0);
  const FeedBatch batch = f.batch(*model);
  REQUIRE(batch.subjects.size() == 2);
  REQUIRE(batch.embeddings.size() == 1);
  for (const FeedSubject& subject : batch.subjects) {
    CHECK(subject.deleted == (subject.subject_id == "erased"));
    if (subject.deleted) {
      CHECK(subject.text.empty());
    } else {
      CHECK(subject.text.find("quota") != std::string::npos);
      CHECK(batch.embeddings[0].subject_id == subject.subject_id);
      CHECK(batch.embeddings[0].content_hash == subject.content_hash);
    }
  }
}

TEST_CASE("a deletion that waits for the feed takes what was embedded meanwhile along", "[worker]") {
  Fixture f;
  const Small model;
  f.history.record(restart("a"));
  FeedWorker(f.repository, nullptr, subject_source(f.repository)).step();
  const std::string hash = f.batch(model).subjects.at(0).content_hash;
  f.history.erase("a");
  const auto queued = f.feed.queued(10);
  REQUIRE(queued.size() == 1);
  const FeedSubject gone{.subject_id = "a", .deleted = true};
  f.repository.spaces().put(model.space_id(), 4, noon);
  std::thread deleting;
  f.repository.transaction([&] {
    const FeedEmbedding made{"a", model.space_id(), hash, {1, 2, 3, 4}};
    f.feed.append({&made, 1}, {});
    if (!deleting.joinable()) deleting = std::thread([&] { f.feed.sequence({&gone, 1}, queued); });
    std::this_thread::sleep_for(200ms);  // so that it waits; otherwise this proves less
  });
  deleting.join();
  CHECK(f.batch(model).subjects.at(0).deleted);
  CHECK(f.batch(model).embeddings.empty());
}

TEST_CASE("what was embedded before a model failed is not embedded again", "[worker]") {
  Fixture f;
  const auto model = std::make_shared<Failing>();
  std::vector<Action> batch;
  for (int i = 0; i < 100; ++i) {
    batch.push_back(restart("a-" + std::to_string(i)));
    batch.back().model_reasoning += std::to_string(i);
  }
  f.history.record(batch);
  CHECK(error_code_of([&] { f.work(model); }) == ErrorCode::unavailable);
  const std::size_t first = model->embedded;
  CHECK(first > 0);
  CHECK(first < batch.size());
  CHECK(f.batch(*model).embeddings.size() == first);
  CHECK(f.batch(*model).subjects.size() == batch.size());
  model->calls = 100;
  f.work(model);
  CHECK(model->embedded == batch.size());
  CHECK(f.batch(*model).embeddings.size() == batch.size());
  CHECK(f.feed.head().queued == 0);
}

TEST_CASE("a space that was dropped is not made again by those who were filling it", "[worker]") {
  Fixture f;
  const auto serving = std::make_shared<Renamed>("serving/1024/1");
  const auto next = std::make_shared<Small>();
  SpaceStore& spaces = f.repository.spaces();
  f.history.record(restart("a"));
  FeedWorker worker(f.repository, serving, subject_source(f.repository));
  SpaceFiller filler(f.repository, next);
  const auto work = [&](const std::string& id) {
    f.history.record(restart(id));
    while (worker.step()) continue;
    while (filler.step()) continue;
  };
  work("b");
  REQUIRE(filler.filled());
  REQUIRE(f.batch(*next).embeddings.size() == 2);
  REQUIRE(spaces.drop(next->space_id()));
  work("c");
  CHECK(f.space_ids() == std::vector<std::string>{serving->space_id()});
  CHECK_FALSE(filler.filled());
  CHECK(f.batch(*next).embeddings.empty());
  CHECK(f.batch(*serving).embeddings.size() == 3);

  // Searches have changed to another space, and this worker has not seen it.
  SpaceFiller backlog(f.repository, serving);
  CHECK_FALSE(backlog.look());
  spaces.put("other/4", 4, noon);
  REQUIRE(spaces.activate("other/4", {}, noon));
  REQUIRE(spaces.drop(serving->space_id()));
  work("d");
  CHECK_FALSE(backlog.step());
  CHECK(backlog.dropped());
  CHECK(f.space_ids() == std::vector<std::string>{"other/4"});
  CHECK(f.batch(*serving).embeddings.empty());
  CHECK(f.batch(*serving).subjects.size() == 4);
  CHECK(f.feed.head().queued == 0);

  // Who begins to fill it does want it.
  f.work(serving);
  CHECK(f.batch(*serving).embeddings.size() == 4);
}

TEST_CASE("of several that want to fill a space one does, and another goes on when that fails or ends",
          "[worker]") {
  Fixture f;
  std::vector<Action> batch;
  for (int i = 0; i < 100; ++i) {
    batch.push_back(restart("a-" + std::to_string(i)));
    batch.back().model_reasoning += std::to_string(i);
  }
  f.history.record(batch);
  FeedWorker(f.repository, nullptr, subject_source(f.repository)).step();
  SpaceStore& spaces = f.repository.spaces();
  const auto failing = std::make_shared<Failing>();
  const std::string space = failing->space_id();
  const auto counting = std::make_shared<Failing>();
  counting->calls = 100;
  std::optional<SpaceFiller> waiting;
  waiting.emplace(f.repository, counting);
  {
    SpaceFiller first(f.repository, failing);
    CHECK(first.step());
    CHECK_FALSE(waiting->step());
    CHECK_FALSE(waiting->filled());
    CHECK(error_code_of([&] { first.step(); }) == ErrorCode::unavailable);
    CHECK(waiting->step());
    failing->calls = 1;
    CHECK_FALSE(first.step());
  }
  CHECK(waiting->step());
  waiting.reset();
  // Whoever was killed keeps the lease until it ends.
  CHECK(spaces.lease(space, "killed", 1s));
  SpaceFiller last(f.repository, counting);
  CHECK_FALSE(last.step());
  std::this_thread::sleep_for(1100ms);
  while (last.step()) continue;
  CHECK(last.filled());
  CHECK(failing->embedded + counting->embedded == batch.size());
  CHECK(f.batch(*counting).embeddings.size() == batch.size());
  CHECK_FALSE(spaces.lease("nosuch", "a", 1h));
  CHECK(spaces.lease(space, "a", 1h));
  CHECK_FALSE(spaces.lease(space, "b", 1h));
  CHECK(spaces.lease(space, "a", 1h));
  spaces.release(space, "b");
  CHECK_FALSE(spaces.lease(space, "b", 1h));
  spaces.release(space, "a");
  CHECK(spaces.lease(space, "b", 1h));
}

TEST_CASE("one worker at a time has the lease, until it ends or is given back", "[worker]") {
  Fixture f;
  CHECK(f.feed.lease("a", 1h));
  CHECK_FALSE(f.feed.lease("b", 1h));
  CHECK(f.feed.lease("a", 1h));
  CHECK(f.feed.head().worker == "a");
  f.feed.release("b");
  CHECK(f.feed.head().worker == "a");
  f.feed.release("a");
  CHECK(f.feed.lease("b", 0s));
  CHECK(f.feed.lease("a", 1h));
}
