#include "cli/terminal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cwchar>

#include <sys/ioctl.h>
#include <unistd.h>

namespace actionhist::cli {
namespace {

struct Character {
  std::string_view bytes;
  wchar_t code = 0;  // 0 for bytes that are no character
};

// Takes the first character of `rest`, which must not be empty. The program runs in the locale C.UTF-8.
Character take_character(std::string_view& rest) {
  std::mbstate_t state{};
  wchar_t code = 0;
  const std::size_t size = std::mbrtowc(&code, rest.data(), rest.size(), &state);
  const bool valid = size > 0 && size <= rest.size();
  const Character character{rest.substr(0, valid ? size : 1), valid ? code : L'\0'};
  rest.remove_prefix(character.bytes.size());
  return character;
}

std::size_t width_of(const Character& character) {
  const int width = wcwidth(character.code);
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

void write_line(std::string_view line, std::FILE* stream) {
  std::fwrite(line.data(), 1, line.size(), stream);
  std::fputc('\n', stream);
}

}  // namespace

void print_line(std::string_view line) { write_line(line, stdout); }
void print_error_line(std::string_view line) { write_line(line, stderr); }

bool is_terminal(std::FILE* stream) { return isatty(fileno(stream)) == 1; }

std::optional<std::size_t> terminal_width() {
  if (!is_terminal(stdout)) return std::nullopt;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) width += width_of(take_character(text));
  return width;
}

std::string shortened(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::string line;
  std::size_t used = 1;  // the … at the end
  while (!text.empty()) {
    const Character character = take_character(text);
    used += width_of(character);
    if (used > width) break;
    line += character.bytes;
  }
  return line + "…";
}

}  // namespace actionhist::cli
