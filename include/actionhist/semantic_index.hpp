// Finds the rows whose text and vector are nearest to a query, among those that pass a filter. Usable
// without a database. Searches may run from any thread at once; changes wait for them and exclude them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/json.hpp>

namespace actionhist {

enum class Metric { cosine, inner_product, l2 };

struct IndexOptions {
  std::size_t dimension = 1024;
  Metric metric = Metric::cosine;  // for cosine, vectors are normalised when they are added
  int m = 16;                      // links of a node of the graph
  int ef_construction = 64;
  int ef_search = 128;
  std::size_t sealed_rows = 4096;  // rows beyond this many are linked into the graph; fewer are scanned
};

struct IndexRow {
  std::string id;
  std::string text;               // for the lexical leg; may be empty
  std::span<const float> vector;  // of the index's dimension, or empty while there is none yet
  Json fields;                    // a JSON object that filters see
};

struct IndexQuery {
  std::string text;               // for the lexical leg
  std::span<const float> vector;  // empty: lexical only
  Json where;                     // as in ActionQuery
  std::string exclude_id;
  int limit = 10;                   // 1 to 10,000
  std::optional<double> threshold;  // of the fused score
  double vector_weight = 0.5;       // in [0, 1]; the lexical leg has the rest
};

// Why a row is where it is.
struct IndexHit {
  std::string id;
  double score = 0;       // fused, in [0, 1]
  double similarity = 0;  // of the metric: cosine, inner product, or −distance
  double bm25 = 0;
  std::vector<std::string> matched_terms;  // of the query, as the user wrote them, by weight
};

struct IndexStats {
  std::size_t rows = 0;     // alive
  std::size_t vectors = 0;  // of them with a vector
  std::size_t linked = 0;   // rows in the graph
  std::size_t deleted = 0;  // rows that wait for a rebuild
  std::size_t terms = 0;
  std::size_t bytes = 0;  // estimate of the memory held
};

class SemanticIndex {
 public:
  explicit SemanticIndex(IndexOptions options = {});
  ~SemanticIndex();
  SemanticIndex(SemanticIndex&&) noexcept;
  SemanticIndex& operator=(SemanticIndex&&) noexcept;

  // Adds the rows, replacing those of the same id. All or nothing.
  // Throws Error: invalid_argument for a vector of another dimension or with a value that is not finite.
  void put(std::span<const IndexRow> rows);

  // Replaces only the fields that filters see. False if there is no such row.
  bool set_fields(std::string_view id, Json fields);

  // Gives a row its vector. False if there is no such row.
  bool set_vector(std::string_view id, std::span<const float> vector);

  // False if there is no such row.
  bool remove(std::string_view id);

  // At most `limit` hits, best first, ties by id; exactly `limit` whenever as many rows pass the filter and
  // the query has a vector or matches by words. Scores of both legs are scaled to [0, 1] over the
  // candidates (min–max) and added by weight.
  std::vector<IndexHit> search(const IndexQuery& query) const;

  // Empties the index.
  void clear();

  IndexStats stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace actionhist
