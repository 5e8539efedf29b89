#include <actionhist/embedding.hpp>

#include <filesystem>

#include <fmt/format.h>

#include "core/refuse.hpp"
#include "embedding/http_model.hpp"
#include "embedding/sentence_model.hpp"
#include "embedding/static_model.hpp"

namespace actionhist {

std::shared_ptr<const EmbeddingModel> open_model(std::string_view uri, const ModelOptions& options) {
  if (uri.starts_with("aspects:")) return by_aspect(open_model(uri.substr(8), options));
  if (uri == "hashed-lexical") return hashed_lexical_model();
  if (uri.starts_with("static:")) {
    return std::make_shared<const StaticModel>(std::filesystem::path(uri.substr(7)), options);
  }
  if (uri.starts_with("sentence:")) {
    return std::make_shared<const SentenceModel>(std::filesystem::path(uri.substr(9)), options);
  }
  if (uri.starts_with("http://") || uri.starts_with("https://")) {
    return std::make_shared<const HttpModel>(uri, options);
  }
  // The scheme alone is named: the rest may hold a password.
  refuse("model", fmt::format("no model for \"{}\"; use hashed-lexical, static:FOLDER, sentence:FOLDER or "
                              "https://HOST/v1#MODEL, or aspects: before one of them",
                              uri.substr(0, uri.find(':'))));
}

}  // namespace actionhist
