// What actionhist.h declares of what the guard watches for and found.
#include "operate.hpp"
#include "request.hpp"

using namespace actionhist;
using namespace actionhist::capi;

ACTIONHIST_OPERATION(detection) {
  Request request(text);
  const std::string detection_id = request.required_text("detection_id");
  request.done();
  const auto found = history.detection(detection_id);
  return found ? to_json(*found) : std::string(null);
}

ACTIONHIST_OPERATION(detections) {
  Request request(text);
  DetectionQuery query;
  query.pattern_id = request.text("pattern_id");
  query.scope = request.text("scope");
  query.resource = request.resource();
  query.since = request.time("since");
  query.until = request.time("until");
  request.read("unresolved", query.unresolved);
  request.read("limit", query.limit);
  request.done();
  return array_of(history.detections(query));
}

ACTIONHIST_OPERATION(resolve) {
  Request request(text);
  const std::string detection_id = request.required_text("detection_id");
  const std::string resolution = request.json("resolution");
  request.done();
  return to_json(history.resolve(detection_id, parse_resolution(resolution)));
}

ACTIONHIST_OPERATION(settle) {
  Request request(text);
  int limit = 1000;
  request.read("limit", limit);
  request.done();
  return to_json(history.settle(limit));
}

ACTIONHIST_OPERATION(overrides) {
  Request request(text);
  const auto since = request.time("since");
  int limit = 100;
  request.read("limit", limit);
  request.done();
  return array_of(history.overrides(since, limit));
}

ACTIONHIST_OPERATION(guard_policy) {
  Request request(text);
  const Resource resource = request.resource();
  request.done();
  return to_json(history.guard_policy(resource));
}

ACTIONHIST_OPERATION(set_guard_policy) {
  Request request(text);
  request.require("policy");
  const Resource resource = request.resource();
  const std::string policy = request.json("policy");
  request.done();
  history.set_guard_policy(resource, parse_guard_policy(policy));
  return std::string(null);
}

ACTIONHIST_OPERATION(analyse) { return to_json(history.analyse(limit_of(text))); }

ACTIONHIST_OPERATION(upkeep) {
  Request(text).done();
  return to_json(history.upkeep());
}

ACTIONHIST_OPERATION(patterns) {
  Request(text).done();
  return array_of(history.patterns());
}

ACTIONHIST_OPERATION(put_pattern) {
  history.put_pattern(parse_pattern(text));
  return std::string(null);
}

ACTIONHIST_OPERATION(remove_pattern) {
  Request request(text);
  const std::string pattern_id = request.required_text("pattern_id");
  request.done();
  return flag(history.remove_pattern(pattern_id));
}
