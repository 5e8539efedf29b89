#include <actionhist/resource.hpp>

#include <algorithm>

#include "core/ascii.hpp"
#include "core/hash.hpp"

namespace actionhist {
namespace {

struct BuiltInKind {
  std::string_view kind;
  std::string_view plural;  // lower case
  std::string_view group;
};

constexpr BuiltInKind built_in_kinds[] = {
    {"Pod", "pods", ""},
    {"Service", "services", ""},
    {"ConfigMap", "configmaps", ""},
    {"Secret", "secrets", ""},
    {"Node", "nodes", ""},
    {"Namespace", "namespaces", ""},
    {"Endpoints", "endpoints", ""},
    {"Event", "events", ""},
    {"LimitRange", "limitranges", ""},
    {"PersistentVolume", "persistentvolumes", ""},
    {"PersistentVolumeClaim", "persistentvolumeclaims", ""},
    {"ReplicationController", "replicationcontrollers", ""},
    {"ResourceQuota", "resourcequotas", ""},
    {"ServiceAccount", "serviceaccounts", ""},
    {"Deployment", "deployments", "apps"},
    {"StatefulSet", "statefulsets", "apps"},
    {"DaemonSet", "daemonsets", "apps"},
    {"ReplicaSet", "replicasets", "apps"},
    {"ControllerRevision", "controllerrevisions", "apps"},
    {"Job", "jobs", "batch"},
    {"CronJob", "cronjobs", "batch"},
    {"HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling"},
    {"VerticalPodAutoscaler", "verticalpodautoscalers", "autoscaling.k8s.io"},
    {"PodDisruptionBudget", "poddisruptionbudgets", "policy"},
    {"Ingress", "ingresses", "networking.k8s.io"},
    {"IngressClass", "ingressclasses", "networking.k8s.io"},
    {"NetworkPolicy", "networkpolicies", "networking.k8s.io"},
    {"Role", "roles", "rbac.authorization.k8s.io"},
    {"RoleBinding", "rolebindings", "rbac.authorization.k8s.io"},
    {"ClusterRole", "clusterroles", "rbac.authorization.k8s.io"},
    {"ClusterRoleBinding", "clusterrolebindings", "rbac.authorization.k8s.io"},
    {"StorageClass", "storageclasses", "storage.k8s.io"},
    {"VolumeAttachment", "volumeattachments", "storage.k8s.io"},
    {"CustomResourceDefinition", "customresourcedefinitions", "apiextensions.k8s.io"},
    {"Lease", "leases", "coordination.k8s.io"},
    {"PriorityClass", "priorityclasses", "scheduling.k8s.io"},
    {"Certificate", "certificates", "cert-manager.io"},
    {"AuthorizationPolicy", "authorizationpolicies", "security.istio.io"},
    {"VirtualService", "virtualservices", "networking.istio.io"},
    {"Route", "routes", "route.openshift.io"},
    {"BuildConfig", "buildconfigs", "build.openshift.io"},
    {"Application", "applications", "argoproj.io"},
};

bool same_but_for_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return ascii_lower(c); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

const BuiltInKind* find_kind(std::string_view kind) {
  const auto found = std::ranges::find_if(built_in_kinds, [&](const BuiltInKind& known) {
    return same_but_for_case(kind, known.plural) || same_but_for_case(kind, known.kind);
  });
  return found == std::end(built_in_kinds) ? nullptr : found;
}

void forget_unknown(std::string& text) {
  if (same_but_for_case(text, "unknown")) text.clear();
}

// Length before each part, so that no two tuples give one text.
void append_part(std::string& out, std::string_view part) {
  out += std::to_string(part.size());
  out += ':';
  out += part;
}

}  // namespace

bool is_built_in(std::string_view kind) { return find_kind(kind) != nullptr; }

Resource normalized(Resource resource) {
  forget_unknown(resource.kind);
  forget_unknown(resource.name);
  if (resource.api_group.empty()) {
    const auto slash = resource.api_version.find('/');
    if (slash != std::string::npos) resource.api_group = resource.api_version.substr(0, slash);
  }
  if (const BuiltInKind* known = find_kind(resource.kind)) {
    resource.kind = known->kind;
    if (resource.api_group.empty()) resource.api_group = known->group;
  }
  return resource;
}

std::string resource_id(std::string_view tenant, const Resource& resource) {
  const Resource known = normalized(resource);
  if (known.kind.empty() || known.name.empty()) return {};
  std::string key;
  append_part(key, tenant);
  append_part(key, known.cluster);
  append_part(key, known.api_group);
  append_part(key, known.kind);
  append_part(key, known.namespace_);
  append_part(key, known.name);
  return uuid_v5(key);
}

std::string to_string(const Resource& resource) {
  std::string text;
  for (const std::string* part : {&resource.cluster, &resource.namespace_, &resource.kind, &resource.name}) {
    if (part->empty()) continue;
    if (!text.empty()) text += '/';
    text += *part;
  }
  return text.empty() ? "(unknown resource)" : text;
}

}  // namespace actionhist
