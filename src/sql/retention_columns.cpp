#include "sql/retention_columns.hpp"

namespace actionhist::sql {
namespace {

// Visits with `names`, which gets a visitor that collects.
template <class Names>
std::string list_of(Names names) {
  std::string list;
  names([&](std::string_view name, const auto&) {
    if (!list.empty()) list += ", ";
    list += name;
  });
  return list;
}

}  // namespace

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
  static const std::string text = list_of([](auto visit) { visit_policy(PolicyRow{}, visit); });
  return text;
}

const std::string& operation_columns() {
  static const std::string text = list_of([](auto visit) { visit_operation(RetentionOperation{}, visit); });
  return text;
}

const std::string& compacted_columns() {
  static const std::string text = list_of([](auto visit) { visit_compacted(CompactedActions{}, visit); });
  return text;
}

}  // namespace actionhist::sql
