// What every engine promises about embedding spaces: one at a time, changed in one step, never mixed.
#include <catch2/catch.hpp>

#include <thread>

#include "semantic/replica.hpp"
#include "support/forwarding.hpp"
#include "support/models.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  std::string uri = engine.uri(folder);

  Fixture() { UNSCOPED_INFO(engine.name); }

  // Memory belongs to one History.
  bool shared() const { return engine.name != "memory"; }

  Options options(std::shared_ptr<const EmbeddingModel> model = {}) const {
    return {.tenant = "default", .model = std::move(model), .index_folder = folder.file("index")};
  }
};

// Does not answer until it is told to.
class Hanging final : public Renamed {
 public:
  Hanging() : Renamed("hanging/1024/1") {}
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override {
    asked = true;
    while (hangs) std::this_thread::sleep_for(10ms);
    Renamed::embed(texts, role, out);
  }
  mutable std::atomic<bool> asked = false;
  std::atomic<bool> hangs = true;
};

class Away final : public Renamed {
 public:
  Away() : Renamed("away/1024/1") {}
  void embed(std::span<const std::string_view>, EmbeddingRole, std::span<float>) const override {
    throw Error(ErrorCode::unavailable, "the model is away");
  }
};

// A storage in which something happens once, when actions are looked for.
class Interrupted final : public Forwarding {
 public:
  using Forwarding::Forwarding;
  ActionStore& actions() override {
    if (const auto once = std::exchange(meanwhile, {})) once();
    return Forwarding::actions();
  }
  std::function<void()> meanwhile;
};

template <class Done>
bool wait_for(Done done) {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

// Three kinds of trouble, each solved in its own way, in words that vary.
std::vector<Action> troubles(int each) {
  constexpr std::array<std::array<const char*, 3>, 3> kinds{{
      {"OutOfMemory", "increase_memory", "the container was killed because its memory limit is too low"},
      {"DiskFull", "expand_volume", "the volume has no free space left and writes fail"},
      {"BadConfig", "patch_configmap", "a mounted setting is invalid, so that the process aborts at start"},
  }};
  std::vector<Action> actions;
  for (int i = 0; i < 3 * each; ++i) {
    const auto& kind = kinds[static_cast<std::size_t>(i % 3)];
    Action action = restart("a-" + std::to_string(i), noon + std::chrono::seconds(i));
    action.alert_name = kind[0];
    action.action_type = kind[1];
    action.model_reasoning =
        std::string(kind[2]) + ", seen in case number " + std::to_string(i * 7919 % 1000);
    action.outcome = completed(0.9);
    actions.push_back(std::move(action));
  }
  return actions;
}

std::int64_t missing(History& history, std::string_view space_id) {
  for (const EmbeddingSpace& space : history.spaces()) {
    if (space.space_id == space_id) return space.missing;
  }
  return -1;
}

}  // namespace

TEST_CASE("the first model chooses the tenant's space, and another name for it changes nothing", "[spaces]") {
  Fixture f;
  History history = open(f.uri, f.options(std::make_shared<Renamed>("first/1024/1")));
  history.record(troubles(2));
  REQUIRE(history.wait_indexed(30s));
  const auto spaces = history.spaces();
  REQUIRE(spaces.size() == 1);
  CHECK(spaces[0].space_id == "first/1024/1");
  CHECK(spaces[0].active);
  CHECK(spaces[0].vectors == 6);
  CHECK(spaces[0].missing == 0);
  CHECK(history.health().space_id == "first/1024/1");
  CHECK(history.health().feed.space_id == "first/1024/1");
  CHECK(error_code_of([&] { history.drop_space("first/1024/1"); }) == ErrorCode::conflict);
  CHECK_FALSE(history.drop_space("nosuch"));
}

TEST_CASE("a memory opened with another model changes to it once everything has its vector", "[spaces]") {
  Fixture f;
  if (!f.shared()) return;
  History old = open(f.uri, f.options());
  old.record(troubles(20));
  REQUIRE(old.wait_indexed(30s));
  const std::string before = hashed_lexical_model()->space_id();
  History next = open(f.uri, f.options(std::make_shared<Renamed>("next/1024/1")));
  const auto both_in = [&](std::string_view space) {
    return old.health().space_id == space && next.health().space_id == space;
  };
  // The old History has no such model and says so; what it finds by words stays.
  REQUIRE(wait_for([&] { return both_in("next/1024/1"); }));
  CHECK(missing(old, "next/1024/1") == 0);
  const auto found = next.similar({.text = "container killed, memory limit too low", .limit = 3});
  REQUIRE(found.size() == 3);
  CHECK(found[0].explain.space_id == "next/1024/1");
  CHECK(found[0].explain.similarity > 0.1);
  CHECK(found[0].trace.action_type == "increase_memory");
  const auto words = old.similar({.text = "memory limit too low"});
  REQUIRE_FALSE(words.empty());
  CHECK(words[0].explain.fallback.find("no model") != std::string::npos);
  CHECK(words[0].explain.similarity == 0);

  // Back by hand, and then a model that was in use once is not offered again.
  const SpaceSwitch back = next.switch_space(before);
  CHECK(back.switched);
  CHECK(back.previous == "next/1024/1");
  CHECK(next.health().space_id == before);
  REQUIRE(wait_for([&] { return both_in(before); }));
  CHECK(next.drop_space("next/1024/1"));
  CHECK(next.spaces().size() == 1);
}

TEST_CASE("no vector of one space is compared with another's while searches go on over a switch",
          "[spaces]") {
  Fixture f;
  if (!f.shared()) return;
  History history = open(f.uri, f.options());
  history.record(troubles(20));
  REQUIRE(history.wait_indexed(30s));
  std::atomic<bool> stop = false;
  std::atomic<int> searches = 0, wrong = 0;
  std::thread searching([&] {
    while (!stop) {
      const auto hits = history.similar({.text = "the volume has no free space left", .limit = 5});
      ++searches;
      if (hits.size() != 5 || hits[0].trace.action_type != "expand_volume") ++wrong;
    }
  });
  History next = open(f.uri, f.options(std::make_shared<Renamed>("next/1024/1")));
  const bool changed = wait_for([&] { return history.health().space_id == "next/1024/1"; });
  stop = true;
  searching.join();
  CHECK(changed);
  CHECK(searches > 0);
  CHECK(wrong == 0);
}

TEST_CASE("a model that is to be taken and hangs, or fails, delays nothing that is recorded meanwhile",
          "[spaces]") {
  Fixture f;
  if (!f.shared()) return;
  {
    History before = open(f.uri, f.options());
    before.record(troubles(2));
    REQUIRE(before.wait_indexed(30s));
  }
  const auto record = [](History& history, const std::string& id) {
    history.record(restart(id));
    CHECK(history.wait_indexed(5s));
    CHECK(history.similar({.action_id = id, .limit = 1}).size() == 1);
  };
  SECTION("hangs") {
    const auto hanging = std::make_shared<Hanging>();
    History history = open(f.uri, f.options(hanging));
    CHECK(wait_for([&] { return hanging->asked.load(); }));
    record(history, "a");
    record(history, "b");
    CHECK(history.health().space_id == hashed_lexical_model()->space_id());
    hanging->hangs = false;
    CHECK(wait_for([&] { return history.health().space_id == hanging->space_id(); }));
  }
  SECTION("fails") {
    History history = open(f.uri, f.options(std::make_shared<Away>()));
    CHECK(wait_for([&] { return history.health().index_error.find("is away") != std::string::npos; }));
    record(history, "a");
    record(history, "b");
  }
}

TEST_CASE("a space that was dropped is not made again by a process that was opened with its model",
          "[spaces]") {
  Fixture f;
  if (!f.shared()) return;
  History history = open(f.uri, f.options());
  history.record(troubles(20));
  REQUIRE(history.wait_indexed(30s));
  History offering = open(f.uri, f.options(std::make_shared<Contrary>()));
  REQUIRE(wait_for([&] { return missing(history, "contrary/1024/1") == 0; }));
  REQUIRE(history.drop_space("contrary/1024/1"));
  const std::string fitted = history.fit_space({.dimension = 8}).space_id;
  REQUIRE(history.switch_space(fitted, {.force = true}).switched);
  REQUIRE(wait_for([&] { return offering.health().space_id == fitted; }));
  offering.record(restart("newer", noon + 1h));
  REQUIRE(offering.wait_indexed(30s));
  std::this_thread::sleep_for(200ms);
  CHECK(missing(history, "contrary/1024/1") == -1);
}

TEST_CASE("an import into a space that is dropped meanwhile says so", "[spaces]") {
  Fixture f;
  auto storage = std::make_unique<Interrupted>(open_repository(f.uri, f.options()));
  Interrupted& interrupted = *storage;
  History history(std::move(storage), {.tenant = "default", .semantic = false});
  history.record(troubles(1));
  history.backfill();
  const float vector[] = {1, 2, 3, 4};
  const SubjectVector rows[] = {{"a-0", vector}, {"a-1", vector}};
  interrupted.meanwhile = [&] { interrupted.spaces().drop("elsewhere/4"); };
  const auto import = [&] { return history.import_vectors("elsewhere/4", rows); };
  CHECK(error_text_of(import).find("was dropped") != std::string::npos);
  CHECK(missing(history, "elsewhere/4") == -1);
  CHECK(import().stored == 2);
  // One that changes meanwhile is not counted.
  REQUIRE(history.drop_space("elsewhere/4"));
  interrupted.meanwhile = [&] {
    history.erase("a-0");
    history.backfill();
  };
  CHECK(import().stored == 1);
}

TEST_CASE("a model that finds less does not become the tenant's, unless it is forced", "[spaces]") {
  Fixture f;
  if (!f.shared()) return;
  { open(f.uri, f.options()).record(troubles(20)); }
  Options with_contrary = f.options(std::make_shared<Contrary>());
  with_contrary.worker = false;
  History history = open(f.uri, with_contrary);
  History worker = open(f.uri, f.options());
  REQUIRE(history.wait_indexed(30s));
  const SpaceSwitch refused = history.switch_space("contrary/1024/1");
  CHECK_FALSE(refused.switched);
  CHECK(refused.embedded == 60);
  CHECK(refused.why.find("nDCG") != std::string::npos);
  CHECK(history.health().feed.space_id == hashed_lexical_model()->space_id());
  CHECK(history.switch_space("contrary/1024/1", {.force = true}).switched);
  CHECK(history.health().feed.space_id == "contrary/1024/1");
  CHECK(error_code_of([&] { history.switch_space("nosuch"); }) == ErrorCode::not_found);
}

TEST_CASE("what was recorded without the semantic layer is embedded by a backfill, with progress",
          "[spaces]") {
  Fixture f;
  Options off = f.options();
  off.semantic = false;
  History history = open(f.uri, off);
  history.record(troubles(200));
  CHECK(history.health().feed.queued == 600);
  std::vector<std::int64_t> left;
  const std::int64_t done = history.backfill([&](const EmbeddingProgress& p) { left.push_back(p.left); });
  CHECK(done == 600);
  REQUIRE(left.size() >= 3);
  CHECK(std::ranges::is_sorted(left, std::greater<>()));
  CHECK(left.back() == 0);
  CHECK(missing(history, hashed_lexical_model()->space_id()) == 0);
  CHECK(history.backfill() == 0);
  if (!f.shared()) return;
  History after = open(f.uri, f.options());
  REQUIRE(after.wait_indexed(30s));
  CHECK(after.health().index.vectors == 600);
}

TEST_CASE("a backfill that is stopped goes on where it was", "[spaces]") {
  Fixture f;
  Options off = f.options();
  off.semantic = false;
  History history = open(f.uri, off);
  history.record(troubles(200));
  struct Stop {};
  CHECK_THROWS_AS(history.backfill([](const EmbeddingProgress& p) {
    if (p.done > 0) throw Stop();
  }),
                  Stop);
  const std::int64_t left = history.health().feed.queued;
  CHECK(left > 0);
  CHECK(left < 600);
  CHECK(history.backfill() == left);
  CHECK(missing(history, hashed_lexical_model()->space_id()) == 0);
}

TEST_CASE("vectors computed elsewhere make a space that searches can change to", "[spaces]") {
  Fixture f;
  History history = open(f.uri, f.options());
  history.record(troubles(2));
  REQUIRE(history.wait_indexed(30s));
  std::vector<std::vector<float>> vectors;
  std::vector<SubjectVector> rows;
  for (int i = 0; i < 6; ++i) {
    vectors.push_back({static_cast<float>(i % 3 == 0), static_cast<float>(i % 3 == 1), 0.1F, 0});
  }
  for (std::size_t i = 0; i < 5; ++i) rows.push_back({"a-" + std::to_string(i), vectors[i]});
  rows.push_back({"nosuch", vectors[5]});
  const VectorImport first = history.import_vectors("elsewhere/4", rows);
  CHECK(first.stored == 5);
  CHECK(first.unknown == 1);
  CHECK(history.import_vectors("elsewhere/4", rows).present == 5);
  CHECK(missing(history, "elsewhere/4") == 1);
  // One still lacks its vector, and this process could not make it.
  CHECK(error_code_of([&] { history.switch_space("elsewhere/4"); }) == ErrorCode::conflict);
  rows.back().subject_id = "a-5";
  CHECK(history.import_vectors("elsewhere/4", rows).stored == 1);
  CHECK(history.switch_space("elsewhere/4").switched);
  REQUIRE(wait_for([&] { return history.health().space_id == "elsewhere/4"; }));
  const auto hits = history.similar({.vector = {0, 1, 0, 0}, .limit = 2});
  REQUIRE(hits.size() == 2);
  CHECK(hits[0].trace.action_type == "expand_volume");
  CHECK(hits[1].trace.action_type == "expand_volume");
  CHECK(error_code_of([&] { history.similar({.vector = std::vector<float>(1024)}); }) ==
        ErrorCode::invalid_argument);
  CHECK_FALSE(history.similar({.text = "volume"}).empty());
  // An action that is asked for has its vector, though no model here could make it.
  const auto like = history.similar({.action_id = "a-1", .limit = 1});
  REQUIRE(like.size() == 1);
  CHECK(like[0].trace.action_id == "a-4");
  CHECK(like[0].explain.similarity == Approx(1));
  CHECK(like[0].explain.fallback.empty());

  const float three[] = {1, 2, 3};
  const SubjectVector other[] = {{"a-0", three}};
  CHECK(error_code_of([&] { history.import_vectors("elsewhere/4", other); }) == ErrorCode::conflict);
  const float broken[] = {1, NAN, 3, 4};
  const SubjectVector bad[] = {{"a-0", vectors[0]}, {"a-1", broken}};
  CHECK(error_text_of([&] { history.import_vectors("elsewhere/4", bad); }).starts_with("vectors[1]: "));
}

TEST_CASE("a text that the model refuses is listed with its error, and found by its words", "[spaces]") {
  Fixture f;
  const auto picky = std::make_shared<Picky>();
  History history = open(f.uri, f.options(picky));
  Action poison = restart("bad");
  poison.model_reasoning = "a poison text";
  const Action both[] = {poison, restart("good")};
  history.record(both);
  REQUIRE(wait_for([&] { return history.health().feed.failed == 1; }));
  REQUIRE(history.wait_indexed(30s));
  const auto failed = history.failed_subjects();
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].subject_id == "bad");
  CHECK(failed[0].attempts == FeedStore::max_attempts);
  CHECK(failed[0].error.find("is poison") != std::string::npos);
  CHECK(history.health().index.rows == 2);
  CHECK(history.health().index.vectors == 1);
  picky->picky = false;
  CHECK(history.similar({.text = "poison"}).front().trace.action_id == "bad");
  const std::string other[] = {"good"};
  CHECK(history.retry_failed(other) == 0);
  CHECK(history.retry_failed() == 1);
  REQUIRE(wait_for([&] { return history.health().index.vectors == 2; }));
  CHECK(history.failed_subjects().empty());
}

TEST_CASE("a worker that was overtaken does not remove what was queued anew", "[spaces]") {
  Fixture f;
  Options options = f.options();
  options.semantic = false;
  History history = open(f.uri, options);
  history.record(restart("a-0", noon));
  FeedStore& feed = history.repository().feed();
  const std::vector<QueuedSubject> read = feed.queued(10);
  REQUIRE(read.size() == 1);
  feed.append({}, read);  // by another worker
  REQUIRE(feed.queued(10).empty());
  history.complete("a-0", completed(0.5));
  feed.failed(read[0], "too late");
  feed.append({}, read);
  const std::vector<QueuedSubject> waiting = feed.queued(10);
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0].subject_id == "a-0");
  CHECK(waiting[0].attempts == 0);
  feed.failed(waiting[0], "refused");
  CHECK(feed.queued(10).at(0).attempts == 1);
  feed.append({}, waiting);
  CHECK(feed.queued(10).empty());
}

TEST_CASE("a replica that misses deletions which the feed has forgotten starts over", "[spaces]") {
  Fixture f;
  Options options = f.options();
  options.semantic = false;
  History history = open(f.uri, options);
  history.record(troubles(2));
  history.backfill();
  FeedStore& feed = history.repository().feed();
  const auto model = hashed_lexical_model();
  Replica behind(feed, model->space_id(), model->dimension());
  Replica current(feed, model->space_id(), model->dimension());
  while (behind.step()) continue;
  history.erase("a-0");
  history.backfill();
  while (current.step()) continue;
  // Not yet: what was deleted just now is told for days.
  CHECK(feed.trim(system_now() - 1h, system_now()) == 0);
  CHECK(feed.head().trimmed_below == 0);
  CHECK(feed.trim(system_now() + 1h, system_now()) == 1);
  CHECK(feed.head().trimmed_below > 0);
  while (behind.step()) continue;
  while (current.step()) continue;
  CHECK(behind.rebuilds() == 1);
  CHECK(current.rebuilds() == 0);
  CHECK(behind.index().stats().rows == 5);
  CHECK_FALSE(behind.index().version("a-0"));
}

TEST_CASE("an evaluation says how well each space finds what belongs together", "[spaces]") {
  Fixture f;
  Options options = f.options(std::make_shared<Contrary>());
  options.semantic = false;
  History history = open(f.uri, options);
  history.record(troubles(20));
  history.backfill();
  const Evaluation found = history.evaluate();
  REQUIRE(found.spaces.size() == 1);
  CHECK(found.documents == 60);
  CHECK(found.queries == 60);
  CHECK(found.words.ndcg > 0.9);
  CHECK(found.spaces[0].vectors == 60);
  CHECK(found.spaces[0].vectors_alone.ndcg < 0.7);
  CHECK(found.spaces[0].vectors_alone.ndcg < found.words.ndcg);
  CHECK(error_code_of([&] { history.evaluate({.spaces = {"nosuch"}}); }) == ErrorCode::not_found);
  CHECK(error_code_of([&] { history.evaluate({.queries = 0}); }) == ErrorCode::invalid_argument);
}

TEST_CASE("a space that was dropped meanwhile does not become the tenant's", "[spaces]") {
  Fixture f;
  History history = open(f.uri, f.options());
  history.record(troubles(2));
  REQUIRE(history.wait_indexed(30s));
  SpaceStore& spaces = history.repository().spaces();
  const std::string before = spaces.active();
  CHECK_FALSE(spaces.activate("dropped/4/1", before, noon));
  CHECK(spaces.active() == before);
  CHECK(spaces.activate(before, before, noon));
}

TEST_CASE("a model fitted on what is stored is used by every process after a switch", "[spaces]") {
  Fixture f;
  if (!f.shared()) return;
  History history = open(f.uri, f.options());
  history.record(troubles(20));
  REQUIRE(history.wait_indexed(30s));
  const EmbeddingSpace space = history.fit_space({.dimension = 8});
  CHECK(space.space_id.starts_with("lsa/8/"));
  CHECK(space.fitted);
  CHECK_FALSE(space.active);
  CHECK(space.missing == 60);
  // The same history gives the same model.
  CHECK(history.fit_space({.dimension = 8}).space_id == space.space_id);
  const SpaceSwitch result = history.switch_space(space.space_id);
  CHECK(result.switched);
  CHECK(result.embedded == 60);
  History other = open(f.uri, f.options());
  other.record(restart("newer", noon + 1h));
  REQUIRE(other.wait_indexed(30s));
  CHECK(other.health().space_id == space.space_id);
  // The first process may have fed it before it noticed the switch; then its vector follows within seconds.
  CHECK(wait_for([&] { return other.health().index.vectors == 61; }));
  const auto hits = other.similar({.text = "killed because its memory limit is too low", .limit = 3});
  REQUIRE(hits.size() == 3);
  CHECK(hits[0].explain.space_id == space.space_id);
  CHECK(hits[0].trace.action_type == "increase_memory");
  CHECK(error_code_of([&] { history.fit_space({.dimension = 1}); }) == ErrorCode::invalid_argument);

  // With the space its model is gone, though this process has just used it.
  CHECK(history.switch_space(hashed_lexical_model()->space_id()).switched);
  CHECK(history.drop_space(space.space_id));
  CHECK(error_code_of([&] { history.switch_space(space.space_id); }) == ErrorCode::not_found);
}

TEST_CASE("a fit tells how far it is, and ends when it is told to", "[spaces]") {
  Fixture f;
  Options options = f.options();
  options.semantic = false;
  History history = open(f.uri, options);
  history.record(troubles(20));
  history.backfill();
  std::vector<EmbeddingProgress> told;
  FitOptions fit{.dimension = 8, .documents = 30};
  fit.progress = [&](const EmbeddingProgress& progress) { told.push_back(progress); };
  history.fit_space(fit);
  REQUIRE(told.size() >= 3);
  CHECK(told.front().done == 30);
  CHECK(told.back().left == 0);
  CHECK(std::ranges::is_sorted(told, {}, &EmbeddingProgress::done));
  for (const EmbeddingProgress& progress : told) CHECK(progress.done + progress.left == told.back().done);
  const std::size_t spaces = history.spaces().size();
  struct Stop {};
  fit.dimension = 4;
  fit.progress = [](const EmbeddingProgress&) { throw Stop(); };
  CHECK_THROWS_AS(history.fit_space(fit), Stop);
  CHECK(history.spaces().size() == spaces);
}
