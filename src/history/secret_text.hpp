// How secrets stand in text: expressions for what is taken out, and what of it stays.
#pragma once

#include <span>

namespace actionhist {

struct SecretRule {
  const char* pattern;      // RE2
  const char* replacement;  // with \1 for what the pattern's first group keeps
};

std::span<const SecretRule> secret_rules();

}  // namespace actionhist
