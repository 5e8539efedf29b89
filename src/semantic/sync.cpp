#include "semantic/sync.hpp"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/hash.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

constexpr int worker_batch = 256;
constexpr auto lease_time = 30s;
// Under steady writing the worker's commits compete with the agent's, so it collects for this long.
constexpr auto collect_time = 200ms;
constexpr auto longest_pause = 1000ms;

}  // namespace

FeedWorker::FeedWorker(FeedStore& feed, const EmbeddingModel& model, SubjectSource source)
    : feed_(feed), model_(model), source_(std::move(source)), name_(uuid_v7(system_now())) {}

bool FeedWorker::step() {
  const TimePoint now = system_now();
  std::vector<QueuedSubject> queued = feed_.queued(worker_batch);
  behind_ = queued.size() == static_cast<std::size_t>(worker_batch);
  if (queued.empty() || !feed_.lease(name_, now, now + lease_time)) return false;

  std::vector<FeedSubject> subjects;
  std::vector<std::string> ids;
  for (const QueuedSubject& row : queued) {
    ids.push_back(row.subject_id);
    auto subject = source_(row.subject_id);
    if (!subject) {
      subject.emplace();
      subject->subject_id = row.subject_id;
      subject->deleted = true;
    }
    subjects.push_back(std::move(*subject));
  }
  // From here on words are searchable, before any vector is.
  feed_.sequence(subjects);
  const std::vector<FeedEmbedding> embeddings = embed(feed_.unembedded(model_.space_id(), ids), queued);
  feed_.append(embeddings, queued);
  return true;
}

void FeedWorker::release() noexcept {
  try {
    feed_.release(name_);
  } catch (const std::exception&) {
    // The lease ends by itself.
  }
}

// One text that the model refuses must not hold up the others: it is counted and left in the queue.
std::vector<FeedEmbedding> FeedWorker::embed(const std::vector<FeedSubject>& subjects,
                                             std::vector<QueuedSubject>& queued) {
  std::vector<std::string_view> texts;
  for (const FeedSubject& subject : subjects) texts.push_back(subject.text);
  const std::size_t dimension = model_.dimension();
  std::vector<float> vectors(texts.size() * dimension);
  std::vector<bool> usable(texts.size(), true);
  try {
    model_.embed(texts, EmbeddingRole::document, vectors);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      try {
        model_.embed(std::span(texts).subspan(i, 1), EmbeddingRole::document,
                     std::span(vectors).subspan(i * dimension, dimension));
      } catch (const Error& refused) {
        if (refused.code() != ErrorCode::invalid_argument) throw;
        usable[i] = false;
        const auto row = std::ranges::find(queued, subjects[i].subject_id, &QueuedSubject::subject_id);
        feed_.failed(*row, refused.what());
        queued.erase(row);
      }
    }
  }
  std::vector<FeedEmbedding> embeddings;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    if (!usable[i]) continue;
    FeedEmbedding& e = embeddings.emplace_back();
    e.subject_id = subjects[i].subject_id;
    e.space_id = model_.space_id();
    e.content_hash = subjects[i].content_hash;
    const auto row = std::span(vectors).subspan(i * dimension, dimension);
    e.vector.assign(row.begin(), row.end());
  }
  return embeddings;
}

SyncThread::SyncThread(std::unique_ptr<FeedWorker> worker, Replica& replica,
                       std::function<void(const std::string&)> log)
    : worker_(std::move(worker)), replica_(replica), log_(std::move(log)), thread_([this] { run(); }) {}

SyncThread::~SyncThread() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
  replica_.close();
  if (worker_) worker_->release();
}

void SyncThread::wake(bool urgent) {
  {
    std::lock_guard lock(mutex_);
    awake_ = true;
    urgent_ = urgent_ || urgent;
  }
  changed_.notify_all();
}

std::string SyncThread::error() const {
  std::lock_guard lock(mutex_);
  return error_;
}

bool SyncThread::round() {
  std::string error;
  bool moved = false;
  const auto attempt = [&](const auto& step) {
    try {
      moved = step() || moved;
    } catch (const std::exception& caught) {
      if (error.empty()) error = caught.what();
    }
  };
  // A model that fails must not keep the replica from the words that are in the feed.
  attempt([&] { return worker_ && worker_->step(); });
  attempt([&] { return replica_.step(); });
  if (!error.empty() && log_) log_(error);
  std::lock_guard lock(mutex_);
  error_ = std::move(error);
  return moved;
}

void SyncThread::run() {
  auto pause = std::chrono::milliseconds(0);
  for (;;) {
    const bool moved = round();
    // Other processes write without telling us, so the pause grows but stays bounded.
    pause = moved ? std::chrono::milliseconds(0) : std::min(longest_pause, std::max(5ms, pause * 2));
    std::unique_lock lock(mutex_);
    if (!moved) changed_.wait_for(lock, pause, [&] { return stop_ || awake_; });
    if (awake_ && !moved) pause = 5ms;
    const bool behind = worker_ && worker_->behind();
    if (!urgent_ && !behind && !stop_)
      changed_.wait_for(lock, collect_time, [&] { return stop_ || urgent_; });
    if (stop_) return;
    awake_ = false;
    urgent_ = false;
  }
}

}  // namespace actionhist
