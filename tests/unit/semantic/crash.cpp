// An index whose process is killed while it adds, builds, leaves out what is dead, or saves.
#include <actionhist/semantic_index.hpp>

#include <atomic>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "support/children.hpp"
#include "support/effort.hpp"
#include "support/samples.hpp"
#include "support/vectors.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

constexpr std::size_t dimension = 32;
constexpr std::size_t step = 1600;  // rows that a round of work puts
constexpr std::size_t kept = 8;  // one in so many stays when the next has been put: the rest is worth a merge
const IndexOptions options = {.dimension = dimension, .sealed_rows = 200};

enum class Work { nothing, add, seal, merge, save };

std::string id_of(std::size_t row) { return "r" + std::to_string(row); }

// The table that the index must equal: after `rows` were put, the last step is there as a whole, and of those before
// it what was kept.
bool alive(std::size_t row, std::size_t rows) {
  return row < rows && (row + step >= rows || row % kept == 0);
}

void add(SemanticIndex& index, std::size_t begin) {
  std::vector<std::vector<float>> vectors;
  std::vector<IndexRow> rows;
  for (std::size_t i = begin; i < begin + step; ++i) vectors.push_back(random_vector(i, dimension));
  for (std::size_t i = begin; i < begin + step; ++i) {
    rows.push_back({id_of(i), "pod number" + std::to_string(i), vectors[i - begin],
                    Json::object({{"bucket", static_cast<int>(i % 3)}}), i + 1});
  }
  index.put(rows);
}

void remove_most(SemanticIndex& index, std::size_t begin) {
  for (std::size_t i = begin; i < begin + step; ++i) {
    if (i % kept != 0) index.remove(id_of(i));
  }
}

std::size_t cursor_of(const SemanticIndex& index) { return std::stoul(index.note().text().substr(8)); }

// Goes on from what was saved, for ever, and says what it is about to do.
void work_on(const std::string& folder, std::atomic<Work>& doing) {
  SemanticIndex index(options);
  std::size_t rows = 0;
  if (std::filesystem::exists(folder + "/manifest")) {
    index = SemanticIndex::open(folder);
    rows = cursor_of(index);
  }
  for (;; rows += step) {
    doing = Work::add;
    add(index, rows);
    doing = Work::seal;
    index.optimize();
    if (rows > 0) remove_most(index, rows - step);
    doing = Work::merge;
    index.optimize();
    doing = Work::save;
    index.save(folder, Json::object({{"rows", static_cast<int>(rows + step)}}));
  }
}

void check_equals_table(const SemanticIndex& index, std::size_t rows) {
  std::size_t expected = 0;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < rows + step; ++i) {
    expected += alive(i, rows);
    const auto version = index.version(id_of(i));
    wrong += alive(i, rows) ? version != i + 1 : version.has_value();
  }
  CHECK(wrong == 0);
  CHECK(index.stats().rows == expected);
  CHECK(index.stats().vectors == expected);
  for (std::size_t i = 0; i < rows; i += 100) {
    const auto vector = random_vector(i, dimension);
    IndexQuery by_vector;
    by_vector.vector = vector;
    by_vector.limit = 1;
    by_vector.where = Json::object({{"bucket", static_cast<int>(i % 3)}});
    const auto near = index.search(by_vector);
    IndexQuery by_words;
    by_words.text = "number" + std::to_string(i);
    const auto worded = index.search(by_words);
    if (alive(i, rows)) {
      REQUIRE(near.size() == 1);
      CHECK(near[0].id == id_of(i));
      REQUIRE_FALSE(worded.empty());
      CHECK(worded[0].id == id_of(i));
    } else {
      CHECK((worded.empty() || worded[0].id != id_of(i)));
      CHECK((near.empty() || near[0].id != id_of(i)));
    }
  }
}

}  // namespace

TEST_CASE("a process that is killed while it adds, builds, merges or saves leaves the index of its cursor",
          "[crash]") {
  TempFolder folder;
  const std::string path = folder.file("index");
  Shared<std::atomic<Work>> doing;
  std::mt19937 random(11);
  std::size_t saved = 0;
  // ACTIONHIST_EFFORT=67 kills it 201 times at each.
  for (int round = 0; round < effort(3); ++round) {
    for (const Work wanted : {Work::add, Work::seal, Work::merge, Work::save}) {
      *doing = Work::nothing;
      const pid_t child = spawn([&] { work_on(path, *doing); });
      const auto until = std::chrono::steady_clock::now() + 120s;
      const auto reached = [&](Work one) {
        while (doing->load() != one) {
          if (std::chrono::steady_clock::now() > until) return false;
          std::this_thread::sleep_for(50us);
        }
        return true;
      };
      // After a whole round, so that something is saved each time, however slow the machine.
      const bool there = reached(Work::save) && reached(Work::add) && reached(wanted);
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
      kill(child, SIGKILL);
      CHECK(wait_for(child) == 128 + SIGKILL);
      REQUIRE(there);

      const SemanticIndex index = SemanticIndex::open(path);
      const std::size_t rows = cursor_of(index);
      CHECK(rows > saved);
      saved = rows;
      check_equals_table(index, rows);
    }
    // So that a long run does not grow.
    if (saved > 10 * step) {
      std::filesystem::remove_all(path);
      saved = 0;
    }
  }
}
