// What is said to and by servers with OpenAI's /v1/embeddings: OpenAI, Azure, Ollama, vLLM, TEI, llama.cpp.
// No input or output here. All functions may be called from any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/http_client.hpp"

namespace actionhist {

// The body of a request. Without `dimension` the server decides.
std::string embeddings_request(std::string_view model, std::span<const std::string> texts,
                               std::optional<std::size_t> dimension);

// The vectors of an answer, in the order of the texts, as numbers or base64. All have the same size, are finite and
// not zero. Throws Error: unavailable, because another answer may be better.
std::vector<std::vector<float>> read_embeddings(std::string_view body, std::size_t texts);

// What the server says about a request that it does not answer with vectors. The message names the status and the
// server's code for it, never its text, which may repeat ours.
struct Refusal {
  bool retry = false;      // the same request may succeed later
  bool permanent = false;  // these texts never will
  std::string message;
};
// REQUIRES: `reply` is no success.
Refusal refusal_of(const HttpReply& reply);

}  // namespace actionhist
