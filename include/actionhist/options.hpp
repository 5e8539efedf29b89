// How a History is opened.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/detection.hpp>
#include <actionhist/embedding.hpp>
#include <actionhist/postgres_options.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

enum class LogLevel { debug, info, warning, error };
using LogCallback = std::function<void(LogLevel, std::string_view)>;

// What propose() does when the database cannot be reached or cannot store (Error: unavailable): throw, or allow
// without a record. A time-out is thrown either way, because an agent that holds the same resource may be the reason.
enum class OnUnavailable { deny, allow };

struct Options {
  std::optional<std::string> tenant = {};  // "default" if absent; PostgreSQL requires one
  bool run_migrations = true;              // false: a database of another schema version is refused
  bool read_only = false;                  // every call that would change something is denied
  bool semantic = true;                    // false: similar() uses the text search of the database
  bool worker = true;                      // false: another process turns the queue into the feed
  // hashed_lexical_model() if empty.
  std::shared_ptr<const EmbeddingModel> model = {};
  OnUnavailable on_unavailable = OnUnavailable::deny;
  // RE2 expressions beside the built-in rules; what they match is replaced.
  std::vector<std::string> redact = {};
  // SQLite: how long a write waits for another process; 0 to 24 h.
  std::chrono::milliseconds busy_timeout{10'000};
  PostgresOptions postgres = {};  // PostgreSQL: schema, pool and time-outs
  // Repository::clock() if empty. Called from any thread, several at once; must not throw.
  Clock clock = {};
  // Called from any thread; must not throw; nothing is logged if empty.
  LogCallback log = {};
  // Where this tenant's index keeps its files, so that a start need not read the whole feed. Absent: PATH.index
  // beside a file, for a server the user's cache folder; empty: nowhere.
  std::optional<std::string> index_folder = {};
  // Called after the commit, for patterns with alerting_enabled, by the thread that proposed, called analyse() or
  // upkeep(), or does the upkeep. What it throws is logged and changes nothing.
  DetectionCallback on_detection = {};
  // Every so often a thread does upkeep(), in one process of all that share the memory. 0: nobody does here;
  // otherwise 1 s to 24 h.
  std::chrono::seconds upkeep_interval{0};
};

}  // namespace actionhist
