#include <fmt/format.h>

#include <actionhist/embedding.hpp>

#include "guarded.hpp"
#include "options.hpp"

namespace actionhist::capi {
namespace {

constexpr std::size_t max_dimension = 65'536;
constexpr std::size_t max_space_id = 255;

class HostModel : public EmbeddingModel {
 public:
  HostModel(const actionhist_model& given, UserData user_data)
      : space_id_(text_of(given.space_id, "model.space_id")),
        dimension_(given.dimension),
        embed_(given.embed),
        user_data_(std::move(user_data)) {
    if (space_id_.empty() || space_id_.size() > max_space_id) {
      refuse("model.space_id", "must be 1 to 255 bytes; name the model and its version");
    }
    require_between("model.dimension", dimension_, 1, max_dimension);
    if (embed_ == nullptr) refuse("model.embed", "is NULL");
    // It is stored as text and written as JSON.
    static_cast<void>(Json(space_id_));
  }

  std::string space_id() const override { return space_id_; }
  std::size_t dimension() const override { return dimension_; }

  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override {
    std::vector<actionhist_string> given;
    given.reserve(texts.size());
    for (const std::string_view text : texts) given.push_back({text.data(), text.size()});
    const actionhist_status status =
        embed_(user_data_.get(), given.data(), given.size(),
               role == EmbeddingRole::query ? ACTIONHIST_QUERY : ACTIONHIST_DOCUMENT, out.data());
    if (status == ACTIONHIST_OK) return;
    const bool for_ever = status == ACTIONHIST_INVALID_ARGUMENT;
    throw Error(for_ever ? ErrorCode::invalid_argument : ErrorCode::unavailable,
                fmt::format("model: {} refused {} texts with status {}", space_id_, texts.size(), status));
  }

 private:
  std::string space_id_;
  std::size_t dimension_;
  actionhist_status (*embed_)(void*, const actionhist_string*, std::size_t, std::int32_t, float*);
  UserData user_data_;
};

static_assert(ACTIONHIST_DOCUMENT == static_cast<int>(EmbeddingRole::document));
static_assert(ACTIONHIST_QUERY == static_cast<int>(EmbeddingRole::query));

}  // namespace

std::shared_ptr<const EmbeddingModel> host_model(const actionhist_model* given) {
  require_size(given, given->size, ACTIONHIST_MODEL_SIZE_1, sizeof(actionhist_model), "model");
  return std::make_shared<HostModel>(*given, own(given->user_data, given->destroy));
}

}  // namespace actionhist::capi
