#include "analysis/relation.hpp"

#include <fmt/format.h>

#include "core/json_io.hpp"

namespace actionhist {
namespace {

bool same_namespace(const Resource& a, const Resource& b) {
  return a.cluster == b.cluster && a.namespace_ == b.namespace_;
}

// True if `child` belongs to `parent`: by its owner reference, or as a pod that carries its name.
bool owned(const Place& child, const Resource& parent) {
  if (parent.name.empty() || !same_namespace(*child.resource, parent)) return false;
  if (!child.owner.empty() && child.owner == kind_and_name(parent)) return true;
  const bool pod = child.resource->kind == "Pod" && parent.kind != "Pod";
  return pod && child.resource->name.starts_with(parent.name + '-');
}

bool depends(const Place& place, const Resource& other) {
  const std::string& on = place.labels.depends_on;
  return !on.empty() && (on == other.name || on == kind_and_name(other));
}

}  // namespace

std::string kind_and_name(const Resource& resource) {
  return fmt::format("{}/{}", resource.kind, resource.name);
}

const std::string& node_of(const Place& place) {
  return place.resource->kind == "Node" ? place.resource->name : place.labels.node;
}

RelatingLabels relating_labels(const Json& labels) {
  RelatingLabels found;
  if (labels.absent()) return found;
  JsonDocument document;
  const JsonElement root = document.parse(labels);
  if (!root.is_object()) return found;
  for (auto [key, value] : simdjson::dom::object(root)) {
    if (!value.is_string()) continue;
    const std::string_view text(value);
    if (key == "app" || key == "app.kubernetes.io/name" || key == "app_kubernetes_io_name") found.app = text;
    if (key == "node" || key == "kubernetes_node") found.node = text;
    if (key == "depends_on") found.depends_on = text;
    if (key == "correlation_id") found.correlation_id = text;
  }
  return found;
}

bool same_resource(const Resource& a, const Resource& b) {
  return !a.name.empty() && a.name == b.name && a.kind == b.kind && same_namespace(a, b);
}

double relation_weight(const Place& cause, const Place& effect) {
  const Resource& x = *cause.resource;
  const Resource& y = *effect.resource;
  const bool same_app =
      !cause.labels.app.empty() && cause.labels.app == effect.labels.app && same_namespace(x, y);
  const bool siblings = !cause.owner.empty() && cause.owner == effect.owner && same_namespace(x, y);
  if (same_resource(x, y) || owned(effect, x) || owned(cause, y) || same_app || siblings) return .9;
  if (depends(effect, x) || depends(cause, y)) return .8;
  if (!node_of(cause).empty() && node_of(cause) == node_of(effect)) return .6;
  if (!x.namespace_.empty() && same_namespace(x, y)) return .4;
  return 0;
}

}  // namespace actionhist
