// Namespaces as one text, so that all below a prefix lie next to each other and in order. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include <actionhist/item_store.hpp>

namespace actionhist::sql {

// REQUIRES: labels without the characters below U+0020, which History sees to.
std::string write_path(const Namespace& namespace_);
Namespace read_path(std::string_view path);

// The paths of a namespace and of all below it, from `first` to before `end`.
struct PathRange {
  std::string first;
  std::string end;
};
// REQUIRES: `under` is not empty.
PathRange below(const Namespace& under);

}  // namespace actionhist::sql
