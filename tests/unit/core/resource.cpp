#include <actionhist/resource.hpp>

#include <catch2/catch.hpp>

using namespace actionhist;

TEST_CASE("a resource has one id however its kind is spelled", "[resource]") {
  const Resource web{.kind = "Deployment", .namespace_ = "prod", .name = "web"};
  const std::string id = resource_id("t", web);
  CHECK(id.size() == 36);
  CHECK(resource_id("t", {.kind = "deployments", .namespace_ = "prod", .name = "web"}) == id);
  CHECK(resource_id("t",
                    {.api_version = "apps/v1", .kind = "deployment", .namespace_ = "prod", .name = "web"}) ==
        id);
  CHECK(
      resource_id(
          "t", {.api_version = "apps/v1beta2", .kind = "Deployment", .namespace_ = "prod", .name = "web"}) ==
      id);
}

TEST_CASE("a kind is understood as kubectl spells it", "[resource]") {
  const auto kind_of = [](std::string kind) {
    const Resource known = normalized({.kind = std::move(kind), .name = "web"});
    return known.api_group + "/" + known.kind;
  };
  for (const char* kind : {"deploy", "Deploy", "deployments", "DEPLOYMENT", " Deployment ",
                           "deployments.apps", "deployment.v1.apps", "deploy.apps", "Deployment.v1"}) {
    INFO(kind);
    CHECK(kind_of(kind) == "apps/Deployment");
    CHECK(names_kind(kind, normalized({.kind = "Deployment"})) == (std::string_view(kind).front() != ' '));
  }
  const std::pair<const char*, const char*> short_names[] = {{"po", "Pod"},
                                                             {"svc", "Service"},
                                                             {"cm", "ConfigMap"},
                                                             {"no", "Node"},
                                                             {"ns", "Namespace"},
                                                             {"pv", "PersistentVolume"},
                                                             {"pvc", "PersistentVolumeClaim"},
                                                             {"sa", "ServiceAccount"}};
  for (const auto& [name, kind] : short_names) CHECK(kind_of(name) == std::string("/") + kind);
  CHECK(kind_of("sts") == "apps/StatefulSet");
  CHECK(kind_of("ds") == "apps/DaemonSet");
  CHECK(kind_of("rs") == "apps/ReplicaSet");
  CHECK(kind_of("cj") == "batch/CronJob");
  CHECK(kind_of("hpa") == "autoscaling/HorizontalPodAutoscaler");
  CHECK(kind_of("pdb") == "policy/PodDisruptionBudget");
  CHECK(kind_of("ing") == "networking.k8s.io/Ingress");
  CHECK(kind_of("netpol.networking.k8s.io") == "networking.k8s.io/NetworkPolicy");
  CHECK(kind_of("services.serving.knative.dev") == "serving.knative.dev/Service");
  CHECK_FALSE(names_kind("services.serving.knative.dev", normalized({.kind = "Service"})));
  // What is not built in stays as it is spelt, and so does what contradicts its group.
  CHECK(kind_of("rollouts.argoproj.io") == "/rollouts.argoproj.io");
  CHECK(kind_of("") == "/");
  CHECK(normalized({.api_group = "extensions", .kind = "deployments.apps"}).kind == "deployments.apps");
  CHECK(normalized({.kind = "Pod", .namespace_ = " a", .name = "web\n"}) ==
        normalized({.kind = "Pod", .namespace_ = "a", .name = "web"}));
}

TEST_CASE("what makes another resource gives another id", "[resource]") {
  const Resource web{.kind = "Deployment", .namespace_ = "prod", .name = "web"};
  const std::string id = resource_id("t", web);
  CHECK(resource_id("other", web) != id);
  CHECK(resource_id("t", {.cluster = "eu", .kind = "Deployment", .namespace_ = "prod", .name = "web"}) != id);
  CHECK(resource_id("t", {.api_version = "extensions/v1beta1",
                          .kind = "Deployment",
                          .namespace_ = "prod",
                          .name = "web"}) != id);
  CHECK(resource_id("t", {.kind = "Deployment", .namespace_ = "pro", .name = "dweb"}) != id);
  CHECK(resource_id("t", {.kind = "Deployment", .name = "web"}) != id);
}

TEST_CASE("a resource without kind or name has no id", "[resource]") {
  CHECK(resource_id("t", {.namespace_ = "prod", .name = "web"}).empty());
  CHECK(resource_id("t", {.kind = "Pod", .namespace_ = "prod"}).empty());
  CHECK(resource_id("t", {.kind = "Unknown", .namespace_ = "prod", .name = "unknown"}).empty());
}

TEST_CASE("a new uid is the same logical resource", "[resource]") {
  CHECK(resource_id("t", {.kind = "Pod", .namespace_ = "a", .name = "b", .uid = "1"}) ==
        resource_id("t", {.kind = "Pod", .namespace_ = "a", .name = "b", .uid = "2"}));
}
