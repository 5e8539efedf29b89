// The index that a History answers from: a model, its replica and the thread that moves both. When the tenant
// changes to another space, a second one is made beside it and takes its place once it has caught up.
// Internal to history/. IndexSlot may be used from any thread at once.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <actionhist/history.hpp>

#include "history/background.hpp"
#include "semantic/fill_thread.hpp"
#include "semantic/sync.hpp"

namespace actionhist {

struct Index {
  std::string space_id;
  std::size_t dimension = 0;
  std::shared_ptr<const EmbeddingModel> model;  // none: its vectors come from elsewhere
  std::optional<Replica> replica;
  Background background;
  std::unique_ptr<FillThread> filling;  // of the space of the own model, while that is offered
  std::unique_ptr<SyncThread> sync;     // last: it uses the others

  // The vector of a text. Throws Error: unsupported without a model.
  std::vector<float> embed(std::string_view text, EmbeddingRole role) const;
  // What went wrong last, in the replica, its worker or a space that is filled; empty if nothing did.
  std::string error() const;
};

class IndexSlot {
 public:
  // `options` and `repository` must outlive the slot.
  IndexSlot(Repository& repository, const Options& options);
  ~IndexSlot();
  IndexSlot(const IndexSlot&) = delete;
  IndexSlot& operator=(const IndexSlot&) = delete;

  void start();

  // Absent while the semantic layer is off.
  std::shared_ptr<Index> get() const;

  // The model of a space that this process can embed with: the one of the options, a built-in one, or one that
  // is stored. Nothing if there is none.
  std::shared_ptr<const EmbeddingModel> model_of(std::string_view space_id) const;

  // The model of the options, or the default.
  const EmbeddingModel& own_model() const noexcept { return *own_; }

  // The tenant's space; the first process to ask chooses it.
  std::string tenant_space() const;

 private:
  std::shared_ptr<Index> make(const std::string& space_id);
  void after_round(const Index& index);
  // Makes the space of the own model, which has every vector, the tenant's, once. By the thread that has filled it.
  void offer_own(const Index& index);
  void warn(const std::string& text) const;

  Repository& repository_;
  const Options& options_;
  std::shared_ptr<const EmbeddingModel> own_;
  mutable std::mutex fitted_mutex_;
  mutable std::shared_ptr<const EmbeddingModel> fitted_;  // the last that was read; guarded by fitted_mutex_
  // Of the thread of the serving index: the space of the own model was there. If it is not, it was dropped.
  bool own_seen_ = false;
  mutable std::mutex mutex_;
  std::shared_ptr<Index> serving_;  // guarded by mutex_
  std::shared_ptr<Index> next_;     // guarded by mutex_
  // Replaced, and not ended yet: a callback on its own thread may still answer from it, and must not be the last to let
  // go of it.
  std::vector<std::shared_ptr<Index>> retired_;  // guarded by mutex_
  bool closing_ = false;                         // guarded by mutex_
  bool offered_ = false;                         // guarded by mutex_
};

}  // namespace actionhist
