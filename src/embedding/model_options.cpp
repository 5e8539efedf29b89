#include <actionhist/model_options.hpp>

#include "core/json_fields.hpp"

namespace actionhist {

ModelOptions parse_model_options(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "model_options"), "model_options", "model_options.");
  ModelOptions options;
  reader("query_prefix", options.query_prefix);
  reader("document_prefix", options.document_prefix);
  reader.expect_done();
  return options;
}

}  // namespace actionhist
