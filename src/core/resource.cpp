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
  std::string_view short_name;  // as kubectl has it
};

constexpr BuiltInKind built_in_kinds[] = {
    {"Pod", "pods", "", "po"},
    {"Service", "services", "", "svc"},
    {"ConfigMap", "configmaps", "", "cm"},
    {"Secret", "secrets", "", ""},
    {"Node", "nodes", "", "no"},
    {"Namespace", "namespaces", "", "ns"},
    {"Endpoints", "endpoints", "", "ep"},
    {"Event", "events", "", "ev"},
    {"LimitRange", "limitranges", "", "limits"},
    {"PersistentVolume", "persistentvolumes", "", "pv"},
    {"PersistentVolumeClaim", "persistentvolumeclaims", "", "pvc"},
    {"ReplicationController", "replicationcontrollers", "", "rc"},
    {"ResourceQuota", "resourcequotas", "", "quota"},
    {"ServiceAccount", "serviceaccounts", "", "sa"},
    {"Deployment", "deployments", "apps", "deploy"},
    {"StatefulSet", "statefulsets", "apps", "sts"},
    {"DaemonSet", "daemonsets", "apps", "ds"},
    {"ReplicaSet", "replicasets", "apps", "rs"},
    {"ControllerRevision", "controllerrevisions", "apps", ""},
    {"Job", "jobs", "batch", ""},
    {"CronJob", "cronjobs", "batch", "cj"},
    {"HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling", "hpa"},
    {"VerticalPodAutoscaler", "verticalpodautoscalers", "autoscaling.k8s.io", "vpa"},
    {"PodDisruptionBudget", "poddisruptionbudgets", "policy", "pdb"},
    {"Ingress", "ingresses", "networking.k8s.io", "ing"},
    {"IngressClass", "ingressclasses", "networking.k8s.io", ""},
    {"NetworkPolicy", "networkpolicies", "networking.k8s.io", "netpol"},
    {"Role", "roles", "rbac.authorization.k8s.io", ""},
    {"RoleBinding", "rolebindings", "rbac.authorization.k8s.io", ""},
    {"ClusterRole", "clusterroles", "rbac.authorization.k8s.io", ""},
    {"ClusterRoleBinding", "clusterrolebindings", "rbac.authorization.k8s.io", ""},
    {"StorageClass", "storageclasses", "storage.k8s.io", "sc"},
    {"VolumeAttachment", "volumeattachments", "storage.k8s.io", ""},
    {"CustomResourceDefinition", "customresourcedefinitions", "apiextensions.k8s.io", "crd"},
    {"Lease", "leases", "coordination.k8s.io", ""},
    {"PriorityClass", "priorityclasses", "scheduling.k8s.io", "pc"},
    {"Certificate", "certificates", "cert-manager.io", ""},
    {"AuthorizationPolicy", "authorizationpolicies", "security.istio.io", ""},
    {"VirtualService", "virtualservices", "networking.istio.io", ""},
    {"Route", "routes", "route.openshift.io", ""},
    {"BuildConfig", "buildconfigs", "build.openshift.io", ""},
    {"Application", "applications", "argoproj.io", ""},
};

bool same_but_for_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return ascii_lower(c); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

const BuiltInKind* find_kind(std::string_view kind) {
  const auto found = std::ranges::find_if(built_in_kinds, [&](const BuiltInKind& known) {
    return same_but_for_case(kind, known.plural) || same_but_for_case(kind, known.kind) ||
           (!kind.empty() && same_but_for_case(kind, known.short_name));
  });
  return found == std::end(built_in_kinds) ? nullptr : found;
}

bool is_version(std::string_view label) {
  return label.size() > 1 && label[0] == 'v' && label[1] >= '0' && label[1] <= '9';
}

struct SpeltKind {
  const BuiltInKind* known = nullptr;
  std::string_view group;  // that the spelling names: of deployments.apps, or of deployments.v1.apps
};

SpeltKind read_kind(std::string_view kind) {
  const auto dot = kind.find('.');
  SpeltKind spelt{find_kind(kind.substr(0, dot)), {}};
  if (spelt.known == nullptr || dot == kind.npos) return spelt;
  spelt.group = kind.substr(dot + 1);
  const auto next = std::min(spelt.group.find('.'), spelt.group.size());
  if (is_version(spelt.group.substr(0, next)))
    spelt.group.remove_prefix(std::min(next + 1, spelt.group.size()));
  return spelt;
}

void trim(std::string& text) {
  constexpr std::string_view blanks = " \t\r\n";
  text.erase(text.find_last_not_of(blanks) + 1);
  text.erase(0, text.find_first_not_of(blanks));
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
  for (std::string* text : {&resource.cluster, &resource.api_group, &resource.api_version, &resource.kind,
                            &resource.namespace_, &resource.name, &resource.uid}) {
    trim(*text);
  }
  forget_unknown(resource.kind);
  forget_unknown(resource.name);
  if (resource.api_group.empty()) {
    const auto slash = resource.api_version.find('/');
    if (slash != std::string::npos) resource.api_group = resource.api_version.substr(0, slash);
  }
  const SpeltKind spelt = read_kind(resource.kind);
  if (spelt.known == nullptr) return resource;
  std::string& group = resource.api_group;
  if (group.empty()) group = spelt.group.empty() ? spelt.known->group : spelt.group;
  if (spelt.group.empty() || same_but_for_case(spelt.group, group)) resource.kind = spelt.known->kind;
  return resource;
}

bool names_kind(std::string_view spelt, const Resource& resource) {
  if (same_but_for_case(spelt, resource.kind)) return true;
  const SpeltKind kind = read_kind(spelt);
  return kind.known != nullptr && kind.known->kind == resource.kind &&
         (kind.group.empty() || same_but_for_case(kind.group, resource.api_group));
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
