#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <actionhist/error.hpp>

#include "bind.hpp"
#include "convert.hpp"
#include "gil.hpp"
#include "handle.hpp"

namespace actionhist::python {
namespace {

std::unique_ptr<Handle> open_handle(const py::object& uri, const py::dict& given) {
  const std::string location = to_text(uri, "uri");
  Options options = to_options(given);
  History* history = nullptr;
  {
    const WithoutGil released;
    history = new History(open(location, std::move(options)));
  }
  return std::make_unique<Handle>(history);
}

// Calls work(history, actions) without the GIL.
template <class Work>
auto with_actions(const Handle& self, const py::object& actions, Work work) {
  const py::list list = to_list(actions, "actions");
  // As History does it: positions are named when there are several.
  const bool several = list.size() > 1;
  std::vector<std::string> texts;
  texts.reserve(list.size());
  for (const py::handle action : list) {
    const std::string name = fmt::format("actions[{}]", texts.size());
    texts.push_back(several ? to_json(action, name, name) : to_json(action, "action"));
  }
  return self.call([&](History& history) {
    std::vector<Action> parsed;
    parsed.reserve(texts.size());
    for (const std::string& text : texts) {
      try {
        parsed.push_back(parse_action(text));
      } catch (const Error& error) {
        if (!several) throw;
        throw Error(error.code(), fmt::format("actions[{}].{}", parsed.size(), error.what()));
      }
    }
    return work(history, std::span<const Action>(parsed));
  });
}

std::vector<Trace> record_many(const Handle& self, const py::object& actions) {
  return with_actions(self, actions,
                      [](History& history, std::span<const Action> given) { return history.record(given); });
}

ActionImport import_actions(const Handle& self, const py::object& actions) {
  return with_actions(self, actions, [](History& history, std::span<const Action> given) {
    return history.import_actions(given);
  });
}

Trace complete(const Handle& self, const py::object& action_id, const py::dict& outcome,
               const py::object& correction) {
  const std::string id = to_text(action_id, "action_id");
  const std::string text = to_json(outcome, "outcome");
  const bool corrects = to_flag(correction, "correction");
  return self.call([&](History& history) { return history.complete(id, parse_outcome(text), corrects); });
}

Resource to_resource(const py::dict& parts) {
  Resource resource;
  const auto take = [&](const char* name, std::string& target) {
    if (parts.contains(name)) target = to_optional_text(parts[name], name);
  };
  take("cluster", resource.cluster);
  take("api_group", resource.api_group);
  take("api_version", resource.api_version);
  take("kind", resource.kind);
  take("namespace", resource.namespace_);
  take("name", resource.name);
  take("uid", resource.uid);
  return resource;
}

py::tuple find(const Handle& self, const py::dict& resource, const py::object& correlation_id,
               const py::object& since, const py::object& until, const py::object& where,
               const py::object& limit, const py::object& cursor) {
  ActionQuery query;
  query.resource = to_resource(resource);
  query.correlation_id = to_optional_text(correlation_id, "correlation_id");
  query.since = to_time(since, "since");
  query.until = to_time(until, "until");
  query.where = to_where(where);
  query.limit = to_int(limit, "limit");
  query.cursor = to_optional_text(cursor, "cursor");
  Page page = self.call([&](History& history) { return history.history(query); });
  const py::object next = page.next.empty() ? py::none() : py::object(py::str(page.next));
  return py::make_tuple(std::move(page.traces), next);
}

std::vector<Detection> detect(const Handle& self, const py::dict& resource, const py::object& correlation_id,
                              const py::object& session_id, const py::object& as_of,
                              const py::object& window_minutes) {
  DetectQuery query;
  query.resource = to_resource(resource);
  query.correlation_id = to_optional_text(correlation_id, "correlation_id");
  query.session_id = to_optional_text(session_id, "session_id");
  query.as_of = to_time(as_of, "as_of");
  if (!window_minutes.is_none()) {
    query.window = std::chrono::minutes(to_int(window_minutes, "window_minutes"));
  }
  return self.call([&](History& history) { return history.detect(query); });
}

// Each of them keeps all of them, so that none is moved.
py::list shared(std::vector<Hit> found) {
  const auto hits = std::make_shared<std::vector<Hit>>(std::move(found));
  py::list list(hits->size());
  for (std::size_t i = 0; i < hits->size(); ++i) list[i] = std::shared_ptr<Hit>(hits, &(*hits)[i]);
  return list;
}

py::list similar(const Handle& self, const py::object& text, const py::object& action_id,
                 const py::object& vector, const py::object& limit, const py::object& where,
                 const py::object& threshold, const py::object& percentile, const py::object& mmr_lambda,
                 const py::object& distinct, const py::object& weights, const py::object& fresh) {
  SimilarQuery query;
  query.text = to_optional_text(text, "text");
  query.action_id = to_optional_text(action_id, "action_id");
  if (!vector.is_none()) query.vector = to_floats(vector, "vector");
  query.limit = to_int(limit, "limit");
  query.where = to_where(where);
  query.threshold = to_optional_number(threshold, "threshold");
  query.percentile = to_optional_number(percentile, "percentile");
  query.mmr_lambda = to_optional_number(mmr_lambda, "mmr_lambda");
  query.distinct = to_optional_number(distinct, "distinct");
  if (!weights.is_none()) query.weights = parse_aspects(to_json(weights, "weights", "weights."));
  query.fresh = to_flag(fresh, "fresh");
  return shared(self.call([&](History& history) { return history.similar(query); }));
}

bool wait_indexed(const Handle& self, const py::object& timeout) {
  const double seconds = to_number(timeout, "timeout");
  if (seconds < 0) throw Error(ErrorCode::invalid_argument, "timeout: is negative");
  // A year is for ever, and more might not fit into the clock.
  const std::chrono::duration<double> limit(std::min(seconds, 366 * 86400.));
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(limit);
  return self.call([&](History& history) { return history.wait_indexed(milliseconds, check_signals); });
}

std::optional<RetentionPolicy> to_policy(const py::object& policy) {
  if (policy.is_none()) return std::nullopt;
  return parse_retention_policy(to_json(policy, "policy"));
}

RetentionRun apply_retention(const Handle& self, const py::dict& resource, const py::object& policy,
                             const py::object& batch, const py::object& progress) {
  RetentionRequest request{to_resource(resource), to_policy(policy), to_int(batch, "batch"),
                           [](const RetentionProgress&) { check_signals(); }};
  if (!progress.is_none()) {
    require_callable(progress, "progress");
    request.progress = [&progress](const RetentionProgress& p) {
      const WithGil gil;
      answer(progress, py::make_tuple(p.removed, p.groups_done, p.groups));
    };
  }
  return self.call([&](History& history) { return history.apply_retention(request); });
}

void bind_retention(py::class_<Handle>& type) {
  type.def("retention_policy", [](const Handle& self, const py::dict& parts) {
    const Resource resource = to_resource(parts);
    return plain(self.call([&](History& history) { return history.retention_policy(resource); }));
  });
  type.def("retention_policies", [](const Handle& self) {
    return plain(self.call([](History& history) { return history.retention_policies(); }));
  });
  type.def("set_retention_policy", [](const Handle& self, const py::object& policy, const py::dict& parts) {
    const auto wanted = to_policy(policy);
    const Resource resource = to_resource(parts);
    self.call([&](History& history) { history.set_retention_policy(wanted, resource); });
  });
  type.def("retention_plan", [](const Handle& self, const py::dict& parts, const py::object& policy) {
    const RetentionRequest request{to_resource(parts), to_policy(policy), 500, {}};
    return plain(self.call([&](History& history) { return history.retention_plan(request); }));
  });
  type.def("apply_retention", [](const Handle& self, const py::dict& resource, const py::object& policy,
                                 const py::object& batch, const py::object& progress) {
    return plain(apply_retention(self, resource, policy, batch, progress));
  });
  type.def("retention_operations", [](const Handle& self, const py::object& limit) {
    const int count = to_int(limit, "limit");
    return plain(self.call([&](History& history) { return history.retention_operations(count); }));
  });
  type.def("compacted", [](const Handle& self, const py::dict& parts) {
    const Resource resource = to_resource(parts);
    return plain(self.call([&](History& history) { return history.compacted(resource); }));
  });
}

void bind_writes(py::class_<Handle>& type) {
  type.def("record", [](const Handle& self, const py::object& action) {
    const std::string text = to_json(action, "action");
    return self.call([&](History& history) { return history.record(parse_action(text)); });
  });
  type.def("record_many", &record_many);
  type.def("import_actions", [](const Handle& self, const py::object& actions) {
    return plain(import_actions(self, actions));
  });
  type.def("propose", [](const Handle& self, const py::object& action, const py::object& override_) {
    const std::string text = to_json(action, "action");
    if (override_.is_none()) {
      return self.call([&](History& history) { return history.propose(parse_action(text)); });
    }
    const std::string given = to_json(override_, "override");
    return self.call(
        [&](History& history) { return history.propose(parse_action(text), parse_override(given)); });
  });
  type.def("start", [](const Handle& self, const py::object& action_id, const py::object& at) {
    const std::string id = to_text(action_id, "action_id");
    const auto time = to_time(at, "at");
    return self.call([&](History& history) { return history.start(id, time); });
  });
  type.def("complete", &complete);
  type.def("assess", [](const Handle& self, const py::object& action_id, const py::dict& assessment) {
    const std::string id = to_text(action_id, "action_id");
    const std::string text = to_json(assessment, "assessment");
    return self.call([&](History& history) { return history.assess(id, parse_assessment(text)); });
  });
  type.def("observe", [](const Handle& self, const py::object& alert) {
    const std::string text = to_json(alert, "alert");
    self.call([&](History& history) { history.observe(parse_alert(text)); });
  });
  type.def("link", [](const Handle& self, const py::object& action_id, const py::object& follow_up,
                      const py::object& relation) {
    const std::string id = to_text(action_id, "action_id");
    const std::string other = to_text(follow_up, "follow_up");
    const std::string kind = to_text(relation, "relation");
    return self.call([&](History& history) { return history.link(id, other, kind); });
  });
  type.def("resource_seen", [](const Handle& self, const py::dict& parts, const py::object& at) {
    const Resource resource = to_resource(parts);
    const auto time = to_time(at, "at");
    self.call([&](History& history) { history.resource_seen(resource, time); });
  });
  type.def("resource_deleted", [](const Handle& self, const py::dict& parts, const py::object& at) {
    const Resource resource = to_resource(parts);
    const auto time = to_time(at, "at");
    return self.call([&](History& history) { return history.resource_deleted(resource, time); });
  });
  type.def("delete", [](const Handle& self, const py::object& action_id) {
    const std::string id = to_text(action_id, "action_id");
    return self.call([&](History& history) { return history.erase(id); });
  });
  type.def("remove_pattern", [](const Handle& self, const py::object& pattern_id) {
    const std::string id = to_text(pattern_id, "pattern_id");
    return self.call([&](History& history) { return history.remove_pattern(id); });
  });
  type.def("resolve", [](const Handle& self, const py::object& detection_id, const py::dict& resolution) {
    const std::string id = to_text(detection_id, "detection_id");
    const std::string text = to_json(resolution, "resolution");
    return self.call([&](History& history) { return history.resolve(id, parse_resolution(text)); });
  });
  type.def("settle", [](const Handle& self, const py::object& limit) {
    const int most = to_int(limit, "limit");
    return plain(self.call([&](History& history) { return history.settle(most); }));
  });
  type.def("set_guard_policy", [](const Handle& self, const py::dict& parts, const py::dict& policy) {
    const Resource resource = to_resource(parts);
    const std::string text = to_json(policy, "policy");
    self.call([&](History& history) { history.set_guard_policy(resource, parse_guard_policy(text)); });
  });
  type.def("put_pattern", [](const Handle& self, const py::object& pattern) {
    const std::string text = to_json(pattern, "pattern");
    self.call([&](History& history) { history.put_pattern(parse_pattern(text)); });
  });
}

// A question that is one dict in Python, with the answer as Python's own values.
template <class Query, class Answer>
void def_query(py::class_<Handle>& type, const char* name, Query (*parse)(std::string_view),
               Answer (History::*ask)(const Query&)) {
  type.def(name, [=](const Handle& self, const py::dict& given) {
    const std::string text = to_json(given, name);
    return plain(self.call([&](History& history) { return (history.*ask)(parse(text)); }));
  });
}

void bind_reads(py::class_<Handle>& type) {
  type.def("check", [](const Handle& self, const py::object& action) {
    const std::string text = to_json(action, "action");
    return self.call([&](History& history) { return history.check(parse_action(text)); });
  });
  type.def("get", [](const Handle& self, const py::object& action_id) {
    const std::string id = to_text(action_id, "action_id");
    return self.call([&](History& history) { return history.get(id); });
  });
  type.def("history", &find);
  type.def("detect", &detect);
  type.def("similar", &similar);
  def_query(type, "context", parse_context_query, &History::context);
  def_query(type, "metrics", parse_metric_query, &History::metrics);
  type.def("refresh_metrics", [](const Handle& self, const py::object& full) {
    const bool all = to_flag(full, "full");
    return plain(self.call([&](History& history) { return history.refresh_metrics(all); }));
  });
  type.def("lease_assessments", [](const Handle& self, const py::object& worker, const py::object& limit,
                                   const py::object& lease_seconds) {
    const std::string name = to_text(worker, "worker");
    const int most = to_int(limit, "limit");
    const std::chrono::seconds lease(to_int(lease_seconds, "lease_seconds"));
    return self.call([&](History& history) { return history.lease_assessments(name, most, lease); });
  });
  def_query(type, "recommend", parse_recommend_query, &History::recommend);
  def_query(type, "anomalies", parse_anomaly_query, &History::anomalies);
  def_query(type, "clusters", parse_cluster_query, &History::clusters);
  def_query(type, "projection", parse_projection_query, &History::projection);
  def_query(type, "duplicates", parse_duplicate_query, &History::duplicates);
  type.def("analyse", [](const Handle& self, const py::object& limit) {
    const int most = to_int(limit, "limit");
    return plain(self.call([&](History& history) { return history.analyse(most); }));
  });
  type.def("upkeep", [](const Handle& self) {
    return plain(self.call([](History& history) { return history.upkeep(); }));
  });
  type.def("wait_indexed", &wait_indexed);
  type.def("summaries", [](const Handle& self, const py::object& changed_since, const py::object& limit) {
    const auto since = to_time(changed_since, "changed_since");
    const int most = to_int(limit, "limit");
    return plain(self.call([&](History& history) { return history.summaries(since, most); }));
  });
  type.def("detection", [](const Handle& self, const py::object& detection_id) {
    const std::string id = to_text(detection_id, "detection_id");
    return self.call([&](History& history) { return history.detection(id); });
  });
  type.def("detections", [](const Handle& self, const py::object& pattern_id, const py::object& scope,
                            const py::dict& resource, const py::object& since, const py::object& until,
                            const py::object& unresolved, const py::object& limit) {
    DetectionQuery query;
    query.pattern_id = to_optional_text(pattern_id, "pattern_id");
    query.scope = to_optional_text(scope, "scope");
    query.resource = to_resource(resource);
    query.since = to_time(since, "since");
    query.until = to_time(until, "until");
    query.unresolved = to_flag(unresolved, "unresolved");
    query.limit = to_int(limit, "limit");
    return self.call([&](History& history) { return history.detections(query); });
  });
  type.def("overrides", [](const Handle& self, const py::object& since, const py::object& limit) {
    const auto from = to_time(since, "since");
    const int most = to_int(limit, "limit");
    return plain(self.call([&](History& history) { return history.overrides(from, most); }));
  });
  type.def("guard_policy", [](const Handle& self, const py::dict& parts) {
    const Resource resource = to_resource(parts);
    return plain(self.call([&](History& history) { return history.guard_policy(resource); }));
  });
  type.def("patterns", [](const Handle& self) {
    return plain(self.call([](History& history) { return history.patterns(); }));
  });
  type.def("verify", [](const Handle& self) {
    return self.call([](History& history) { return history.repository().maintenance().verify(); });
  });
  type.def("health", [](const Handle& self) {
    return plain(self.call([](History& history) { return history.health(); }));
  });
}

}  // namespace

void bind_history(py::module_& module) {
  py::class_<Handle> type(module, "Handle", "The History of C++, for actionhist.History alone.");
  type.def("close", &Handle::close);
  type.def_property_readonly("closed", &Handle::closed);
  module.def("wait_destroyed", &wait_destroyed, py::call_guard<WithoutGil>());
  module.def("leave_statics_to_threads", &leave_statics_to_threads);
  bind_writes(type);
  bind_reads(type);
  bind_retention(type);
  bind_items(type);
  bind_checkpoints(type);
  bind_spaces(type);
  module.def("open", &open_handle);
}

}  // namespace actionhist::python
