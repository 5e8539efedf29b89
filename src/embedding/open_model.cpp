#include <actionhist/embedding.hpp>

#include <filesystem>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "embedding/static_model.hpp"

namespace actionhist {

std::shared_ptr<const EmbeddingModel> open_model(std::string_view uri, const ModelOptions& options) {
  if (uri == "hashed-lexical") return hashed_lexical_model();
  if (uri.starts_with("static:")) {
    return std::make_shared<const StaticModel>(std::filesystem::path(uri.substr(7)), options);
  }
  // The scheme alone is named: the rest may hold a password.
  throw Error(ErrorCode::invalid_argument,
              fmt::format("model: no model for \"{}\"; use hashed-lexical or static:FOLDER",
                          uri.substr(0, uri.find(':'))));
}

}  // namespace actionhist
