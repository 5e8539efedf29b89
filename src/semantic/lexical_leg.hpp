// BM25 over the tokens of short texts, kept up to date row by row. Const functions may run in many threads
// at once; changes exclude them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "semantic/binary.hpp"
#include "semantic/bitmap.hpp"

namespace actionhist {

class LexicalLeg {
 public:
  // The known terms of a query, each once, in the order of the text.
  struct Query {
    struct Term {
      std::uint32_t id;
      double weight;        // idf × occurrences in the query
      std::string surface;  // as the user wrote it first
    };
    std::vector<Term> terms;
  };

  // The score of every row. Kept between searches, because clearing what was touched is cheaper than making
  // an array of all rows.
  class Scores {
   public:
    double of(std::uint32_t row) const { return row < by_row_.size() ? by_row_[row] : 0; }
    const std::vector<std::uint32_t>& matched() const { return matched_; }

   private:
    friend class LexicalLeg;
    std::vector<double> by_row_;
    std::vector<std::uint32_t> matched_;
  };

  // REQUIRES: `row` is greater than every row added before.
  void add(std::uint32_t row, std::string_view text);

  // The row leaves every statistic. Nothing happens if it has no terms.
  void remove(std::uint32_t row);

  // Takes over a row of another leg under another number, as add would.
  void add_from(std::uint32_t row, const LexicalLeg& other, std::uint32_t other_row);

  Query parse(std::string_view text) const;

  // Robertson and Spärck Jones: Σ ln(1 + (N − df + ½) / (df + ½)) · tf (k1 + 1) / (tf + k1 (1 − b +
  // b·len/avg)) with k1 = 1.2 and b = .75, over the rows in `allowed`.
  void score(const Query& query, const Bitmap& allowed, Scores& scores) const;

  // The terms of the query that the row has, as the user wrote them, by their part of the score.
  std::vector<std::string> matched_terms(const Query& query, std::uint32_t row) const;

  // As a file keeps it. REQUIRES of read(): no row was added yet. Throws Error: corrupt.
  void write(BinaryWriter& out) const;
  void read(BinaryReader& in);

  std::size_t rows() const { return live_rows_; }
  std::size_t terms() const { return live_terms_; }
  std::size_t bytes() const;

 private:
  struct Posting {
    std::uint32_t row;
    std::uint32_t count;
  };
  struct TermCount {
    std::uint32_t term;
    std::uint32_t count;
  };
  struct Term {
    std::vector<Posting> postings;  // by row; those of removed rows leave when they are half of all
    std::uint32_t rows = 0;         // that are alive
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  std::uint32_t intern(std::string_view term);
  void append(std::uint32_t row, std::vector<TermCount> counts, std::uint32_t length);
  double mean_length() const { return static_cast<double>(total_length_) / static_cast<double>(live_rows_); }

  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> ids_;
  std::vector<const std::string*> names_;  // keys of ids_
  std::vector<Term> terms_;
  std::vector<std::vector<TermCount>> rows_;  // by row, then by term
  std::vector<std::uint32_t> lengths_;        // of rows in tokens; 0 if there are none or it was removed
  std::size_t live_rows_ = 0;
  std::size_t live_terms_ = 0;
  std::uint64_t total_length_ = 0;
  std::size_t postings_ = 0;  // kept, for bytes()
};

}  // namespace actionhist
