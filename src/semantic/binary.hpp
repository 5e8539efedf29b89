// Numbers, texts and arrays as bytes in the order of this machine. Files of another order are refused by their
// checksum. A reader trusts nothing: what does not fit throws Error: corrupt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <actionhist/error.hpp>

namespace actionhist {

class BinaryWriter {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    append(&value, sizeof value);
  }
  void put_text(std::string_view text) {
    put(text.size());
    append(text.data(), text.size());
  }
  template <class T>
  void put_all(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    put(values.size());
    align();
    append(values.data(), values.size_bytes());
  }
  // Arrays start where a mapping of the file may be read in place.
  void align() { bytes_.resize((bytes_.size() + 63) / 64 * 64); }

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  void append(const void* from, std::size_t size) {
    const auto* begin = static_cast<const std::byte*>(from);
    bytes_.insert(bytes_.end(), begin, begin + size);
  }

  std::vector<std::byte> bytes_;
};

class BinaryReader {
 public:
  // REQUIRES: `bytes` outlive the reader and what it shows in place; they begin at a multiple of 64.
  explicit BinaryReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <class T>
  T get() {
    T value;
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }
  std::string_view get_text() {
    const auto size = get<std::size_t>();
    return {reinterpret_cast<const char*>(take(size)), size};
  }
  // In place, without a copy.
  template <class T>
  std::span<const T> get_all() {
    const auto count = get<std::size_t>();
    at_ = (at_ + 63) / 64 * 64;
    require(at_ <= bytes_.size() && count <= left() / sizeof(T), "an array that is longer than the file");
    return {reinterpret_cast<const T*>(take(count * sizeof(T))), count};
  }
  std::size_t left() const { return bytes_.size() - at_; }

  void require(bool holds, std::string_view otherwise) const {
    if (!holds) throw Error(ErrorCode::corrupt, "snapshot: holds " + std::string(otherwise));
  }

 private:
  const std::byte* take(std::size_t size) {
    require(size <= left(), "less than it says");
    const std::byte* at = bytes_.data() + at_;
    at_ += size;
    return at;
  }

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

}  // namespace actionhist
