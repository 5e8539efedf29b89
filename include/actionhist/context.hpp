// What a language model should know before it acts, in as many tokens as it has to spare. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <actionhist/resource.hpp>

namespace actionhist {

// The situation: in words, by its alert, or by its resource; at least one.
struct ContextQuery {
  std::string text;
  std::string alert_name;
  Resource resource;
  std::string spec_hash;     // of the resource as it is now, to recognise a fix that was undone
  int budget_tokens = 2000;  // 50 to 1,000,000; three bytes are taken for a token, which overestimates
  bool json = false;         // an object of lists of sentences instead of text
};

// The same memory and the same query give the same bytes.
struct Context {
  std::string content;       // within the budget
  std::int64_t tokens = 0;   // of `content`, by the same estimate
  std::int64_t omitted = 0;  // sentences that did not fit; the oldest actions go first
};

std::string to_json(const Context& context);

// {"text", "alert_name", "resource" or its parts, "spec_hash", "budget_tokens", "json"}
// Throws Error: invalid_argument, naming the field.
ContextQuery parse_context_query(std::string_view json);

}  // namespace actionhist
