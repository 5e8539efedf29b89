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

  // The rest is for models behind HTTP.
  std::string api_key_env =
      "ACTIONHIST_EMBEDDER_API_KEY";  // the environment variable that holds the key, if any
  int dimension = 0;                  // of its vectors; 0: one request at opening finds it out
  bool send_dimension = false;        // ask the server to shorten its vectors to `dimension`
  int max_batch = 32;                 // texts in one request, 1 to 2,048; TEI takes 32
  int concurrency = 4;                // requests at once, 1 to 64
  int max_text_bytes = 16'384;        // what is beyond is cut; the server's limit is in tokens
  int max_retries = 2;                // of a request that a later time may help; a query is not tried again
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds timeout{30'000};  // of a request
  std::string ca_file = {};                   // PEM, instead of the system's certificates
};

// Throws Error: invalid_argument, naming the field.
void validate(const ModelOptions& options);

// Options from a JSON object in the names above; durations are whole milliseconds, with "_ms" behind the name:
// {"query_prefix": "query: ", "timeout_ms": 10000}.
// Throws Error: invalid_argument, naming the field.
ModelOptions parse_model_options(std::string_view json);

}  // namespace actionhist
