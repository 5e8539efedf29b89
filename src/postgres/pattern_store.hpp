// Patterns and detections in PostgreSQL. Thread rule and contracts: the interface.
#pragma once

#include <actionhist/pattern_store.hpp>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

class PostgresPatternStore final : public PatternStore {
 public:
  explicit PostgresPatternStore(Engine& engine) : engine_(engine) {}

  std::vector<Pattern> patterns() override;
  void lock() override;
  void put(const Pattern& pattern) override;
  bool remove(std::string_view pattern_id) override;
  bool shipped() override;
  bool mark_shipped(TimePoint now) override;
  Detection put(const Detection& detection) override;
  std::vector<Detection> in_force(std::span<const Scope> scopes, TimePoint now) override;
  std::optional<Detection> detection(std::string_view detection_id) override;
  std::vector<Detection> detections(const DetectionQuery& query) override;

 private:
  Engine& engine_;
};

}  // namespace actionhist::postgres
