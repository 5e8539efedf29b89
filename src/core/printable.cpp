#include "core/printable.hpp"

#include <utf8proc.h>

namespace actionhist {
namespace {

// Control characters, and those that turn the direction of the line around.
bool steers(utf8proc_int32_t code) {
  const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
  return control || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string line;
  bool blank = false;
  while (!text.empty()) {
    utf8proc_int32_t code = 0;
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &code);
    const std::string_view character = text.substr(0, size > 0 ? static_cast<std::size_t>(size) : 1);
    text.remove_prefix(character.size());
    if (size < 1 || code == ' ' || steers(code)) {
      blank = !line.empty();
      continue;
    }
    if (blank) line += ' ';
    blank = false;
    line += character;
  }
  return line;
}

}  // namespace actionhist
