// A model behind HTTP that speaks OpenAI's /v1/embeddings. Any thread may embed at once.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include <actionhist/embedding.hpp>
#include <actionhist/model_options.hpp>

#include "http/http_client.hpp"
#include "embedding/role_prefix.hpp"

namespace actionhist {

class HttpModel final : public EmbeddingModel {
 public:
  // Asks the server for the dimension if `options` do not say it. Throws Error: invalid_argument, and as embed().
  HttpModel(std::string_view uri, const ModelOptions& options);

  std::string space_id() const override { return space_id_; }
  std::size_t dimension() const override { return dimension_; }

  // Throws Error: unavailable (no answer, or a wrong one), denied (the key), not_found (no such address or model),
  // unsupported (another refusal), invalid_argument (the server will never take these texts).
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override;

 private:
  struct Batch {
    std::vector<std::size_t> rows;  // of `out`
    std::string body;
  };

  HttpModel(HttpAddress address, const ModelOptions& options);
  std::vector<Batch> batches(std::span<const std::string_view> texts, EmbeddingRole role) const;
  std::vector<std::vector<std::vector<float>>> ask(std::span<const Batch> batches, int retries) const;
  [[noreturn]] void refuse(const HttpReply& reply) const;
  void require_time_to_ask() const;

  HttpAddress address_;
  ModelOptions options_;
  RolePrefix prefix_;
  std::string model_;  // empty where the address names it
  std::string key_;    // stands in no message
  HttpClient client_;
  std::size_t dimension_ = 0;
  std::string space_id_;
  // When a server wants more patience than a call has, later calls fail at once until then.
  mutable std::atomic<std::chrono::steady_clock::duration::rep> not_before_{0};
};

}  // namespace actionhist
