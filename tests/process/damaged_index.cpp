// The files of an index while somebody damages them: a History answers, and builds anew what is not whole.
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <thread>

#include "support/children.hpp"
#include "support/effort.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

namespace fs = std::filesystem;

constexpr int recorded = 5000;  // more than a graph and a file of vectors begin with

std::string word_of(int number) { return "number" + std::to_string(number); }

void record(History& history, int begin, int end) {
  std::vector<Action> batch;
  for (int i = begin; i < end; ++i) {
    batch.push_back(restart("a-" + std::to_string(i), noon));
    batch.back().model_reasoning = "The pod " + word_of(i) + " crashes.";
  }
  history.record(batch);
}

// A text is like those of the same number. A few dimensions, quickly made.
class Numbers final : public EmbeddingModel {
 public:
  std::string space_id() const override { return "numbers/4/1"; }
  std::size_t dimension() const override { return 4; }
  void embed(std::span<const std::string_view> texts, EmbeddingRole, std::span<float> out) const override {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::size_t at = texts[i].find("number");
      const std::string number(
          texts[i].substr(std::min(at, texts[i].size()), std::string("number").size() + 4));
      std::mt19937 random(
          static_cast<unsigned>(std::hash<std::string>()(number.substr(0, number.find(' ')))));
      std::normal_distribution<float> normal;
      for (float& x : out.subspan(i * 4, 4)) x = normal(random);
    }
  }
};

bool found(History& history, int number) {
  const auto hits = history.similar({.text = word_of(number), .limit = 1});
  return hits.size() == 1 && hits[0].trace.action_id == "a-" + std::to_string(number);
}

// An index with every kind of file. Throws if it is not made in time.
void fill(const std::string& path, const Options& options) {
  History history = open(path, options);
  record(history, 0, recorded);
  const auto until = std::chrono::steady_clock::now() + 120s;
  history.wait_indexed(120s);
  while (history.health().index.linked == 0) {
    if (std::chrono::steady_clock::now() > until) throw std::runtime_error("there is no graph");
    std::this_thread::sleep_for(10ms);
  }
  // What was linked since the last save is saved at the end.
}

void flip_a_byte(const fs::path& file, std::size_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const char byte = static_cast<char>(stream.get() ^ 16);
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(byte);
}

// In a new file of the name: to cut one that others have mapped would end them, as it does with every mapping.
void cut(const fs::path& file, std::size_t size) {
  const fs::path copy = file.string() + ".cut";
  fs::copy_file(file, copy);
  fs::resize_file(copy, size);
  fs::rename(copy, file);
}

}  // namespace

TEST_CASE("whichever file of an index is damaged, a start notices, says so and builds it anew", "[damage]") {
  TempFolder folder;
  const std::string path = folder.file("h.db");
  const fs::path index = path + ".index/default";
  auto log = std::make_shared<std::pair<std::mutex, std::string>>();
  const auto logged = [&] {
    const std::lock_guard lock(log->first);
    return log->second;
  };
  Options options;
  options.model = std::make_shared<Numbers>();
  options.log = [log](LogLevel, std::string_view line) {
    const std::lock_guard lock(log->first);
    log->second += line;
  };
  fill(path, options);
  CHECK(logged().empty());
  const fs::path whole = folder.file("whole");
  fs::copy(index, whole);

  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(whole)) {
    if (file.path().filename() != "lock") names.push_back(file.path().filename().string());
  }
  CHECK(names.size() == 4);  // manifest, table, graph and a chunk of vectors
  std::mt19937 random(3);
  for (const std::string& name : names) {
    for (const bool flipped : {true, false}) {
      CAPTURE(name, flipped);
      fs::remove_all(index);
      fs::copy(whole, index);
      const std::size_t at = random() % fs::file_size(index / name);
      if (flipped) {
        flip_a_byte(index / name, at);
      } else {
        cut(index / name, at);
      }
      {
        const std::lock_guard lock(log->first);
        log->second.clear();
      }
      History history = open(path, options);
      // The vectors in full are compared in the background.
      const auto until = std::chrono::steady_clock::now() + 120s;
      while (logged().find("built anew") == std::string::npos && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(1ms);
      CHECK(logged().find("built anew") != std::string::npos);
      REQUIRE(history.wait_indexed(120s));
      CHECK(history.health().index.rows == recorded);
      CHECK(history.health().index.vectors == recorded);
      for (const int number : {0, recorded / 2, recorded - 1}) CHECK(found(history, number));
    }
  }
}

namespace {

struct Score {
  std::atomic<long> asked{0};
  std::atomic<long> answered{0};
  std::atomic<bool> over{false};
};

// Opens the history again and again and asks it.
void search(const std::string& path, const Options& options, Score& score) {
  std::mt19937 random(static_cast<unsigned>(getpid()));
  while (!score.over) {
    History history = open(path, options);
    for (int i = 0; i < 200 && !score.over; ++i) {
      const int number = static_cast<int>(random() % recorded);
      bool right = false;
      try {
        right = found(history, number);
      } catch (const Error& error) {
        std::fprintf(stderr, "search: %s\n", error.what());
      }
      ++score.asked;
      score.answered += right;
    }
  }
}

// What the saboteur does to a file of the index.
void damage(const fs::path& index, std::mt19937& random) {
  std::vector<fs::path> files;
  std::error_code gone;  // a file may be replaced meanwhile
  for (const auto& file : fs::directory_iterator(index, gone)) {
    if (file.path().filename() != "lock") files.push_back(file.path());
  }
  if (files.empty()) return;
  const fs::path file = files[random() % files.size()];
  const auto size = fs::file_size(file, gone);
  if (gone || size == 0) return;
  try {
    switch (random() % 4) {
      case 0: fs::remove(file); break;
      case 1: cut(file, random() % size); break;
      default:
        for (int i = 0; i < 20; ++i) flip_a_byte(file, random() % size);
    }
  } catch (const fs::filesystem_error&) {
    // It was replaced meanwhile.
  }
}

}  // namespace

TEST_CASE("searches are answered while the worker is killed and the files of the index are damaged",
          "[damage]") {
  TempFolder folder;
  const std::string path = folder.file("h.db");
  Options options;
  options.model = std::make_shared<Numbers>();
  Shared<Score> score;
  REQUIRE(wait_for(spawn([&] { fill(path, options); })) == 0);

  const auto work = [&] {
    History history = open(path, options);
    for (int i = 0;; i += 5) {
      std::vector<Action> batch;
      for (int j = i; j < i + 5; ++j) {
        batch.push_back(restart(std::to_string(getpid()) + "-" + std::to_string(j)));
        batch.back().model_reasoning = "The volume is full.";
      }
      history.record(batch);
      std::this_thread::sleep_for(20ms);
    }
  };
  Options searching = options;
  searching.worker = false;
  std::vector<pid_t> searchers;
  for (int i = 0; i < 2; ++i) searchers.push_back(spawn([&] { search(path, searching, *score); }));
  std::mt19937 random(5);
  for (int round = 0; round < effort(6); ++round) {
    const pid_t worker = spawn(work);
    const long before = score->asked;
    const auto until = std::chrono::steady_clock::now() + 120s;
    while (score->asked < before + 100 && std::chrono::steady_clock::now() < until) {
      damage(path + ".index/default", random);
      std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 40));
    }
    kill(worker, SIGKILL);
    CHECK(wait_for(worker) == 128 + SIGKILL);
  }
  score->over = true;
  for (const pid_t searcher : searchers) CHECK(wait_for(searcher) == 0);
  const long asked = score->asked;
  const long answered = score->answered;
  CAPTURE(asked, answered);
  CHECK(asked >= 100 * effort(6));
  // One in a thousand, and a few where a thousand are not asked: a vector that was changed while it is in use is
  // wrong until its file has been compared.
  CHECK(asked - answered <= 2 + asked / 1000);
  // In the end the index has it all again, without a worker: the lease of the last one holds for a while.
  History history = open(path, searching);
  const auto until = std::chrono::steady_clock::now() + 120s;
  while (history.health().index.vectors < recorded && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(10ms);
  CHECK(history.health().index.vectors >= recorded);
  for (const int number : {0, recorded / 2, recorded - 1}) CHECK(found(history, number));
}
