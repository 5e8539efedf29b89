#include "vector_peers.hpp"

#include <algorithm>

#include <faiss/IndexHNSW.h>
#include <faiss/impl/IDSelector.h>
#include <hnswlib/hnswlib.h>
#include <omp.h>

namespace actionhist::benchmark {
namespace {

class Hnswlib final : public VectorPeer {
 public:
  Hnswlib(std::size_t m, std::size_t ef_construction) : m_(m), ef_construction_(ef_construction) {}
  const char* name() const override { return "hnswlib"; }

  void build(const VectorSet& rows) override {
    space_ = std::make_unique<hnswlib::InnerProductSpace>(rows.dimension);
    index_ =
        std::make_unique<hnswlib::HierarchicalNSW<float>>(space_.get(), rows.size(), m_, ef_construction_);
    for (std::size_t i = 0; i < rows.size(); ++i) index_->addPoint(rows.at(i), i);
    bytes_ = index_->max_elements_ * (index_->size_data_per_element_ + sizeof(void*) + sizeof(int)) +
             rows.size() / m_ * index_->size_links_per_element_;
  }
  void set_width(std::size_t ef) override { index_->setEf(ef); }
  std::vector<std::uint32_t> search(const float* query, std::size_t count,
                                    const std::function<bool(std::uint32_t)>& passes) override {
    const std::size_t ef = index_->ef_;
    for (std::size_t asked = count;; asked = std::min(asked * 4, index_->cur_element_count)) {
      index_->setEf(std::max(ef, asked));
      auto found = index_->searchKnn(query, asked);
      std::vector<std::uint32_t> out;
      for (; !found.empty(); found.pop()) {
        const auto row = static_cast<std::uint32_t>(found.top().second);
        if (!passes || passes(row)) out.push_back(row);
      }
      if (out.size() >= count || asked >= index_->cur_element_count) {
        index_->setEf(ef);
        std::reverse(out.begin(), out.end());
        out.resize(std::min(out.size(), count));
        return out;
      }
    }
  }
  std::size_t bytes() const override { return bytes_; }

 private:
  std::size_t m_;
  std::size_t ef_construction_;
  std::unique_ptr<hnswlib::InnerProductSpace> space_;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> index_;
  std::size_t bytes_ = 0;
};

class Faiss final : public VectorPeer {
 public:
  Faiss(std::size_t m, std::size_t ef_construction) : m_(m), ef_construction_(ef_construction) {}
  const char* name() const override { return "packaged FAISS"; }

  void build(const VectorSet& rows) override {
    omp_set_num_threads(1);
    index_ = std::make_unique<faiss::IndexHNSWFlat>(static_cast<int>(rows.dimension), static_cast<int>(m_),
                                                    faiss::METRIC_INNER_PRODUCT);
    index_->hnsw.efConstruction = static_cast<int>(ef_construction_);
    index_->add(static_cast<faiss::Index::idx_t>(rows.size()), rows.values.data());
    bytes_ = rows.size() * (rows.dimension * sizeof(float) + 2 * m_ * sizeof(int) + 12);
  }
  void set_width(std::size_t ef) override { index_->hnsw.efSearch = static_cast<int>(ef); }
  std::vector<std::uint32_t> search(const float* query, std::size_t count,
                                    const std::function<bool(std::uint32_t)>& passes) override {
    std::vector<float> distances(count);
    std::vector<faiss::Index::idx_t> rows(count);
    struct Selector final : faiss::IDSelector {
      const std::function<bool(std::uint32_t)>* passes = nullptr;
      bool is_member(faiss::Index::idx_t id) const override {
        return (*passes)(static_cast<std::uint32_t>(id));
      }
    } selector;
    selector.passes = &passes;
    faiss::SearchParametersHNSW parameters;
    parameters.efSearch = index_->hnsw.efSearch;
    if (passes) parameters.sel = &selector;
    index_->search(1, query, static_cast<faiss::Index::idx_t>(count), distances.data(), rows.data(),
                   &parameters);
    std::vector<std::uint32_t> out;
    for (const auto row : rows) {
      if (row >= 0) out.push_back(static_cast<std::uint32_t>(row));
    }
    return out;
  }
  std::size_t bytes() const override { return bytes_; }

 private:
  std::size_t m_;
  std::size_t ef_construction_;
  std::unique_ptr<faiss::IndexHNSWFlat> index_;
  std::size_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<VectorPeer> hnswlib_peer(std::size_t m, std::size_t ef_construction) {
  return std::make_unique<Hnswlib>(m, ef_construction);
}

std::unique_ptr<VectorPeer> packaged_faiss_peer(std::size_t m, std::size_t ef_construction) {
  return std::make_unique<Faiss>(m, ef_construction);
}

}  // namespace actionhist::benchmark
