// What stands for a scope in the database: the history of a resource, the head of a correlation or a session. Each
// has a version that moves with whatever a decision reads. Everybody locks histories before heads, each in the order
// of their keys. Free functions without state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/repository.hpp>

#include "postgres/connection.hpp"

namespace actionhist::postgres {

// Versions that actions were decided on, by key.
struct Versions {
  std::vector<std::string> keys;       // in their order
  std::vector<std::int64_t> versions;  // 0 of what did not exist
  std::vector<std::int64_t> moves;     // how many of the actions are of each

  std::optional<std::int64_t> of(std::string_view key) const;
  // REQUIRES: the key is not known.
  void insert(std::string key, std::int64_t version, std::int64_t moved = 1);
  // Whether `next` was decided on what these leave behind, as far as they know its keys.
  bool lead_to(const Versions& next) const;
  // Adds what was decided behind these. REQUIRES: lead_to(next).
  void add(const Versions& next);
};

// What guarded actions were decided on: they are stored only while all of this is as it was.
struct GuardedHeads {
  Versions histories;      // by the id of the resource
  Versions scopes;         // the heads of correlations and sessions, by their names in detections
  std::int64_t watch = 0;  // version of what is watched for
  TimePoint server{};      // when the server started that said so

  // Of "resource:ID", "correlation:ID" or "session:ID".
  std::int64_t version(std::string_view scope) const;
  // Adds a scope whose head has this version; of a resource, its history.
  void add(const Scope& scope, std::int64_t version);
  // Adds what was decided on other scopes, or on what the actions of these heads leave behind. False if it was decided
  // on something else.
  bool add(const GuardedHeads& next);
};

// "correlation:ID" and "session:ID" of an action, as far as it has them.
std::vector<std::string> head_scopes(const Action& action);
// The same, and "resource:ID".
std::vector<std::string> scopes_of(const Trace& trace);

// Moves the heads of these scopes, which are in order.
Call move_heads(const std::string& tenant, const std::vector<std::string>& scopes);

// Moves what stands for the scopes, as detections name them, and so locks it. What is read afterwards, by statements
// of their own, is newer than the lock.
void add_lock(std::vector<Call>& calls, const std::string& tenant, std::vector<std::string> scopes);

// Moves the version of what is watched for: the patterns and alerts of the tenant.
Call move_watch(const std::string& tenant);

}  // namespace actionhist::postgres
