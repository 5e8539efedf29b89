#include "analysis/dimension.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "analysis/name_memory.hpp"
#include "core/ascii.hpp"

namespace actionhist {
namespace {

constexpr auto names_of_replicas = std::to_array<std::string_view>(
    {"replicas", "replica", "replica_count", "replicas_count", "desired_replicas", "target_replicas",
     "new_replicas", "num_replicas", "number_of_replicas", "current_replicas"});
constexpr auto names_of_size = std::to_array<std::string_view>(
    {"size", "desired_size", "target_size", "new_size", "current_size", "desired_capacity", "desired_count",
     "node_count", "nodes", "num_nodes", "number_of_nodes", "instance_count", "instances"});
constexpr auto names_of_min = std::to_array<std::string_view>(
    {"min_replicas", "minimum_replicas", "min_replica_count", "replicas_min"});
constexpr auto names_of_max = std::to_array<std::string_view>(
    {"max_replicas", "maximum_replicas", "max_replica_count", "replicas_max"});
constexpr auto scale_names = std::to_array<std::string_view>(
    {"replicas", "size", "min_replicas", "max_replicas", "min_size", "max_size"});
constexpr auto names_of_target = std::to_array<std::string_view>({"count", "desired", "target", "to"});

constexpr auto measured_words = std::to_array<std::string_view>(
    {"age",         "available",  "condition", "conditions", "current", "error",      "errors",
     "failed",      "generation", "health",    "healthy",    "latency", "load",       "message",
     "observed",    "pending",    "percent",   "phase",      "qps",     "rate",       "ready",
     "reason",      "restart",    "restarts",  "rps",        "running", "status",     "throughput",
     "unavailable", "updated",    "uptime",    "usage",      "used",    "utilization"});

constexpr auto argument_words = std::to_array<std::string_view>(
    {"attempt", "attempts",    "begin", "col",     "column",    "count",    "cursor",  "date",
     "delta",   "duration",    "end",   "grace",   "hours",     "id",       "ids",     "index",
     "limit",   "line",        "lines", "minutes", "ms",        "no",       "num",     "number",
     "offset",  "order",       "page",  "pid",     "port",      "position", "retries", "retry",
     "row",     "seconds",     "seed",  "seq",     "sequence",  "since",    "start",   "step",
     "tail",    "temperature", "time",  "timeout", "timestamp", "until",    "x",       "y"});

// A name that has one of these is that of a setting, unless it says which one: the name in image.name.
constexpr auto setting_words =
    std::to_array<std::string_view>({"disabled", "enabled", "image", "images", "paused", "revision",
                                     "suspend", "suspended", "tag", "unschedulable", "value", "version"});
constexpr auto naming_words = std::to_array<std::string_view>({"key", "kind", "name"});

constexpr auto continuous_words = std::to_array<std::string_view>(
    {"bandwidth", "bytes", "cpu", "disk", "heap", "memory", "mem", "storage", "volume"});

static_assert(std::is_sorted(measured_words.begin(), measured_words.end()));
static_assert(std::is_sorted(argument_words.begin(), argument_words.end()));
static_assert(std::is_sorted(setting_words.begin(), setting_words.end()));

template <std::size_t size>
bool in(const std::array<std::string_view, size>& table, std::string_view word) {
  return std::ranges::find(table, word) != table.end();
}

// "minReplicas" and "min-replicas" as min_replicas; points stay.
std::string snake_case(std::string_view key) {
  std::string text;
  text.reserve(key.size() + 4);
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    const bool capital = is_ascii_upper(c);
    if (capital && i > 0 && key[i - 1] >= 'a' && key[i - 1] <= 'z') text += '_';
    text += capital ? ascii_lower(c) : c == '-' ? '_' : c;
  }
  return text;
}

template <std::size_t size>
bool in_sorted(const std::array<std::string_view, size>& table, std::string_view word) {
  return std::binary_search(table.begin(), table.end(), word);
}

// Calls visit(word) for each word of a snake_case name or path until it returns true.
template <class Visitor>
bool any_word(std::string_view name, Visitor visit) {
  while (!name.empty()) {
    const std::size_t end = std::min(name.find_first_of("._"), name.size());
    if (end > 0 && visit(name.substr(0, end))) return true;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return false;
}

// The one name of what is at a path in snake_case.
std::string name_at(std::string_view path, std::string_view leaf) {
  // Under a status, replicas are counted and not asked for.
  if (!any_word(path, [](std::string_view word) { return word == "status"; })) {
    if (in(names_of_replicas, leaf)) return "replicas";
    if (in(names_of_size, leaf)) return "size";
    if (in(names_of_min, leaf)) return "min_replicas";
    if (in(names_of_max, leaf)) return "max_replicas";
  }
  if (path.starts_with("spec.")) path.remove_prefix(5);
  return std::string(path);
}

}  // namespace

bool Dimension::same(double from, double to) const {
  const bool whole = from == std::floor(from) && to == std::floor(to);
  const double tolerance = whole && !amount ? 0 : .05 * std::abs(from);
  return std::abs(to - from) <= tolerance;
}

Dimension dimension_at(std::string_view path) {
  const std::string snake = snake_case(path);
  const std::string_view leaf = std::string_view(snake).substr(snake.rfind('.') + 1);
  Dimension found;
  found.name = name_at(snake, leaf);
  found.hash = std::hash<std::string>()(found.name);
  found.exact = found.name.ends_with(leaf);
  found.scale = in(scale_names, found.name);
  found.target = in(names_of_target, leaf);
  // What names a count of the resource is its setting, in whatever words: min_replica_count.
  found.argument =
      !found.scale &&
      (found.target || any_word(leaf, [](std::string_view word) { return in_sorted(argument_words, word); }));
  // What is aimed at is set, even if its name is that of a measurement: target_utilization.
  const bool aim =
      any_word(found.name, [](std::string_view word) { return word == "target" || word == "desired"; });
  found.measured =
      !aim && any_word(found.name, [](std::string_view word) { return in_sorted(measured_words, word); });
  // What is below env is a variable; env itself may say where a tool is to work.
  const bool says_set =
      any_word(found.name, [](std::string_view word) { return in_sorted(setting_words, word); }) ||
      found.name.find("env.") != std::string::npos;
  found.setting = says_set && !found.measured && !in(naming_words, leaf);
  found.amount = any_word(found.name, [](std::string_view word) { return in(continuous_words, word); });
  return found;
}

std::shared_ptr<const Dimension> known_dimension(std::string_view path) {
  thread_local NameMemory<Dimension> dimensions;
  return dimensions.find(path, dimension_at);
}

}  // namespace actionhist
