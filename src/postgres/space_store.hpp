// Embedding spaces in PostgreSQL. Thread rule and contracts: the interface.
#pragma once

#include <actionhist/space.hpp>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

class PostgresSpaceStore final : public SpaceStore {
 public:
  explicit PostgresSpaceStore(Engine& engine) : engine_(engine) {}

  std::vector<EmbeddingSpace> spaces(bool counted) override;
  void put(std::string_view space_id, std::int64_t dimension, TimePoint now) override;
  std::string active() override;
  bool activate(std::string_view space_id, std::string_view expected, TimePoint now) override;
  bool drop(std::string_view space_id) override;
  bool lease(std::string_view space_id, std::string_view worker, std::chrono::seconds time) override;
  void release(std::string_view space_id, std::string_view worker) override;
  std::vector<FeedSubject> missing(std::string_view space_id, std::int64_t after, int limit) override;
  std::int64_t queue_unknown(TimePoint now, int limit) override;
  void refuse(const FeedSubject& subject, std::string_view error, TimePoint now) override;
  std::optional<std::string> model(std::string_view space_id) override;
  void put_model(std::string_view space_id, std::string_view bytes) override;

 private:
  Engine& engine_;
};

}  // namespace actionhist::postgres
