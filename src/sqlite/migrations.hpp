// The numbered SQL files of this folder, compiled in. Forward only: a file that was released never changes.
#pragma once

#include <span>

#include "sql/migration.hpp"

namespace actionhist::sqlite {

// By version, from 1.
std::span<const sql::Migration> migrations();

}  // namespace actionhist::sqlite
