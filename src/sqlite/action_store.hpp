// Actions in SQLite. Thread rule and contract: ActionStore.
#pragma once

#include <actionhist/repository.hpp>

#include "sqlite/engine.hpp"

namespace actionhist::sqlite {

class SqliteActionStore final : public ActionStore {
 public:
  explicit SqliteActionStore(Engine& engine) : engine_(engine) {}

  std::vector<Trace> insert(std::span<const Trace> traces) override;
  std::optional<Trace> get(std::string_view action_id) override;
  std::vector<Trace> get(std::span<const std::string> action_ids) override;
  Page find(const ActionQuery& query) override;
  void update(const Trace& trace, const Trace& before) override;
  bool remove(std::string_view action_id, TimePoint now) override;
  void lock(std::span<const Scope> scopes) override;
  std::vector<Trace> recent(const Scope& scope, TimePoint since, TimePoint until, int limit,
                            std::optional<Effect> effect) override;
  std::vector<Trace> search_text(std::span<const std::string> words, const Json& where, int limit) override;
  std::vector<Summary> summaries(std::optional<TimePoint> changed_since, TimePoint now, int limit) override;

 private:
  Engine& engine_;
};

}  // namespace actionhist::sqlite
