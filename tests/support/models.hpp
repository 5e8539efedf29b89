// Embedding models for tests.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>

#include <actionhist/actionhist.hpp>

namespace actionhist::test {

// The built-in model under another name.
class Renamed : public EmbeddingModel {
 public:
  explicit Renamed(std::string space_id) : space_id_(std::move(space_id)) {}
  std::string space_id() const override { return space_id_; }
  std::size_t dimension() const override { return hashed_lexical_model()->dimension(); }
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override {
    hashed_lexical_model()->embed(texts, role, out);
  }

 private:
  std::string space_id_;
};

// Counts its calls and the texts that it is given.
class Counting final : public Renamed {
 public:
  Counting() : Renamed("counting/1024/1") {}
  void embed(std::span<const std::string_view> given, EmbeddingRole role,
             std::span<float> out) const override {
    ++calls;
    texts += static_cast<int>(given.size());
    Renamed::embed(given, role, out);
  }
  mutable std::atomic<int> calls = 0;
  mutable std::atomic<int> texts = 0;
};

// A few dimensions, quickly made; each text has a vector of its own.
class Small final : public EmbeddingModel {
 public:
  std::string space_id() const override { return "small/4/1"; }
  std::size_t dimension() const override { return 4; }
  void embed(std::span<const std::string_view> texts, EmbeddingRole, std::span<float> out) const override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t hash = std::hash<std::string>()(std::to_string(i % 4) + std::string(texts[i / 4]));
      out[i] = static_cast<float>(hash % 2001) / 1000 - 1.0005F;
    }
  }
};

// Refuses texts that say "poison", while it is told to.
class Picky final : public Renamed {
 public:
  Picky() : Renamed("picky/1024/1") {}
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override {
    for (const std::string_view text : texts) {
      if (picky && text.find("poison") != text.npos)
        throw Error(ErrorCode::invalid_argument, "text: is poison");
    }
    Renamed::embed(texts, role, out);
  }
  std::atomic<bool> picky = true;
};

// The built-in model with so much more in common between any two texts.
class Crowded final : public EmbeddingModel {
 public:
  explicit Crowded(float common) : common_(common) {}
  std::string space_id() const override { return "crowded/1025/1"; }
  std::size_t dimension() const override { return hashed_lexical_model()->dimension() + 1; }
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override {
    const EmbeddingModel& inner = *hashed_lexical_model();
    std::vector<float> vectors(texts.size() * inner.dimension());
    inner.embed(texts, role, vectors);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto first = vectors.begin() + static_cast<std::ptrdiff_t>(i * inner.dimension());
      const auto last = std::copy(first, first + static_cast<std::ptrdiff_t>(inner.dimension()),
                                  out.begin() + static_cast<std::ptrdiff_t>(i * dimension()));
      *last = common_;
    }
  }

 private:
  float common_;
};

// Finds what is least like the query.
class Contrary final : public Renamed {
 public:
  Contrary() : Renamed("contrary/1024/1") {}
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override {
    Renamed::embed(texts, role, out);
    if (role == EmbeddingRole::query) std::ranges::transform(out, out.begin(), std::negate<>());
  }
};

}  // namespace actionhist::test
