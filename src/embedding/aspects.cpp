#include "embedding/aspects.hpp"

#include <algorithm>

#include "core/refuse.hpp"

namespace actionhist {
namespace {

constexpr std::string_view separator = "\n\n";
constexpr std::string_view space_prefix = "aspects/1/";

}  // namespace

std::array<std::string_view, aspect_count> aspects_of(std::string_view text) {
  std::array<std::string_view, aspect_count> aspects;
  for (std::size_t i = 0; i < aspect_count; ++i) {
    const std::size_t end = i + 1 < aspect_count ? text.find(separator) : text.npos;
    aspects[i] = text.substr(0, end);
    if (end == text.npos) break;
    text.remove_prefix(end + separator.size());
  }
  return aspects;
}

std::string join_aspects(const std::array<std::string, aspect_count>& aspects) {
  std::string text;
  std::size_t owed = 0;  // separators before the next aspect that is not empty
  for (const std::string& aspect : aspects) {
    std::string lines;
    for (std::size_t begin = 0; begin < aspect.size();) {
      const std::size_t end = std::min(aspect.find('\n', begin), aspect.size());
      if (end > begin) {
        if (!lines.empty()) lines += '\n';
        lines += std::string_view(aspect).substr(begin, end - begin);
      }
      begin = end + 1;
    }
    if (!lines.empty()) {
      for (; owed > 0; --owed) text += separator;
      text += lines;
    }
    ++owed;
  }
  return text;
}

std::string aspect_space(std::string_view base) { return std::string(space_prefix) += base; }

std::optional<std::string_view> base_of_aspects(std::string_view space_id) {
  if (!space_id.starts_with(space_prefix)) return std::nullopt;
  return space_id.substr(space_prefix.size());
}

std::vector<std::size_t> parts_of(std::string_view space_id, std::size_t dimension) {
  if (!base_of_aspects(space_id) || dimension % aspect_count != 0) return {};
  return std::vector<std::size_t>(aspect_count, dimension / aspect_count);
}

void AspectModel::embed(std::span<const std::string_view> texts, EmbeddingRole role,
                        std::span<float> out) const {
  constexpr std::size_t none = -1;
  std::vector<std::string_view> pieces;
  std::vector<std::size_t> piece_at;  // of each part of `out`; none stays zeros
  for (const std::string_view text : texts) {
    if (role == EmbeddingRole::query) {
      piece_at.insert(piece_at.end(), aspect_count, pieces.size());
      pieces.push_back(text);
      continue;
    }
    for (const std::string_view aspect : aspects_of(text)) {
      piece_at.push_back(aspect.empty() ? none : pieces.size());
      if (!aspect.empty()) pieces.push_back(aspect);
    }
  }
  const std::size_t part = base_->dimension();
  std::vector<float> vectors(pieces.size() * part);
  if (!pieces.empty()) base_->embed(pieces, role, vectors);
  std::ranges::fill(out, 0.F);
  for (std::size_t i = 0; i < piece_at.size(); ++i) {
    if (piece_at[i] == none) continue;
    std::ranges::copy(std::span(vectors).subspan(piece_at[i] * part, part), out.subspan(i * part).begin());
  }
}

std::shared_ptr<const EmbeddingModel> by_aspect(std::shared_ptr<const EmbeddingModel> model) {
  if (base_of_aspects(model->space_id())) refuse("model", "has a vector for each aspect already");
  return std::make_shared<const AspectModel>(std::move(model));
}

}  // namespace actionhist
