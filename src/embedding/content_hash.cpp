#include "embedding/content_hash.hpp"

#include <xxhash.h>

namespace actionhist {

ContentHash content_hash(const void* data, std::size_t bytes) {
  const XXH128_hash_t hash = XXH3_128bits(data, bytes);
  return {hash.low64, hash.high64};
}

}  // namespace actionhist
