// Names that somebody has mistyped.
#pragma once

#include <string_view>

namespace actionhist {

// Whether `given` is `name` with a letter left out or doubled, or two neighbours swapped; where the name has more than
// five letters, also with another letter, or one too many within. "names" is not "name": it is a word of its own.
bool misspelt(std::string_view given, std::string_view name) noexcept;

}  // namespace actionhist
