#include "semantic/index_options.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "core/refuse.hpp"

namespace actionhist {
namespace {

constexpr std::size_t max_dimension = 65'536;

void require(bool holds, std::string_view field, std::string_view otherwise) {
  if (!holds) refuse(field, otherwise);
}

}  // namespace

const IndexOptions& checked(const IndexOptions& options) {
  require_between("dimension", options.dimension, 1, max_dimension);
  require(options.metric >= Metric::cosine && options.metric <= Metric::l2, "metric",
          "is none of the metrics");
  require(options.precision >= Precision::full && options.precision <= Precision::byte, "precision",
          "is none of the precisions");
  require(options.m == 0 || (options.m >= 2 && options.m <= 256), "m", "must be 2 to 256, or 0");
  require(options.ef_construction >= 0, "ef_construction", "must not be negative");
  require(options.ef_search >= 0, "ef_search", "must not be negative");
  require(options.sealed_rows >= 1, "sealed_rows", "must be at least 1");
  if (!options.parts.empty()) {
    const auto sum = std::accumulate(options.parts.begin(), options.parts.end(), std::size_t{0});
    const bool each = std::ranges::all_of(
        options.parts, [&](std::size_t part) { return part >= 1 && part <= options.dimension; });
    require(each && sum == options.dimension, "parts", "must be at least 1 each, and together the dimension");
    require(options.metric == Metric::cosine, "parts", "need the metric cosine");
  }
  return options;
}

}  // namespace actionhist
