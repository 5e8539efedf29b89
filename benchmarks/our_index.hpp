// Our index as one of those that are compared. Used by one thread; its `index` by any.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <actionhist/semantic_index.hpp>

#include "vector_peers.hpp"

namespace actionhist::benchmark {

class OurIndex final : public VectorPeer {
 public:
  // `fields` gives what filters see of each row.
  explicit OurIndex(IndexOptions options, std::function<Json(std::uint32_t)> fields = {})
      : index(options), dimension_(options.dimension), fields_(std::move(fields)) {}

  const char* name() const override { return "ours"; }

  void build(const VectorSet& rows) override {
    put(rows, 0, rows.size());
    index.optimize();
  }
  // Those from `begin` to before `end`, whose ids are their numbers.
  void put(const VectorSet& rows, std::size_t begin, std::size_t end) {
    std::vector<IndexRow> batch;
    batch.reserve(end - begin);
    for (std::size_t i = begin; i < end; ++i) {
      batch.push_back({std::to_string(i),
                       {},
                       {rows.at(i), rows.dimension},
                       fields_ ? fields_(static_cast<std::uint32_t>(i)) : Json()});
    }
    index.put(batch);
  }

  // 0: as calibrated.
  void set_width(std::size_t ef) override { width_ = ef; }
  // Rows in which this field is true; all if it is empty.
  void set_filter(const std::string& field) {
    where_ = field.empty() ? Json() : Json::object({{field, true}});
  }
  std::vector<std::uint32_t> search(const float* query, std::size_t count,
                                    const std::function<bool(std::uint32_t)>&) override {
    IndexQuery wanted = asked(query);
    wanted.limit = static_cast<int>(count);
    std::vector<std::uint32_t> out;
    for (const IndexHit& hit : index.search(wanted))
      out.push_back(static_cast<std::uint32_t>(std::strtoul(hit.id.c_str(), nullptr, 10)));
    return out;
  }
  SearchPlan plan(const float* query) const { return index.explain(asked(query)); }
  std::size_t bytes() const override { return index.stats().bytes; }

  SemanticIndex index;

 private:
  IndexQuery asked(const float* query) const {
    IndexQuery wanted;
    wanted.vector = {query, dimension_};
    wanted.ef_search = static_cast<int>(width_);
    wanted.where = where_;
    return wanted;
  }

  std::size_t dimension_;
  std::function<Json(std::uint32_t)> fields_;
  std::size_t width_ = 0;
  Json where_;
};

}  // namespace actionhist::benchmark
