// The action that benchmarks record: what an agent says that repairs a ConfigMap.
#pragma once

#include <string>

#include <actionhist/actionhist.hpp>

namespace actionhist::benchmark {

// On one of `resources` ConfigMaps; without an id and a time.
inline Action sample_action(int i, int resources) {
  Action action;
  action.alert_name = "KubePodCrashLooping";
  action.alert_severity = "critical";
  action.alert_labels = Json::object({{"app", "web"}, {"team", "payments"}});
  action.model_used = "model";
  action.model_confidence = 0.75;
  action.model_reasoning =
      "The container aborts at start because the mounted ConfigMap holds an invalid key; patching it and "
      "restarting the Deployment removes the cause.";
  action.action_type = "patch_configmap";
  action.action_parameters = Json::object({{"key", "timeout"}, {"value", 30}});
  action.resource = {
      .kind = "ConfigMap", .namespace_ = "prod", .name = "web-" + std::to_string(i % resources)};
  return action;
}

}  // namespace actionhist::benchmark
