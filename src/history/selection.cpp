#include "history/selection.hpp"

#include <algorithm>
#include <iterator>

namespace actionhist {

Selection select_newest(ActionStore& actions, ActionQuery query, std::size_t most) {
  constexpr std::size_t page_size = 10'000;
  Selection selection;
  query.cursor.clear();
  while (selection.traces.size() < most) {
    query.limit = static_cast<int>(std::min(page_size, most - selection.traces.size()));
    Page page = actions.find(query);
    std::ranges::move(page.traces, std::back_inserter(selection.traces));
    query.cursor = std::move(page.next);
    if (query.cursor.empty()) break;
  }
  selection.complete = query.cursor.empty();
  std::ranges::reverse(selection.traces);
  return selection;
}

}  // namespace actionhist
