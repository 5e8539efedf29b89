// What a model wants before a text, by its role. It belongs to the space.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

#include <actionhist/embedding.hpp>
#include <actionhist/model_options.hpp>

namespace actionhist {

class RolePrefix {
 public:
  explicit RolePrefix(const ModelOptions& options)
      : query_(options.query_prefix), document_(options.document_prefix) {}

  // What the model itself asks for, where the options say nothing.
  void offer(std::string_view query, std::string_view document) {
    if (query_.empty()) query_ = query;
    if (document_.empty()) document_ = document;
  }

  // The text behind its prefix; empty if the text is nothing but white space, which gets no vector.
  std::string before(std::string_view text, EmbeddingRole role) const {
    if (text.find_first_not_of(" \t\r\n") == text.npos) return {};
    std::string out = role == EmbeddingRole::query ? query_ : document_;
    out += text;
    return out;
  }

  // For the identity of the space.
  std::string text() const { return fmt::format("{}\n{}", query_, document_); }

 private:
  std::string query_;
  std::string document_;
};

}  // namespace actionhist
