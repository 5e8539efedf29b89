#include <catch2/catch.hpp>

#include "core/json_io.hpp"
#include "timeline.hpp"

using namespace actionhist;

TEST_CASE("a detection is written with its times, and without what it lacks") {
  const Detection detection = found(PatternType::scale_oscillation, Timeline::scales({3, 5, 3, 5}))[0];
  JsonDocument document;
  const std::string text = to_json(detection);
  const JsonElement json = document.parse(text, "detection");
  CHECK(std::string_view(json["pattern_type"]) == "scale-oscillation");
  CHECK(std::string_view(json["severity"]) == "medium");
  CHECK(std::string_view(json["first_at"]) == "2026-04-10T00:00:00Z");
  CHECK(std::string_view(json["last_at"]) == "2026-04-10T00:10:00Z");
  CHECK(double(json["evidence"]["parameters"]["return_ratio"]) == .6);
  CHECK(double(json["evidence"]["coverage"]["of"]) == 3);
  CHECK(text.find("null") == std::string::npos);
  for (const char* name : {"detection_id", "prevention", "in_force_until", "resolved_at"}) {
    INFO(name);
    CHECK(json.at_key(name).error() == simdjson::NO_SUCH_FIELD);
  }
}
