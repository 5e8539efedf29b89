#include <catch2/catch.hpp>

#include "analysis/verbs.hpp"

using namespace actionhist;

TEST_CASE("what agents call to look around is read-only in any spelling") {
  for (const char* type : {"get_pods",
                           "kubectl_get_by_name",
                           "kubectl_previous_logs",
                           "kubectl_describe",
                           "kubectl_events",
                           "kubectl_top_nodes",
                           "kubectl_memory_requests_all_namespaces",
                           "get_metric_names",
                           "list_workflows",
                           "execute_prometheus_range_query",
                           "execute_prometheus_instant_query",
                           "kubernetes_jq_query",
                           "fetch_pod_logs",
                           "list_available_actions",
                           "get_namespaced_resource_context",
                           "todo_write",
                           "think",
                           "calculate",
                           "search_direct_flight",
                           "ListPods",
                           "list-pods",
                           "k8s.list.pods",
                           "mcp__kubernetes__pods_log",
                           "FileReadAction",
                           "scroll_down",
                           "read_file",
                           "kubectl_rollout_status",
                           "health_check"}) {
    INFO(type);
    CHECK(effect_of(type) == Effect::read_only);
  }
}

TEST_CASE("what may change something is mutating, and so is what nobody knows") {
  for (const char* type : {"kubectl_delete",
                           "PatchConfiguration",
                           "RollbackDeployment",
                           "HelmRollback",
                           "IncreaseMemoryLimits",
                           "ScaleReplicas",
                           "CleanupPVC",
                           "RefreshImagePullSecret",
                           "FixRouteTarget",
                           "bash",
                           "testTool",
                           "run_command",
                           "execute_command",
                           "CmdRunAction",
                           "book_reservation",
                           "send_certificate",
                           "transfer_to_human_agents",
                           "update_reservation_flights",
                           "edit_file",
                           "find_and_replace",
                           "get_or_create_ticket",
                           "kubectl_rollout_restart",
                           "frobnicate",
                           ""}) {
    INFO(type);
    CHECK(effect_of(type) == Effect::mutating);
  }
}

TEST_CASE("a name tells the direction only when it says so") {
  for (const char* type : {"scale_up", "ScaleUp", "scale-out", "scale_deployment_up", "increase_memory",
                           "IncreaseMemoryLimits", "expand_pvc", "add_nodes", "launch_instance", "upscale"}) {
    INFO(type);
    CHECK(direction_of(type) == 1);
  }
  for (const char* type : {"scale_down", "ScaleIn", "decrease_replicas", "shrink", "reduce_cpu",
                           "remove_nodes", "terminate_instance"}) {
    INFO(type);
    CHECK(direction_of(type) == -1);
  }
  for (const char* type : {"scale_deployment", "scroll_down", "shut_down", "add_label", "restart",
                           "remove_taint", "delete_pod", "create_ticket"}) {
    INFO(type);
    CHECK(direction_of(type) == 0);
  }
}

TEST_CASE("respelled types are of one family") {
  for (const char* type :
       {"scale_deployment", "scale_up", "scale_down", "ScaleReplicas", "kubectl_scale", "increase_replicas",
        "add_nodes", "set_replicas", "scale-nodes", "resize_nodepool"}) {
    INFO(type);
    CHECK(family(type) == "scale");
  }
  CHECK(family("increase_resources") == "resources");
  CHECK(family("IncreaseMemoryLimits") == family("update_resources"));
  CHECK(family("expand_pvc") == "storage");
  CHECK(family("restart_deployment") == family("RebootNode"));
  CHECK(family("HelmRollback") == family("undo_rollout"));
  CHECK(family("EditFile") == "edit_file");
  CHECK(operational(family("restart_pod")));
  CHECK_FALSE(operational(family("edit_file")));
  CHECK_FALSE(operational(family("bash")));
}

TEST_CASE("what waits or asks how far something has come is a poller") {
  for (const char* type : {"wait_for_rollout", "poll_queue", "get_job_status", "kubectl_rollout_status",
                           "PingHost", "health_check", "sleep"}) {
    INFO(type);
    CHECK(polling(type));
  }
  for (const char* type : {"get_pods", "git_status", "read_file", "kubectl_describe"}) {
    INFO(type);
    CHECK_FALSE(polling(type));
  }
}

TEST_CASE("restarts, evictions and deletions disrupt, scaling and patching do not") {
  for (const char* type : {"restart_pod", "evict_pod", "kubectl_delete", "DrainNode", "resize_volume"}) {
    INFO(type);
    CHECK(disruptive(type));
  }
  for (const char* type : {"scale_deployment", "PatchConfiguration", "bash"}) {
    INFO(type);
    CHECK_FALSE(disruptive(type));
  }
}

TEST_CASE("one type has one plain name") {
  CHECK(plain_type("kubectl-delete") == "kubectl_delete");
  CHECK(plain_type("KubectlDelete") == "kubectl_delete");
  CHECK(plain_type("kubectl.delete") == "kubectl_delete");
  CHECK(plain_type("CleanupPVC") == "cleanup_pvc");
  CHECK(plain_type("RelaxPDBNow") == "relax_pdb_now");
  CHECK(plain_type("") == "");
}
