// Actions in PostgreSQL. Thread rule and contracts: the interface.
#pragma once

#include <actionhist/action_store.hpp>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

class PostgresActionStore final : public ActionStore {
 public:
  explicit PostgresActionStore(Engine& engine) : engine_(engine) {}

  std::vector<Trace> insert(std::span<const Trace> traces) override;
  void insert_new(const RecentTrace& trace) override;
  std::optional<Trace> get(std::string_view action_id) override;
  std::vector<Trace> get(std::span<const std::string> action_ids) override;
  Page find(const ActionQuery& query) override;
  std::optional<Trace> get_to_update(std::string_view action_id) override;
  void update(const Trace& trace, const Trace& before) override;
  bool remove(std::string_view action_id, TimePoint now) override;
  void lock(std::span<const Scope> scopes) override;
  std::vector<Trace> recent(const Scope& scope, TimePoint since, TimePoint until, int limit,
                            std::optional<Effect> effect) override;
  std::vector<Trace> search_text(std::span<const std::string> words, const Json& where, int limit) override;
  std::vector<Summary> summaries(std::optional<TimePoint> changed_since, TimePoint now, int limit) override;

 private:
  bool insert_fresh(std::span<const Trace* const> rows);
  std::vector<Trace> insert_known(std::vector<const Trace*> rows);

  Engine& engine_;
};

}  // namespace actionhist::postgres
