#include "history/index.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "embedding/aspects.hpp"
#include "embedding/lsa.hpp"
#include "history/evaluation.hpp"
#include "history/index_folder.hpp"
#include "history/subject.hpp"

namespace actionhist {

std::vector<float> Index::embed(std::string_view text, EmbeddingRole role) const {
  if (!model) {
    throw Error(ErrorCode::unsupported,
                fmt::format("space_id: this process has no model of \"{}\"; open with one, or search by a "
                            "vector of it",
                            space_id));
  }
  std::vector<float> vector(model->dimension());
  model->embed({&text, 1}, role, vector);
  return vector;
}

std::string Index::error() const {
  const std::string error = sync->error();
  return error.empty() && filling ? filling->error() : error;
}

IndexSlot::IndexSlot(Repository& repository, const Options& options)
    : repository_(repository),
      options_(options),
      own_(options.model ? options.model : hashed_lexical_model()) {}

IndexSlot::~IndexSlot() {
  std::shared_ptr<Index> serving, next;
  std::vector<std::shared_ptr<Index>> retired;
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    next = std::move(next_);
    serving = std::move(serving_);
    retired = std::move(retired_);
  }
  // The newer first: its thread may be about to take the place of the other.
  next.reset();
}

void IndexSlot::start() {
  std::shared_ptr<Index> made = make(tenant_space());
  std::lock_guard lock(mutex_);
  serving_ = std::move(made);
}

std::shared_ptr<Index> IndexSlot::get() const {
  std::lock_guard lock(mutex_);
  return serving_;
}

std::shared_ptr<const EmbeddingModel> IndexSlot::model_of(std::string_view space_id) const {
  if (own_->space_id() == space_id) return own_;
  if (hashed_lexical_model()->space_id() == space_id) return hashed_lexical_model();
  if (const auto base = base_of_aspects(space_id)) {
    auto model = model_of(*base);
    return model ? by_aspect(std::move(model)) : nullptr;
  }
  std::lock_guard lock(fitted_mutex_);
  SpaceStore& spaces = repository_.spaces();
  if (fitted_ && fitted_->space_id() == space_id) {
    // It went with its space if that was dropped.
    const std::vector<EmbeddingSpace> known = spaces.spaces(false);
    const auto space = std::ranges::find(known, space_id, &EmbeddingSpace::space_id);
    if (space != known.end() && space->fitted) return fitted_;
  }
  const auto bytes = spaces.model(space_id);
  if (!bytes) return nullptr;
  auto model = LsaModel::read(*bytes);
  if (model->space_id() != space_id) {
    throw Error(ErrorCode::corrupt,
                fmt::format("the stored model of \"{}\" is damaged; fit another", space_id));
  }
  return fitted_ = std::move(model);
}

void IndexSlot::warn(const std::string& text) const {
  if (options_.log) options_.log(LogLevel::warning, "index: " + text);
}

std::string IndexSlot::tenant_space() const {
  SpaceStore& spaces = repository_.spaces();
  if (std::string active = spaces.active(); !active.empty()) return active;
  // A memory that is older than this choice has a space already.
  const std::vector<EmbeddingSpace> known = spaces.spaces(true);
  const auto fullest = std::ranges::max_element(known, {}, &EmbeddingSpace::vectors);
  const bool filled = fullest != known.end() && fullest->vectors > 0;
  std::string chosen = filled ? fullest->space_id : own_->space_id();
  if (options_.read_only) return chosen;
  try {
    if (!filled) spaces.put(chosen, static_cast<std::int64_t>(own_->dimension()), options_.clock());
    spaces.activate(chosen, {}, options_.clock());
    return spaces.active();
  } catch (const Error& error) {
    // A role that may only read leaves the choice to the first that may write.
    if (error.code() != ErrorCode::denied) throw;
    return chosen;
  }
}

std::shared_ptr<Index> IndexSlot::make(const std::string& space_id) {
  auto index = std::make_shared<Index>();
  index->space_id = space_id;
  index->model = model_of(space_id);
  const std::vector<EmbeddingSpace> known = repository_.spaces().spaces(false);
  const auto stored = [&](std::string_view id) {
    return std::ranges::find(known, id, &EmbeddingSpace::space_id);
  };
  if (index->model) {
    index->dimension = index->model->dimension();
    const auto space = stored(space_id);
    if (space != known.end() && static_cast<std::size_t>(space->dimension) != index->dimension) {
      throw Error(
          ErrorCode::conflict,
          fmt::format(
              "model: \"{}\" has {} dimensions in this memory, the model {}; give it a name of its own",
              space_id, space->dimension, index->dimension));
    }
  } else {
    const auto space = stored(space_id);
    if (space == known.end()) {
      throw Error(ErrorCode::not_found,
                  fmt::format("space_id: \"{}\" was dropped a moment ago; the next search takes the tenant's "
                              "new space",
                              space_id));
    }
    index->dimension = static_cast<std::size_t>(space->dimension);
    warn(
        fmt::format("this process has no model of the tenant's space \"{}\": texts are found by their words "
                    "alone; open with one, or switch to another space",
                    space_id));
  }
  ReplicaFiles files;
  files.folder = index_folder(repository_.maintenance().info(), repository_.tenant(), options_);
  files.write = !options_.read_only;
  files.log = [this](const std::string& text) { warn(text); };
  index->replica.emplace(repository_.feed(), space_id, index->dimension, std::move(files));

  std::unique_ptr<FeedWorker> worker;
  if (options_.worker && !options_.read_only) {
    // A model that was given is offered once; who switched back, or dropped its space, meant it.
    const auto own = stored(own_->space_id());
    const bool refused = own == known.end() ? own_seen_ : own->activated_at.has_value();
    own_seen_ = own_seen_ || own != known.end();
    if (options_.model && own_ != index->model && !refused) {
      index->filling = std::make_unique<FillThread>(
          std::make_unique<SpaceFiller>(repository_, own_), [this](const std::string& text) { warn(text); },
          [this, index = index.get()] { offer_own(*index); });
    }
    worker = std::make_unique<FeedWorker>(repository_, index->model, subject_source(repository_));
  }
  index->sync = std::make_unique<SyncThread>(
      std::move(worker), *index->replica, [this](const std::string& text) { warn(text); },
      [this, index = index.get()] { after_round(*index); });
  return index;
}

void IndexSlot::after_round(const Index& index) {
  std::vector<std::shared_ptr<Index>> unused;  // ends without the lock, which its threads may wait for
  {
    std::lock_guard lock(mutex_);
    if (closing_) return;
    if (&index == next_.get() && index.replica->caught_up()) {
      retired_.push_back(std::exchange(serving_, std::move(next_)));
    }
    if (&index != serving_.get()) return;
    const auto begin = std::partition(retired_.begin(), retired_.end(),
                                      [](const auto& each) { return each.use_count() > 1; });
    std::move(begin, retired_.end(), std::back_inserter(unused));
    retired_.erase(begin, retired_.end());
    if (next_) return;
  }
  unused.clear();
  own_seen_ = own_seen_ || (index.filling && index.filling->filler().noted());
  const std::string& wanted = index.replica->tenant_space();
  if (wanted.empty() || wanted == index.space_id) return;
  std::shared_ptr<Index> made = make(wanted);
  std::lock_guard lock(mutex_);
  if (!closing_) next_ = std::move(made);
}

void IndexSlot::offer_own(const Index& index) {
  {
    std::lock_guard lock(mutex_);
    if (offered_ || closing_ || &index != serving_.get() || next_) return;
  }
  const Fitness fitness = compare_spaces(repository_, index.model.get(), *own_);
  // Once that is done: what fails is tried again.
  const bool switched =
      fitness.acceptable && repository_.spaces().activate(own_->space_id(), index.space_id, options_.clock());
  {
    std::lock_guard lock(mutex_);
    offered_ = true;
  }
  if (!fitness.acceptable) {
    warn(fmt::format("the model of \"{}\" stays unused: {}", own_->space_id(), fitness.why));
  } else if (switched) {
    warn(fmt::format("the tenant's space is now \"{}\": {}", own_->space_id(), fitness.why));
  }
}

}  // namespace actionhist
