// Embedding spaces: one a model and version. Every vector belongs to one, a tenant's searches use one, and
// vectors of two are never compared. SpaceStore is what the storage knows of them; History works with it.
// Thread rule and atomicity of the store: as Repository says.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/time.hpp>

namespace actionhist {

struct FeedSubject;

struct EmbeddingSpace {
  std::string space_id;
  std::int64_t dimension = 0;
  bool active = false;                  // the one that the tenant's searches use
  bool fitted = false;                  // its model was fitted on the tenant's history and is stored with it
  std::optional<TimePoint> created_at;  // absent: before this was kept
  std::optional<TimePoint> activated_at;  // absent: never
  std::int64_t vectors = 0;               // of the present text of a subject
  std::int64_t missing = 0;               // subjects without one
};

std::string to_json(const EmbeddingSpace& space);

// A subject whose text the model refuses.
struct FailedSubject {
  std::string subject_id;
  int attempts = 0;
  std::string error;  // of the last one
  TimePoint queued_at{};
};

std::string to_json(const FailedSubject& failed);

struct EmbeddingProgress {
  std::int64_t done = 0;
  std::int64_t left = 0;  // about, while others write
};

struct FitOptions {
  int dimension = 256;     // at most, 2 to 1,024; no more than half of the documents
  int documents = 10'000;  // the newest ones, 8 to 100,000; each takes some 10 KB of memory meanwhile
  std::uint64_t seed = 1;
  // Counts documents, each once for every time that it is looked at. Called after each such pass, and while they are
  // read; what it throws ends the fit.
  std::function<void(const EmbeddingProgress&)> progress = {};
};

struct SwitchOptions {
  bool force = false;  // although searches would find less, or vectors are missing
  std::function<void(const EmbeddingProgress&)> progress = {};  // called after each batch
};

struct SpaceSwitch {
  bool switched = false;
  std::string space_id;
  std::string previous;
  std::int64_t embedded = 0;  // vectors that were missing
  std::string why;            // what the comparison of both said
};

std::string to_json(const SpaceSwitch& result);

// A vector that was computed elsewhere.
struct SubjectVector {
  std::string subject_id;         // the id of an action
  std::span<const float> vector;  // of its text as it is stored
};

// How many were stored or not; those whose action was changed or erased meanwhile are in none.
struct VectorImport {
  std::int64_t stored = 0;
  std::int64_t present = 0;  // had a vector of their text already, which stays
  std::int64_t unknown = 0;  // no such action
};

std::string to_json(const VectorImport& result);

class SpaceStore {
 public:
  virtual ~SpaceStore() = default;

  // All that are known, by id. Unless `counted`, their vectors and missing ones are 0.
  virtual std::vector<EmbeddingSpace> spaces(bool counted) = 0;
  // Notes a space; one that is known stays as it is. Throws Error: conflict for another dimension.
  virtual void put(std::string_view space_id, std::int64_t dimension, TimePoint now) = 0;
  // The tenant's space; empty while there is none.
  virtual std::string active() = 0;
  // Makes `space_id` the tenant's space if `expected` is it (empty: none). False if another one is.
  virtual bool activate(std::string_view space_id, std::string_view expected, TimePoint now) = 0;
  // Removes a space with its vectors and its model, and whoever embeds for it stops. False if there is none.
  // Throws Error: conflict for the tenant's space.
  virtual bool drop(std::string_view space_id) = 0;

  // True when `worker` alone fills the space for about this long from now, by the engine's clock. False when another
  // one does, or the space is not known.
  virtual bool lease(std::string_view space_id, std::string_view worker, std::chrono::seconds time) = 0;
  virtual void release(std::string_view space_id, std::string_view worker) = 0;

  // Subjects without a vector of their present text in the space, whose seq is above `after`, by seq.
  virtual std::vector<FeedSubject> missing(std::string_view space_id, std::int64_t after, int limit) = 0;
  // Queues stored actions that are neither in the feed nor in the queue, at most `limit`; how many it were.
  virtual std::int64_t queue_unknown(TimePoint now, int limit) = 0;
  // Lists a subject with the failed ones, unless it is queued, was deleted or has another text by now.
  virtual void refuse(const FeedSubject& subject, std::string_view error, TimePoint now) = 0;

  // The fitted model of a space, as its file would be.
  virtual std::optional<std::string> model(std::string_view space_id) = 0;
  // REQUIRES: the space was put.
  virtual void put_model(std::string_view space_id, std::string_view bytes) = 0;
};

}  // namespace actionhist
