// The embedding spaces of a tenant: which there are, how they are filled, and how searches change to another.
#include <cmath>
#include <thread>

#include <fmt/format.h>

#include "core/json_fields.hpp"
#include "embedding/lsa.hpp"
#include "embedding/subspace.hpp"
#include "history/evaluation.hpp"
#include "history/feed_pages.hpp"
#include "history/state.hpp"
#include "history/subject.hpp"
#include "semantic/space_filler.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t import_rows = 256;
constexpr int unknown_rows = 10'000;
// For so long a queue may stand still: the lease of a worker that was killed lasts half a minute.
constexpr auto patience = 45s;
constexpr auto look_every = 20ms;
constexpr auto look_again = 250ms;  // while another process fills the space
constexpr auto follow_within = 60s;

using ProgressCallback = std::function<void(const EmbeddingProgress&)>;

std::optional<EmbeddingSpace> known_space(SpaceStore& store, std::string_view space_id) {
  for (EmbeddingSpace& space : store.spaces(true)) {
    if (space.space_id == space_id) return std::move(space);
  }
  return std::nullopt;
}

[[noreturn]] void refuse_dropped(std::string_view space_id) {
  throw Error(ErrorCode::conflict,
              fmt::format("space_id: \"{}\" was dropped while it was filled; begin again", space_id));
}

std::int64_t fill(Repository& repository, std::shared_ptr<const EmbeddingModel> model,
                  const ProgressCallback& progress) {
  SpaceFiller filler(repository, std::move(model));
  filler.note();
  const auto space = known_space(repository.spaces(), filler.model().space_id());
  const std::int64_t missing = space ? space->missing : 0;
  for (;;) {
    const bool moved = filler.step();
    if (filler.filled() || filler.dropped()) break;
    if (progress) progress({filler.embedded(), std::max<std::int64_t>(missing - filler.embedded(), 0)});
    // Another process fills it, until it is done or its lease ends.
    if (!moved) std::this_thread::sleep_for(look_again);
  }
  if (filler.dropped()) refuse_dropped(filler.model().space_id());
  return filler.embedded();
}

void validate(std::string_view space_id, std::span<const SubjectVector> vectors) {
  if (space_id.empty() || space_id.size() > 255) {
    refuse("space_id", "must have 1 to 255 bytes");
  }
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const auto refuse = [i](std::string_view why) {
      throw Error(ErrorCode::invalid_argument, fmt::format("vectors[{}]: {}", i, why));
    };
    const SubjectVector& row = vectors[i];
    if (row.subject_id.empty()) refuse("names no action");
    if (row.vector.empty()) refuse("is empty");
    if (row.vector.size() != vectors.front().vector.size()) {
      refuse(
          fmt::format("has {} numbers, the first has {}", row.vector.size(), vectors.front().vector.size()));
    }
    if (!std::ranges::all_of(row.vector, [](float x) { return std::isfinite(x); })) {
      refuse("has a value that is not finite");
    }
  }
}

}  // namespace

std::shared_ptr<const EmbeddingModel> History::State::required_model(std::string_view space_id) const {
  auto model = slot.model_of(space_id);
  if (!model) {
    throw Error(ErrorCode::not_found,
                fmt::format("space_id: this process has no model of \"{}\"; open with one", space_id));
  }
  return model;
}

std::int64_t History::State::drain_queue(const ProgressCallback& progress) {
  FeedStore& feed = repository->feed();
  const std::int64_t first = feed.head().queued;
  if (first == 0) return 0;
  // The thread of the index does it where there is one, because only one worker of a tenant may.
  const auto index = slot.get();
  const bool running = index && options.worker && !options.read_only;
  std::optional<FeedWorker> worker;
  if (!running) {
    worker.emplace(*repository, slot.model_of(slot.tenant_space()), subject_source(*repository));
  }
  std::int64_t left = first;
  auto moved_at = std::chrono::steady_clock::now();
  for (;;) {
    const bool moved = worker ? worker->step() : (index->sync->wake(true), false);
    const FeedHead head = feed.head();
    if (head.queued != left) moved_at = std::chrono::steady_clock::now();
    left = head.queued;
    if (progress) progress({std::max<std::int64_t>(first - left, 0), left});
    if (left == 0) break;
    if (std::chrono::steady_clock::now() > moved_at + patience) {
      const std::string error = index ? index->sync->error() : std::string();
      throw Error(ErrorCode::unavailable,
                  fmt::format("embed: the queue does not move: {}",
                              error.empty() ? "another worker holds the lease and does nothing" : error));
    }
    if (!moved) std::this_thread::sleep_for(look_every);
  }
  return first;
}

std::vector<EmbeddingSpace> History::spaces() { return alive(state_).repository->spaces().spaces(true); }

SpaceSwitch History::switch_space(std::string_view wanted, const SwitchOptions& options) {
  State& state = alive(state_);
  const std::string space_id(wanted.empty() ? state.slot.own_model().space_id() : wanted);
  Repository& repository = *state.repository;
  SpaceSwitch result;
  result.space_id = space_id;
  result.previous = state.slot.tenant_space();
  if (result.previous == space_id) return result;
  const auto model = state.slot.model_of(space_id);
  if (model) {
    result.embedded = fill(repository, model, options.progress);
  } else {
    const auto space = known_space(repository.spaces(), space_id);
    if (!space) static_cast<void>(state.required_model(space_id));
    if (space->missing > 0 && !options.force) {
      throw Error(
          ErrorCode::conflict,
          fmt::format("space_id: {} actions have no vector in \"{}\", and this process has no model of it; "
                      "import them first",
                      space->missing, space_id));
    }
  }
  if (model && !options.force) {
    const auto present = state.slot.model_of(result.previous);
    const Fitness fitness = compare_spaces(repository, present.get(), *model);
    result.why = fitness.why;
    if (!fitness.acceptable) return result;
  }
  result.switched = repository.spaces().activate(space_id, result.previous, state.now());
  if (!result.switched && repository.spaces().active() != space_id) {
    throw Error(ErrorCode::conflict, "space_id: another process switched meanwhile; look again");
  }
  result.switched = true;
  const auto deadline = std::chrono::steady_clock::now() + follow_within;
  for (auto index = state.slot.get(); index && index->space_id != space_id; index = state.slot.get()) {
    if (std::chrono::steady_clock::now() > deadline) break;
    index->sync->wake(true);
    index.reset();
    std::this_thread::sleep_for(look_every);
  }
  return result;
}

EmbeddingSpace History::fit_space(const FitOptions& options) {
  State& state = alive(state_);
  require_between("dimension", options.dimension, 2, 1024);
  require_between("documents", options.documents, 8, 100'000);
  // The newest texts are those with the highest seq, so older ones are passed over by their number.
  FeedStore& feed = state.repository->feed();
  std::int64_t alive_subjects = 0;
  const auto count = [&](const FeedSubject& subject) { alive_subjects += subject.deleted ? 0 : 1; };
  for_each_page(feed, {}, [&](const FeedBatch& batch) { std::ranges::for_each(batch.subjects, count); });
  std::int64_t skipped = std::max<std::int64_t>(alive_subjects - options.documents, 0);
  EmbeddingProgress progress{0, (alive_subjects - skipped) * (1 + passes)};
  const auto looked_at = [&](std::int64_t documents) {
    progress.done += documents;
    progress.left = std::max<std::int64_t>(progress.left - documents, 0);
    if (options.progress) options.progress(progress);
  };
  LsaFitter fitter;
  for_each_page(feed, {}, [&](const FeedBatch& batch) {
    std::int64_t added = 0;
    for (const FeedSubject& subject : batch.subjects) {
      if (subject.deleted || --skipped >= 0) continue;
      fitter.add(subject.text);
      ++added;
    }
    if (added > 0) looked_at(added);
  });
  const std::int64_t added = progress.done;
  const auto model =
      fitter.fit(static_cast<std::size_t>(options.dimension), options.seed, [&] { looked_at(added); });
  SpaceStore& spaces = state.repository->spaces();
  state.repository->transaction([&] {
    spaces.put(model->space_id(), static_cast<std::int64_t>(model->dimension()), state.now());
    spaces.put_model(model->space_id(), model->bytes());
  });
  auto fitted = known_space(spaces, model->space_id());
  if (!fitted) {
    throw Error(
        ErrorCode::conflict,
        fmt::format("space_id: \"{}\" was dropped as soon as it was fitted; look which spaces there are",
                    model->space_id()));
  }
  return *std::move(fitted);
}

bool History::drop_space(std::string_view space_id) {
  return alive(state_).repository->spaces().drop(space_id);
}

std::int64_t History::backfill(const ProgressCallback& progress) {
  State& state = alive(state_);
  SpaceStore& spaces = state.repository->spaces();
  while (spaces.queue_unknown(state.now(), unknown_rows) == unknown_rows) continue;
  std::int64_t done = state.drain_queue(progress);
  if (const auto model = state.slot.model_of(state.slot.tenant_space())) {
    done += fill(*state.repository, model, progress);
  }
  return done;
}

VectorImport History::import_vectors(std::string_view space_id, std::span<const SubjectVector> vectors) {
  State& state = alive(state_);
  validate(space_id, vectors);
  VectorImport result;
  if (vectors.empty()) return result;
  Repository& repository = *state.repository;
  repository.spaces().put(space_id, static_cast<std::int64_t>(vectors.front().vector.size()), state.now());
  // Vectors belong to texts, and those of the newest actions are still in the queue.
  state.drain_queue({});
  for (std::size_t begin = 0; begin < vectors.size(); begin += import_rows) {
    const auto page = vectors.subspan(begin, std::min(import_rows, vectors.size() - begin));
    std::vector<std::string> ids;
    for (const SubjectVector& row : page) ids.push_back(row.subject_id);
    std::unordered_map<std::string, std::string> hashes;  // of subjects that lack a vector
    for (FeedSubject& subject : repository.feed().unembedded(space_id, ids)) {
      hashes.emplace(std::move(subject.subject_id), std::move(subject.content_hash));
    }
    std::vector<FeedEmbedding> embeddings;
    std::vector<std::string> others;
    for (const SubjectVector& row : page) {
      const auto hash = hashes.extract(row.subject_id);
      if (hash) {
        embeddings.push_back(
            {row.subject_id, std::string(space_id), hash.mapped(), {row.vector.begin(), row.vector.end()}});
      } else {
        others.push_back(row.subject_id);
      }
    }
    const auto present = static_cast<std::int64_t>(repository.actions().get(others).size());
    result.present += present;
    result.unknown += static_cast<std::int64_t>(others.size()) - present;
    const std::int64_t stored = repository.feed().append(embeddings, {});
    if (stored < static_cast<std::int64_t>(embeddings.size())) {
      const std::vector<EmbeddingSpace> known = repository.spaces().spaces(false);
      if (std::ranges::find(known, space_id, &EmbeddingSpace::space_id) == known.end()) {
        refuse_dropped(space_id);
      }
    }
    result.stored += stored;
  }
  state.written();
  return result;
}

std::vector<FailedSubject> History::failed_subjects(int limit) {
  State& state = alive(state_);
  require_between("limit", limit, 1, 10'000);
  return state.repository->feed().failures(limit);
}

std::int64_t History::retry_failed(std::span<const std::string> subject_ids) {
  State& state = alive(state_);
  if (std::ranges::any_of(subject_ids, &std::string::empty)) {
    refuse("subject_ids", "one is empty");
  }
  const std::int64_t queued = state.repository->feed().retry(subject_ids);
  state.written();
  return queued;
}

std::string to_json(const EmbeddingSpace& space) {
  JsonWriter writer;
  FieldWriter put(writer);
  writer.begin_object();
  put("space_id", space.space_id);
  put("dimension", space.dimension);
  put("active", space.active);
  put("fitted", space.fitted);
  put("created_at", space.created_at);
  put("activated_at", space.activated_at);
  put("vectors", space.vectors);
  put("missing", space.missing);
  return writer.end_object().take();
}

std::string to_json(const FailedSubject& failed) {
  JsonWriter writer;
  FieldWriter put(writer);
  writer.begin_object();
  put("subject_id", failed.subject_id);
  put("attempts", failed.attempts);
  put("error", failed.error);
  put("queued_at", failed.queued_at);
  return writer.end_object().take();
}

std::string to_json(const SpaceSwitch& result) {
  JsonWriter writer;
  writer.begin_object().member("switched", result.switched).member("space_id", result.space_id);
  writer.member("previous", result.previous).member("embedded", result.embedded).member("why", result.why);
  return writer.end_object().take();
}

std::string to_json(const VectorImport& result) {
  JsonWriter writer;
  writer.begin_object().member("stored", result.stored).member("present", result.present);
  return writer.member("unknown", result.unknown).end_object().take();
}

}  // namespace actionhist
