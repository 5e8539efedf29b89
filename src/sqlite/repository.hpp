// Opens the embedded engine: a file that several processes share, or memory.
#pragma once

#include <memory>

#include <actionhist/history.hpp>

namespace actionhist::sqlite {

// `path` is ":memory:" or a file; "?immutable=1" behind it promises that nobody changes it. Applies migrations as the
// options say.
std::unique_ptr<Repository> open_repository(std::string path, const Options& options);

}  // namespace actionhist::sqlite
