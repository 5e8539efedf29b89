// What agents wrote, made fit for one line that people or language models read. May be used from any thread.
#pragma once

#include <string>
#include <string_view>

namespace actionhist {

// The text on one line, without characters that steer a terminal or begin a line of their own: what agents wrote is not
// to be trusted. Blanks beside each other become one; bytes that are not UTF-8 are left out.
std::string printable(std::string_view text);

}  // namespace actionhist
