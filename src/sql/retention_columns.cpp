#include "sql/retention_columns.hpp"

#include <fmt/format.h>

#include "sql/column_list.hpp"

namespace actionhist::sql {
PolicyRow to_row(const RetentionPolicy& policy) {
  PolicyRow row;
  row.max_actions = policy.max_actions;
  if (policy.max_age) row.max_age_days = policy.max_age->count();
  row.compaction_strategy = to_string(policy.strategy);
  row.min_effectiveness = policy.min_effectiveness;
  row.pattern_examples = policy.pattern_examples;
  row.high_effectiveness = policy.high_effectiveness;
  row.legal_hold = policy.legal_hold;
  row.compact = policy.compact;
  return row;
}

RetentionPolicy from_row(const PolicyRow& row) {
  RetentionPolicy policy;
  policy.max_actions = row.max_actions;
  if (row.max_age_days) policy.max_age = std::chrono::days(*row.max_age_days);
  policy.strategy = parse_retention_strategy(row.compaction_strategy);
  policy.min_effectiveness = row.min_effectiveness;
  policy.pattern_examples = row.pattern_examples;
  policy.high_effectiveness = row.high_effectiveness;
  policy.legal_hold = row.legal_hold;
  policy.compact = row.compact;
  return policy;
}

const std::string& policy_columns() {
  static const std::string text = column_list([](auto visit) { visit_policy(PolicyRow{}, visit); });
  return text;
}

const std::string& operation_columns() {
  static const std::string text =
      column_list([](auto visit) { visit_operation(RetentionOperation{}, visit); });
  return text;
}

const std::string& compacted_columns() {
  static const std::string text = column_list([](auto visit) { visit_compacted(CompactedActions{}, visit); });
  return text;
}

const std::string& policy_assignments() {
  static const std::string text = excluded_assignments([](auto visit) { visit_policy(PolicyRow{}, visit); }) +
                                  ", policy_set_at = excluded.policy_set_at";
  return text;
}

const std::string& operation_assignments() {
  static const std::string text =
      excluded_assignments([](auto visit) { visit_operation(RetentionOperation{}, visit); });
  return text;
}

std::string held_by_name(std::string_view alias) {
  return fmt::format(
      "EXISTS (SELECT 1 FROM resource_references AS n JOIN action_histories AS o ON o.tenant_id = n.tenant_id AND "
      "o.resource_id = n.resource_id WHERE n.tenant_id = {0}.tenant_id AND n.kind = {0}.kind AND n.name = {0}.name AND "
      "n.namespace IN ('', coalesce({0}.namespace, '')) AND n.cluster IN ('', coalesce({0}.cluster, '')) AND "
      "n.api_group IN ('', coalesce({0}.api_group, '')) AND o.legal_hold)",
      alias);
}

const std::string& select_groups() {
  static const std::string text =
      "SELECT h.resource_id, h.total_actions, r.cluster, r.api_group, r.api_version, r.kind, r.namespace, "
      "r.name, h.policy_set_at IS NOT NULL, " +
      policy_columns() + ", " + held_by_name("r") +
      " FROM action_histories h LEFT JOIN resource_references r ON r.tenant_id = h.tenant_id AND "
      "r.resource_id = h.resource_id WHERE h.tenant_id = ";
  return text;
}

}  // namespace actionhist::sql
