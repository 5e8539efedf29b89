// What a store has promised to keep.
#pragma once

#include <set>
#include <string>

#include <catch2/catch.hpp>

#include <actionhist/history.hpp>

namespace actionhist::test {

// Checks that each of these is stored, and nothing twice. Returns how many actions there are.
inline std::size_t check_all_there(History& history, const std::set<std::string>& acknowledged) {
  std::multiset<std::string> stored;
  ActionQuery query{.limit = 10'000};
  do {
    const Page page = history.history(query);
    for (const Trace& trace : page.traces) stored.insert(trace.action_id);
    query.cursor = page.next;
  } while (!query.cursor.empty());
  int lost = 0;
  for (const std::string& id : acknowledged) lost += stored.count(id) == 1 ? 0 : 1;
  CHECK(lost == 0);
  CHECK(std::set<std::string>(stored.begin(), stored.end()).size() == stored.size());
  return stored.size();
}

}  // namespace actionhist::test
