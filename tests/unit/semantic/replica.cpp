// A replica and its files, beside other processes and over deletions.
#include "semantic/replica.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "support/samples.hpp"
#include "support/vectors.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

constexpr std::size_t dimension = 8;
constexpr const char* space = "test/8/1";

// A feed in memory, of what it was given.
class MemoryFeed final : public FeedStore {
 public:
  // The action has another text and vector from now on.
  void write(std::size_t number, const std::string& text) {
    const std::string id = "a-" + std::to_string(number);
    FeedSubject& subject = subjects_[id];
    subject = {.subject_id = id, .text = text, .content_hash = id + text, .seq = ++seq_};
    embeddings_[id] = {id, space, subject.content_hash, vector_of(subject.content_hash), ++seq_};
    add_batch();
  }
  void erase(std::size_t number) {
    const std::string id = "a-" + std::to_string(number);
    subjects_[id] = {.subject_id = id, .deleted = true, .seq = ++seq_};
    embeddings_.erase(id);
    add_batch();
  }
  void rebuild() { epoch_ += "'"; }

  FeedBatch read(std::string_view, const FeedCursor& after, int limit) override {
    FeedBatch batch;
    batch.lost = !after.batch_id.empty() && std::ranges::count(batches_, after.batch_id) == 0;
    if (batch.lost) return batch;
    batch.last = {std::min(seq_, after.seq + limit), batches_.back()};
    const auto in = [&](std::int64_t seq) { return seq > after.seq && seq <= batch.last.seq; };
    for (const auto& [id, subject] : subjects_) {
      if (in(subject.seq)) batch.subjects.push_back(subject);
    }
    for (const auto& [id, embedding] : embeddings_) {
      if (in(embedding.seq)) batch.embeddings.push_back(embedding);
    }
    return batch;
  }
  FeedHead head() override {
    FeedHead head;
    head.epoch = epoch_;
    head.space_id = space;
    head.seq = seq_;
    if (!batches_.empty()) head.batch_id = batches_.back();
    return head;
  }

  // Every action is in the index with its own vector, and nothing else.
  void check(const SemanticIndex& index) const {
    CHECK(index.stats().rows == embeddings_.size());
    for (const auto& [id, embedding] : embeddings_) REQUIRE(index.vector(id) == unit(embedding.vector));
  }

  bool lease(std::string_view, std::chrono::seconds) override { return false; }
  void release(std::string_view) override {}
  std::vector<QueuedSubject> queued(int) override { return {}; }
  void sequence(std::span<const FeedSubject>, std::span<const QueuedSubject>) override {}
  std::vector<FeedSubject> unembedded(std::string_view, std::span<const std::string>) override { return {}; }
  std::int64_t append(std::span<const FeedEmbedding>, std::span<const QueuedSubject>) override { return 0; }
  void failed(const QueuedSubject&, std::string_view) override {}
  std::vector<FailedSubject> failures(int) override { return {}; }
  std::int64_t retry(std::span<const std::string>) override { return 0; }
  std::int64_t trim(TimePoint, TimePoint) override { return 0; }

 private:
  void add_batch() {
    static int drawn = 0;
    batches_.push_back("batch " + std::to_string(++drawn));
  }
  static std::vector<float> vector_of(const std::string& text) {
    return random_vector(std::hash<std::string>()(text), dimension);
  }
  // As an index of cosines keeps it.
  static std::optional<std::vector<float>> unit(const std::vector<float>& vector) {
    SemanticIndex index({.dimension = dimension});
    const IndexRow row{"x", "", vector};
    index.put({&row, 1});
    return index.vector("x");
  }

  std::map<std::string, FeedSubject> subjects_;
  std::map<std::string, FeedEmbedding> embeddings_;
  std::vector<std::string> batches_;
  std::string epoch_ = "first";
  std::int64_t seq_ = 0;
};

void catch_up(Replica& replica) {
  while (replica.step()) continue;
}

// Whether a file of the folder has these words.
bool on_disk(const std::string& folder, const std::string& words) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.find(words) != bytes.npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a replica that writes the files after another one of the same start keeps its own vectors",
          "[replica]") {
  TempFolder temp;
  const std::string folder = temp.file("index");
  MemoryFeed feed;
  for (std::size_t i = 0; i < 4000; ++i) feed.write(i, "crashed");
  {
    Replica before(feed, space, dimension, {.folder = folder});
    catch_up(before);
    before.close();
  }
  Replica first(feed, space, dimension, {.folder = folder});
  Replica second(feed, space, dimension, {.folder = folder});
  REQUIRE(first.opened());
  REQUIRE(second.opened());
  for (std::size_t i = 4000; i < 4600; ++i) feed.write(i, "crashed");
  catch_up(first);
  // The second learns of it after it has changed, and so in another order.
  for (std::size_t i = 4000; i < 4600; i += 2) feed.write(i, "restarted");
  catch_up(first);
  catch_up(second);
  first.close();
  second.close();

  Replica opened(feed, space, dimension, {.folder = folder});
  REQUIRE(opened.opened());
  CHECK(opened.seq() == feed.head().seq);
  feed.check(opened.index());
}

TEST_CASE("what was deleted leaves the files in time, whoever wrote them", "[replica]") {
  TempFolder temp;
  const std::string folder = temp.file("index");
  MemoryFeed feed;
  for (std::size_t i = 0; i < 300; ++i) feed.write(i, i == 7 ? "pod4711" : "crashed");
  ReplicaFiles files;
  files.folder = folder;
  files.least_changes = 100;
  files.removed_within = std::chrono::seconds(0);
  SECTION("while the replica runs") {
    Replica replica(feed, space, dimension, files);
    catch_up(replica);
    REQUIRE(on_disk(folder, "pod4711"));
    feed.erase(7);
    catch_up(replica);
    CHECK_FALSE(on_disk(folder, "pod4711"));
  }
  files.removed_within = std::chrono::hours(1);
  SECTION("at the end of the replica that wrote them") {
    Replica replica(feed, space, dimension, files);
    catch_up(replica);
    feed.erase(7);
    catch_up(replica);
    CHECK(on_disk(folder, "pod4711"));
    replica.close();
    CHECK_FALSE(on_disk(folder, "pod4711"));
  }
  SECTION("after the feed was rebuilt") {
    Replica replica(feed, space, dimension, files);
    catch_up(replica);
    files.least_changes = 10'000;
    replica.close();
    Replica next(feed, space, dimension, files);
    REQUIRE(next.opened());
    feed.erase(7);
    feed.rebuild();
    catch_up(next);
    next.close();
    CHECK_FALSE(on_disk(folder, "pod4711"));
  }
  SECTION("of another model") {
    Replica replica(feed, space, dimension, files);
    catch_up(replica);
    replica.close();
    feed.erase(7);
    files.least_changes = 10'000;
    Replica other(feed, "other/8/1", dimension, files);
    CHECK_FALSE(other.opened());
    catch_up(other);
    other.close();
    CHECK_FALSE(on_disk(folder, "pod4711"));
  }
}

TEST_CASE("a replica whose files are damaged says so once", "[replica]") {
  TempFolder temp;
  ReplicaFiles files;
  files.folder = temp.file("index");
  int lines = 0;
  files.log = [&](const std::string&) { ++lines; };
  MemoryFeed feed;
  for (std::size_t i = 0; i < 600; ++i) feed.write(i, "crashed");
  {
    Replica replica(feed, space, dimension, files);
    catch_up(replica);
    replica.close();
  }
  for (const auto& entry : std::filesystem::directory_iterator(files.folder))
    std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
  const Replica replica(feed, space, dimension, files);
  CHECK_FALSE(replica.opened());
  CHECK(lines == 1);
}

TEST_CASE("a save that failed is made up for at the end", "[replica]") {
  TempFolder temp;
  const std::string folder = temp.file("index");
  MemoryFeed feed;
  for (std::size_t i = 0; i < 300; ++i) feed.write(i, "crashed");
  std::string log;
  ReplicaFiles files;
  files.folder = folder;
  files.least_changes = 100;
  files.log = [&](const std::string& line) { log += line; };
  Replica replica(feed, space, dimension, files);
  std::ofstream(folder) << "in the way";
  catch_up(replica);
  CHECK(log.find("was not saved") != std::string::npos);
  std::filesystem::remove(folder);
  replica.close();
  Replica opened(feed, space, dimension, files);
  CHECK(opened.opened());
  feed.check(opened.index());
}

TEST_CASE("a replica that runs finds all rows of a feed that was put back, however far that went on",
          "[replica]") {
  MemoryFeed feed;
  for (std::size_t i = 0; i < 20; ++i) feed.write(i, "crashed");
  const MemoryFeed older = feed;
  for (std::size_t i = 20; i < 30; ++i) feed.write(i, "lost");
  Replica replica(feed, space, dimension);
  catch_up(replica);
  feed = older;
  SECTION("not at all") {}
  SECTION("less far") { feed.write(40, "other"); }
  SECTION("as far") {
    for (std::size_t i = 40; i < 50; ++i) feed.write(i, "other");
    REQUIRE(feed.head().seq == replica.seq());
  }
  SECTION("further") {
    for (std::size_t i = 40; i < 60; ++i) feed.write(i, "other");
  }
  catch_up(replica);
  CHECK(replica.rebuilds() == 1);
  feed.check(replica.index());
  feed.write(70, "more");
  catch_up(replica);
  CHECK(replica.rebuilds() == 1);
  feed.check(replica.index());
}

TEST_CASE("a feed that was put back while a replica reads it page by page is read anew", "[replica]") {
  MemoryFeed feed;
  for (std::size_t i = 0; i < 20; ++i) feed.write(i, "crashed");
  const MemoryFeed older = feed;
  for (std::size_t i = 20; i < 2000; ++i) feed.write(i, "lost");
  Replica replica(feed, space, dimension);
  REQUIRE(replica.step());
  REQUIRE(replica.seq() < feed.head().seq);
  feed = older;
  for (std::size_t i = 3000; i < 5000; ++i) feed.write(i, "other");
  catch_up(replica);
  feed.check(replica.index());
}

TEST_CASE("files that do not say which feed they have read are not used", "[replica]") {
  TempFolder temp;
  const std::string folder = temp.file("index");
  MemoryFeed feed;
  feed.write(1, "crashed");
  SemanticIndex index({.dimension = dimension});
  const std::vector<float> vector = random_vector(1, dimension);
  const IndexRow row{"a-2", "of before", vector};
  index.put({&row, 1});
  index.save(folder, Json::object({{"epoch", "first"}, {"seq", feed.head().seq}, {"space_id", space}}));
  std::string log;
  ReplicaFiles files;
  files.folder = folder;
  files.log = [&](const std::string& line) { log += line; };
  Replica replica(feed, space, dimension, files);
  CHECK_FALSE(replica.opened());
  CHECK(log.find("built anew") != std::string::npos);
  catch_up(replica);
  feed.check(replica.index());
}

TEST_CASE("files follow the feed in time, however little it moves", "[replica]") {
  TempFolder temp;
  MemoryFeed feed;
  for (std::size_t i = 0; i < 300; ++i) feed.write(i, "crashed");
  ReplicaFiles files;
  files.folder = temp.file("index");
  files.least_changes = 100;
  const auto read_more = [&] {
    Replica replica(feed, space, dimension, files);
    catch_up(replica);
    feed.write(7, "again");
    catch_up(replica);
    replica.close();
    return Replica(feed, space, dimension, files).seq();
  };
  std::int64_t read = read_more();
  CHECK(read < feed.head().seq);
  files.saved_within = std::chrono::seconds(0);
  read = read_more();
  CHECK(read == feed.head().seq);
}
