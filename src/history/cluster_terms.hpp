// The words that tell one group of texts from all of them, for names that a person understands.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace actionhist {

class ClusterTerms {
 public:
  explicit ClusterTerms(const std::vector<std::string>& texts);

  // At most eight words that more of these texts have than of all, by p · ln(p / P), the most telling first.
  // REQUIRES: each member is the number of a text.
  std::vector<std::string> of(const std::vector<std::size_t>& members) const;

 private:
  // As it was written first, by what is compared.
  using Words = std::map<std::string, std::string, std::less<>>;

  static Words words_of(const std::string& text);

  std::vector<Words> words_;                               // by text
  std::map<std::string, double, std::less<>> everywhere_;  // how many texts have it
};

}  // namespace actionhist
