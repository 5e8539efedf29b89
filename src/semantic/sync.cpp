#include "semantic/sync.hpp"

#include <algorithm>
#include <exception>
#include <unordered_map>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/hash.hpp"
#include "semantic/embedding_batch.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

constexpr int worker_batch = 256;
// A replica that was away for longer starts over.
constexpr auto deletions_kept = std::chrono::days(7);
constexpr auto trim_every = 1h;
// How often a worker looks for subjects that another one left without a vector.
constexpr auto look_every = 10s;
// Under steady writing the worker's commits compete with the agent's, so it collects for this long.
constexpr auto collect_time = 200ms;
constexpr auto longest_pause = 1000ms;

}  // namespace

FeedWorker::FeedWorker(Repository& repository, std::shared_ptr<const EmbeddingModel> model,
                       SubjectSource source)
    : feed_(repository.feed()),
      model_(std::move(model)),
      source_(std::move(source)),
      name_(uuid_v7(system_now())) {
  if (model_) backlog_.emplace(repository, model_);
}

FeedWorker::~FeedWorker() {
  if (!leased_) return;
  try {
    feed_.release(name_);
  } catch (const std::exception&) {
    // The lease ends by itself.
  }
}

bool FeedWorker::lease() {
  const bool held = feed_.lease(name_, EmbeddingPace::lease);
  leased_ = leased_ || held;
  return held;
}

bool FeedWorker::step() {
  const TimePoint now = system_now();
  if (backlog_) backlog_->note();
  bool moved = drain();
  if (!moved && backlog_ && now >= look_again_) {
    moved = backlog_->look() && lease() && backlog_->lease();
    if (moved) {
      backlog_->embed();
    } else {
      look_again_ = now + look_every;
    }
  }
  return moved;
}

bool FeedWorker::drain() {
  std::vector<QueuedSubject> queued = feed_.queued(worker_batch);
  behind_ = queued.size() == static_cast<std::size_t>(worker_batch);
  if (queued.empty() || !lease()) return false;
  if (const TimePoint now = system_now(); now > trimmed_ + trim_every) {
    trimmed_ = now;  // also when it fails: embedding must not wait for it
    feed_.trim(now - deletions_kept, now);
  }
  std::vector<std::string> ids;
  for (const QueuedSubject& row : queued) ids.push_back(row.subject_id);
  std::unordered_map<std::string, FeedSubject> present;
  for (FeedSubject& subject : source_(ids)) present.emplace(subject.subject_id, std::move(subject));
  std::vector<FeedSubject> subjects;  // in the order of the queue
  for (const std::string& id : ids) {
    FeedSubject& subject = subjects.emplace_back();
    if (auto found = present.extract(id)) {
      subject = std::move(found.mapped());
    } else {
      subject.subject_id = id;
      subject.deleted = true;
    }
  }
  // From here on words are searchable, before any vector is.
  feed_.sequence(subjects, queued);
  std::vector<FeedEmbedding> embeddings;
  if (model_ && !backlog_->dropped()) {
    const auto refused = [&](const FeedSubject& subject, std::string_view error) {
      const auto row = std::ranges::find(queued, subject.subject_id, &QueuedSubject::subject_id);
      feed_.failed(*row, error);
      queued.erase(row);
    };
    const std::vector<FeedSubject> lacking = feed_.unembedded(model_->space_id(), ids);
    for (std::span rest(lacking); !rest.empty();) {
      const auto now = rest.first(std::min(rest.size(), pace_.texts()));
      rest = rest.subspan(now.size());
      embeddings = embed_subjects(*model_, now, refused, pace_);
      if (rest.empty()) break;
      // What is done is not lost with what follows, or done again by whoever has the lease by now.
      feed_.append(embeddings, {});
      if (!lease()) return true;
    }
  }
  feed_.append(embeddings, queued);
  return true;
}

SyncThread::SyncThread(std::unique_ptr<FeedWorker> worker, Replica& replica,
                       std::function<void(const std::string&)> log, std::function<void()> after_round)
    : worker_(std::move(worker)),
      replica_(replica),
      error_(std::move(log)),
      after_round_(std::move(after_round)),
      thread_([this] { run(); }) {}

SyncThread::~SyncThread() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
  replica_.close();
}

void SyncThread::wake(bool urgent) {
  {
    std::lock_guard lock(mutex_);
    awake_ = true;
    urgent_ = urgent_ || urgent;
  }
  changed_.notify_all();
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
  if (worker_ && worker_retry_.over()) {
    attempt([&] { return worker_->step(); });
    worker_error_ = error;
    worker_retry_.note(!error.empty());
  }
  attempt([&] { return replica_.step(); });
  attempt([&] {
    if (after_round_) after_round_();
    return false;
  });
  // The worker's first, so that two lasting ones do not take turns.
  if (!worker_error_.empty()) error = worker_error_;
  error_.note(error);
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
