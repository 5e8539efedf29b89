// The tensors of a .safetensors file, read where the system keeps it.
// A Safetensors does not change; any thread may read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"

namespace actionhist {

enum class TensorType { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

// Lives as long as its file.
struct Tensor {
  TensorType type = TensorType::f32;
  std::vector<std::size_t> shape;
  std::span<const std::byte> bytes;

  std::size_t count() const;
  // All values as floats. Throws Error: invalid_argument for a type that holds none.
  std::vector<float> floats() const;
  // All values as whole numbers. Throws Error: invalid_argument for other types.
  std::vector<std::int64_t> integers() const;
};

class Safetensors {
 public:
  // Throws Error: invalid_argument if the bytes are not laid out as the format says, naming the tensor.
  explicit Safetensors(std::span<const std::byte> bytes);

  const Tensor* find(std::string_view name) const;
  // Throws Error: invalid_argument if there is none, or if its shape has not `dimensions` parts.
  const Tensor& get(std::string_view name, std::size_t dimensions) const;

 private:
  std::map<std::string, Tensor, std::less<>> tensors_;
};

}  // namespace actionhist
