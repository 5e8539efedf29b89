// What every engine promises about search: from the queue to the hit.
#include <set>

#include <catch2/catch.hpp>

#include "history/subject.hpp"
#include "support/models.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  History history = open(engine.uri(folder), {.tenant = "default"});

  Fixture() { UNSCOPED_INFO(engine.name); }

  void record_three() {
    Action config = restart("config");
    config.model_reasoning = "The mounted ConfigMap holds an invalid key, so the container aborts at start.";
    config.action_type = "patch_configmap";
    Action memory = restart("memory");
    memory.model_reasoning = "The container was OOMKilled; raise its memory limit.";
    memory.action_type = "increase_memory_limit";
    memory.alert_severity = "warning";
    Action disk = restart("disk");
    disk.model_reasoning = "The volume is full; expand the PersistentVolumeClaim.";
    disk.action_type = "expand_pvc";
    const Action all[] = {config, memory, disk};
    history.record(all);
  }

  std::string first(const SimilarQuery& query) {
    const auto hits = history.similar(query);
    return hits.empty() ? "" : hits.front().trace.action_id;
  }
};

}  // namespace

TEST_CASE("what was recorded is found by its words once it is indexed", "[search]") {
  Fixture f;
  f.record_three();
  REQUIRE(f.history.wait_indexed(10s));
  const auto hits = f.history.similar({.text = "bad config mounted, container aborts"});
  REQUIRE(hits.size() == 3);
  CHECK(hits[0].trace.action_id == "config");
  CHECK(hits[0].score >= hits[1].score);
  CHECK(hits[0].explain.route == "index");
  CHECK_FALSE(hits[0].explain.matched_terms.empty());
  CHECK(hits[0].explain.seq == hits[0].explain.feed_seq);
  CHECK(f.first({.text = "OOM killed"}) == "memory");
  CHECK(f.first({.text = "volume is full"}) == "disk");
}

TEST_CASE("filters are hard, and hits are exactly as many as asked for while there are that many",
          "[search]") {
  Fixture f;
  f.record_three();
  REQUIRE(f.history.wait_indexed(10s));
  const auto where = [&](std::string_view text) {
    return f.history.similar({.text = "container aborts", .where = Json::parse(text)}).size();
  };
  CHECK(where(R"({"alert_severity": "critical"})") == 2);
  CHECK(where(R"({"action_type": {"$in": ["expand_pvc", "increase_memory_limit"]}})") == 2);
  CHECK(where(R"({"kind": "Node"})") == 0);
  CHECK(f.history.similar({.text = "container aborts", .limit = 2}).size() == 2);
  CHECK(error_code_of([&] { where(R"({"nosuch": 1})"); }) == ErrorCode::invalid_argument);
}

TEST_CASE("an outcome that arrives later changes what filters see", "[search]") {
  Fixture f;
  f.record_three();
  REQUIRE(f.history.wait_indexed(10s));
  const SimilarQuery good{.text = "memory",
                          .where = Json::parse(R"({"effectiveness_score": {"$gte": 0.8}})")};
  CHECK(f.history.similar(good).empty());
  f.history.complete("memory", completed(0.9));
  REQUIRE(f.history.wait_indexed(10s));
  CHECK(f.first(good) == "memory");
}

TEST_CASE("an action is found like another, without itself", "[search]") {
  Fixture f;
  f.record_three();
  Action again = restart("again");
  again.model_reasoning = "OOMKilled again: the memory limit is too low.";
  f.history.record(again);
  REQUIRE(f.history.wait_indexed(10s));
  const auto hits = f.history.similar({.action_id = "again"});
  REQUIRE(hits.size() == 3);
  CHECK(hits.front().trace.action_id == "memory");
  CHECK(error_code_of([&] { f.history.similar({.action_id = "nosuch"}); }) == ErrorCode::not_found);
}

TEST_CASE("an action that is asked for has its vector already", "[search]") {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  const auto model = std::make_shared<Counting>();
  History history = open(engine.uri(folder), {.tenant = "default", .model = model});
  const Action both[] = {restart("a"), restart("b")};
  history.record(both);
  REQUIRE(history.wait_indexed(10s));
  const int made = model->texts;
  const auto hits = history.similar({.action_id = "a"});
  REQUIRE(hits.size() == 1);
  CHECK(hits[0].explain.similarity == Approx(1));
  CHECK(model->texts == made);
  history.similar({.text = "pod crashes"});
  CHECK(model->texts == made + 1);
}

TEST_CASE(
    "of actions that say the same one is found on request, and none that says the same as the asked one",
    "[search]") {
  Fixture f;
  f.record_three();
  std::vector<Action> repeats;
  for (int i = 0; i < 30; ++i) {
    repeats.push_back(restart("again-" + std::to_string(100 + i)));
    repeats.back().model_reasoning = "The container was OOMKilled; raise its memory limit.";
    repeats.back().action_type = "increase_memory_limit";
  }
  f.history.record(repeats);
  REQUIRE(f.history.wait_indexed(20s));
  const auto found = [&](SimilarQuery query) {
    std::set<std::string> ids;
    for (const Hit& hit : f.history.similar(query)) ids.insert(hit.trace.action_id.substr(0, 5));
    return ids;
  };
  SimilarQuery query{.text = "container OOMKilled, memory limit", .limit = 3};
  CHECK(found(query) == std::set<std::string>{"again"});
  query.distinct = 1;
  CHECK(f.history.similar(query).size() == 3);
  CHECK(found(query).contains("disk"));
  query = {.action_id = "again-100", .limit = 40};
  CHECK(f.history.similar(query).size() == 32);
  query.distinct = 1;
  CHECK(found(query) == std::set<std::string>{"confi", "disk"});
}

TEST_CASE("hits that say something else come earlier on request", "[search]") {
  Fixture f;
  f.record_three();
  std::vector<Action> repeats;
  for (int i = 0; i < 10; ++i) {
    repeats.push_back(restart("again-" + std::to_string(i)));
    repeats.back().model_reasoning = "The container was OOMKilled; raise its memory limit.";
  }
  f.history.record(repeats);
  REQUIRE(f.history.wait_indexed(20s));
  SimilarQuery query{.text = "container OOMKilled, raise its memory limit", .limit = 13, .mmr_lambda = 1.};
  const std::vector<Hit> by_score = f.history.similar(query);
  query.mmr_lambda = .3;
  const std::vector<Hit> varied = f.history.similar(query);
  REQUIRE(by_score.size() == 13);
  REQUIRE(varied.size() == 13);
  CHECK(varied[0].trace.action_id == by_score[0].trace.action_id);
  CHECK(varied[0].score == by_score[0].score);
  const auto place = [](const std::vector<Hit>& hits, std::string_view id) {
    return std::ranges::find_if(hits, [&](const Hit& hit) { return hit.trace.action_id == id; }) -
           hits.begin();
  };
  CHECK(place(varied, "disk") < place(by_score, "disk"));
}

TEST_CASE("a percentile keeps to what is more alike than stored actions usually are", "[search]") {
  Fixture f;
  std::vector<Action> actions;
  for (int i = 0; i < 60; ++i) {
    actions.push_back(restart("a-" + std::to_string(i)));
    const std::string word = std::string(1, static_cast<char>('a' + i % 26)) + "qx" + std::to_string(i);
    actions.back().alert_name = word;
    actions.back().model_reasoning = word + " is out of " + word;
  }
  actions.push_back(actions[7]);
  actions.back().action_id = "twin";
  actions.back().model_reasoning += " again";
  f.history.record(actions);
  REQUIRE(f.history.wait_indexed(20s));
  SimilarQuery query{.action_id = "twin", .percentile = 99.9};
  CHECK(f.first(query) == "a-7");
  CHECK(f.history.similar(query).size() == 1);
  query.action_id = "a-8";
  CHECK(f.history.similar(query).empty());
  query.percentile = 0;
  CHECK(f.history.similar(query).size() == 10);
  query = {.text = "xylophone", .percentile = 0.};
  CHECK(f.history.similar(query).empty());
}

TEST_CASE("without vectors the text search says what it leaves out", "[search]") {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  History history = open(engine.uri(folder), {.tenant = "default", .semantic = false});
  history.record(restart("a"));
  SimilarQuery query{.text = "pod crashes", .percentile = 99, .mmr_lambda = .5, .distinct = 1.};
  const auto hits = history.similar(query);
  REQUIRE(hits.size() == 1);
  for (const char* name : {"percentile", "mmr_lambda", "distinct"})
    CHECK_THAT(hits[0].explain.fallback, Catch::Contains(name));
}

TEST_CASE("likeness is given in its range", "[search]") {
  Fixture f;
  const auto code = [&](const SimilarQuery& query) {
    return error_code_of([&] { f.history.similar(query); });
  };
  CHECK(code({.text = "a", .percentile = 101.}) == ErrorCode::invalid_argument);
  CHECK(code({.text = "a", .mmr_lambda = -.1}) == ErrorCode::invalid_argument);
  CHECK(code({.text = "a", .distinct = 0.}) == ErrorCode::invalid_argument);
}

TEST_CASE("a vector of one's own searches too", "[search]") {
  Fixture f;
  f.record_three();
  REQUIRE(f.history.wait_indexed(10s));
  std::vector<float> vector(hashed_lexical_model()->dimension());
  const std::string_view texts[] = {"volume is full"};
  hashed_lexical_model()->embed(texts, EmbeddingRole::query, vector);
  CHECK(f.first({.vector = vector}) == "disk");
  CHECK(error_code_of([&] { f.history.similar({.vector = {1, 2}}); }) == ErrorCode::invalid_argument);
}

TEST_CASE("an action as deep and as long as is accepted is indexed like others", "[search]") {
  Fixture f;
  Action deep = restart("deep");
  std::string nested = "1";
  for (int level = 0; level < 64; ++level) nested = R"({"a":)" + nested + "}";
  deep.action_parameters = Json::parse(nested);
  Action large = restart("large");
  large.model_reasoning = "The volume is full. " + std::string(200'000, '.');
  large.metadata = Json::object({{"log", std::string(200'000, '.')}});
  // What stands for a secret is longer than these.
  Action secrets = restart("secrets");
  std::string list;
  for (int i = 0; i < 10'000; ++i) list += ",\"a\"";
  secrets.metadata = Json::parse(R"({"password":["a")" + list + "]}");
  const Action all[] = {deep, large, secrets};
  f.history.record(all);
  REQUIRE(f.history.wait_indexed(10s));
  CHECK(f.history.health().index.rows == 3);
  CHECK(f.history.similar({.text = "volume is full"}).size() == 3);
}

TEST_CASE("a text that becomes too long when its secrets are taken out is cut, a document is refused",
          "[search]") {
  Fixture f;
  Action action = restart("secrets");
  for (int i = 0; i < 32'000; ++i) action.model_reasoning += "pwd:abc ";
  const std::string reasoning = action.model_reasoning;
  const std::string kept = f.history.record(action).model_reasoning;
  CHECK(kept.size() > reasoning.size());
  CHECK(kept.size() <= 256 * 1024);
  CHECK(kept.find("abc") == std::string::npos);
  action = restart("document");
  std::string list;
  for (int i = 0; i < 60'000; ++i) list += ",\"a\"";
  action.metadata = Json::parse(R"({"password":["a")" + list + "]}");
  CHECK(error_text_of([&] { f.history.record(action); }).starts_with("metadata: is "));
}

TEST_CASE("an erased action leaves the index", "[search]") {
  Fixture f;
  f.record_three();
  REQUIRE(f.history.wait_indexed(10s));
  f.history.erase("disk");
  REQUIRE(f.history.wait_indexed(10s));
  for (const Hit& hit : f.history.similar({.text = "volume is full"})) CHECK(hit.trace.action_id != "disk");
  CHECK(f.history.health().index.rows == 2);
}

TEST_CASE("without the index the database answers, and says so", "[search]") {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  History history = open(engine.uri(folder), {.tenant = "default", .semantic = false});
  Action memory = restart("memory");
  memory.model_reasoning = "The container was OOMKilled; raise its memory limit.";
  const Action all[] = {memory, restart("other")};
  history.record(all);
  const auto hits = history.similar({.text = "raising the memory limits", .limit = 5});
  REQUIRE_FALSE(hits.empty());
  CHECK(hits.front().trace.action_id == "memory");
  CHECK(hits.front().explain.route == "text");
  CHECK_FALSE(hits.front().explain.fallback.empty());
  CHECK(error_code_of([&] { history.wait_indexed(1s); }) == ErrorCode::unsupported);
  const Health health = history.health();
  for (const RouteStats& route : health.routes) {
    if (route.use_case == "natural_language_search") {
      CHECK(route.hits == 1);
      CHECK(route.fallbacks == 1);
    }
  }
}

TEST_CASE("there are as many hits as asked for, however many were erased a moment ago", "[search]") {
  const Engine engine = GENERATE(from_range(engines()));
  if (engine.name == "memory") return;  // belongs to one History
  INFO(engine.name);
  TempFolder folder;
  const std::string uri = engine.uri(folder);
  const Options options{.tenant = "default", .worker = false, .index_folder = ""};
  {
    Options first = options;
    first.worker = true;
    History history = open(uri, first);
    std::vector<Action> batch;
    for (int i = 0; i < 120; ++i) {
      batch.push_back(restart("a-" + std::to_string(100 + i)));
      if (i >= 100) batch.back().model_reasoning = "Perhaps something else crashes.";
    }
    history.record(batch);
    REQUIRE(history.wait_indexed(30s));
  }
  History history = open(uri, options);
  REQUIRE(history.wait_indexed(30s));
  // Nobody tells the index.
  for (int i = 0; i < 100; ++i) history.erase("a-" + std::to_string(100 + i));
  const auto hits = history.similar({.text = "The pod crashes after each start", .limit = 10});
  CHECK(hits.size() == 10);
  for (const Hit& hit : hits) {
    CHECK(hit.trace.action_id >= "a-200");
    CHECK(hit.explain.route == "index");
  }
  CHECK(history.similar({.text = "The pod crashes after each start", .limit = 50}).size() == 20);
}

TEST_CASE("a wait ends when what was recorded is searchable, whatever the clocks of others say", "[search]") {
  const Engine engine = GENERATE(from_range(engines()));
  if (engine.name == "memory") return;
  INFO(engine.name);
  TempFolder folder;
  const std::string uri = engine.uri(folder);
  FixedClock ahead;
  ahead.advance(1h);
  History writer = open(uri, {.tenant = "default", .semantic = false, .clock = ahead});
  History reader =
      open(uri, {.tenant = "default", .worker = false, .clock = FixedClock(), .index_folder = ""});
  writer.record(restart("a"));
  CHECK_FALSE(reader.wait_indexed(100ms));
  Repository& repository = writer.repository();
  FeedWorker worker(repository, hashed_lexical_model(), subject_source(repository));
  while (worker.step()) continue;
  REQUIRE(reader.wait_indexed(30s));
  CHECK(reader.similar({.text = "pod crashes"}).size() == 1);
}

TEST_CASE("what another History wrote is found after a wait", "[search]") {
  TempFolder folder;
  const std::string uri = folder.file("h.db");
  History reader = open(uri, {.worker = false});
  History writer = open(uri);
  writer.record(restart("a-1"));
  REQUIRE(reader.wait_indexed(10s));
  CHECK(reader.similar({.text = "pod crashes"}).size() == 1);
}

TEST_CASE("an index that was not there when the actions came is built from the feed", "[search]") {
  TempFolder folder;
  const std::string uri = folder.file("h.db");
  {
    History before = open(uri, {.tenant = "default", .semantic = false});
    std::vector<Action> batch;
    for (int i = 0; i < 700; ++i) batch.push_back(restart("a-" + std::to_string(i)));
    before.record(batch);
    CHECK(before.health().feed.queued == 700);
  }
  History after = open(uri);
  REQUIRE(after.wait_indexed(20s));
  CHECK(after.health().index.rows == 700);
  CHECK(after.health().index.vectors == 700);
  CHECK(to_json(after.health()).find(R"("verified":true)") != std::string::npos);
  History third = open(uri, {.read_only = true});
  REQUIRE(third.wait_indexed(20s));
  CHECK(third.health().index.rows == 700);
}

TEST_CASE("a query must say what it looks for, once", "[search]") {
  Fixture f;
  CHECK(error_code_of([&] { f.history.similar({}); }) == ErrorCode::invalid_argument);
  CHECK(error_code_of([&] { f.history.similar({.text = "a", .action_id = "b"}); }) ==
        ErrorCode::invalid_argument);
  CHECK(error_code_of([&] { f.history.similar({.text = "a", .limit = 0}); }) == ErrorCode::invalid_argument);
  CHECK(f.history.similar({.text = "nothing is stored"}).empty());
}
