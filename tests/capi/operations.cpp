// Each operation of the C ABI once, with what a user would see.
#include <catch2/catch.hpp>

#include <set>
#include <string>

#include "capi/session.hpp"

using namespace actionhist::test;

namespace {

const std::string restart =
    R"({"action_id":"a-1","action_timestamp":"2026-03-10T11:00:00Z","action_type":"restart_deployment",)"
    R"("kind":"Deployment","namespace":"prod","name":"web","alert_name":"KubePodCrashLooping",)"
    R"("model_reasoning":"The pod crashes after each start.","ticket":"OPS-7"})";

std::string scale(int before, int after) {
  return R"({"action_type":"scale_deployment","kind":"Deployment","namespace":"prod","name":"web",)"
         R"("resource_state_before":{"replicas":)" +
         std::to_string(before) + R"(},"action_parameters":{"replicas":)" + std::to_string(after) + "}}";
}

}  // namespace

TEST_CASE("C ABI: an action is recorded, found and completed") {
  const auto options = options_at_noon();
  const Session h("memory:", &options);

  const Answer stored = h(actionhist_history_record, restart);
  REQUIRE(stored.status == ACTIONHIST_OK);
  CHECK(stored.holds(R"("action_id":"a-1")"));
  CHECK(stored.holds(R"("metadata":{"ticket":"OPS-7"})"));
  CHECK(stored.holds(R"("stored":true)"));
  CHECK(h(actionhist_history_record, restart).holds(R"("stored":false)"));

  CHECK(h(actionhist_history_get, R"({"action_id":"a-1"})").holds(R"("name":"web")"));
  CHECK(h(actionhist_history_get, R"({"action_id":"nobody"})").text == "null");

  CHECK(h(actionhist_history_start, R"({"action_id":"a-1"})").holds(R"("execution_status":"executing")"));
  const Answer done = h(actionhist_history_complete,
                        R"({"action_id":"a-1","outcome":{"status":"completed","effectiveness_score":0.5}})");
  CHECK(done.holds(R"("execution_status":"completed")"));
  CHECK(done.holds(R"("effectiveness_score":0.5)"));
  const std::string failed = R"({"action_id":"a-1","outcome":{"status":"failed"})";
  CHECK(h(actionhist_history_complete, failed + "}").status == ACTIONHIST_CONFLICT);
  CHECK(h(actionhist_history_complete, failed + R"(,"correction":true})").status == ACTIONHIST_OK);
  CHECK(h(actionhist_history_assess, R"({"action_id":"a-1","assessment":{"score":0.25,"method":"manual"}})")
            .holds(R"("effectiveness_score":0.25)"));
  CHECK(h(actionhist_history_complete, R"({"action_id":"nobody","outcome":{"status":"failed"}})").status ==
        ACTIONHIST_NOT_FOUND);
}

TEST_CASE("C ABI: a batch is stored as a whole or not at all, and pages go on where they ended") {
  const auto options = options_at_noon();
  const Session h("memory:", &options);
  std::string batch = "[";
  for (int i = 0; i < 5; ++i) {
    batch += std::string(i > 0 ? "," : "") + R"({"action_id":"b-)" + std::to_string(i) +
             R"(","action_timestamp":"2026-03-10T11:0)" + std::to_string(i) +
             R"(:00Z","action_type":"restart","kind":"Pod","name":"p"})";
  }
  const Answer refused = h(actionhist_history_record_many, batch + R"(,{"action_type":""}])");
  CHECK(refused.status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(refused.error.find("actions[5]") != refused.error.npos);
  CHECK(h(actionhist_history_find, "{}").text == R"({"traces":[]})");

  REQUIRE(h(actionhist_history_record_many, batch + "]").status == ACTIONHIST_OK);
  CHECK(h(actionhist_history_import_actions, batch + "]").text ==
        R"({"stored":0,"completed":0,"present":5})");
  const Answer first = h(actionhist_history_find, R"({"limit":3,"resource":{"kind":"Pod"}})");
  CHECK(first.holds("b-4"));
  CHECK_FALSE(first.holds("b-1"));
  const auto at = first.text.find(R"("next":")");
  REQUIRE(at != first.text.npos);
  const std::string cursor = first.text.substr(at + 8, first.text.find('"', at + 8) - at - 8);
  const Answer rest = h(actionhist_history_find, R"({"limit":3,"cursor":")" + cursor + R"("})");
  CHECK(rest.holds("b-1"));
  CHECK(rest.holds("b-0"));
  CHECK_FALSE(rest.holds(R"("next")"));
  const Answer where =
      h(actionhist_history_find, R"({"where":{"action_id":{"$in":["b-2"]}},"since":"2026-03-10T11:00:00Z"})");
  CHECK(where.holds("b-2"));
  CHECK_FALSE(where.holds("b-3"));

  CHECK(h(actionhist_history_erase, R"({"action_id":"b-2"})").text == "true");
  CHECK(h(actionhist_history_erase, R"({"action_id":"b-2"})").text == "false");
}

TEST_CASE("C ABI: the guard refuses an oscillation and the host hears of it") {
  static std::int64_t now;
  static std::string heard;
  static std::vector<std::string> noticed;
  now = noon_us;
  heard.clear();
  noticed.clear();
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.clock = [](void*) { return now; };
  options.refused = [](void*, const char* verdict, size_t length) { heard.assign(verdict, length); };
  options.detected = [](void*, const char* notice, size_t length) { noticed.emplace_back(notice, length); };
  const Session h("memory:", &options);

  Answer verdict;
  for (int i = 0; i < 8 && heard.empty(); ++i) {
    now += 60'000'000;
    verdict = h(actionhist_history_propose, i % 2 == 0 ? scale(2, 4) : scale(4, 2));
    REQUIRE(verdict.status == ACTIONHIST_OK);
  }
  REQUIRE(verdict.holds(R"("allowed":false)"));
  CHECK(heard == verdict.text);
  REQUIRE(noticed.size() == 1);
  CHECK(noticed[0].find(R"("pattern_type":"scale-oscillation")") != std::string::npos);
  CHECK(noticed[0].find(R"("fresh":true)") != std::string::npos);
  CHECK(h(actionhist_history_check, scale(2, 4)).holds(R"("allowed":false)"));
  CHECK(h(actionhist_history_detect, R"({"resource":{"kind":"Deployment","namespace":"prod","name":"web"}})")
            .holds(R"("pattern_type":"scale-oscillation")"));
  CHECK(h(actionhist_history_summaries).holds(R"("active_patterns":[{)"));
  CHECK(h(actionhist_history_override,
          R"({"action":)" + scale(2, 4) + R"(,"override":{"actor":"ann","reason":"known good"}})")
            .holds(R"("overridden":true)"));
  CHECK(h(actionhist_history_overrides).holds("known good"));
  const Answer found = h(actionhist_history_detections, R"({"unresolved":true,"limit":1})");
  REQUIRE(found.holds(R"("detection_id":")"));
  const auto at = found.text.find(R"("detection_id":")") + 16;
  const std::string one =
      R"({"detection_id":")" + found.text.substr(at, found.text.find('"', at) - at) + R"(")";
  CHECK(h(actionhist_history_detection, one + "}").holds(R"("pattern_type":"scale-oscillation")"));
  CHECK(h(actionhist_history_resolve, one + R"(,"resolution":{"notes":"seen","false_positive":true}})")
            .holds(R"("resolution_notes":"seen")"));
  CHECK(h(actionhist_history_settle).holds("resolved_by_timeout"));
  CHECK(h(actionhist_history_detect, "{}").status == ACTIONHIST_INVALID_ARGUMENT);
}

TEST_CASE("C ABI: what is discovered, and the upkeep") {
  const auto options = options_at_noon();
  const Session h("memory:", &options);
  REQUIRE(h(actionhist_history_record, restart).status == ACTIONHIST_OK);
  CHECK(h(actionhist_history_anomalies).holds(R"("enough":false)"));
  CHECK(h(actionhist_history_clusters).holds(R"("clusters":[])"));
  CHECK(h(actionhist_history_duplicates, R"({"threshold":0.9})").text == "[]");
  CHECK(h(actionhist_history_projection).holds(R"("action_id":"a-1")"));
  CHECK(h(actionhist_history_projection, R"({"dimensions":4})").status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(h(actionhist_history_upkeep).holds(R"("resources":)"));
}

TEST_CASE("C ABI: similar finds by text, by action and by vector") {
  const auto options = options_at_noon();
  const Session h("memory:", &options);
  REQUIRE(h(actionhist_history_record, restart).status == ACTIONHIST_OK);
  REQUIRE(h(actionhist_history_wait_indexed, R"({"timeout_ms":60000})").text == "true");
  const Answer by_text = h(actionhist_history_similar, R"({"text":"pod crashes","limit":1})");
  CHECK(by_text.holds(R"("action_id":"a-1")"));
  CHECK(by_text.holds(R"("route":"index")"));
  CHECK(h(actionhist_history_similar, R"({"action_id":"a-1"})").text == "[]");

  std::vector<float> vector(1024, 0.5F);
  actionhist_text* text = nullptr;
  actionhist_error* error = nullptr;
  auto status =
      actionhist_history_similar_to(h.get(), nullptr, 0, vector.data(), vector.size(), &text, &error);
  CHECK(take(status, text, error).holds("a-1"));
  status = actionhist_history_similar_to(h.get(), nullptr, 0, vector.data(), 3, &text, &error);
  const Answer refused = take(status, text, error);
  CHECK(refused.status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(refused.error.find("1024") != refused.error.npos);
}

TEST_CASE("C ABI: alerts, resources, links, patterns and health") {
  const auto options = options_at_noon();
  const Session h("memory:", &options);
  CHECK(
      h(actionhist_history_observe, R"({"alert_name":"HighLoad","starts_at":"2026-03-10T11:00:00Z"})").text ==
      "null");
  CHECK(h(actionhist_history_resource_seen, R"({"resource":{"kind":"Pod","name":"p","uid":"u"}})").text ==
        "null");
  CHECK(h(actionhist_history_resource_deleted, R"({"resource":{"kind":"Pod","name":"p"}})").text == "true");
  CHECK(h(actionhist_history_resource_deleted, R"({"resource":{"kind":"Pod","name":"q"}})").text == "false");

  REQUIRE(h(actionhist_history_record, restart).status == ACTIONHIST_OK);
  CHECK(h(actionhist_history_link, R"({"action_id":"a-1","follow_up":"a-2","relation":"correction"})")
            .holds(R"("relation":"correction")"));

  CHECK(h(actionhist_history_patterns).holds(R"("pattern_id":"scale-oscillation")"));
  CHECK(h(actionhist_history_put_pattern,
          R"({"pattern_id":"mine","pattern_type":"action-budget","time_window_minutes":5})")
            .text == "null");
  CHECK(h(actionhist_history_patterns).holds(R"("pattern_id":"mine")"));

  CHECK(h(actionhist_history_remove_pattern, R"({"pattern_id":"mine"})").text == "true");
  CHECK(h(actionhist_history_remove_pattern, R"({"pattern_id":"mine"})").text == "false");
  const std::string web = R"({"resource":{"kind":"Deployment","namespace":"prod","name":"web"})";
  // What is left out by mistake takes nothing away.
  for (const auto operation : {actionhist_history_set_guard_policy, actionhist_history_set_retention_policy})
    CHECK(h(operation, web + "}").error == "policy: is required; null takes it away");
  CHECK(h(actionhist_history_set_guard_policy, web + R"(,"policy":{"pattern_min_occurrences":7}})").text ==
        "null");
  CHECK(h(actionhist_history_guard_policy, web + "}").holds(R"("pattern_min_occurrences":7)"));

  CHECK(h(actionhist_history_health).holds(R"("ready":true)"));
  CHECK(h(actionhist_history_verify).text == "[]");
}

TEST_CASE("C ABI: the library says what it is and has") {
  CHECK(actionhist_abi_version() == ACTIONHIST_ABI_VERSION);
  CHECK(actionhist_has_feature("sqlite") == 1);
  CHECK(actionhist_has_feature("postgresql") == 1);
  CHECK(actionhist_has_feature("actionhist_history_similar") == 1);
  CHECK(actionhist_has_feature("actionhist_history_teleport") == 0);
  CHECK(actionhist_has_feature(nullptr) == 0);
  CHECK(std::string(actionhist_status_name(ACTIONHIST_OK)) == "ok");
  std::set<std::string> names;
  for (int status = ACTIONHIST_INVALID_ARGUMENT; status <= ACTIONHIST_INTERNAL; ++status) {
    names.insert(actionhist_status_name(status));
  }
  CHECK(names.size() == ACTIONHIST_INTERNAL);
  CHECK(names.count("unknown") == 0);
  CHECK(std::string(actionhist_status_name(99)) == "unknown");
}

TEST_CASE("C ABI: what worked is recommended") {
  const auto options = options_at_noon();
  const Session h("memory:", &options);
  const Answer stored = h(actionhist_history_record, restart);
  REQUIRE(stored.status == ACTIONHIST_OK);
  REQUIRE(h(actionhist_history_complete,
            R"({"action_id":"a-1","outcome":{"status":"completed","effectiveness_score":0.9}})")
              .status == ACTIONHIST_OK);
  const Answer found =
      h(actionhist_history_recommend, R"({"alert_name":"KubePodCrashLooping","fresh":true})");
  CHECK(found.holds(R"("action_type":"restart_deployment")"));
  CHECK(found.holds(R"("avoid":[])"));
  CHECK(h(actionhist_history_recommend, "{}").status == ACTIONHIST_INVALID_ARGUMENT);
}

TEST_CASE("C ABI: effectiveness is measured, and told to a language model") {
  const auto options = options_at_noon();
  const Session h("memory:", &options);
  REQUIRE(h(actionhist_history_record, restart).status == ACTIONHIST_OK);
  REQUIRE(
      h(actionhist_history_complete,
        R"({"action_id":"a-1","outcome":{"status":"completed","effectiveness_due_at":"2026-03-10T11:00:00Z"}})")
          .status == ACTIONHIST_OK);
  CHECK(h(actionhist_history_lease_assessments, R"({"worker":"w"})").holds(R"("action_id":"a-1")"));
  CHECK(h(actionhist_history_lease_assessments, R"({"worker":"v"})").text == "[]");
  CHECK(h(actionhist_history_lease_assessments, "{}").error == "worker: is required");
  REQUIRE(h(actionhist_history_assess, R"({"action_id":"a-1","assessment":{"score":0.7}})").status ==
          ACTIONHIST_OK);
  CHECK(h(actionhist_history_refresh_metrics).holds(R"("hours":1)"));
  CHECK(h(actionhist_history_metrics, R"({"scope_type":"global","metric_period":"24h"})")
            .holds(R"("average_score":0.7)"));
  CHECK(h(actionhist_history_metrics).status == ACTIONHIST_OK);
  const Answer told =
      h(actionhist_history_context,
        R"({"resource":{"kind":"Deployment","namespace":"prod","name":"web"},"budget_tokens":500})");
  CHECK(told.holds(R"("content":)"));
  CHECK(told.holds("restart_deployment"));
  CHECK(h(actionhist_history_context, "{}").status == ACTIONHIST_INVALID_ARGUMENT);
}
