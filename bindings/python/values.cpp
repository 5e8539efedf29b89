// What the library returns: Trace, Verdict, Detection, Hit. All are read-only.
#include <fmt/format.h>
#include <pybind11/operators.h>
#include <pybind11/stl.h>

#include "bind.hpp"
#include "convert.hpp"

#include "core/trace_fields.hpp"

namespace actionhist::python {
namespace {

py::object value_of(const std::string& text) { return text.empty() ? py::none() : py::object(py::str(text)); }
py::object value_of(const Json& json) { return json.absent() ? py::none() : from_json(json.text()); }
py::object value_of(TimePoint time) { return from_time(time); }
py::object value_of(Status status) { return py::str(std::string(to_string(status))); }
py::object value_of(Effect effect) { return py::str(std::string(to_string(effect))); }
py::object value_of(double number) { return py::float_(number); }
py::object value_of(std::int64_t number) { return py::int_(number); }
template <class T>
py::object value_of(const std::optional<T>& value) {
  return value ? value_of(*value) : py::none();
}

template <class Name>
std::string text_of(Name name) {
  return std::string(to_string(name));
}

// The value of a column by its position in the table of the columns, which is the only list of them.
py::object column(const Trace& trace, int position) {
  py::object value;
  visit_columns(trace, [&](std::string_view, const auto& member) {
    if (position-- == 0) value = value_of(member);
  });
  return value;
}

py::dict resource_of(const Trace& trace) {
  py::dict resource;
  visit_resource(trace.resource, [&](std::string_view name, const std::string& part) {
    resource[name == "resource_uid" ? "uid" : name.data()] = value_of(part);
  });
  return resource;
}

// `stored` tells about the call, not about the action.
bool same(const Trace& a, const Trace& b) {
  return static_cast<const Action&>(a) == static_cast<const Action&>(b) && a.resource_id == b.resource_id &&
         a.created_at == b.created_at && a.updated_at == b.updated_at;
}

// Of what has many parts and is seldom compared.
template <class T>
bool same_text(const T& a, const T& b) {
  return to_json(a) == to_json(b);
}

std::string repr(const Trace& trace) {
  const std::string id = py::repr(py::str(trace.action_id));
  return fmt::format("<actionhist.Trace {} {} on {}, {}, {}>", id, trace.action_type,
                     to_string(trace.resource), to_string(trace.outcome.status), format_time(trace.time()));
}

std::string repr(const Detection& detection) {
  return fmt::format("<actionhist.Detection {}, confidence {:.2f}, {}, {} actions>",
                     to_string(detection.pattern_type), detection.confidence, to_string(detection.severity),
                     detection.action_ids.size());
}

std::string repr(const Verdict& verdict) {
  const std::string reason = verdict.reason.empty() ? "" : ": " + verdict.reason;
  std::string text = fmt::format("<actionhist.Verdict {}{}", to_string(verdict.decision), reason);
  if (!verdict.not_evaluated.empty())
    text += fmt::format("; not evaluated: {}", fmt::join(verdict.not_evaluated, ", "));
  return text + ">";
}

std::string repr(const Hit& hit) {
  return fmt::format("<actionhist.Hit {:.3f} {}>", hit.score, repr(hit.trace));
}

// What all of them offer.
template <class T, class Holder = std::unique_ptr<T>>
py::class_<T, Holder> bind(py::module_& module, const char* name, const char* doc) {
  py::class_<T, Holder> type(module, name, doc);
  type.attr("__module__") = "actionhist";
  type.def(
      "to_dict", [](const T& value) { return plain(value); },
      "A dict of plain values, ready for json.dumps. Times are RFC 3339; what is absent is left out.");
  type.def("__repr__", [](const T& value) { return repr(value); });
  type.def("__reduce_ex__", [type = std::string(name)](const T&, int) -> py::object {
    throw py::type_error(type + ": cannot be pickled; use to_dict()");
  });
  // Nothing can change it, so a copy is the thing itself.
  type.def("__copy__", [](py::object self) { return self; });
  type.def("__deepcopy__", [](py::object self, const py::dict&) { return self; });
  return type;
}

void bind_trace(py::module_& module) {
  auto type = bind<Trace>(module, "Trace", "An action as stored. Absent fields are None, times are UTC.");
  int position = 0;
  visit_columns(Trace{}, [&](std::string_view name, const auto&) {
    type.def_property_readonly(std::string(name).c_str(),
                               [at = position](const Trace& trace) { return column(trace, at); });
    ++position;
  });
  type.def_property_readonly("resource", &resource_of,
                             "What was acted on: cluster, kind, namespace, name, …");
  type.def_readonly("stored", &Trace::stored, "False when this call found the action there already.");
  type.def("__eq__", &same, py::is_operator());
  type.def("__hash__", [](const Trace& trace) { return py::hash(py::str(trace.action_id)); });
}

void bind_detection(py::module_& module) {
  auto type = bind<Detection>(module, "Detection", R"(One instance of a pattern, with its evidence.

scope           "resource:…", "correlation:…" or "session:…"
resources       ids of all resources involved
action_ids      what matched, the oldest first; may include the proposed action
confidence      from 0 to 1
sub_kind        which rule of the pattern it was: "exact-cycle", …
evidence        every count that the rule used
in_force_until  until then its like is refused
refused_ids     the last that were refused; `refusals` counts all, `overrides` those that somebody let pass
shadow          nothing was refused, because the pattern is only tried
prevention_successful  whether the pattern stayed away for a day; None as long as nobody knows)");
  type.def_property_readonly("detection_id", [](const Detection& d) { return value_of(d.detection_id); });
  type.def_readonly("pattern_id", &Detection::pattern_id);
  type.def_property_readonly("pattern_type", [](const Detection& d) { return text_of(d.pattern_type); });
  type.def_readonly("scope", &Detection::scope);
  type.def_readonly("resources", &Detection::resources);
  type.def_readonly("action_ids", &Detection::action_ids);
  type.def_readonly("confidence", &Detection::confidence);
  type.def_property_readonly("severity", [](const Detection& d) { return text_of(d.severity); });
  type.def_property_readonly("sub_kind", [](const Detection& d) { return value_of(d.sub_kind); });
  type.def_property_readonly("evidence", [](const Detection& d) { return value_of(d.evidence); });
  type.def_property_readonly("as_of", [](const Detection& d) { return from_time(d.as_of); });
  type.def_property_readonly("first_at", [](const Detection& d) { return from_time(d.first_at); });
  type.def_property_readonly("last_at", [](const Detection& d) { return from_time(d.last_at); });
  type.def_property_readonly("prevention", [](const Detection& d) {
    return d.prevention ? py::object(py::str(text_of(*d.prevention))) : py::none();
  });
  type.def_property_readonly("in_force_until", [](const Detection& d) { return value_of(d.in_force_until); });
  type.def_readonly("refusals", &Detection::refusals);
  type.def_readonly("overrides", &Detection::overrides);
  type.def_readonly("shadow", &Detection::shadow);
  type.def_readonly("false_positive", &Detection::false_positive);
  type.def_property_readonly("prevention_details",
                             [](const Detection& d) { return value_of(d.prevention_details); });
  type.def_readonly("prevention_successful", &Detection::prevention_successful);
  type.def_property_readonly("resolution_notes",
                             [](const Detection& d) { return value_of(d.resolution_notes); });
  type.def_readonly("refused_ids", &Detection::refused_ids);
  type.def_property_readonly("resolved_at", [](const Detection& d) { return value_of(d.resolved_at); });
  type.def_property_readonly("resolution_method",
                             [](const Detection& d) { return value_of(d.resolution_method); });
  type.def(py::self == py::self);
}

void bind_verdict(py::module_& module) {
  auto type = bind<Verdict>(module, "Verdict", R"(The answer to a proposed action. True when it is allowed.

decision        "allowed", "blocked", "cooling", "escalate" or "alternative"
reason          why not, in a sentence; "" when nothing speaks against it
trace           what was stored; None when refused, and always from check()
action_id       of the trace; None without one
detections      the patterns that it would continue, the strongest first
shadowed        those of patterns that are only tried, and refuse nothing
retry_after     when a cooling period ends
alternative     what to do instead, as recommend() gives it
overridden      it was allowed although `detections` refuse it, because of an override
repeated        the same action_id was decided before, in the same way
not_evaluated   rules that lacked data: "cascading-failure: no alert events")");
  type.def_property_readonly("allowed", &Verdict::allowed);
  type.def("__bool__", &Verdict::allowed);
  type.def_property_readonly("decision", [](const Verdict& v) { return text_of(v.decision); });
  type.def_readonly("repeated", &Verdict::repeated);
  type.def_property_readonly(
      "trace", [](const Verdict& v) { return v.trace ? &*v.trace : nullptr; },
      py::return_value_policy::reference_internal);
  type.def_property_readonly(
      "action_id", [](const Verdict& v) { return v.trace ? value_of(v.trace->action_id) : py::none(); });
  type.def_readonly("detections", &Verdict::detections);
  type.def_readonly("shadowed", &Verdict::shadowed);
  type.def_readonly("overridden", &Verdict::overridden);
  type.def_property_readonly("alternative", [](const Verdict& v) -> py::object {
    return v.alternative ? plain(*v.alternative) : py::none();
  });
  type.def_readonly("not_evaluated", &Verdict::not_evaluated);
  type.def_property_readonly("retry_after", [](const Verdict& v) { return value_of(v.retry_after); });
  type.def_readonly("reason", &Verdict::reason);
  type.def("__eq__", &same_text<Verdict>, py::is_operator());
  type.def("__hash__", [](const Verdict& v) { return py::hash(py::str(v.reason)); });
}

void bind_hit(py::module_& module) {
  // Shared, because the hits of a search stay where the search has put them.
  auto type = bind<Hit, std::shared_ptr<Hit>>(
      module, "Hit", R"(A past action that is similar, with the reasons for its place.

score           from 0 to 1
explain         {"route": "index" or "text", "fallback": why not the index, "similarity": cosine, "bm25",
                "matched_terms", "space_id", "seq" and "feed_seq": how far the index was, "aspects"})");
  type.def_property_readonly(
      "trace", [](const Hit& hit) { return &hit.trace; }, py::return_value_policy::reference_internal);
  type.def_readonly("score", &Hit::score);
  type.def("__eq__", &same_text<Hit>, py::is_operator());
  type.def("__hash__", [](const Hit& hit) { return py::hash(py::str(hit.trace.action_id)); });
  type.def_property_readonly("explain", [](const Hit& hit) {
    const Explanation& e = hit.explain;
    py::object aspects = py::none();
    if (e.aspects) {
      aspects = py::dict(py::arg("context") = e.aspects->context, py::arg("action") = e.aspects->action,
                         py::arg("outcome") = e.aspects->outcome);
    }
    return py::dict(py::arg("route") = e.route, py::arg("fallback") = value_of(e.fallback),
                    py::arg("similarity") = e.similarity, py::arg("bm25") = e.bm25,
                    py::arg("matched_terms") = e.matched_terms, py::arg("space_id") = value_of(e.space_id),
                    py::arg("seq") = e.seq, py::arg("feed_seq") = e.feed_seq, py::arg("aspects") = aspects);
  });
}

}  // namespace

void bind_values(py::module_& module) {
  bind_trace(module);
  bind_detection(module);
  bind_verdict(module);
  bind_hit(module);
}

}  // namespace actionhist::python
