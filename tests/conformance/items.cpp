// What every engine promises about items and checkpoints.
#include <catch2/catch.hpp>

#include "sql/floats.hpp"
#include "support/models.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  FixedClock clock;
  History history = open(engine.uri(folder), {.tenant = "default", .semantic = false, .clock = clock});
  Items items = history.items();
  Checkpoints checkpoints = history.checkpoints();

  Fixture() { UNSCOPED_INFO(engine.name); }

  void put(Namespace namespace_, std::string key, const char* value,
           std::optional<std::chrono::microseconds> ttl = {}) {
    const ItemChange change{std::move(namespace_), std::move(key), Json::parse(value), ttl};
    items.put({&change, 1});
  }
  std::optional<Item> get(Namespace namespace_, std::string key, bool renew = true) {
    const ItemKey wanted{std::move(namespace_), std::move(key)};
    return items.get({&wanted, 1}, renew).at(0);
  }
  std::vector<std::string> found(const ItemQuery& query) {
    std::vector<std::string> keys;
    for (const Item& item : items.search(query)) keys.push_back(item.key);
    return keys;
  }

  void checkpoint(std::string thread, std::string id, std::string parent = {}, std::string space = {},
                  Json metadata = Json::object({{"source", "loop"}})) {
    Checkpoint checkpoint;
    checkpoint.thread_id = std::move(thread);
    checkpoint.checkpoint_ns = std::move(space);
    checkpoint.checkpoint_id = std::move(id);
    checkpoint.parent_id = std::move(parent);
    checkpoint.format = "bytes";
    checkpoint.state = std::string("\0state of ", 10) + checkpoint.checkpoint_id;
    checkpoint.metadata = std::move(metadata);
    checkpoints.put(checkpoint);
  }
  std::vector<std::string> ids(const CheckpointQuery& query) {
    std::vector<std::string> found;
    for (const Checkpoint& each : checkpoints.find(query))
      found.push_back(each.thread_id + "/" + each.checkpoint_id);
    return found;
  }
};

using Keys = std::vector<std::string>;
using Paths = std::vector<Namespace>;

}  // namespace

TEST_CASE("an item is put, read, replaced and removed", "[items]") {
  Fixture f;
  CHECK_FALSE(f.get({"users", "u-1"}, "theme"));
  f.put({"users", "u-1"}, "theme", R"({"colour": "dark", "size": 12})");
  f.clock.advance(1min);
  f.put({"users", "u-2"}, "theme", R"({"colour": "light"})");
  auto item = f.get({"users", "u-1"}, "theme");
  REQUIRE(item);
  CHECK(item->namespace_ == Namespace{"users", "u-1"});
  CHECK(item->value.text() == R"({"colour":"dark","size":12})");
  CHECK(item->created_at == noon);
  CHECK_FALSE(item->expires_at);
  f.put({"users", "u-1"}, "theme", R"({"colour": "blue"})");
  item = f.get({"users", "u-1"}, "theme");
  CHECK(item->value.text() == R"({"colour":"blue"})");
  CHECK(item->created_at == noon);
  CHECK(item->updated_at == noon + 1min);
  const ItemChange gone{{"users", "u-1"}, "theme", {}};
  f.items.put({&gone, 1});
  CHECK_FALSE(f.get({"users", "u-1"}, "theme"));
  CHECK(f.get({"users", "u-2"}, "theme"));
}

TEST_CASE("of two changes of one item in a batch the later counts, and a wrong one undoes all", "[items]") {
  Fixture f;
  const std::vector<ItemChange> changes{{{"a"}, "x", Json::object({{"n", 1}})},
                                        {{"a"}, "y", Json::object({{"n", 2}})},
                                        {{"a"}, "x", Json::object({{"n", 3}})},
                                        {{"a"}, "y", {}}};
  f.items.put(changes);
  CHECK(f.get({"a"}, "x")->value.text() == R"({"n":3})");
  CHECK_FALSE(f.get({"a"}, "y"));
  const std::vector<ItemChange> wrong{{{"a"}, "z", Json::object({{"n", 1}})}, {{}, "z", Json::object({})}};
  CHECK(error_text_of([&] { f.items.put(wrong); }) == "namespace: is required");
  CHECK_FALSE(f.get({"a"}, "z"));
  const auto refused = [&](const ItemChange& change) {
    return error_text_of([&] { f.items.put({&change, 1}); });
  };
  CHECK(refused({{"a", ""}, "x", Json::object({})}) == "namespace: has an empty label");
  CHECK(refused({{"a\x1f"}, "x", Json::object({})}) == "namespace: holds a control character");
  CHECK(refused({{"a"}, "", Json::object({})}) == "key: is required");
  CHECK(refused({{"a"}, "x", Json(5)}) == "value: must be a JSON object");
  CHECK(refused({{"a"}, "x", Json::object({}), 0s}) == "ttl: must be more than zero");
  const auto for_good = std::chrono::microseconds::max();
  CHECK(refused({{"a"}, "x", Json::object({}), for_good}).starts_with("ttl: is more than a hundred years"));
}

TEST_CASE("items are searched below a namespace, by filter, those that were written last first", "[items]") {
  Fixture f;
  f.put({"docs"}, "top", R"({"n": 0})");
  f.clock.advance(1s);
  f.put({"docs", "a"}, "one", R"({"n": 1, "tags": {"team": "red"}})");
  f.clock.advance(1s);
  f.put({"docs", "a"}, "two", R"({"n": 2, "tags": {"team": "blue"}})");
  f.put({"docs", "b"}, "three", R"({"n": 3})");
  f.put({"docsier"}, "other", R"({"n": 4})");
  CHECK(f.found({.under = {"docs"}}) == Keys{"two", "three", "one", "top"});
  CHECK(f.found({.under = {"docs", "a"}}) == Keys{"two", "one"});
  CHECK(f.found({.under = {"docs"}, .limit = 2, .offset = 1}) == Keys{"three", "one"});
  CHECK(f.found({.where = Json::parse(R"({"n": {"$gte": 2}})")}) == Keys{"two", "three", "other"});
  CHECK(f.found({.under = {"docs"}, .where = Json::parse(R"({"tags.team": "red"})")}) == Keys{"one"});
  CHECK(f.found({.under = {"docs"}, .where = Json::parse(R"({"n": {"$ne": 1}})"), .limit = 1, .offset = 1}) ==
        Keys{"three"});
  CHECK(f.found({.under = {"nowhere"}}).empty());
  CHECK(error_text_of([&] { f.found({.limit = 0}); }).find("limit: ") == 0);
}

TEST_CASE("a search looks at every item, however many there are", "[items]") {
  Fixture f;
  std::vector<ItemChange> changes;
  for (int i = 0; i < 4500; ++i) {
    changes.push_back(
        {{"many", std::to_string(i % 7)}, std::to_string(i), Json::object({{"n", i}}), {}, Keys{}});
  }
  f.items.put(changes);
  CHECK(f.found({.where = Json::parse(R"({"n": {"$gte": 0}})"), .limit = 10'000}).size() == 4500);
  CHECK(f.found({.under = {"many", "3"}, .where = Json::parse(R"({"n": {"$lt": 10}})")}) == Keys{"3"});
}

TEST_CASE("items are found by meaning", "[items]") {
  Fixture f;
  f.put({"notes"}, "food", R"({"text": "The user likes pizza with mushrooms"})");
  f.put({"notes"}, "code", R"({"text": "Deployments restart at midnight"})");
  ItemChange silent{{"notes"}, "silent", Json::object({{"text", "pizza"}}), {}, Keys{}};
  f.items.put({&silent, 1});
  const auto hits = f.items.search({.under = {"notes"}, .text = "pizza mushrooms"});
  REQUIRE(hits.size() == 3);
  CHECK(hits[0].key == "food");
  CHECK(hits[0].score > hits[1].score);
  CHECK(hits[2].key == "silent");  // nothing to find it by
  CHECK_FALSE(hits[2].score);
  CHECK(f.found({.text = "pizza", .where = Json::parse(R"({"text": {"$ne": "pizza"}})"), .limit = 1}) ==
        Keys{"food"});
}

TEST_CASE("the texts of many items go to the model in few calls", "[items]") {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  const auto model = std::make_shared<Counting>();
  History history = open(engine.uri(folder), {.tenant = "default", .semantic = false, .model = model});
  std::vector<ItemChange> changes;
  for (int i = 0; i < 300; ++i) {
    ItemChange& change = changes.emplace_back();
    change.namespace_ = {"notes"};
    change.key = std::to_string(i);
    change.value = Json::object({{"text", "note number" + std::to_string(i)}});
  }
  // The later of two counts, and one that is removed needs no vector.
  changes.push_back(changes[7]);
  changes.back().value = Json::object({{"text", "a key of the vault"}});
  changes.push_back({.namespace_ = {"notes"}, .key = "8"});
  history.items().put(changes);
  CHECK(model->texts == 299);
  CHECK(model->calls == 2);
  for (const auto& [text, key] : {std::pair("number123", "123"), {"vault key", "7"}, {"number299", "299"}}) {
    const auto found = history.items().search({.text = text, .limit = 1});
    REQUIRE(found.size() == 1);
    CHECK(found[0].key == key);
  }
}

TEST_CASE("vectors of the host find items too, each in its own space", "[items]") {
  Fixture f;
  const auto change = [](std::string key, std::vector<std::vector<float>> vectors, std::string space) {
    return ItemChange{{"v"}, std::move(key), Json::object({}), {}, {}, std::move(space), std::move(vectors)};
  };
  const std::vector<ItemChange> changes{change("x", {{2, 0, 0}}, "host"),
                                        change("y", {{0, 1, 0}, {.6F, .8F, 0}}, "host"),
                                        change("z", {{1, 0, 0}}, "other")};
  f.items.put(changes);
  const auto hits = f.items.search({.vector = {1, 0, 0}, .space_id = "host"});
  REQUIRE(hits.size() == 3);
  CHECK(hits[0].key == "x");
  CHECK(*hits[0].score == Approx(1));
  CHECK(hits[1].key == "y");
  CHECK(*hits[1].score == Approx(.6));  // its best vector
  CHECK_FALSE(hits[2].score);
  CHECK(error_text_of([&] { f.found({.vector = {1, 0, 0}}); }) == "space_id: is required with a vector");
  const auto odd = change("w", {{1, 0}, {1, 0, 0}}, "host");
  CHECK(error_text_of([&] { f.items.put({&odd, 1}); }) == "vectors: have different dimensions");
}

TEST_CASE("an item lives as long as it is read, if it has a time to live", "[items]") {
  Fixture f;
  f.put({"s"}, "brief", R"({"n": 1})", 60s);
  f.put({"s"}, "lasting", R"({"n": 2})");
  f.clock.advance(40s);
  CHECK(f.get({"s"}, "brief")->expires_at == noon + 100s);
  f.clock.advance(40s);
  CHECK(f.get({"s"}, "brief", false)->expires_at == noon + 100s);
  CHECK(f.found({.under = {"s"}, .renew = false}).size() == 2);
  f.clock.advance(20s);
  CHECK_FALSE(f.get({"s"}, "brief"));
  CHECK(f.found({.under = {"s"}}) == Keys{"lasting"});
  CHECK(f.found({.where = Json::parse(R"({"n": 1})")}).empty());
  // It is as new when it is written again.
  f.put({"t"}, "brief", R"({"n": 3})", 10s);
  f.clock.advance(20s);
  CHECK(f.items.namespaces() == Paths{{"s"}});
  CHECK(f.items.sweep() == 1);
  CHECK(f.items.sweep() == 0);
  f.put({"t"}, "brief", R"({"n": 4})");
  CHECK(f.get({"t"}, "brief")->created_at == noon + 120s);
}

TEST_CASE("namespaces are listed by prefix, suffix and depth", "[items]") {
  Fixture f;
  for (const Namespace& path :
       Paths{{"a", "b", "c"}, {"a", "b", "d", "e"}, {"a", "b", "d", "i"}, {"a", "b", "f"}, {"a", "c", "f"}}) {
    f.put(path, "k", R"({"n": 1})");
  }
  CHECK(f.items.namespaces({.prefix = {"a", "b"}, .max_depth = 3}) ==
        Paths{{"a", "b", "c"}, {"a", "b", "d"}, {"a", "b", "f"}});
  CHECK(f.items.namespaces({.suffix = {"f"}}) == Paths{{"a", "b", "f"}, {"a", "c", "f"}});
  CHECK(f.items.namespaces({.prefix = {"a", "*", "f"}}) == Paths{{"a", "b", "f"}, {"a", "c", "f"}});
  CHECK(f.items.namespaces({.prefix = {"a", "b", "c", "d"}}).empty());
  CHECK(f.items.namespaces({.limit = 2, .offset = 3}) == Paths{{"a", "b", "f"}, {"a", "c", "f"}});
}

TEST_CASE("a checkpoint is stored with its bytes, and the newest comes first", "[checkpoints]") {
  Fixture f;
  f.checkpoint("t", "1");
  f.checkpoint("t", "2", "1");
  f.checkpoint("t", "3", "2", "child");
  f.checkpoint("u", "9");
  const auto newest = f.checkpoints.find({.thread_id = "t", .checkpoint_ns = "", .limit = 1});
  REQUIRE(newest.size() == 1);
  CHECK(newest[0].checkpoint_id == "2");
  CHECK(newest[0].parent_id == "1");
  CHECK(newest[0].state == std::string("\0state of 2", 11));
  CHECK(newest[0].metadata.text() == R"({"source":"loop"})");
  CHECK(newest[0].created_at == noon);
  CHECK(f.ids({.thread_id = "t"}) == Keys{"t/3", "t/2", "t/1"});
  CHECK(f.ids({.thread_id = "t", .before = "2"}) == Keys{"t/1"});
  CHECK(f.ids({.checkpoint_id = "9"}) == Keys{"u/9"});
  CHECK(f.ids({.limit = 2}) == Keys{"u/9", "t/3"});
  CHECK(f.ids({.after = CheckpointKey{"t", "child", "3"}}) == Keys{"t/2", "t/1"});
  CHECK(error_text_of([&] { f.checkpoint("", "1"); }) == "thread_id: is required");
}

TEST_CASE("checkpoints are filtered by their metadata", "[checkpoints]") {
  Fixture f;
  for (int i = 0; i < 250; ++i) {
    const std::string id = std::to_string(1000 + i);
    f.checkpoint("t", id, {}, {}, Json::object({{"step", i}, {"source", i % 2 == 0 ? "input" : "loop"}}));
  }
  CHECK(f.ids({.thread_id = "t", .where = Json::parse(R"({"step": 7})")}) == Keys{"t/1007"});
  CHECK(f.ids({.where = Json::parse(R"({"source": "input", "step": {"$lt": 5}})"), .limit = 2}) ==
        Keys{"t/1004", "t/1002"});
  CHECK(f.ids({.where = Json::parse(R"({"source": "fork"})")}).empty());
}

TEST_CASE("writes are kept in order, and only special ones are replaced", "[checkpoints]") {
  Fixture f;
  f.checkpoint("t", "1");
  const CheckpointKey key{"t", "", "1"};
  const std::vector<CheckpointWrite> first{{"task-b", "~1", 0, "x", "json", "1"},
                                           {"task-b", "~1", 1, "y", "json", std::string("\0", 1)},
                                           {"task-b", "~1", -1, "error", "json", "bad"}};
  f.checkpoints.put_writes(key, first);
  const std::vector<CheckpointWrite> second{{"task-b", "~1", 0, "x", "json", "2"},
                                            {"task-b", "~1", -1, "error", "json", "worse"},
                                            {"task-a", "~1", 0, "x", "json", ""}};
  f.checkpoints.put_writes(key, second);
  const auto stored = f.checkpoints.find({.thread_id = "t"}).at(0).writes;
  REQUIRE(stored.size() == 4);
  CHECK(stored[0].task_id == "task-a");
  CHECK(stored[0].value.empty());
  CHECK(stored[1].place == -1);
  CHECK(stored[1].value == "worse");
  CHECK(stored[2].value == "1");
  CHECK(stored[3].value == std::string("\0", 1));
  const std::vector<CheckpointWrite> twice{first[0], first[0]};
  CHECK(error_text_of([&] { f.checkpoints.put_writes(key, twice); }).find("place: 0 is given twice") == 0);
}

TEST_CASE("threads are copied and removed whole", "[checkpoints]") {
  Fixture f;
  f.checkpoint("t", "1");
  f.checkpoint("t", "2", "1");
  const CheckpointWrite write{"task", "", 0, "x", "json", "1"};
  f.checkpoints.put_writes({"t", "", "2"}, {&write, 1});
  f.checkpoints.copy_thread("t", "copy");
  f.checkpoints.copy_thread("t", "copy");
  const CheckpointKey second{"t", "", "2"};
  CHECK(f.checkpoints.remove({&second, 1}) == 1);
  CHECK(f.checkpoints.remove({&second, 1}) == 0);
  CHECK(f.ids({}) == Keys{"copy/2", "t/1", "copy/1"});
  CHECK(f.checkpoints.find({.thread_id = "copy", .limit = 1}).at(0).writes.size() == 1);
  f.checkpoints.remove_thread("copy");
  CHECK(f.ids({}) == Keys{"t/1"});
  // Its writes went with it.
  f.checkpoint("copy", "2");
  CHECK(f.checkpoints.find({.thread_id = "copy"}).at(0).writes.empty());
}

TEST_CASE("a vector of which bytes are missing is corrupt", "[items]") {
  const float numbers[] = {.5f, 1};
  const auto bytes = std::as_bytes(std::span(numbers));
  CHECK(sql::floats_of(bytes) == std::vector<float>{.5f, 1});
  CHECK(sql::floats_of({}).empty());
  CHECK(error_code_of([&] { sql::floats_of(bytes.first(7)); }) == ErrorCode::corrupt);
}

TEST_CASE("the model sees the texts of items without their secrets", "[items]") {
  const Engine engine = GENERATE(from_range(engines()));
  INFO(engine.name);
  TempFolder folder;
  History history = open(
      engine.uri(folder),
      {.tenant = "default", .semantic = false, .model = std::make_shared<Picky>(), .redact = {"poison"}});
  Items items = history.items();
  const ItemChange change{{"notes"}, "login", Json::parse(R"({"said":"no poison","token":"poison"})")};
  items.put({&change, 1});
  const std::vector<Item> found = items.search({.text = "poison"});
  REQUIRE(found.size() == 1);
  // The value is the host's own.
  CHECK(found[0].value == change.value);
}
