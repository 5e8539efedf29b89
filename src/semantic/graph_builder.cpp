#include "semantic/graph_builder.hpp"

#include <algorithm>
#include <string>

#include <faiss/IndexHNSW.h>
#include <faiss/impl/DistanceComputer.h>

#include <actionhist/error.hpp>

#include "semantic/drawn_id.hpp"
#include "semantic/faiss_errors.hpp"
#include "semantic/huge_pages.hpp"
#include "semantic/one_thread.hpp"

namespace actionhist {
namespace {

// FAISS prepares each call in a time that grows with the graph, and whoever cancels waits for one.
constexpr std::size_t batch = 256;

class Computer final : public faiss::DistanceComputer {
 public:
  explicit Computer(const Vectors& vectors) : vectors_(vectors) {}
  void set_query(const float* query) override { query_ = vectors_.query({query, vectors_.dimension()}); }
  float operator()(idx_t i) override { return vectors_.coarse_distance(query_, static_cast<std::size_t>(i)); }
  float symmetric_dis(idx_t i, idx_t j) override {
    return vectors_.coarse_distance(static_cast<std::size_t>(i), static_cast<std::size_t>(j));
  }

 private:
  const Vectors& vectors_;
  Vectors::Query query_;
};

// Lets FAISS read our vectors. It is told that smaller is nearer, which holds for all our distances.
class Storage final : public faiss::Index {
 public:
  explicit Storage(const Vectors& vectors)
      : faiss::Index(static_cast<idx_t>(vectors.dimension()), faiss::METRIC_L2), vectors_(vectors) {}
  void add(idx_t n, const float*) override { ntotal += n; }
  void reset() override { ntotal = 0; }
  void search(idx_t, const float*, idx_t, float*, idx_t*, const faiss::SearchParameters*) const override {
    throw Error(ErrorCode::internal, "graph: the storage is not searched");
  }
  faiss::DistanceComputer* get_distance_computer() const override { return new Computer(vectors_); }

 private:
  const Vectors& vectors_;
};

// A graph in memory of its own.
struct Owned {
  std::vector<std::uint32_t> links;
  std::vector<std::uint32_t> upper_places;
  std::vector<std::uint32_t> upper_links;
  std::vector<std::uint8_t> levels;
};

// FAISS marks the end of a list by −1, which is our `none`.
void append_links(std::vector<std::uint32_t>& out, const faiss::HNSW& hnsw, std::size_t slot, int level) {
  std::size_t begin = 0;
  std::size_t end = 0;
  hnsw.neighbor_range(static_cast<faiss::Index::idx_t>(slot), level, &begin, &end);
  for (std::size_t i = begin; i < end; ++i) out.push_back(static_cast<std::uint32_t>(hnsw.neighbors[i]));
}

std::shared_ptr<const Graph> taken_from(const faiss::HNSW& hnsw, std::uint32_t m) {
  auto owned = std::make_shared<Owned>();
  const std::size_t size = hnsw.levels.size();
  owned->links.reserve(size * 2 * m);
  prefer_huge_pages(owned->links.data(), size * 2 * m * sizeof(std::uint32_t));
  owned->upper_places.reserve(size);
  owned->levels.reserve(size);
  for (std::size_t slot = 0; slot < size; ++slot) {
    append_links(owned->links, hnsw, slot, 0);
    const int levels = hnsw.levels[slot] - 1;  // FAISS counts the lowest
    owned->levels.push_back(static_cast<std::uint8_t>(levels));
    owned->upper_places.push_back(levels > 0 ? static_cast<std::uint32_t>(owned->upper_links.size() / m)
                                             : Graph::none);
    for (int level = 1; level <= levels; ++level) append_links(owned->upper_links, hnsw, slot, level);
  }
  Graph::Parts parts;
  parts.m = m;
  parts.entry = static_cast<std::uint32_t>(hnsw.entry_point);
  parts.top_level = static_cast<std::uint32_t>(std::max(hnsw.max_level, 0));
  parts.links = owned->links;
  parts.upper_places = owned->upper_places;
  parts.upper_links = owned->upper_links;
  parts.levels = owned->levels;
  return std::make_shared<const Graph>(parts, std::move(owned), drawn_id());
}

void give_to(faiss::IndexHNSW& index, const Graph& graph) {
  faiss::HNSW& hnsw = index.hnsw;
  const Graph::Parts& parts = graph.parts();
  hnsw.levels.reserve(graph.size() + batch);
  hnsw.offsets.reserve(graph.size() + batch + 1);
  hnsw.neighbors.reserve(parts.links.size() + parts.upper_links.size() + batch * 2 * parts.m);
  const auto copy = [&](std::span<const std::uint32_t> links, std::size_t width) {
    hnsw.neighbors.insert(hnsw.neighbors.end(), links.begin(), links.end());
    hnsw.neighbors.resize(hnsw.neighbors.size() + width - links.size(), -1);
  };
  for (std::uint32_t slot = 0; slot < graph.size(); ++slot) {
    const std::uint32_t levels = std::min<std::uint32_t>(parts.levels[slot], parts.top_level);
    copy(graph.neighbours(slot), 2 * std::size_t{parts.m});
    for (std::uint32_t level = 1; level <= levels; ++level)
      copy(graph.upper_neighbours(slot, level), parts.m);
    hnsw.levels.push_back(static_cast<int>(levels) + 1);
    hnsw.offsets.push_back(hnsw.neighbors.size());
  }
  hnsw.entry_point = static_cast<std::int32_t>(parts.entry);
  hnsw.max_level = parts.entry == Graph::none ? -1 : static_cast<int>(parts.top_level);
  index.ntotal = static_cast<faiss::Index::idx_t>(graph.size());
}

}  // namespace

std::shared_ptr<const Graph> extended(const Graph* before, const Vectors& vectors, std::size_t end,
                                      const GraphOptions& options, const std::function<bool()>& cancelled) {
  const OneThread one_thread;
  return with_faiss("graph", [&]() -> std::shared_ptr<const Graph> {
    Storage storage(vectors);
    faiss::IndexHNSW index(&storage, options.m);
    index.hnsw.efConstruction = options.ef_construction;
    if (before != nullptr) give_to(index, *before);
    storage.ntotal = index.ntotal;
    // The levels of each extension are drawn anew.
    index.hnsw.rng = faiss::RandomGenerator(static_cast<std::int64_t>(index.ntotal) + 12345);
    std::vector<float> values;
    for (std::size_t slot = static_cast<std::size_t>(index.ntotal); slot < end; slot += batch) {
      if (cancelled()) return nullptr;
      const std::size_t count = std::min(batch, end - slot);
      values.resize(count * vectors.dimension());
      for (std::size_t i = 0; i < count; ++i)
        vectors.decode(slot + i, values.data() + i * vectors.dimension());
      index.add(static_cast<faiss::Index::idx_t>(count), values.data());
    }
    return taken_from(index.hnsw, static_cast<std::uint32_t>(options.m));
  });
}

}  // namespace actionhist
