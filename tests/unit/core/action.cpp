#include <actionhist/action.hpp>

#include <catch2/catch.hpp>

#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

TEST_CASE("a record in the seed's field names is read, and what is no column goes to metadata", "[action]") {
  const Action action = parse_action(R"({
    "action_id": "rr-1/t1", "action_timestamp": "2026-04-27T00:46:06+00:00", "action_type": "PatchConfiguration",
    "alert_labels": {"environment": "Production"}, "model_confidence": null, "record_kind": "remediation",
    "resource_reference": {"kind": "ConfigMap", "namespace": "demo", "name": "worker"},
    "observation_hash": "b63b", "execution_status": "completed", "effectiveness_score": 1.0,
    "root_cause": "a bad key", "signal_resolved": null, "metadata": {"own": 1}})");
  CHECK(action.action_id == "rr-1/t1");
  CHECK(action.effect == Effect::mutating);
  CHECK(action.resource.kind == "ConfigMap");
  CHECK(action.outcome.result_hash == "b63b");
  CHECK(action.outcome.status == Status::completed);
  CHECK(action.outcome.effectiveness_score == 1.0);
  CHECK_FALSE(action.model_confidence);
  CHECK(action.metadata.text() == R"({"own":1,"root_cause":"a bad key"})");
}

TEST_CASE("an action survives the way to JSON and back", "[action]") {
  Trace trace;
  static_cast<Action&>(trace) = scale("a-1", 3, 5, noon);
  trace.effect = Effect::mutating;
  trace.metadata = Json::object({{"ünïcode", "日本"}});
  trace.outcome = completed(0.5);
  trace.outcome.execution_end_time = noon + 1500ms;
  trace.created_at = trace.updated_at = noon;
  const Action back = parse_action(to_json(trace));
  CHECK(back == static_cast<const Action&>(trace));
}

TEST_CASE("a wrong type or value is refused with the field's name", "[action]") {
  const auto refused = [](std::string_view text) { return error_text_of([&] { parse_action(text); }); };
  CHECK(refused("[]") == "action: must be a JSON object");
  CHECK(refused(R"({"action_type": 5})") == "action_type: must be text");
  CHECK(refused(R"({"execution_status": "done"})")
            .starts_with("execution_status: \"done\" is none of pending"));
  CHECK(refused(R"({"model_confidence": "high"})") == "model_confidence: must be a number");
  CHECK(refused(R"({"resource_reference": {"kindd": "Pod"}})") ==
        "resource_reference.kindd: is not known here");
  CHECK(refused(R"({"action_type": "a", "action_type": "b"})") == "action_type: is given twice");
  CHECK(refused(R"({"record_kind": "other"})").starts_with("record_kind: "));
  CHECK(refused(R"({"action_timestamp": "2026-01-01T00:00:00"})").starts_with("action_timestamp: "));
  CHECK(refused(R"({"execution_duration_ms": 1.5})") == "execution_duration_ms: must be a whole number");
}

TEST_CASE("a misspelt part of the resource is refused, and words of their own are not", "[action]") {
  const auto refused = [](const char* json) {
    return error_text_of([&] { parse_action(json); }).find("is not known, but ") != std::string::npos;
  };
  CHECK(refused(R"({"knd": "Deployment", "name": "web"})"));
  CHECK(refused(R"({"kind": "Deployment", "nmae": "web"})"));
  CHECK(refused(R"({"knd": "Deployment", "nmae": "web"})"));
  CHECK(refused(R"({"kiind": "Deployment", "name": "web"})"));
  CHECK(refused(R"({"namespase": "prod"})"));
  CHECK(refused(R"({"namspace": "prod"})"));
  CHECK(refused(R"({"clutser": "eu"})"));
  CHECK(refused(R"({"resource_nane": "web"})"));
  CHECK(refused(R"({"resource_refrence": {"kind": "Pod"}})"));
  CHECK(refused(R"({"overide": {"actor": "me", "reason": "r"}})"));
  for (const char* own :
       {R"({"kind": "Pod", "names": ["a"]})", R"({"kind": "Pod", "named": "x"})",
        R"({"kind": "Pod", "game": "x"})", R"({"name": "x", "find": "y"})", R"({"name": "x", "kinds": "y"})",
        R"({"kid": "key"})", R"({"kid": "key", "resource": {"kind": "Secret", "name": "n"}})",
        R"({"node": "n"})", R"({"type": "t", "title": "x", "clusters": "a,b", "namespaces": "a"})",
        R"({"app_version": "1"})", R"({"override": {"replicas": 3}})",
        R"({"kind": "Pod", "name": "p", "nmae": "x"})", R"({"metadata": {"knd": "x"}, "name": "web"})"}) {
    INFO(own);
    CHECK_NOTHROW(parse_action(own));
  }
}

TEST_CASE("words of a name may be parted by hyphens or underscores", "[action]") {
  CHECK(parse_effect("read-only") == Effect::read_only);
  CHECK(parse_effect("read_only") == Effect::read_only);
  CHECK(parse_status("rolled_back") == Status::rolled_back);
  CHECK(error_text_of([] { parse_effect("readonly"); }).find("is none of") != std::string::npos);
}

TEST_CASE("the legal changes of status are exactly those of the table", "[action]") {
  using enum Status;
  const Status all[] = {pending, executing, completed, failed, rolled_back, cancelled, escalated};
  for (const Status from : all) {
    for (const Status to : all) {
      const bool begins = from == pending && to != pending;
      const bool ends = from == executing && terminal(to);
      const bool undone = from == completed && to == rolled_back;
      CHECK(may_become(from, to, false) == (begins || ends || undone));
      const bool corrected = terminal(from) && terminal(to);
      CHECK(may_become(from, to, true) == (begins || ends || corrected));
    }
  }
}
