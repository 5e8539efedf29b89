// The numbered SQL files of this folder, compiled in. Forward only: a file that was released never changes.
#pragma once

#include <span>
#include <string_view>

namespace actionhist::sqlite {

struct Migration {
  int version;
  std::string_view name;
  std::string_view sql;
};

// By version, from 1.
std::span<const Migration> migrations();

}  // namespace actionhist::sqlite
