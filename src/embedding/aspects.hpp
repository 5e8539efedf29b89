// Several vectors for a subject: one each for its context, its action and its outcome, side by side, so that a
// search can weigh them. A text holds its aspects in this order with an empty line between them.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/embedding.hpp>

namespace actionhist {

constexpr std::size_t aspect_count = 3;

// The aspects of a text; those it ends without are empty.
std::array<std::string_view, aspect_count> aspects_of(std::string_view text);

// The text of these aspects. An empty line within one of them would end it, so there is none in the result.
std::string join_aspects(const std::array<std::string, aspect_count>& aspects);

// "aspects/1/" and the name of the space that each vector alone belongs to.
std::string aspect_space(std::string_view base);
// That name; nothing for another space.
std::optional<std::string_view> base_of_aspects(std::string_view space_id);

// How the vectors of a space are divided, as IndexOptions::parts.
std::vector<std::size_t> parts_of(std::string_view space_id, std::size_t dimension);

// Documents are embedded by aspect, an empty one gives zeros. A query is a text about all of them: its vector
// comes three times. Any thread may embed at once.
class AspectModel final : public EmbeddingModel {
 public:
  explicit AspectModel(std::shared_ptr<const EmbeddingModel> base) : base_(std::move(base)) {}

  std::string space_id() const override { return aspect_space(base_->space_id()); }
  std::size_t dimension() const override { return aspect_count * base_->dimension(); }
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override;

 private:
  std::shared_ptr<const EmbeddingModel> base_;
};

}  // namespace actionhist
