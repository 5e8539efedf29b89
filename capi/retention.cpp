// What actionhist.h declares of retention.
#include "operate.hpp"
#include "request.hpp"

using namespace actionhist;
using namespace actionhist::capi;

ACTIONHIST_OPERATION(retention_policy) {
  Request request(text);
  const Resource resource = request.resource();
  request.done();
  return to_json(history.retention_policy(resource));
}

ACTIONHIST_OPERATION(retention_policies) {
  Request(text).done();
  return array_of(history.retention_policies());
}

ACTIONHIST_OPERATION(set_retention_policy) {
  Request request(text);
  request.require("policy");
  const auto policy = request.policy();
  const Resource resource = request.resource();
  request.done();
  history.set_retention_policy(policy, resource);
  return std::string(null);
}

ACTIONHIST_OPERATION(retention_plan) {
  Request request(text);
  RetentionRequest wanted;
  wanted.resource = request.resource();
  wanted.policy = request.policy();
  request.done();
  return array_of(history.retention_plan(wanted));
}

ACTIONHIST_OPERATION(apply_retention) {
  Request request(text);
  RetentionRequest wanted;
  wanted.resource = request.resource();
  wanted.policy = request.policy();
  request.read("batch", wanted.batch);
  request.done();
  if (handle.progress) {
    wanted.progress = [&](const RetentionProgress& p) {
      handle.progress("apply_retention", p.removed, p.groups - p.groups_done);
    };
  }
  return to_json(history.apply_retention(wanted));
}

ACTIONHIST_OPERATION(retention_operations) { return array_of(history.retention_operations(limit_of(text))); }

ACTIONHIST_OPERATION(compacted) {
  Request request(text);
  const Resource resource = request.resource();
  request.done();
  return array_of(history.compacted(resource));
}
