// Looking actions up in the indexes of the set `search`, by a function of the schema: row-level security would
// leave them unused. Free functions without state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <actionhist/query.hpp>

#include "postgres/engine.hpp"
#include "sql/containment.hpp"

namespace actionhist::postgres {

// Actions by id and time; more may be there behind the last one unless `all`.
struct FoundActions {
  std::vector<std::string> ids;
  std::vector<TimePoint> times;
  bool all = true;
};

// Those that hold a word beginning with one of `words`, of each word the newest `most` ones.
// Absent without the index.
std::optional<FoundActions> find_words(Engine& engine, std::span<const std::string> words, int most);

// The newest `most` ones whose document holds what is asked for. Absent without the index.
std::optional<FoundActions> find_documents(Engine& engine, const sql::Containment& wanted,
                                           std::optional<TimePoint> since, std::optional<TimePoint> until,
                                           int most);

}  // namespace actionhist::postgres
