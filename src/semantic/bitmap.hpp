// A set of row numbers. Reading is safe from many threads.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace actionhist {

class Bitmap {
 public:
  explicit Bitmap(std::size_t size = 0, bool value = false)
      : words_((size + 63) / 64, value ? ~std::uint64_t{0} : 0), size_(size) {
    clear_tail();
  }

  std::size_t size() const { return size_; }
  bool test(std::size_t i) const { return (words_[i >> 6] >> (i & 63) & 1) != 0; }
  void set(std::size_t i) { words_[i >> 6] |= std::uint64_t{1} << (i & 63); }
  void reset(std::size_t i) { words_[i >> 6] &= ~(std::uint64_t{1} << (i & 63)); }
  // New ones are not members.
  void resize(std::size_t size) {
    words_.resize((size + 63) / 64, 0);
    size_ = size;
    clear_tail();
  }
  void push_back(bool value) {
    if (size_ % 64 == 0) words_.push_back(0);
    if (value) set(size_);
    ++size_;
  }

  std::size_t count() const {
    // Sums of ever more bits side by side, which compilers do for several words at once; std::popcount is a
    // call where the CPU is not known to have the instruction.
    std::uint64_t sum = 0;
    for (std::uint64_t word : words_) {
      word -= word >> 1 & 0x5555'5555'5555'5555U;
      word = (word & 0x3333'3333'3333'3333U) + (word >> 2 & 0x3333'3333'3333'3333U);
      word = (word + (word >> 4)) & 0x0f0f'0f0f'0f0f'0f0fU;
      word += word >> 8;
      word += word >> 16;
      sum += (word + (word >> 32)) & 0xff;
    }
    return sum;
  }

  // REQUIRES: both have one size.
  Bitmap& operator&=(const Bitmap& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  // What of `other` lies beyond size() is left out.
  Bitmap& operator|=(const Bitmap& other) {
    const std::size_t common = words_.size() < other.words_.size() ? words_.size() : other.words_.size();
    for (std::size_t i = 0; i < common; ++i) words_[i] |= other.words_[i];
    clear_tail();
    return *this;
  }
  void flip() {
    for (std::uint64_t& word : words_) word = ~word;
    clear_tail();
  }

  // The first member that is not before i, or size().
  std::size_t next(std::size_t i) const {
    if (i >= size_) return size_;
    std::size_t at = i / 64;
    std::uint64_t word = words_[at] & ~std::uint64_t{0} << i % 64;
    while (word == 0 && ++at < words_.size()) word = words_[at];
    return word == 0 ? size_ : at * 64 + static_cast<std::size_t>(std::countr_zero(word));
  }

  // Calls use(i) for each member, ascending.
  template <class Use>
  void for_each(Use&& use) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::uint64_t word = words_[i]; word != 0; word &= word - 1) {
        use(i * 64 + static_cast<std::size_t>(std::countr_zero(word)));
      }
    }
  }

  const std::vector<std::uint64_t>& words() const { return words_; }
  std::size_t bytes() const { return words_.capacity() * sizeof(std::uint64_t); }

 private:
  // Bits beyond size() stay 0, so that whole words can be counted.
  void clear_tail() {
    if (size_ % 64 != 0) words_[size_ >> 6] &= (std::uint64_t{1} << (size_ & 63)) - 1;
  }

  std::vector<std::uint64_t> words_;
  std::size_t size_ = 0;
};

}  // namespace actionhist
