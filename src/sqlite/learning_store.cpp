#include "sqlite/learning_store.hpp"

#include "sqlite/condition.hpp"

namespace actionhist::sqlite {

std::vector<Tally> SqliteLearningStore::tally(const TallyQuery& wanted) {
  const sql::Condition condition = sql::condition(wanted.where);
  // The newest rows by time first, so that the cost has a limit whatever the filter is.
  const std::string text =
      "SELECT action_type, ifnull(alert_name = ?, 0), ifnull(namespace = ?, 0), ifnull(resource_id = ?, 0), "
      "count(*), count(success), total(success) FROM (SELECT action_type, alert_name, namespace, resource_id, "
      "CASE WHEN effectiveness_score IS NOT NULL THEN effectiveness_score "
      "WHEN execution_status = 'failed' THEN 0.0 END AS success FROM (SELECT * FROM resource_action_traces "
      "WHERE tenant_id = ? ORDER BY action_timestamp DESC, action_id DESC LIMIT ?) "
      "WHERE effect = 'mutating' AND " +
      condition.text + ") GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";
  return engine_.read([&](Connection& connection) {
    Query query(connection, text);
    // Empty text is bound as NULL, and nothing equals that.
    query.bind_all(wanted.alert_name, wanted.namespace_, wanted.resource_id, engine_.tenant(), wanted.newest);
    bind(query, condition);
    std::vector<Tally> tallies;
    while (query.step()) {
      Tally& tally = tallies.emplace_back();
      query.read(tally.action_type).read(tally.same_alert).read(tally.same_namespace);
      query.read(tally.same_resource).read(tally.actions).read(tally.known).read(tally.success);
    }
    return tallies;
  });
}

}  // namespace actionhist::sqlite
