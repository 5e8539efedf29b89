// Secrets of Kubernetes that stand in a text, as YAML or JSON. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace actionhist {

// The text with `mark` for each value of `data` and `stringData` of its Secrets, or of the Secret that it is about; nothing
// if it holds none.
std::optional<std::string> without_secret_data(std::string_view text, std::string_view mark, bool of_secret);

}  // namespace actionhist
