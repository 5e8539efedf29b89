// The names of what can be moved: one name for each dimension, and what kind it is.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace actionhist {

struct Dimension {
  std::string name;       // "replicas" for spec.replicas, desiredReplicas and replica_count
  bool scale = false;     // replicas, size and their limits
  bool measured = false;  // measured rather than set: usage, latency, ready replicas, restart counts, phases
  bool argument = false;  // tells a tool what to do rather than a resource what to be: page, line, timeout
  bool target = false;    // under which a scaling action may give its count: count, desired, target, to
  bool amount = false;    // continuous: cpu, memory, storage

  // True if two values are the same: exactly for counts, within 5 % for amounts and fractions.
  bool same(double from, double to) const;
};

// The dimension at a path of keys, joined by points, in any spelling.
Dimension dimension_at(std::string_view path);

// Each dimension once, so that readers can compare addresses. Belongs to one thread.
class DimensionTable {
 public:
  struct Entry {
    const Dimension* dimension = nullptr;  // as long as the table
    bool exact = false;  // the path says the name itself, not a stand-in like current_replicas
  };

  const Entry& at(std::string_view path);
  const Dimension& named(std::string_view name) { return *at(name).dimension; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  std::deque<Dimension> dimensions_;
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> paths_;
};

}  // namespace actionhist
