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

// What guarded actions were decided on: they are stored only while all of this is as it was.
struct GuardedHeads {
  std::optional<std::int64_t> history;  // version of the resource's history, 0 if there was none
  std::vector<std::string> scopes;      // of correlation and session, in their order
  std::vector<std::int64_t> versions;   // of their heads, 0 where there was none
  std::vector<std::int64_t> moves;      // how many of the actions are of each
  std::int64_t watch = 0;               // version of what is watched for
  TimePoint server{};                   // when the server started that said so

  // Of "resource:ID", "correlation:ID" or "session:ID".
  std::int64_t version(std::string_view scope) const;
  // Adds a scope whose head has this version; of a resource, its history.
  void add(const Scope& scope, std::int64_t version);
  // Adds an action on the same resource that was decided on what `actions` of these heads leave behind. False if it
  // was decided on something else.
  bool add(const GuardedHeads& next, std::int64_t actions);

 private:
  // Of a scope in `scopes`; their size if it is none of them.
  std::size_t place_of(std::string_view scope) const;
  void insert(std::string scope, std::int64_t version);
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
