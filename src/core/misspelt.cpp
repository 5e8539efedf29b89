#include "core/misspelt.hpp"

#include <algorithm>

namespace actionhist {

bool misspelt(std::string_view given, std::string_view name) noexcept {
  const auto differs = std::ranges::mismatch(given, name);
  const auto same = static_cast<std::size_t>(differs.in1 - given.begin());
  const std::string_view rest = given.substr(same);
  const std::string_view wanted = name.substr(same);
  const bool distinctive = name.size() > 5;
  if (given.size() + 1 == name.size()) return rest == wanted.substr(1);
  if (given.size() == name.size() + 1) {
    if (wanted.empty() || rest.substr(1) != wanted) return false;
    return distinctive || (same > 0 && rest[0] == given[same - 1]);
  }
  if (given.size() != name.size() || rest.empty()) return false;
  if (rest.size() > 1 && rest[0] == wanted[1] && rest[1] == wanted[0] && rest.substr(2) == wanted.substr(2))
    return true;
  return distinctive && rest.substr(1) == wanted.substr(1);
}

}  // namespace actionhist
