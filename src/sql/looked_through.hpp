// How many actions of a scope ActionStore::recent looks through for those of one effect, which no index knows.
#pragma once

namespace actionhist::sql {

inline constexpr int looked_through = 4096;

}  // namespace actionhist::sql
