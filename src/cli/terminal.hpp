// The two streams of the program, and text made fit for a terminal. Used by the main thread alone.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "core/printable.hpp"

namespace actionhist::cli {

void print_line(std::string_view line);        // to stdout
void print_error_line(std::string_view line);  // to stderr

bool is_terminal(std::FILE* stream);

// The columns of the terminal behind stdout. Nothing if there is none: then a line may be of any length.
std::optional<std::size_t> terminal_width();

// The columns that a printable text takes: two for a wide character, none for a combining one.
std::size_t display_width(std::string_view text);

// At most `width` columns of a printable text; "…" stands for what is missing.
std::string shortened(std::string_view text, std::size_t width);

}  // namespace actionhist::cli
