#include "embedding/subspace.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include <actionhist/error.hpp>

// Of LAPACK and BLAS, which FAISS needs too. All matrices are column by column to them.
extern "C" {
void dsyrk_(const char* uplo, const char* trans, const int* n, const int* k, const double* alpha,
            const double* a, const int* lda, const double* beta, double* c, const int* ldc);
void dgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k,
            const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
            const double* beta, double* c, const int* ldc);
void dsyev_(const char* jobz, const char* uplo, const int* n, double* a, const int* lda, double* w,
            double* work, const int* lwork, int* info);
}

namespace actionhist {
namespace {

constexpr std::size_t spare = 10;  // directions beyond those wanted, which make these exact
constexpr int iterations = (passes - 1) / 2;
constexpr double negligible = 1e-12;  // of the strongest direction's square

// Rows of `width` numbers, one after the other.
using Rows = std::vector<double>;

Rows random_signs(std::size_t count, std::uint64_t seed) {
  Rows rows(count);
  std::uint64_t state = seed;
  for (double& x : rows) {
    // SplitMix64
    state += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    x = ((z ^ (z >> 31)) & 1) != 0 ? 1 : -1;
  }
  return rows;
}

// The matrix times `x`, of which row i belongs to column i of the matrix.
Rows times(const SparseMatrix& matrix, const Rows& x, std::size_t width) {
  Rows product(matrix.ends.size() * width, 0);
  std::size_t at = 0;
  for (std::size_t row = 0; row < matrix.ends.size(); ++row) {
    double* out = product.data() + row * width;
    for (; at < matrix.ends[row]; ++at) {
      const double value = matrix.entries[at].value;
      const double* in = x.data() + matrix.entries[at].column * width;
      for (std::size_t i = 0; i < width; ++i) out[i] += value * in[i];
    }
  }
  return product;
}

// The transposed matrix times `y`.
Rows transposed_times(const SparseMatrix& matrix, const Rows& y, std::size_t width) {
  Rows product(matrix.columns * width, 0);
  std::size_t at = 0;
  for (std::size_t row = 0; row < matrix.ends.size(); ++row) {
    const double* in = y.data() + row * width;
    for (; at < matrix.ends[row]; ++at) {
      const double value = matrix.entries[at].value;
      double* out = product.data() + matrix.entries[at].column * width;
      for (std::size_t i = 0; i < width; ++i) out[i] += value * in[i];
    }
  }
  return product;
}

struct Eigenpairs {
  std::vector<double> values;   // the largest first
  std::vector<double> vectors;  // column by column, in that order
};

// Of the products of all pairs of columns of `rows`.
Eigenpairs eigen_of_products(const Rows& rows, std::size_t width) {
  const int n = static_cast<int>(width);
  const int k = static_cast<int>(rows.size() / width);
  const double one = 1, zero = 0;
  std::vector<double> products(width * width, 0);
  dsyrk_("U", "N", &n, &k, &one, rows.data(), &n, &zero, products.data(), &n);
  std::vector<double> values(width);
  std::vector<double> work(width * 64);
  const int work_size = static_cast<int>(work.size());
  int failed = 0;
  dsyev_("V", "U", &n, products.data(), &n, values.data(), work.data(), &work_size, &failed);
  if (failed != 0) throw Error(ErrorCode::internal, fmt::format("fit: dsyev says {}", failed));
  Eigenpairs eigen;
  for (std::size_t i = width; i-- > 0;) {
    eigen.values.push_back(values[i]);
    eigen.vectors.insert(eigen.vectors.end(), products.begin() + static_cast<std::ptrdiff_t>(i * width),
                         products.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
  }
  return eigen;
}

// Each row of `rows` times the matrix of `columns` columns.
Rows rotated(const Rows& rows, std::size_t width, std::span<const double> by, std::size_t columns) {
  const int m = static_cast<int>(columns);
  const int n = static_cast<int>(rows.size() / width);
  const int k = static_cast<int>(width);
  const double one = 1, zero = 0;
  Rows out(rows.size() / width * columns);
  dgemm_("T", "N", &m, &n, &k, &one, by.data(), &k, rows.data(), &k, &zero, out.data(), &m);
  return out;
}

// Makes the columns of `rows` orthogonal and of length 1; directions that are hardly there go.
void make_orthonormal(Rows& rows, std::size_t& width) {
  Eigenpairs eigen = eigen_of_products(rows, width);
  std::size_t kept = 0;
  while (kept < width && eigen.values[kept] > negligible * eigen.values.front()) {
    const double scale = 1 / std::sqrt(eigen.values[kept]);
    for (std::size_t i = 0; i < width; ++i) eigen.vectors[kept * width + i] *= scale;
    ++kept;
  }
  rows = rotated(rows, width, eigen.vectors, kept);
  width = kept;
}

}  // namespace

std::vector<float> leading_directions(const SparseMatrix& matrix, std::size_t count, std::uint64_t seed,
                                      const std::function<void()>& passed) {
  const auto after_pass = [&](Rows product) {
    if (passed) passed();
    return product;
  };
  std::size_t width = std::min(count + spare, std::min(matrix.columns, matrix.ends.size()));
  Rows directions = random_signs(matrix.columns * width, seed);
  for (int i = 0; i < iterations; ++i) {
    const Rows turned = after_pass(times(matrix, directions, width));
    directions = after_pass(transposed_times(matrix, turned, width));
    make_orthonormal(directions, width);
  }
  const Eigenpairs eigen = eigen_of_products(after_pass(times(matrix, directions, width)), width);
  count = std::min(count, width);
  const Rows turned = rotated(directions, width, eigen.vectors, count);
  return {turned.begin(), turned.end()};
}

}  // namespace actionhist
