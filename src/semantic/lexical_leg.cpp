#include "semantic/lexical_leg.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <span>
#include <utility>

#include "embedding/tokens.hpp"

namespace actionhist {
namespace {

constexpr double k1 = 1.2;
constexpr double b = 0.75;

// A term's part of the score of a row, for a length in units of the mean.
double part(double weight, double count, double length) {
  return weight * count * (k1 + 1) / (count + k1 * (1 - b) + k1 * b * length);
}

}  // namespace

std::uint32_t LexicalLeg::intern(std::string_view term) {
  const auto found = ids_.find(term);
  if (found != ids_.end()) return found->second;
  const auto id = static_cast<std::uint32_t>(terms_.size());
  names_.push_back(&ids_.emplace(term, id).first->first);
  terms_.emplace_back();
  return id;
}

void LexicalLeg::add(std::uint32_t row, std::string_view text) {
  std::vector<std::uint32_t> ids;
  Tokenizer tokenizer(text);
  for (Token token; tokenizer.next(token);) ids.push_back(intern(token.term));
  if (ids.empty()) return;
  std::sort(ids.begin(), ids.end());
  std::vector<TermCount> counts;
  for (const std::uint32_t id : ids) {
    if (counts.empty() || counts.back().term != id) counts.push_back({id, 0});
    ++counts.back().count;
  }
  counts.shrink_to_fit();
  append(row, std::move(counts), static_cast<std::uint32_t>(ids.size()));
}

void LexicalLeg::append(std::uint32_t row, std::vector<TermCount> counts, std::uint32_t length) {
  assert(row >= rows_.size());
  rows_.resize(row + std::size_t{1});
  lengths_.resize(row + std::size_t{1}, 0);
  for (const TermCount& count : counts) {
    Term& term = terms_[count.term];
    term.postings.push_back({row, count.count});
    if (term.rows++ == 0) ++live_terms_;
  }
  postings_ += counts.size();
  total_length_ += length;
  ++live_rows_;
  rows_[row] = std::move(counts);
  lengths_[row] = length;
}

void LexicalLeg::remove(std::uint32_t row) {
  if (row >= rows_.size() || lengths_[row] == 0) return;
  const std::vector<TermCount> gone = std::exchange(rows_[row], {});
  total_length_ -= std::exchange(lengths_[row], 0);
  --live_rows_;
  for (const TermCount& count : gone) {
    Term& term = terms_[count.term];
    if (--term.rows == 0) --live_terms_;
    if (term.postings.size() > 2 * std::size_t{term.rows} + 8 || term.rows == 0) {
      postings_ -= std::erase_if(term.postings, [&](const Posting& p) { return lengths_[p.row] == 0; });
    }
  }
}

void LexicalLeg::add_from(std::uint32_t row, const LexicalLeg& other, std::uint32_t other_row) {
  if (other_row >= other.rows_.size() || other.lengths_[other_row] == 0) return;
  std::vector<TermCount> counts;
  counts.reserve(other.rows_[other_row].size());
  for (const TermCount& count : other.rows_[other_row])
    counts.push_back({intern(*other.names_[count.term]), count.count});
  std::sort(counts.begin(), counts.end(),
            [](const TermCount& x, const TermCount& y) { return x.term < y.term; });
  append(row, std::move(counts), other.lengths_[other_row]);
}

LexicalLeg::Query LexicalLeg::parse(std::string_view text) const {
  Query query;
  std::unordered_map<std::uint32_t, std::size_t> places;
  Tokenizer tokenizer(text);
  for (Token token; tokenizer.next(token);) {
    const auto found = ids_.find(token.term);
    if (found == ids_.end() || terms_[found->second].rows == 0) continue;
    const std::uint32_t id = found->second;
    const double rows = terms_[id].rows;
    const double idf = std::log(1 + (static_cast<double>(live_rows_) - rows + 0.5) / (rows + 0.5));
    const auto place = places.try_emplace(id, query.terms.size());
    if (place.second) query.terms.push_back({id, 0, std::string(token.surface)});
    query.terms[place.first->second].weight += idf;
  }
  return query;
}

void LexicalLeg::score(const Query& query, const Bitmap& allowed, Scores& scores) const {
  for (const std::uint32_t row : scores.matched_) {
    if (row < scores.by_row_.size()) scores.by_row_[row] = 0;
  }
  scores.matched_.clear();
  scores.by_row_.resize(rows_.size(), 0);
  const double mean = mean_length();
  for (const Query::Term& term : query.terms) {
    for (const Posting& posting : terms_[term.id].postings) {
      // A removed row is in no `allowed`, but may still be in the postings.
      if (!allowed.test(posting.row)) continue;
      double& sum = scores.by_row_[posting.row];
      if (sum == 0) scores.matched_.push_back(posting.row);
      sum += part(term.weight, posting.count, lengths_[posting.row] / mean);
    }
  }
}

std::vector<std::string> LexicalLeg::matched_terms(const Query& query, std::uint32_t row) const {
  if (row >= rows_.size()) return {};
  std::vector<std::pair<double, const std::string*>> parts;
  const auto& terms = rows_[row];
  for (const Query::Term& term : query.terms) {
    const auto at = std::lower_bound(terms.begin(), terms.end(), term.id,
                                     [](const TermCount& x, std::uint32_t id) { return x.term < id; });
    if (at == terms.end() || at->term != term.id) continue;
    parts.emplace_back(part(term.weight, at->count, lengths_[row] / mean_length()), &term.surface);
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& x, const auto& y) { return x.first > y.first; });
  std::vector<std::string> out;
  for (const auto& matched : parts) out.push_back(*matched.second);
  return out;
}

void LexicalLeg::write(BinaryWriter& out) const {
  // A term that no row has any more belongs to deleted text, which must leave the disk.
  std::vector<std::uint32_t> kept(terms_.size(), 0);
  out.put(live_terms_);
  std::uint32_t next = 0;
  for (std::size_t term = 0; term < terms_.size(); ++term) {
    if (terms_[term].rows == 0) continue;
    kept[term] = next++;
    out.put_text(*names_[term]);
  }
  std::vector<TermCount> counts;
  std::vector<std::uint32_t> sizes;  // of each row, how many counts
  for (const auto& row : rows_) {
    const std::size_t begin = counts.size();
    for (const TermCount& count : row) counts.push_back({kept[count.term], count.count});
    std::sort(counts.begin() + static_cast<std::ptrdiff_t>(begin), counts.end(),
              [](const TermCount& x, const TermCount& y) { return x.term < y.term; });
    sizes.push_back(static_cast<std::uint32_t>(row.size()));
  }
  out.put_all(std::span<const std::uint32_t>(lengths_));
  out.put_all(std::span<const std::uint32_t>(sizes));
  out.put_all(std::span<const TermCount>(counts));
}

void LexicalLeg::read(BinaryReader& in) {
  const auto terms = in.get<std::size_t>();
  in.require(terms <= in.left(), "more terms than bytes");
  for (std::size_t i = 0; i < terms; ++i) in.require(intern(in.get_text()) == i, "a term that comes twice");
  const auto lengths = in.get_all<std::uint32_t>();
  const auto sizes = in.get_all<std::uint32_t>();
  const auto counts = in.get_all<TermCount>();
  in.require(lengths.size() == sizes.size(), "rows of words without a length");
  for (const TermCount& count : counts) {
    in.require(count.term < terms, "a term outside its table");
    ++terms_[count.term].rows;
  }
  for (Term& term : terms_) {
    term.postings.reserve(term.rows);
    term.rows = 0;
  }
  std::size_t at = 0;
  for (std::uint32_t row = 0; row < sizes.size(); ++row) {
    in.require(sizes[row] <= counts.size() - at, "fewer terms than its rows have");
    const auto own = counts.subspan(at, sizes[row]);
    at += own.size();
    if (!own.empty()) append(row, {own.begin(), own.end()}, lengths[row]);
  }
  rows_.resize(sizes.size());
  lengths_.resize(sizes.size(), 0);
}

std::size_t LexicalLeg::bytes() const {
  // A posting is held twice, by term and by row; an interned term costs about 100 bytes around it.
  return postings_ * (sizeof(Posting) + sizeof(TermCount)) +
         rows_.size() * (sizeof(rows_[0]) + sizeof(lengths_[0])) + terms_.size() * (sizeof(Term) + 100);
}

}  // namespace actionhist
