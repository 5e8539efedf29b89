#include "capi/documented.hpp"

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>

#include "capi/every_operation.hpp"
#include "capi/session.hpp"

namespace actionhist::test {
namespace {

using Element = simdjson::dom::element;

const std::string& page() {
  static const std::string text = [] {
    std::ostringstream read;
    read << std::ifstream(ACTIONHIST_DOCS "/c-abi.md").rdbuf();
    return read.str();
  }();
  return text;
}

// Of an operation's answer, and of members by their names.
const std::map<std::string_view, std::vector<std::string_view>> records{
    {"record", {"Action", "Outcome", "Trace"}},
    {"record_many", {"Action", "Outcome", "Trace"}},
    {"start", {"Action", "Outcome", "Trace"}},
    {"complete", {"Action", "Outcome", "Trace"}},
    {"get", {"Action", "Outcome", "Trace"}},
    {"trace", {"Action", "Outcome", "Trace"}},
    {"traces", {"Action", "Outcome", "Trace"}},
    {"propose", {"Verdict"}},
    {"check", {"Verdict"}},
    {"override", {"Verdict"}},
    {"alternative", {"Recommendation"}},
    {"actions", {"Recommendation"}},
    {"avoid", {"Recommendation"}},
    {"detect", {"Detection"}},
    {"detections", {"Detection"}},
    {"detection", {"Detection"}},
    {"shadowed", {"Detection"}},
    {"resolve", {"Detection"}},
    {"overrides", {"Override"}},
    {"similar", {"Hit"}},
    {"explain", {"Hit"}},
    {"aspects", {"Hit"}},
    {"patterns", {"Pattern"}},
    {"health", {"Health"}},
    {"engine", {"Health"}},
    {"feed", {"Health"}},
    {"index", {"Health"}},
    {"webhooks", {"Health"}},
    {"routes", {"Health"}},
    {"retention_policy", {"Policy"}},
    {"policy", {"Policy"}},
    {"retention_policies", {"Rule"}},
    {"retention_plan", {"Rule", "Plan"}},
    {"going", {"Plan"}},
    {"retention_operations", {"Retention operation"}},
    {"summaries", {"Summary"}},
    {"active_patterns", {"Summary"}},
    {"metrics", {"Metric"}},
    {"spaces", {"Space"}},
    {"fit_space", {"Space"}},
    {"get_items", {"Item"}},
    {"search_items", {"Item"}},
    {"find_checkpoints", {"Checkpoint"}},
    {"writes", {"Checkpoint"}},
};

// The paragraph that begins with the record's name, and a table that follows it.
std::string paragraph(std::string_view record) {
  const std::size_t begin = page().find("**" + std::string(record) + "**");
  if (begin == std::string::npos) return {};
  std::size_t end = page().find("\n\n", begin);
  if (end != std::string::npos && page().compare(end + 2, 1, "|") == 0) end = page().find("\n\n", end + 2);
  return page().substr(begin, end - begin);
}

void add_undocumented(std::string_view name, Element answer, std::set<std::string>& missing) {
  if (answer.is_array()) {
    for (Element item : simdjson::dom::array(answer)) add_undocumented(name, item, missing);
    return;
  }
  if (!answer.is_object()) return;
  std::string said;
  for (std::string_view record : records.at(name)) said += paragraph(record);
  for (auto [key, value] : simdjson::dom::object(answer)) {
    if (said.find("`" + std::string(key) + "`") == std::string::npos)
      missing.insert(std::string(records.at(name).back()) + "." + std::string(key));
    if (records.count(key) > 0) add_undocumented(key, value, missing);
  }
}

}  // namespace

std::vector<std::string> undocumented(std::string_view operation, Element answer) {
  std::set<std::string> missing;
  if (records.count(operation) > 0) add_undocumented(operation, answer, missing);
  return {missing.begin(), missing.end()};
}

}  // namespace actionhist::test

using namespace actionhist::test;

TEST_CASE("the page of the C interface names every member of the records that operations answer") {
  const auto options = options_at_noon();
  const Session h("memory:", &options);
  simdjson::dom::parser parser;
  const auto check = [&](std::string_view operation, std::string_view request) {
    INFO(operation << " " << request);
    const Answer answer = h(operations().at(operation), request);
    REQUIRE(answer.error == "");
    CHECK(undocumented(operation, parser.parse(answer.text)) == std::vector<std::string>());
    return answer;
  };
  const std::string shop = R"("resource_reference":{"kind":"Deployment","namespace":"shop","name":"web"})";
  const auto scaling = [&](std::string_view id, int minute, int before, int after) {
    return R"({"action_id":")" + std::string(id) + R"(","action_type":"scale_deployment",)" + shop +
           R"(,"action_timestamp":"2026-03-10T11:)" + std::to_string(minute) +
           R"(:00Z","model_reasoning":"Load has changed.","resource_state_before":{"replicas":)" +
           std::to_string(before) + R"(},"action_parameters":{"replicas":)" + std::to_string(after) +
           R"(},"execution_status":"completed","effectiveness_score":0.2})";
  };
  check("record", scaling("a-1", 40, 3, 5));
  check("record_many", "[" + scaling("a-2", 44, 5, 3) + "," + scaling("a-3", 48, 3, 5) + "," +
                           scaling("a-4", 52, 5, 3) + "," + scaling("a-5", 56, 3, 5) + "]");
  check("import_actions", "[" + scaling("a-5", 56, 3, 5) + "]");
  const std::string next = R"({"action_type":"scale_deployment",)" + shop +
                           R"(,"resource_state_before":{"replicas":5},"action_parameters":{"replicas":3}})";
  CHECK(check("propose", next).holds(R"("allowed":false)"));
  check("override", R"({"action":)" + next + R"(,"override":{"actor":"ops","reason":"seen"}})");
  CHECK(check("overrides", "{}").holds("override_id"));
  CHECK(check("detections", "{}").holds("detection_id"));
  check("patterns", "{}");
  check("summaries", "{}");
  check("wait_indexed", R"({"timeout_ms":60000})");
  CHECK(check("similar", R"({"text":"load","fresh":true})").holds("explain"));
  check("recommend", R"({"text":"load"})");
  check("set_retention_policy", R"({"policy":{"max_actions":1}})");
  check("retention_policies", "{}");
  CHECK(check("retention_plan", "{}").holds("records_before"));
  check("apply_retention", "{}");
  check("retention_operations", "{}");
  check("health", "{}");
  check("refresh_metrics", "{}");
  check("metrics", "{}");
}
