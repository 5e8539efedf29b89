// Resources as rows, and rows that speak of one, for both engines. A reader R has read(member), column by column, as
// the engines' own readers do.
#pragma once

#include <actionhist/alert.hpp>
#include <actionhist/summary.hpp>

#include "core/trace_fields.hpp"

namespace actionhist::sql {

// Calls visit(member) for the columns of resource_references that name a resource, in their order: "cluster,
// api_group, api_version, kind, namespace, name". Their text is never NULL: empty stays empty.
template <class ResourceT, class Visitor>
void visit_reference(ResourceT&& resource, Visitor&& visit) {
  visit(resource.cluster);
  visit(resource.api_group);
  visit(resource.api_version);
  visit(resource.kind);
  visit(resource.namespace_);
  visit(resource.name);
}

// The columns of visit_reference().
template <class R>
Resource read_reference(R& row) {
  Resource resource;
  visit_reference(resource, [&](std::string& member) { row.read(member); });
  return resource;
}

// "fingerprint, starts_at, ends_at, alert_name, severity, labels" and the columns of visit_resource().
template <class R>
Alert read_alert(R& row) {
  Alert alert;
  row.read(alert.fingerprint).read(alert.starts_at).read(alert.ends_at).read(alert.name);
  row.read(alert.severity).read(alert.labels);
  visit_resource(alert.resource, [&](std::string_view, std::string& member) { row.read(member); });
  return alert;
}

// "fingerprint, firings, latest_end, starts_at, ends_at" of the last one and the columns of visit_resource().
template <class R>
EarlierFirings read_earlier_firings(R& row) {
  EarlierFirings earlier;
  row.read(earlier.fingerprint).read(earlier.firings).read(earlier.latest_end);
  row.read(earlier.last_starts_at).read(earlier.last_ends_at);
  visit_resource(earlier.resource, [&](std::string_view, std::string& member) { row.read(member); });
  return earlier;
}

// "resource_id", the columns of visit_reference() and the numbers in the order of the members.
template <class R>
Summary read_summary(R& row) {
  Summary summary;
  row.read(summary.resource_id);
  summary.resource = read_reference(row);
  row.read(summary.total_actions).read(summary.last_action_at).read(summary.last_24h).read(summary.last_7d);
  row.read(summary.success_rate).read(summary.recent_effectiveness);
  return summary;
}

}  // namespace actionhist::sql
