// How closely an alert is related to an action on another resource. Internal to analysis/.
#pragma once

#include <string>
#include <string_view>

#include <actionhist/action.hpp>

namespace actionhist {

// The labels that relate things, read once from a set of alert labels.
struct RelatingLabels {
  std::string app;
  std::string node;
  std::string depends_on;
  std::string correlation_id;
};

RelatingLabels relating_labels(const Json& labels);

// One side of a relation.
struct Place {
  const Resource* resource = nullptr;
  std::string_view owner;  // "Deployment/web", if known
  RelatingLabels labels;
};

// "Deployment/web", as owners and dependencies are named.
std::string kind_and_name(const Resource& resource);

// The node that the place is, or lies on; empty if it is not known.
const std::string& node_of(const Place& place);

// The same logical resource, whatever its version and uid.
bool same_resource(const Resource& a, const Resource& b);

// The weight of the relation: the same resource, an owner or the same app .9, a declared dependency .8, the
// same node .6, the same namespace .4, none 0. Correlation (1.0) is not a matter of places.
double relation_weight(const Place& cause, const Place& effect);

}  // namespace actionhist
