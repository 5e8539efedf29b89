#include "analysis/moves.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace actionhist {
namespace {

// What an action left a dimension at.
struct Left {
  const Dimension* dimension;
  double value;
};

// What an action left a text setting at.
struct LeftText {
  const Dimension* dimension;
  std::size_t of;
  std::string_view value;
};

class MoveReader {
 public:
  explicit MoveReader(std::span<const Step* const> steps) : steps_(steps) {
    found_.moves.reserve(steps.size());
  }

  Movements read() {
    for (const Step* step : steps_) {
      if (!step->counted()) continue;
      read_moves(*step);
      read_changes(*step);
    }
    return std::move(found_);
  }

 private:
  static const JsonLeaves& before(const Step& step) { return *step.digest->before; }
  static const JsonLeaves& parameters(const Step& step) { return *step.digest->parameters; }
  // What it will leave is not known before its end.
  static const JsonLeaves& after(const Step& step) {
    static const JsonLeaves unknown;
    return step.ended() ? *step.digest->after : unknown;
  }

  void read_moves(const Step& step) {
    bool counts_known = false;
    for (const Leaf<double>& leaf : after(step).numbers) {
      if (leaf.dimension->measured) continue;
      counts_known |= leaf.dimension->scale;
      set(step, *leaf.dimension, leaf.value, true);
    }
    for (const Leaf<double>& leaf : parameters(step).numbers) {
      if (find(after(step).numbers, *leaf.dimension) != nullptr || !is_setting(*leaf.dimension)) continue;
      counts_known |= leaf.dimension->scale;
      set(step, *leaf.dimension, leaf.value, false);
    }
    if (counts_known) return;
    static const Dimension delta_name = dimension_at("delta");
    const double* const delta = find(parameters(step).numbers, delta_name);
    const bool scales = step.type->scales;
    if (delta != nullptr && *delta != 0) {
      // A step without a name is that of the count, or of the only number that the state has.
      const auto& known = before(step).numbers;
      if (scales) shift(step, counted_dimension(step), *delta);
      if (!scales && known.size() == 1) shift(step, *known.front().dimension, *delta);
    } else if (scales) {
      target_or_verb(step);
    }
  }

  // What the dimension was left at by the last move, or nullptr.
  const double* left_by_last(const Dimension& dimension) const {
    const auto left =
        std::ranges::find_if(left_, [&](const Left& each) { return *each.dimension == dimension; });
    return left == left_.end() ? nullptr : &left->value;
  }

  // The action gave the dimension a value.
  void set(const Step& step, const Dimension& dimension, double to, bool stated) {
    const double* const known = find(before(step).numbers, dimension);
    const double* const from = known != nullptr ? known : left_by_last(dimension);
    const double left = step.status == Status::rolled_back && !stated && from != nullptr ? *from : to;
    if (from != nullptr) {
      const int dir = dimension.same(*from, to) ? 0 : (to > *from ? 1 : -1);
      // What a proposal will set is not inferred from its parameters, it is what they say.
      const double quality = step.candidate || (stated && known != nullptr) ? 1 : .9;
      found_.moves.push_back({&step, &dimension, *from, to, std::abs(to - *from), dir, quality});
    }
    remember(dimension, left);
  }

  // The action changed the dimension by an amount.
  void shift(const Step& step, const Dimension& dimension, double delta) {
    const double* const known = find(before(step).numbers, dimension);
    const double* const from = known != nullptr ? known : left_by_last(dimension);
    if (from != nullptr) return set(step, dimension, *from + delta, false);
    found_.moves.push_back({&step, &dimension, {}, {}, std::abs(delta), delta > 0 ? 1 : -1, .9});
  }

  void target_or_verb(const Step& step) {
    for (const Leaf<double>& leaf : parameters(step).numbers) {
      if (leaf.dimension->target) return set(step, counted_dimension(step), leaf.value, false);
    }
    const int dir = step.type->direction;
    if (dir != 0) found_.moves.push_back({&step, &counted_dimension(step), {}, {}, 0, dir, .6});
  }

  // The count that a scaling action without a named one changes.
  const Dimension& counted_dimension(const Step& step) const {
    static const Dimension replicas = dimension_at("replicas");
    static const Dimension size = dimension_at("size");
    const auto is_count = [](const Dimension& each) { return each == replicas || each == size; };
    for (const Leaf<double>& leaf : before(step).numbers) {
      if (is_count(*leaf.dimension)) return *leaf.dimension;
    }
    for (const Left& left : left_) {
      if (is_count(*left.dimension)) return *left.dimension;
    }
    return replicas;
  }

  void read_changes(const Step& step) {
    for (const Leaf<std::string>& leaf : before(step).texts) {
      if (leaf.dimension->measured) continue;
      const std::string* to = find(after(step).texts, *leaf.dimension);
      if (to == nullptr) to = find(parameters(step).texts, *leaf.dimension);
      if (to != nullptr && *to != leaf.value) {
        found_.changes.push_back({&step, leaf.dimension->name, leaf.value, *to});
      }
    }
    for (const Leaf<std::string>& leaf : after(step).texts) {
      if (leaf.dimension->setting) set(step, leaf, true);
    }
    for (const Leaf<std::string>& leaf : parameters(step).texts) {
      const bool stated = find(after(step).texts, *leaf.dimension) != nullptr;
      if (leaf.dimension->setting && !stated) set(step, leaf, false);
    }
    const Trace& trace = *step.trace;
    const std::string& hash = trace.outcome.post_spec_hash;
    if (step.ended() && !trace.pre_spec_hash.empty() && !hash.empty() && trace.pre_spec_hash != hash) {
      found_.changes.push_back({&step, "spec", trace.pre_spec_hash, hash});
    }
  }

  // The action gave a text setting a value.
  void set(const Step& step, const Leaf<std::string>& leaf, bool stated) {
    const std::size_t of = which(step);
    const auto last = std::ranges::find_if(left_texts_, [&](const LeftText& left) {
      return left.of == of && *left.dimension == *leaf.dimension;
    });
    const std::string* const known = find(before(step).texts, *leaf.dimension);
    std::string_view from;
    if (known != nullptr) {
      from = *known;
    } else if (last != left_texts_.end()) {
      from = last->value;
      if (from != leaf.value) found_.changes.push_back({&step, leaf.dimension->name, from, leaf.value, of});
    }
    const bool undone = step.status == Status::rolled_back && !stated && !from.empty();
    const std::string_view left = undone ? from : leaf.value;
    if (last != left_texts_.end()) {
      last->value = left;
    } else {
      left_texts_.push_back({leaf.dimension.get(), of, left});
    }
  }

  // Stands for all that the parameters say beside settings: the container, the name of the variable. 0 for nothing.
  static std::size_t which(const Step& step) {
    std::size_t hash = 0;
    for (const Leaf<std::string>& leaf : parameters(step).texts) {
      const Dimension& dimension = *leaf.dimension;
      if (dimension.setting || dimension.measured || dimension.argument) continue;
      hash = hash * 31 + (dimension.hash ^ std::hash<std::string>()(leaf.value));
    }
    return hash;
  }

  // A number of the parameters is a setting if a state of the resource has it, or its name says so.
  bool is_setting(const Dimension& dimension) {
    return !dimension.measured && (!dimension.argument || in_states(dimension));
  }

  bool in_states(const Dimension& dimension) {
    if (!states_read_) read_states();
    return std::ranges::any_of(in_states_, [&](const Dimension* each) { return *each == dimension; });
  }

  // Few steps need it.
  void read_states() {
    states_read_ = true;
    for (const Step* step : steps_) {
      if (!step->counted()) continue;
      for (const JsonLeaves* state : {&before(*step), &after(*step)}) {
        for (const Leaf<double>& leaf : state->numbers) {
          if (!in_states(*leaf.dimension)) in_states_.push_back(leaf.dimension.get());
        }
      }
    }
  }

  void remember(const Dimension& dimension, double value) {
    const auto known =
        std::ranges::find_if(left_, [&](const Left& left) { return *left.dimension == dimension; });
    if (known != left_.end()) {
      known->value = value;
    } else {
      left_.push_back({&dimension, value});
    }
  }

  std::span<const Step* const> steps_;
  Movements found_;
  std::vector<Left> left_;  // what the last move left
  std::vector<LeftText> left_texts_;
  std::vector<const Dimension*> in_states_;
  bool states_read_ = false;
};

}  // namespace

Movements movements(std::span<const Step* const> steps) { return MoveReader(steps).read(); }

std::vector<Moves> by_dimension(const Moves& moves) {
  std::vector<Moves> groups;
  for (const Move* move : moves) {
    auto group = std::ranges::find_if(
        groups, [&](const Moves& other) { return *other.front()->dimension == *move->dimension; });
    if (group == groups.end()) group = groups.insert(group, Moves());
    group->push_back(move);
  }
  std::ranges::sort(groups, {},
                    [](const Moves& group) -> const std::string& { return group.front()->dimension->name; });
  return groups;
}

}  // namespace actionhist
