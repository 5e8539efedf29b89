#include "semantic/replica.hpp"

#include <algorithm>
#include <exception>
#include <unordered_map>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/json_io.hpp"
#include "embedding/aspects.hpp"
#include "embedding/content_hash.hpp"

namespace actionhist {
namespace {

constexpr int batch_rows = 1024;

// Fewer changes are read from the feed sooner than they are saved and opened.
constexpr std::size_t worth_saving = 512;

// Links take longer to make again than to save from here on.
constexpr std::size_t links_worth_saving = 4096;

constexpr std::chrono::steady_clock::duration save_retry = std::chrono::minutes(1);
constexpr std::chrono::steady_clock::duration longest_save_retry = std::chrono::hours(1);

constexpr const char* trimmed = "the feed no longer tells of deletions that this index has not read";
constexpr const char* lost =
    "the feed does not know what this index has read, as after a restore or a long time";

// What a row is known by, so that a subject whose text did not change keeps its vector.
std::uint64_t version_of(const std::string& content_hash) {
  return actionhist::content_hash(content_hash.data(), content_hash.size()).low;
}

}  // namespace

Replica::Replica(FeedStore& feed, std::string space_id, std::size_t dimension, ReplicaFiles files)
    : feed_(feed),
      space_id_(std::move(space_id)),
      options_({.dimension = dimension, .parts = parts_of(space_id_, dimension)}),
      files_(std::move(files)),
      index_(options_) {
  if (!files_.folder.empty()) open();
}

void Replica::log(const std::string& text) const {
  if (files_.log) files_.log(text);
}

Json Replica::cursor(TimePoint saved_at) const {
  return Json::object({{"epoch", epoch_},
                       {"seq", seq_.load()},
                       {"batch_id", batch_id_},
                       {"space_id", space_id_},
                       {"saved_at", format_time(saved_at)}});
}

// Another process may replace the files while they are opened, so a second and a third look are worth it.
void Replica::open() {
  for (int attempt = 0; attempt < 3; ++attempt) {
    try {
      if (!std::filesystem::exists(files_.folder)) return;
      lock();
      SemanticIndex opened = SemanticIndex::open(files_.folder.string());
      JsonDocument document;
      const JsonElement note = document.parse(opened.note());
      if (std::string_view(note["space_id"]) != space_id_) {
        log("the files hold vectors of another model; the index is built anew from the feed");
        files_differ();
        return;
      }
      std::string batch_id{std::string_view(note["batch_id"])};
      saved_at_ = parse_time(std::string_view(note["saved_at"]));
      epoch_ = std::string_view(note["epoch"]);
      seq_ = saved_seq_ = std::int64_t(note["seq"]);
      batch_id_ = std::move(batch_id);
      index_ = std::move(opened);
      saved_links_ = index_.stats().linked;
      opened_ = true;
      return;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::not_found) return;
      if (attempt < 2 && !lock_) continue;
      files_differ();
      log(fmt::format("{}; the index is built anew from the feed", error.what()));
      return;
    } catch (const std::exception& error) {
      files_differ();
      log(fmt::format("the files lack their cursor ({}); the index is built anew from the feed",
                      error.what()));
      return;
    }
  }
}

// Whoever holds the lock writes; the others read what it wrote and keep what is newer in memory.
bool Replica::lock() {
  if (lock_ || !files_.write) return lock_.has_value();
  try {
    lock_ = FolderLock::take(files_.folder);
  } catch (const Error&) {
    // A folder that this process may only read.
    files_.write = false;
  }
  return lock_.has_value();
}

void Replica::start_over(const std::string& why) {
  if (seq_ > 0) {
    ++rebuilds_;
    log(why + "; the index is built anew from the feed");
    files_differ();
  }
  caught_up_ = false;
  index_.clear();
  seq_ = 0;
  batch_id_.clear();
  changes_ = 0;
  saved_links_ = 0;
}

void Replica::files_differ() {
  if (!removed_) removed_ = std::chrono::steady_clock::now();
}

FeedHead Replica::look() {
  FeedHead head = feed_.head();
  tenant_space_ = head.space_id;
  if (head.epoch != epoch_) {
    start_over("the feed was rebuilt");
    epoch_ = head.epoch;
  } else if (head.seq < seq_ || (head.seq == seq_ && head.batch_id != batch_id_)) {
    start_over(lost);
  } else if (seq_ > 0 && seq_ < head.trimmed_below) {
    start_over(trimmed);
  } else if (const std::string damage = index_.damage(); !damage.empty()) {
    start_over(damage);
  }
  feed_seq_ = head.seq;
  return head;
}

bool Replica::step() {
  const FeedHead head = look();
  if (head.seq == seq_) {
    caught_up_ = true;
    if (save_is_due() || linked_since_saved(saved_links_ / 2)) save();
    return false;
  }
  const FeedBatch batch = feed_.read(space_id_, {seq_, batch_id_}, batch_rows);
  if (batch.lost || (seq_ > 0 && seq_ < batch.trimmed_below)) {
    start_over(batch.lost ? lost : trimmed);
    return true;
  }
  apply(batch);
  seq_ = batch.last.seq;
  batch_id_ = batch.last.batch_id;
  changes_ += batch.subjects.size() + batch.embeddings.size();
  if (seq_ >= head.seq) caught_up_ = true;
  if (caught_up_ && save_is_due()) save();
  return true;
}

void Replica::apply(const FeedBatch& batch) {
  std::unordered_map<std::string_view, const FeedEmbedding*> vectors;
  for (const FeedEmbedding& e : batch.embeddings) vectors[e.subject_id] = &e;
  std::vector<IndexRow> rows;
  for (const FeedSubject& subject : batch.subjects) {
    const std::string& id = subject.subject_id;
    const std::uint64_t version = version_of(subject.content_hash);
    if (subject.deleted) {
      if (index_.remove(id)) files_differ();
    } else if (index_.version(id) == version) {
      index_.set_fields(id, subject.fields);
    } else {
      IndexRow row{id, subject.text, {}, subject.fields, version};
      const auto vector = vectors.find(id);
      if (vector != vectors.end() && vector->second->content_hash == subject.content_hash) {
        row.vector = vector->second->vector;
        vectors.erase(vector);
      }
      rows.push_back(std::move(row));
    }
  }
  index_.put(rows);
  for (const auto& [id, embedding] : vectors) {
    if (index_.version(id) == version_of(embedding->content_hash)) index_.set_vector(id, embedding->vector);
  }
}

std::optional<std::vector<float>> Replica::vector_of(std::string_view subject_id,
                                                     const std::string& content_hash) const {
  if (index_.version(subject_id) != version_of(content_hash)) return std::nullopt;
  return index_.vector(subject_id);
}

bool Replica::save_is_due() const {
  if (removed_ && std::chrono::steady_clock::now() >= *removed_ + files_.removed_within) return true;
  if (files_are_old()) return true;
  // The feed brings a row and its vector one by one.
  const IndexStats stats = index_.stats();
  return changes_ >= std::max(files_.least_changes, (stats.rows + stats.vectors) / 2);
}

bool Replica::files_are_old() const {
  if (saved_seq_ == 0 || saved_seq_ == seq_) return false;
  const TimePoint now = system_now();
  return now >= saved_at_ + files_.saved_within || now < saved_at_;  // by a clock that was set back since
}

bool Replica::linked_since_saved(std::size_t least) const {
  return index_.stats().linked >= saved_links_ + std::max(least, links_worth_saving);
}

void Replica::save() {
  const auto now = std::chrono::steady_clock::now();
  if (files_.folder.empty() || !files_.write || now < save_again_) return;
  save_again_ = now + save_retry;
  try {
    std::filesystem::create_directories(files_.folder);
    if (!lock()) return;
    const std::size_t linked = index_.stats().linked;  // what is linked meanwhile counts again
    const TimePoint saved_at = system_now();
    index_.save(files_.folder.string(), cursor(saved_at));
    saved_at_ = saved_at;
    saved_links_ = linked;
    saved_seq_ = seq_;
    changes_ = 0;
    removed_.reset();
    save_again_ = {};
    save_pause_ = {};
  } catch (const std::exception& error) {
    // The feed has everything; until it is saved the next start reads more of it.
    log(fmt::format("the index was not saved: {}", error.what()));
    // A disk that is full stays so for a while, and each try writes much.
    save_pause_ = std::clamp(save_pause_ * 2, save_retry, longest_save_retry);
    save_again_ = now + save_pause_;
  }
}

void Replica::close() noexcept {
  try {
    save_again_ = {};
    // What was deleted must leave the files too.
    if (seq_ > 0 && (changes_ >= worth_saving || removed_ || linked_since_saved(0) || files_are_old()))
      save();
    lock_.reset();
  } catch (const std::exception&) {
    // Nothing is lost.
  }
}

}  // namespace actionhist
