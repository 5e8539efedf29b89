// Base64, as RFC 4648 has it. Any thread may call.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace actionhist {

std::string to_base64(std::string_view bytes);

// The bytes, or nothing if the text is no padded base64.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace actionhist
