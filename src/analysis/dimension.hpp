// The names of what can be moved: one name for each dimension, and what kind it is.
// Functions may be called from any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace actionhist {

struct Dimension {
  std::string name;       // "replicas" for spec.replicas, desiredReplicas and replica_count
  std::size_t hash = 0;   // of the name
  bool scale = false;     // replicas, size and their limits
  bool measured = false;  // measured rather than set: usage, latency, ready replicas, restart counts, phases
  bool argument = false;  // tells a tool what to do rather than a resource what to be: page, line, timeout
  bool target = false;    // under which a scaling action may give its count: count, desired, target, to
  bool amount = false;    // continuous: cpu, memory, storage
  bool setting = false;   // as a text surely asked for, and no argument: image, version, env.LOG, enabled
  bool exact = false;     // the path says the name itself, not a stand-in like current_replicas

  // True if two values are the same: exactly for counts, within 5 % for amounts and fractions.
  bool same(double from, double to) const;

  // Two paths of one name are one dimension.
  friend bool operator==(const Dimension& a, const Dimension& b) {
    return &a == &b || (a.hash == b.hash && a.name == b.name);
  }
};

// The dimension at a path of keys, joined by points, in any spelling.
Dimension dimension_at(std::string_view path);

// The same, from the memory of this thread if it has asked for the path before.
std::shared_ptr<const Dimension> known_dimension(std::string_view path);

}  // namespace actionhist
