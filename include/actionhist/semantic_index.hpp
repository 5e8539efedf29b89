// Finds the rows whose text and vector are nearest to a query, among those that pass a filter. Usable
// without a database. May be used from any thread at once. Graphs are built by a thread of the index, which
// starts when there is something to build; searches and changes do not wait for it. After fork() the child
// must not use it: its calls throw Error: unsupported.
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

// What is kept of a vector beside the codes and signs that searches walk and scan: the last word on what is
// nearest comes from it.
enum class Precision {
  full,  // float
  half,  // 16 bits
  byte   // nothing: the code of a byte a component is the vector
};

struct IndexOptions {
  std::size_t dimension = 1024;
  Metric metric = Metric::cosine;  // for cosine, vectors are normalised when they are added
  Precision precision = Precision::full;
  int m = 0;                // links of a node of the graph, 2 to 256; 0: by size, as graph_size_for()
  int ef_construction = 0;  // candidates when a node is linked; 0: by size
  int ef_search = 0;        // candidates of a search; 0: measured, so that it finds .99 of the ten nearest
  // Vectors that are scanned before there is a graph. One that there is is extended when an eighth of them wait, or one
  // in 512 of those it has.
  std::size_t sealed_rows = 4096;
  // The dimensions of the parts of which a vector consists, such as that of a title and that of a text; none: it is
  // one. Needs cosine. The similarity is then Σ wᵢ cosᵢ / Σ wᵢ over the parts, with the weights of the query. A part
  // of zeros has the cosine 0 with any other; in the query it has no weight.
  std::vector<std::size_t> parts = {};
};

struct GraphSize {
  int m;
  int ef_construction;
};
// What an index of so many vectors uses if its options say 0.
GraphSize graph_size_for(std::size_t vectors);

// About the memory that an index of so many vectors takes, without their texts and fields.
std::size_t estimated_bytes(std::size_t vectors, const IndexOptions& options);

struct IndexRow {
  std::string id;
  std::string text;               // for the lexical leg; may be empty
  std::span<const float> vector;  // of the index's dimension, or empty while there is none yet
  Json fields;                    // a JSON object that filters see
  std::uint64_t version = 0;      // the caller's own, such as a hash of the content; version() returns it
};

struct IndexQuery {
  std::string text;               // for the lexical leg
  std::span<const float> vector;  // empty: lexical only
  Json where;                     // as in ActionQuery
  std::string exclude_id;
  int limit = 10;                   // 1 to 10,000
  std::optional<double> threshold;  // of the fused score
  // Of the similarity: no hit is less like the query than similarity_at(percentile). Needs a vector, and one of a
  // text as long as those of rows: a few words are less like any row than rows are like each other.
  std::optional<double> percentile;
  // In [0, 1]: hits are taken by maximal marginal relevance, λ · score − (1 − λ) · likeness to the nearest hit
  // before, in which a vector's likeness is the score that it alone would give (Carbonell and Goldstein 1998).
  // Scores stay what they are. 1: by score alone.
  std::optional<double> mmr_lambda;
  // Of rows whose similarity to each other is at least this, only the best is a hit; of rows as similar to that
  // of exclude_id, none.
  std::optional<double> distinct;
  double vector_weight = 0.5;   // in [0, 1]; the lexical leg has the rest
  std::vector<double> weights;  // of the parts, at least 0 and not all 0; empty: all the same
  int ef_search = 0;            // as in IndexOptions; 0: what they say
};

// Why a row is where it is.
struct IndexHit {
  std::string id;
  double score = 0;       // in [0, 1]
  double similarity = 0;  // of the metric: cosine, inner product, or −distance
  double distance = 0;    // 1 − cosine, −inner product, or the Euclidean distance
  double bm25 = 0;
  std::vector<std::string> matched_terms;  // of the query, as the user wrote them, by weight
  std::vector<double> parts;               // the cosine of each part, where vectors have parts
};

struct IndexStats {
  std::size_t rows = 0;     // alive
  std::size_t vectors = 0;  // of them with a vector
  std::size_t linked = 0;   // vectors in the graph; equal ones count once
  std::size_t deleted = 0;  // rows that wait for a rebuild
  std::size_t terms = 0;
  std::size_t bytes = 0;  // estimate of the memory held
  int ef_search = 0;      // as measured when the graph was built, 0 before
  std::string error;      // why the last build failed, empty if it did not
  bool verified = true;   // the files that it was opened from have been read completely
};

// How a search found the nearest vectors.
struct SearchPlan {
  std::string
      route;  // "walk", "filtered walk", "two-hop walk", "sign scan", "code scan", "full scan", "nothing"
  std::string why;
  std::size_t rows = 0;       // alive
  std::size_t matching = 0;   // of them pass the filter
  std::size_t linked = 0;     // vectors in the graph
  std::size_t distances = 0;  // that were compared
  std::size_t ef_search = 0;  // of a walk
};

class SemanticIndex {
 public:
  explicit SemanticIndex(IndexOptions options = {});
  ~SemanticIndex();
  SemanticIndex(SemanticIndex&&) noexcept;
  SemanticIndex& operator=(SemanticIndex&&) noexcept;

  // Adds the rows, replacing those of the same id. All are checked before the first is changed; searches meanwhile may
  // see a part of them.
  // Throws Error: invalid_argument for a vector of another dimension or with a value that is not finite.
  void put(std::span<const IndexRow> rows);

  // Replaces only the fields that filters see. False if there is no such row.
  bool set_fields(std::string_view id, Json fields);

  // Gives a row its vector. False if there is no such row.
  bool set_vector(std::string_view id, std::span<const float> vector);

  // False if there is no such row.
  bool remove(std::string_view id);

  // Of the row as it was put; nothing if there is no such row.
  std::optional<std::uint64_t> version(std::string_view id) const;

  // As it is kept: in the index's precision, for cosine of length 1 (each part). Nothing if the row has none.
  std::optional<std::vector<float>> vector(std::string_view id) const;

  // At most `limit` hits, best first, ties by id; exactly `limit` whenever as many rows pass the filter and
  // the query has a vector or matches by words, and no threshold, percentile or `distinct` leaves rows out
  // (`distinct` looks at the best 10,000). If both legs have something to say, their scores are scaled
  // to [0, 1] over the candidates (min–max) and added by weight. A vector alone scores by its similarity: the
  // cosine or 0, 1 / (1 + distance), or (1 + p / (1 + |p|)) / 2 for an inner product p.
  std::vector<IndexHit> search(const IndexQuery& query) const;

  // Each of the queries as search() would.
  std::vector<std::vector<IndexHit>> search(std::span<const IndexQuery> queries) const;

  // Runs the query and says how it was answered.
  SearchPlan explain(const IndexQuery& query) const;

  // The similarity that so many percent (0 to 100) of the pairs of different vectors do not exceed: what is
  // much for this model and these texts. From up to 400 vectors, evenly chosen, and measured anew when the
  // number of vectors has changed by an eighth. −∞ while there are fewer than two. `weights` as in a query.
  double similarity_at(double percentile, std::span<const double> weights = {}) const;

  // Builds now what is otherwise built in the background: all vectors in one graph, without tombstones if
  // there are many.
  void optimize();

  // Empties the index.
  void clear();

  IndexStats stats() const;

  // Writes all of it into a folder, which is made if need be, and replaces what was saved there in one step:
  // whoever is killed meanwhile leaves what was there before. Searches go on; changes wait for a part of it.
  // From then on the vectors in full are read from the files. `note` is a JSON object of the caller's own.
  // REQUIRES: nobody else saves into the folder meanwhile. Throws Error: unavailable.
  void save(const std::string& folder, const Json& note = {});

  // What save() wrote. Checksums are compared, those of the vectors in full in the background: see damage().
  // Throws Error: not_found, corrupt (naming the file), unavailable.
  static SemanticIndex open(const std::string& folder);

  // What was given to save(); absent if nothing was or the index was not opened from files.
  Json note() const;

  // What is wrong with the files that it was opened from, as far as they have been read; empty if nothing is.
  // Then clear it and put the rows again.
  std::string damage() const;

 private:
  struct State;
  explicit SemanticIndex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace actionhist
