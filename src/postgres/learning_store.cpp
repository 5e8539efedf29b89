#include "postgres/condition.hpp"
#include "postgres/stores.hpp"

namespace actionhist::postgres {

std::vector<Tally> PostgresLearningStore::tally(const TallyQuery& wanted) {
  const sql::Condition condition = sql::condition(wanted.where, sql::Dialect::postgresql, 6);
  // The newest rows by time first, so that the cost has a limit whatever the filter is.
  const std::string text =
      "SELECT action_type, coalesce(alert_name = $1, false), coalesce(namespace = $2, false), "
      "coalesce(resource_id = $3, false), count(*), count(success), coalesce(sum(success), 0) FROM (SELECT "
      "action_type, alert_name, namespace, resource_id, CASE WHEN effectiveness_score IS NOT NULL THEN "
      "effectiveness_score WHEN execution_status = 'failed' THEN 0.0 END AS success FROM (SELECT * FROM "
      "resource_action_traces WHERE tenant_id = $4 AND created_at > '-infinity' "
      "ORDER BY action_timestamp DESC, action_id DESC LIMIT $5) AS newest WHERE effect = 'mutating' AND " +
      condition.text + ") AS cases GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";
  // Empty text is sent as NULL, and nothing equals that.
  Parameters parameters(wanted.alert_name, wanted.namespace_, wanted.resource_id, engine_.tenant(),
                        std::int64_t{wanted.newest});
  add(parameters, condition);
  const Result result = engine_.run(text, std::move(parameters), Plan::once);
  std::vector<Tally> tallies;
  for (Reader reader(result); reader.next();) {
    Tally& tally = tallies.emplace_back();
    reader.read(tally.action_type).read(tally.same_alert).read(tally.same_namespace);
    reader.read(tally.same_resource).read(tally.actions).read(tally.known).read(tally.success);
  }
  return tallies;
}

}  // namespace actionhist::postgres
