// The operations of the C interface by name: all that exports.txt has of their type.
#pragma once

#include <map>
#include <string_view>

#include <actionhist.h>

namespace actionhist::test {

inline const std::map<std::string_view, actionhist_operation*>& operations() {
  static const std::map<std::string_view, actionhist_operation*> by_name{
      {"analyse", actionhist_history_analyse},
      {"anomalies", actionhist_history_anomalies},
      {"apply_retention", actionhist_history_apply_retention},
      {"assess", actionhist_history_assess},
      {"backfill", actionhist_history_backfill},
      {"check", actionhist_history_check},
      {"clusters", actionhist_history_clusters},
      {"compacted", actionhist_history_compacted},
      {"complete", actionhist_history_complete},
      {"context", actionhist_history_context},
      {"copy_checkpoint_thread", actionhist_history_copy_checkpoint_thread},
      {"detect", actionhist_history_detect},
      {"detection", actionhist_history_detection},
      {"detections", actionhist_history_detections},
      {"drop_space", actionhist_history_drop_space},
      {"duplicates", actionhist_history_duplicates},
      {"erase", actionhist_history_erase},
      {"evaluate", actionhist_history_evaluate},
      {"failed_subjects", actionhist_history_failed_subjects},
      {"find", actionhist_history_find},
      {"find_checkpoints", actionhist_history_find_checkpoints},
      {"fit_space", actionhist_history_fit_space},
      {"get", actionhist_history_get},
      {"get_items", actionhist_history_get_items},
      {"guard_policy", actionhist_history_guard_policy},
      {"health", actionhist_history_health},
      {"import_actions", actionhist_history_import_actions},
      {"item_namespaces", actionhist_history_item_namespaces},
      {"lease_assessments", actionhist_history_lease_assessments},
      {"link", actionhist_history_link},
      {"metrics", actionhist_history_metrics},
      {"observe", actionhist_history_observe},
      {"override", actionhist_history_override},
      {"overrides", actionhist_history_overrides},
      {"patterns", actionhist_history_patterns},
      {"projection", actionhist_history_projection},
      {"propose", actionhist_history_propose},
      {"put_checkpoint", actionhist_history_put_checkpoint},
      {"put_checkpoint_writes", actionhist_history_put_checkpoint_writes},
      {"put_items", actionhist_history_put_items},
      {"put_pattern", actionhist_history_put_pattern},
      {"recommend", actionhist_history_recommend},
      {"record", actionhist_history_record},
      {"record_many", actionhist_history_record_many},
      {"refresh_metrics", actionhist_history_refresh_metrics},
      {"remove_checkpoint_thread", actionhist_history_remove_checkpoint_thread},
      {"remove_checkpoints", actionhist_history_remove_checkpoints},
      {"remove_pattern", actionhist_history_remove_pattern},
      {"resolve", actionhist_history_resolve},
      {"resource_deleted", actionhist_history_resource_deleted},
      {"resource_seen", actionhist_history_resource_seen},
      {"retention_operations", actionhist_history_retention_operations},
      {"retention_plan", actionhist_history_retention_plan},
      {"retention_policies", actionhist_history_retention_policies},
      {"retention_policy", actionhist_history_retention_policy},
      {"retry_failed", actionhist_history_retry_failed},
      {"search_items", actionhist_history_search_items},
      {"set_guard_policy", actionhist_history_set_guard_policy},
      {"set_retention_policy", actionhist_history_set_retention_policy},
      {"settle", actionhist_history_settle},
      {"similar", actionhist_history_similar},
      {"spaces", actionhist_history_spaces},
      {"start", actionhist_history_start},
      {"summaries", actionhist_history_summaries},
      {"sweep_items", actionhist_history_sweep_items},
      {"switch_space", actionhist_history_switch_space},
      {"upkeep", actionhist_history_upkeep},
      {"verify", actionhist_history_verify},
      {"wait_indexed", actionhist_history_wait_indexed},
  };
  return by_name;
}

}  // namespace actionhist::test
