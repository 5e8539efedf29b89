#include <actionhist/model_options.hpp>

#include "core/json_fields.hpp"

namespace actionhist {
namespace {

template <class Number>
void require_between(std::string_view name, Number value, Number least, Number most) {
  if (value >= least && value <= most) return;
  refuse(fmt::format("model_options.{}", name), fmt::format("must be {} to {}", least, most));
}

}  // namespace

void validate(const ModelOptions& options) {
  require_between("dimension", options.dimension, 0, 65'536);
  require_between("max_batch", options.max_batch, 1, 2'048);
  require_between("concurrency", options.concurrency, 1, 64);
  require_between("max_text_bytes", options.max_text_bytes, 1, 1 << 20);
  require_between("max_retries", options.max_retries, 0, 10);
  require_between<std::int64_t>("connect_timeout_ms", options.connect_timeout.count(), 1, 3'600'000);
  require_between<std::int64_t>("timeout_ms", options.timeout.count(), 1, 3'600'000);
  if (options.send_dimension && options.dimension == 0) {
    refuse("model_options.dimension", "is needed with send_dimension");
  }
}

ModelOptions parse_model_options(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "model_options"), "model_options", "model_options.");
  ModelOptions options;
  const auto duration = [&](std::string_view name, std::chrono::milliseconds& target) {
    std::int64_t count = target.count();
    reader(name, count);
    target = std::chrono::milliseconds(count);
  };
  reader("query_prefix", options.query_prefix);
  reader("document_prefix", options.document_prefix);
  reader("api_key_env", options.api_key_env);
  reader("dimension", options.dimension);
  reader("send_dimension", options.send_dimension);
  reader("max_batch", options.max_batch);
  reader("concurrency", options.concurrency);
  reader("max_text_bytes", options.max_text_bytes);
  reader("max_retries", options.max_retries);
  duration("connect_timeout_ms", options.connect_timeout);
  duration("timeout_ms", options.timeout);
  reader("ca_file", options.ca_file);
  reader.expect_done();
  validate(options);
  return options;
}

}  // namespace actionhist
