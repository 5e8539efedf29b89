// A model that turns text into vectors. Vectors of two models, or of two versions of one, are never
// compared: each model names its space.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <actionhist/model_options.hpp>

namespace actionhist {

enum class EmbeddingRole { document, query };

// Implementations must allow embed() from several threads at once.
class EmbeddingModel {
 public:
  virtual ~EmbeddingModel() = default;

  // Names the model with everything that changes its vectors: "hashed-lexical/1024/1".
  virtual std::string space_id() const = 0;

  // The number of floats in a vector, at least 1.
  virtual std::size_t dimension() const = 0;

  // Writes texts.size() × dimension() floats to `out`, row by row. A text without content gives zeros.
  // REQUIRES: out.size() == texts.size() * dimension().
  // Throws Error: unavailable (try again), invalid_argument (this text never will).
  virtual void embed(std::span<const std::string_view> texts, EmbeddingRole role,
                     std::span<float> out) const = 0;
};

// The built-in default: words and character n-grams hashed into 1024 dimensions, without any file or
// network. Good at names and spelling, blind to synonyms; BM25 stands beside it in every search.
std::shared_ptr<const EmbeddingModel> hashed_lexical_model();

// A model that gives an action three vectors, one each for its context, its action and its outcome, so that
// searches can weigh them (SimilarQuery::weights). The space is another one than that of `model`.
// Throws Error: invalid_argument if `model` does that already.
std::shared_ptr<const EmbeddingModel> by_aspect(std::shared_ptr<const EmbeddingModel> model);

// Opens the model that `uri` names:
//   hashed-lexical    the built-in default
//   static:FOLDER     model2vec and other static models: model.safetensors, tokenizer.json, config.json
//   sentence:FOLDER   sentence-transformers with BERT's layers (MiniLM, bge-small, e5-small): the whole folder
//   https://HOST/v1#MODEL, http://…   a server with OpenAI's /v1/embeddings: OpenAI, Azure, Ollama, vLLM, TEI
//   aspects:URI       any of these, by_aspect()
// A model is its files, whose contents make the space and not their place, or its address with the model's name.
// Throws Error: not_found, unavailable, denied, invalid_argument (what is wrong in which file, or not offered).
std::shared_ptr<const EmbeddingModel> open_model(std::string_view uri, const ModelOptions& options = {});

}  // namespace actionhist
