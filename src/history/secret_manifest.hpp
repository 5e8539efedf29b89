// Secrets of Kubernetes that stand in a text, as YAML or JSON. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace actionhist {

// The text with `mark` for each value of `data` and `stringData` of its Secrets; nothing if it holds none.
std::optional<std::string> without_secret_data(std::string_view text, std::string_view mark);

}  // namespace actionhist
