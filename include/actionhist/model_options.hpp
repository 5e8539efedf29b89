// Settings of the models that open_model() opens. Plain values.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace actionhist {

struct ModelOptions {
  // Put before each text, as the model's card says: "query: " and "passage: " for E5.
  std::string query_prefix = {};
  std::string document_prefix = {};
};

// Options from a JSON object in the names above: {"query_prefix": "query: "}.
// Throws Error: invalid_argument, naming the field.
ModelOptions parse_model_options(std::string_view json);

}  // namespace actionhist
