// What every engine promises about the files of its index: a start reads them, and they never matter more than
// the database.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "support/models.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

// A log that can be read.
struct Log {
  std::shared_ptr<std::mutex> mutex = std::make_shared<std::mutex>();
  std::shared_ptr<std::string> text = std::make_shared<std::string>();
  void operator()(LogLevel, std::string_view line) const {
    const std::lock_guard lock(*mutex);
    *text += std::string(line) + "\n";
  }
  std::string read() const {
    const std::lock_guard lock(*mutex);
    return *text;
  }
};

struct Fixture {
  TempFolder folder;
  std::string uri = "sqlite:" + folder.file("h.db");
  std::string index = folder.file("h.db.index/default");
  Log log;

  History start(Options options = {}) {
    options.log = log;
    return open(uri, options);
  }
  void record(History& history, int begin, int end) {
    std::vector<Action> batch;
    for (int i = begin; i < end; ++i) {
      batch.push_back(restart("a-" + std::to_string(i)));
      batch.back().model_reasoning = "The pod number" + std::to_string(i) + " crashes after each start.";
    }
    history.record(batch);
    REQUIRE(history.wait_indexed(30s));
  }
  // Every action is found by its words and nothing else is there.
  void check(History& history, int actions) {
    REQUIRE(history.wait_indexed(30s));
    CHECK(history.health().index.rows == static_cast<std::size_t>(actions));
    CHECK(history.health().index.vectors == static_cast<std::size_t>(actions));
    for (const int i : {0, actions / 2, actions - 1}) {
      const auto hits = history.similar({.text = "number" + std::to_string(i), .limit = 1});
      REQUIRE(hits.size() == 1);
      CHECK(hits[0].trace.action_id == "a-" + std::to_string(i));
    }
  }
};

}  // namespace

TEST_CASE("an index is saved at the end and opened at the start, and follows the feed from there",
          "[index_files]") {
  Fixture f;
  {
    History history = f.start();
    f.record(history, 0, 600);
  }
  REQUIRE(std::filesystem::exists(f.index + "/manifest"));
  {
    History history = f.start();
    f.check(history, 600);
    f.record(history, 600, 700);
    history.erase("a-5");
    REQUIRE(history.wait_indexed(30s));
  }
  History history = f.start();
  REQUIRE(history.wait_indexed(30s));
  CHECK(history.health().index.rows == 699);
  for (const Hit& hit : history.similar({.text = "number5", .limit = 3})) CHECK(hit.trace.action_id != "a-5");
  CHECK(f.log.read().empty());
}

TEST_CASE("damaged and truncated files, files of another model and an older database give a new index",
          "[index_files]") {
  Fixture f;
  {
    History history = f.start();
    f.record(history, 0, 400);
  }
  std::filesystem::copy_file(f.folder.file("h.db"), f.folder.file("old.db"));
  {
    History history = f.start();
    f.record(history, 400, 900);
  }
  const auto replace_first = [&](std::string_view prefix, auto change) {
    for (const auto& entry : std::filesystem::directory_iterator(f.index)) {
      if (entry.path().filename().string().starts_with(prefix)) change(entry.path());
    }
  };
  SECTION("a flipped byte") {
    replace_first("table", [](const std::filesystem::path& path) {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(5000);
      const char byte = static_cast<char>(file.get() ^ 4);
      file.seekp(5000);
      file.put(byte);
    });
  }
  SECTION("a truncated file") {
    replace_first("manifest",
                  [](const std::filesystem::path& path) { std::filesystem::resize_file(path, 40); });
  }
  SECTION("a missing file") {
    replace_first("table", [](const std::filesystem::path& path) { std::filesystem::remove(path); });
  }
  SECTION("a database from a backup") {
    std::filesystem::copy_file(f.folder.file("old.db"), f.folder.file("h.db"),
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::remove(f.folder.file("h.db-wal"));
    std::filesystem::remove(f.folder.file("h.db-shm"));
    History history = f.start();
    f.check(history, 400);
    CHECK(f.log.read().find("built anew") != std::string::npos);
    return;
  }
  History history = f.start();
  f.check(history, 900);
  CHECK(f.log.read().find("built anew") != std::string::npos);
}

TEST_CASE("a graph that was linked after the last change is saved too", "[index_files]") {
  Fixture f;
  constexpr std::size_t linked = 4096;  // so many are worth a graph
  const auto start = [&] { return f.start({.model = std::make_shared<Small>()}); };
  {
    History history = start();
    f.record(history, 0, 5000);
  }
  {
    History history = start();
    const auto until = std::chrono::steady_clock::now() + 120s;
    while (history.health().index.linked < linked && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(10ms);
    }
    REQUIRE(history.health().index.linked >= linked);
  }
  CHECK(start().health().index.linked >= linked);
  CHECK(f.log.read().empty());
}

TEST_CASE("several Histories share the files: one writes them, the others read them", "[index_files]") {
  Fixture f;
  {
    History history = f.start();
    f.record(history, 0, 600);
  }
  History first = f.start();
  History second = f.start({.worker = false});
  History reader = f.start({.read_only = true});
  f.record(first, 600, 1300);
  f.check(second, 1300);
  f.check(reader, 1300);
  CHECK(f.log.read().empty());
}

TEST_CASE("an index may be kept elsewhere or nowhere, and tenants never share files", "[index_files]") {
  Fixture f;
  {
    History nowhere = f.start({.index_folder = ""});
    f.record(nowhere, 0, 400);
  }
  CHECK_FALSE(std::filesystem::exists(f.folder.file("h.db.index")));
  {
    History elsewhere = f.start({.index_folder = f.folder.file("cache/mine")});
    REQUIRE(elsewhere.wait_indexed(30s));
  }
  CHECK(std::filesystem::exists(f.folder.file("cache/mine/manifest")));
  {
    History other = f.start({.tenant = "../team a"});
    f.record(other, 0, 400);
  }
  CHECK(std::filesystem::exists(f.folder.file("h.db.index/%2E.%2Fteam%20a/manifest")));
}
