#include "history/cluster_terms.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "embedding/tokens.hpp"

namespace actionhist {
namespace {

constexpr std::size_t most_terms = 8;

}  // namespace

ClusterTerms::Words ClusterTerms::words_of(const std::string& text) {
  Words words;
  Tokenizer tokenizer(text);
  for (Token token; tokenizer.next(token);) {
    const bool telling = !token.whole && token.word.size() > 2 &&
                         std::ranges::none_of(token.word, [](char c) { return c >= '0' && c <= '9'; });
    if (telling) words.emplace(token.term, token.word);
  }
  return words;
}

ClusterTerms::ClusterTerms(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    words_.push_back(words_of(text));
    for (const auto& [term, word] : words_.back()) ++everywhere_[term];
  }
}

std::vector<std::string> ClusterTerms::of(const std::vector<std::size_t>& members) const {
  std::map<std::string_view, std::pair<double, std::string_view>> here;  // count, and the word as written
  for (const std::size_t i : members) {
    for (const auto& [term, word] : words_[i]) {
      auto& [count, first] = here[term];
      if (count++ == 0) first = word;
    }
  }
  std::vector<std::pair<double, std::string_view>> scored;
  for (const auto& [term, entry] : here) {
    const double share = entry.first / static_cast<double>(members.size());
    const double usual = everywhere_.find(term)->second / static_cast<double>(words_.size());
    const double score = share * std::log(share / usual);
    if (score > 0) scored.emplace_back(score, entry.second);
  }
  std::ranges::stable_sort(scored, [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> terms;
  for (std::size_t i = 0; i < scored.size() && i < most_terms; ++i) terms.emplace_back(scored[i].second);
  return terms;
}

}  // namespace actionhist
