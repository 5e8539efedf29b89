#include "embedding/safetensors.hpp"

#include <bit>
#include <cstring>
#include <limits>

#include "core/names.hpp"
#include "embedding/half.hpp"
#include "embedding/model_json.hpp"

namespace actionhist {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian, and read in place");

constexpr std::string_view tensors_file = "model.safetensors";
constexpr std::size_t longest_header = 100'000'000;  // as the format says

constexpr NameTable<TensorType, 10> type_names{{
    {TensorType::f64, "F64"},
    {TensorType::f32, "F32"},
    {TensorType::f16, "F16"},
    {TensorType::bf16, "BF16"},
    {TensorType::i64, "I64"},
    {TensorType::i32, "I32"},
    {TensorType::i16, "I16"},
    {TensorType::i8, "I8"},
    {TensorType::u8, "U8"},
    {TensorType::boolean, "BOOL"},
}};

std::size_t size_of(TensorType type) {
  switch (type) {
    case TensorType::f64:
    case TensorType::i64: return 8;
    case TensorType::f32:
    case TensorType::i32: return 4;
    case TensorType::f16:
    case TensorType::bf16:
    case TensorType::i16: return 2;
    default: return 1;
  }
}

template <class Stored, class Out, class Convert>
std::vector<Out> converted(std::span<const std::byte> bytes, Convert convert) {
  std::vector<Out> out(bytes.size() / sizeof(Stored));
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored value;  // tensors need not be aligned
    std::memcpy(&value, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = convert(value);
  }
  return out;
}

template <class Stored, class Out>
std::vector<Out> converted(std::span<const std::byte> bytes) {
  return converted<Stored, Out>(bytes, [](Stored value) { return static_cast<Out>(value); });
}

}  // namespace

std::size_t Tensor::count() const { return bytes.size() / size_of(type); }

std::vector<float> Tensor::floats() const {
  switch (type) {
    case TensorType::f64: return converted<double, float>(bytes);
    case TensorType::f32: return converted<float, float>(bytes);
    case TensorType::f16: return converted<Half, float>(bytes, from_half);
    case TensorType::bf16:
      return converted<std::uint16_t, float>(bytes, [](std::uint16_t top) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(top) << 16);
      });
    case TensorType::i8: return converted<std::int8_t, float>(bytes);
    default:
      refuse(tensors_file,
             fmt::format("a tensor of {} where floats are expected", name_of(type_names, type)));
  }
}

std::vector<std::int64_t> Tensor::integers() const {
  switch (type) {
    case TensorType::i64: return converted<std::int64_t, std::int64_t>(bytes);
    case TensorType::i32: return converted<std::int32_t, std::int64_t>(bytes);
    case TensorType::i16: return converted<std::int16_t, std::int64_t>(bytes);
    default:
      refuse(tensors_file,
             fmt::format("a tensor of {} where whole numbers are expected", name_of(type_names, type)));
  }
}

Safetensors::Safetensors(std::span<const std::byte> bytes) {
  std::uint64_t header_size = 0;
  if (bytes.size() < sizeof header_size) refuse(tensors_file, "is too short to be a safetensors file");
  std::memcpy(&header_size, bytes.data(), sizeof header_size);
  bytes = bytes.subspan(sizeof header_size);
  if (header_size > longest_header || header_size > bytes.size()) {
    refuse(tensors_file,
           fmt::format("has a header of {} bytes, but only {} follow; the file is cut or is another format",
                       header_size, bytes.size()));
  }
  const std::string_view header(reinterpret_cast<const char*>(bytes.data()), header_size);
  const std::span<const std::byte> data = bytes.subspan(header_size);
  JsonDocument document;
  const ModelJson root(document.parse(header, tensors_file), std::string(tensors_file));
  for (const auto& [name, element] : root.members()) {
    if (name == "__metadata__") continue;
    const ModelJson json(element, fmt::format("{}: tensor \"{}\"", tensors_file, name));
    Tensor tensor;
    tensor.type = value_of(type_names, json.get<std::string_view>("dtype"), json.place("dtype"));
    std::size_t size = size_of(tensor.type);
    for (const JsonElement part : json.get<simdjson::dom::array>("shape")) {
      std::uint64_t length = 0;
      if (part.get(length) != simdjson::SUCCESS) refuse(json.place("shape"), "holds what is no length");
      if (length > 0 && size > std::numeric_limits<std::size_t>::max() / length) {
        refuse(json.place("shape"), "is too large");
      }
      size *= length;
      tensor.shape.push_back(length);
    }
    const auto offsets = json.get<simdjson::dom::array>("data_offsets");
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    if (offsets.size() != 2 || offsets.at(0).get(begin) != simdjson::SUCCESS ||
        offsets.at(1).get(end) != simdjson::SUCCESS || begin > end) {
      refuse(json.place("data_offsets"), "is no begin and end");
    }
    if (end > data.size()) {
      refuse(json.place(), fmt::format("ends at {}, the file has {}; it is cut", end, data.size()));
    }
    if (end - begin != size) {
      refuse(json.place(), fmt::format("has {} bytes, its shape needs {}", end - begin, size));
    }
    tensor.bytes = data.subspan(begin, size);
    if (!tensors_.emplace(name, std::move(tensor)).second) refuse(json.place(), "is given twice");
  }
}

const Tensor* Safetensors::find(std::string_view name) const {
  const auto at = tensors_.find(name);
  return at == tensors_.end() ? nullptr : &at->second;
}

const Tensor& Safetensors::get(std::string_view name, std::size_t dimensions) const {
  const Tensor* tensor = find(name);
  if (tensor == nullptr) refuse(tensors_file, fmt::format("has no tensor \"{}\"", name));
  if (tensor->shape.size() != dimensions) {
    refuse(tensors_file,
           fmt::format("tensor \"{}\" has {} dimensions, not {}", name, tensor->shape.size(), dimensions));
  }
  return *tensor;
}

}  // namespace actionhist
