// What an action is done to. A resource is logical: it keeps its identity when the object behind it is
// deleted and created again under a new uid. Plain values without thread rules.
#pragma once

#include <string>
#include <string_view>

namespace actionhist {

struct Resource {
  std::string cluster;
  std::string api_group;    // from api_version or the table of built-in kinds if empty: "apps"
  std::string api_version;  // "apps/v1"; its version part is not identity
  // "Deployment". Of built-in kinds also the plural, any case, kubectl's short name and the group behind a point are
  // understood: deployments, deploy, deployments.apps. Other kinds stay as they are spelt.
  std::string kind;
  std::string namespace_;  // empty for cluster-scoped kinds
  std::string name;
  std::string uid;  // of the present incarnation

  friend bool operator==(const Resource&, const Resource&) = default;
};

// Whether the kind is one of Kubernetes' own or of another well-known group, whose group is so known too.
bool is_built_in(std::string_view kind);

// The same resource with its kind in singular and CamelCase, its group filled in, and "unknown" as empty. Blanks around
// names are no part of them. A kind that names another group than the resource has is left as it is spelt.
Resource normalized(Resource resource);

// Whether a kind, in any spelling that is understood, is that of a normalized resource, and the group that it may name too.
bool names_kind(std::string_view spelt, const Resource& resource);

// UUIDv5 of (tenant, cluster, group, kind, namespace, name), the same in every process. Empty when the
// kind or the name is not known: such an action is guarded by correlation and session only.
std::string resource_id(std::string_view tenant, const Resource& resource);

// "prod/Deployment/web", for people.
std::string to_string(const Resource& resource);

}  // namespace actionhist
