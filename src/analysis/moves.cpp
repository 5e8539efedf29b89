#include "analysis/moves.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/leaves.hpp"
#include "analysis/verbs.hpp"

namespace actionhist {
namespace {

struct Reading {
  Document before;
  Document after;
  Document parameters;
};

class MoveReader {
 public:
  MoveReader(std::span<const Step* const> steps, bool with_texts) {
    found_.dimensions = std::make_unique<DimensionTable>();
    replicas_ = &found_.dimensions->named("replicas");
    size_ = &found_.dimensions->named("size");
    delta_ = &found_.dimensions->named("delta");
    LeafReader reader(*found_.dimensions, with_texts);
    steps_.reserve(steps.size());
    found_.moves.reserve(2 * steps.size());
    for (const Step* step : steps) {
      if (!step->counted()) continue;
      const Trace& trace = *step->trace;
      Reading reading;
      // An action mostly starts where the last one ended, so that state is not read twice.
      const Trace* const last = steps_.empty() ? nullptr : steps_.back().first->trace;
      const bool continued = last != nullptr && steps_.back().first->ended() &&
                             last->outcome.resource_state_after == trace.resource_state_before;
      reading.before = continued ? steps_.back().second.after : reader.read(trace.resource_state_before);
      if (step->ended()) reading.after = reader.read(trace.outcome.resource_state_after);
      reading.parameters = reader.read(trace.action_parameters);
      for (const Document* state : {&reading.before, &reading.after}) {
        for (const Leaf<double>& leaf : state->numbers) {
          if (!in_states(leaf.dimension)) in_states_.push_back(leaf.dimension);
        }
      }
      steps_.emplace_back(step, std::move(reading));
    }
  }

  Movements read() {
    for (const auto& [step, reading] : steps_) {
      read_moves(*step, reading);
      read_changes(*step, reading);
    }
    return std::move(found_);
  }

 private:
  void read_moves(const Step& step, const Reading& reading) {
    bool counts_known = false;
    for (const Leaf<double>& leaf : reading.after.numbers) {
      if (leaf.dimension->measured) continue;
      counts_known |= leaf.dimension->scale;
      set(step, reading, *leaf.dimension, leaf.value, true);
    }
    for (const Leaf<double>& leaf : reading.parameters.numbers) {
      if (find(reading.after.numbers, leaf.dimension) != nullptr || !is_setting(*leaf.dimension)) continue;
      counts_known |= leaf.dimension->scale;
      set(step, reading, *leaf.dimension, leaf.value, false);
    }
    if (counts_known) return;
    const double* const delta = find(reading.parameters.numbers, delta_);
    const bool scales = step.type->family == "scale";
    if (delta != nullptr && *delta != 0) {
      // A step without a name is that of the count, or of the only number that the state has.
      const auto& before = reading.before.numbers;
      if (scales) shift(step, reading, counted_dimension(reading), *delta);
      if (!scales && before.size() == 1) shift(step, reading, *before.front().dimension, *delta);
    } else if (scales) {
      target_or_verb(step, reading);
    }
  }

  // The action gave the dimension a value.
  void set(const Step& step, const Reading& reading, const Dimension& dimension, double to, bool stated) {
    const double* const before = find(reading.before.numbers, &dimension);
    const double* const from = before != nullptr ? before : find(last_, &dimension);
    const double left = step.status == Status::rolled_back && !stated && from != nullptr ? *from : to;
    if (from != nullptr) {
      const int dir = dimension.same(*from, to) ? 0 : (to > *from ? 1 : -1);
      // What a proposal will set is not inferred from its parameters, it is what they say.
      const double quality = step.candidate || (stated && before != nullptr) ? 1 : .9;
      found_.moves.push_back({&step, &dimension, *from, to, std::abs(to - *from), dir, quality});
    }
    remember(dimension, left);
  }

  // The action changed the dimension by an amount.
  void shift(const Step& step, const Reading& reading, const Dimension& dimension, double delta) {
    const double* const before = find(reading.before.numbers, &dimension);
    const double* const from = before != nullptr ? before : find(last_, &dimension);
    if (from != nullptr) return set(step, reading, dimension, *from + delta, false);
    found_.moves.push_back({&step, &dimension, {}, {}, std::abs(delta), delta > 0 ? 1 : -1, .9});
  }

  void target_or_verb(const Step& step, const Reading& reading) {
    for (const Leaf<double>& leaf : reading.parameters.numbers) {
      if (leaf.dimension->target) return set(step, reading, counted_dimension(reading), leaf.value, false);
    }
    const int dir = direction_of(step.trace->action_type);
    if (dir != 0) found_.moves.push_back({&step, &counted_dimension(reading), {}, {}, 0, dir, .6});
  }

  // The count that a scaling action without a named one changes.
  const Dimension& counted_dimension(const Reading& reading) const {
    for (const auto* known : {&reading.before.numbers, &last_}) {
      for (const Leaf<double>& leaf : *known) {
        if (leaf.dimension == replicas_ || leaf.dimension == size_) return *leaf.dimension;
      }
    }
    return *replicas_;
  }

  void read_changes(const Step& step, const Reading& reading) {
    const Trace& trace = *step.trace;
    for (const Leaf<std::string>& leaf : reading.before.texts) {
      if (leaf.dimension->measured) continue;
      const std::string* to = find(reading.after.texts, leaf.dimension);
      if (to == nullptr) to = find(reading.parameters.texts, leaf.dimension);
      if (to != nullptr && *to != leaf.value) {
        found_.changes.push_back({&step, leaf.dimension->name, leaf.value, *to});
      }
    }
    const std::string& after = trace.outcome.post_spec_hash;
    if (step.ended() && !trace.pre_spec_hash.empty() && !after.empty() && trace.pre_spec_hash != after) {
      found_.changes.push_back({&step, "spec", trace.pre_spec_hash, after});
    }
  }

  bool in_states(const Dimension* dimension) const {
    return std::ranges::find(in_states_, dimension) != in_states_.end();
  }

  // A number of the parameters is a setting if a state of the resource has it, or its name says so.
  bool is_setting(const Dimension& dimension) const {
    return !dimension.measured && (in_states(&dimension) || !dimension.argument);
  }

  void remember(const Dimension& dimension, double value) {
    const auto same = std::ranges::find(last_, &dimension, &Leaf<double>::dimension);
    if (same != last_.end()) {
      same->value = value;
    } else {
      last_.push_back({&dimension, value});
    }
  }

  Movements found_;
  const Dimension* replicas_ = nullptr;
  const Dimension* size_ = nullptr;
  const Dimension* delta_ = nullptr;
  std::vector<std::pair<const Step*, Reading>> steps_;
  std::vector<const Dimension*> in_states_;
  Leaves<double> last_;  // what the last move left
};

}  // namespace

Movements movements(std::span<const Step* const> steps, bool with_changes) {
  return MoveReader(steps, with_changes).read();
}

}  // namespace actionhist
