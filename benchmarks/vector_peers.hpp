// What we compare the vector index with, behind one small interface. Each is compiled as its users would: for
// the machine at hand if it is header-only, as packaged if it is a library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "vector_sets.hpp"

namespace actionhist::benchmark {

class VectorPeer {
 public:
  virtual ~VectorPeer() = default;
  virtual const char* name() const = 0;
  virtual void build(const VectorSet& rows) = 0;
  virtual void set_width(std::size_t ef) = 0;
  // `passes` may be empty: all do. A peer without filters asks for more until enough pass.
  virtual std::vector<std::uint32_t> search(const float* query, std::size_t count,
                                            const std::function<bool(std::uint32_t)>& passes) = 0;
  virtual std::size_t bytes() const = 0;
};

std::unique_ptr<VectorPeer> hnswlib_peer(std::size_t m, std::size_t ef_construction);
std::unique_ptr<VectorPeer> packaged_faiss_peer(std::size_t m, std::size_t ef_construction);

}  // namespace actionhist::benchmark
