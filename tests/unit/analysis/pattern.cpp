#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <actionhist/error.hpp>
#include <actionhist/pattern.hpp>

using namespace actionhist;

namespace {

std::string refusal(const char* json) {
  try {
    parse_pattern(json);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::invalid_argument);
    return error.what();
  }
  return "accepted";
}

std::string with(const char* member) {
  return std::string(R"({"pattern_id": "p", "pattern_type": "scale-oscillation", )") + member + "}";
}

}  // namespace

TEST_CASE("names of types, preventions and severities read back") {
  for (const Pattern& pattern : default_patterns()) {
    CHECK(parse_pattern_type(to_string(pattern.pattern_type)) == pattern.pattern_type);
    CHECK(pattern.pattern_id == to_string(pattern.pattern_type));
  }
  CHECK(parse_prevention("cooling-period") == Prevention::cooling_period);
  CHECK(to_string(Prevention::escalate_human) == "escalate-human");
  CHECK(parse_severity("critical") == Severity::critical);
  CHECK_THROWS_AS(parse_severity("fatal"), Error);
}

TEST_CASE("the shipped patterns survive their JSON") {
  for (const Pattern& pattern : default_patterns()) CHECK(parse_pattern(to_json(pattern)) == pattern);
  Pattern full = default_patterns()[2];
  full.threshold_config = Json::object({{"min_confidence", .4}, {"max_period", 3}});
  full.resource_types = {"Deployment"};
  full.namespaces = {"a", "b"};
  full.label_selectors = Json::object({{"app", "web"}});
  full.prevention_parameters = Json::object({{"cooling_period_minutes", 30}});
  full.alert_channels = {"slack"};
  full.total_detections = 3;
  full.last_detection_at = parse_time("2026-04-10T12:00:00Z");
  CHECK(parse_pattern(to_json(full)) == full);
}

TEST_CASE("a pattern that says only its type has that type's defaults") {
  const Pattern pattern = parse_pattern(R"({"pattern_id": "mine", "pattern_type": "action-budget"})");
  CHECK(pattern.min_occurrences == 3);
  CHECK(pattern.active);
  CHECK(parse_pattern(with("\"min_occurrences\": 4").c_str()).min_occurrences == 4);
}

TEST_CASE("a wrong pattern is refused by the name of its field") {
  CHECK(refusal("[]") == "pattern: must be a JSON object");
  CHECK(refusal("{}") == "pattern_type: is required");
  CHECK(refusal(R"({"pattern_type": "action-budget"})") == "pattern_id: must not be empty");
  CHECK(refusal(R"({"pattern_id": "p", "pattern_type": "x"})").rfind("pattern_type: \"x\" is none of", 0) ==
        0);
  CHECK(refusal(with("\"min_occurrences\": 0").c_str()) == "min_occurrences: must be at least 1");
  const auto budget = [](int actions) {
    Pattern pattern = default_pattern(PatternType::action_budget);
    pattern.pattern_id = "day";
    pattern.min_occurrences = actions;
    return refusal(to_json(pattern).c_str());
  };
  CHECK(budget(512) == "accepted");
  CHECK(budget(513).starts_with("min_occurrences: must be at most 512 for an action-budget"));
  CHECK(refusal(with("\"time_window_minutes\": 0").c_str())
            .rfind("time_window_minutes: must be between 1", 0) == 0);
  CHECK(refusal(with("\"time_window_minutes\": 43201").c_str()).rfind("time_window_minutes:", 0) == 0);
  CHECK(refusal(with("\"threshold_config\": {\"min_confidence\": 2}").c_str()) ==
        "threshold_config.min_confidence: must be between 0 and 1");
  CHECK(refusal(with("\"threshold_config\": {\"min_confidence\": \"x\"}").c_str()) ==
        "threshold_config.min_confidence: must be a number");
  CHECK(refusal(with("\"threshold_config\": {\"max_period\": 3}").c_str())
            .rfind("threshold_config.max_period: is not known for scale-oscillation", 0) == 0);
  CHECK(refusal(with("\"threshold_config\": [1]").c_str()) == "threshold_config: must be a JSON object");
  CHECK(refusal(with("\"prevention_strategy\": \"pray\"").c_str()).rfind("prevention_strategy:", 0) == 0);
  CHECK(refusal(with("\"prevention_parameters\": {\"cooling_period_minutes\": -5}").c_str()) ==
        "prevention_parameters.cooling_period_minutes: must be between 1 and 43200 (30 days)");
  CHECK(refusal(with("\"prevention_parameters\": {\"cooling_period_minutes\": \"5\"}").c_str()) ==
        "prevention_parameters.cooling_period_minutes: must be a number");
  CHECK(refusal(with("\"prevention_parameters\": {\"cooling_minutes\": 5}").c_str())
            .rfind("prevention_parameters.cooling_minutes: is not known; known is cooling_period_minutes",
                   0) == 0);
  CHECK(refusal(with("\"prevention_parameters\": 5").c_str()) ==
        "prevention_parameters: must be a JSON object");
  CHECK(refusal(with("\"namespaces\": [\"\"]").c_str()) == "namespaces: holds an empty text");
  CHECK(refusal(with("\"label_selectors\": 1").c_str()) == "label_selectors: must be a JSON object");
  CHECK(refusal(with("\"widnow\": 1").c_str()).rfind("widnow:", 0) == 0);
  CHECK(refusal(R"({"pattern_id": "p", "pattern_type": "ineffective-loop",
                    "threshold_config": {"max_period": 2.5}})") ==
        "threshold_config.max_period: must be a whole number");
}

TEST_CASE("a pattern begins the same in C++ and in JSON") {
  for (const Pattern& shipped : default_patterns()) {
    Pattern mine = default_pattern(shipped.pattern_type);
    mine.pattern_id = "mine";
    const auto json =
        fmt::format(R"({{"pattern_id": "mine", "pattern_type": "{}"}})", to_string(shipped.pattern_type));
    CHECK(parse_pattern(json) == mine);
    mine.pattern_id = shipped.pattern_id;
    mine.active = shipped.active;
    CHECK(mine == shipped);
  }
  Pattern empty;
  Pattern of_its_type = default_pattern(empty.pattern_type);
  empty.pattern_name = of_its_type.pattern_name;
  empty.description = of_its_type.description;
  CHECK(empty == of_its_type);
}
