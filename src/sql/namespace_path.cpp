#include "sql/namespace_path.hpp"

namespace actionhist::sql {
namespace {

// It sorts before all that a label may hold, so that paths have the order of their labels.
constexpr char separator = '\x1f';

}  // namespace

std::string write_path(const Namespace& namespace_) {
  std::string path;
  for (const std::string& label : namespace_) {
    if (!path.empty()) path += separator;
    path += label;
  }
  return path;
}

Namespace read_path(std::string_view path) {
  Namespace labels;
  while (true) {
    const auto end = path.find(separator);
    labels.emplace_back(path.substr(0, end));
    if (end == path.npos) return labels;
    path.remove_prefix(end + 1);
  }
}

PathRange below(const Namespace& under) {
  const std::string path = write_path(under);
  return {path, path + static_cast<char>(separator + 1)};
}

}  // namespace actionhist::sql
