// The scenarios that every language runs (tests/cases), through the C interface.
#include <catch2/catch.hpp>

#include <cmath>
#include <filesystem>

#include <simdjson.h>

#include "capi/documented.hpp"
#include "capi/every_operation.hpp"
#include "capi/session.hpp"

using namespace actionhist::test;

namespace {

using Element = simdjson::dom::element;

std::string text_of(Element element) { return simdjson::minify(element); }

bool matches(Element expected, Element found) {
  if (expected.is_object()) {
    if (!found.is_object()) return false;
    for (auto [name, part] : simdjson::dom::object(expected)) {
      Element member;
      const bool there = found[name].get(member) == simdjson::SUCCESS;
      if (part.is_null() ? there : !there || !matches(part, member)) return false;
    }
    return true;
  }
  if (expected.is_array()) {
    if (!found.is_array()) return false;
    const simdjson::dom::array wanted(expected);
    const simdjson::dom::array given(found);
    if (wanted.size() != given.size()) return false;
    auto item = given.begin();
    for (Element part : wanted) {
      if (!matches(part, *item)) return false;
      ++item;
    }
    return true;
  }
  double a = 0;
  double b = 0;
  if (expected.get(a) == simdjson::SUCCESS) {
    return found.get(b) == simdjson::SUCCESS && std::abs(a - b) <= 1e-9;
  }
  return text_of(expected) == text_of(found);
}

std::int64_t now;

void run(const Session& history, Element step) {
  std::int64_t minutes = 0;
  if (step["advance_minutes"].get(minutes) == simdjson::SUCCESS) {
    now += minutes * 60'000'000;
    return;
  }
  const std::string_view call(step["call"]);
  REQUIRE(operations().count(call) == 1);
  const Answer answer = history(operations().at(call), text_of(step["request"]));
  INFO(text_of(step) << "\n" << answer.error << answer.text);
  Element expected;
  if (step["error"].get(expected) == simdjson::SUCCESS) {
    CHECK(actionhist_status_name(answer.status) == std::string_view(expected));
    std::string_view part;
    if (step["message"].get(part) == simdjson::SUCCESS) CHECK(answer.error.find(part) != answer.error.npos);
    return;
  }
  REQUIRE(answer.status == ACTIONHIST_OK);
  simdjson::dom::parser parser;
  const Element given = parser.parse(answer.text);
  CHECK(matches(step["answer"], given));
  CHECK(undocumented(call, given) == std::vector<std::string>());
}

// Noon of the scenarios: the only clock that is read without a library of times.
void set_clock(std::string_view clock) {
  REQUIRE(clock == "2026-03-10T12:00:00Z");
  now = noon_us;
}

}  // namespace

TEST_CASE("the shared scenarios hold over the C interface") {
  int scenarios = 0;
  for (const auto& file : std::filesystem::directory_iterator(ACTIONHIST_CASES)) {
    if (file.path().extension() != ".json") continue;
    simdjson::dom::parser parser;
    for (Element scenario : simdjson::dom::array(parser.load(file.path().string()))) {
      INFO(std::string_view(scenario["name"]));
      set_clock(scenario["clock"]);
      actionhist_options options = ACTIONHIST_OPTIONS_INIT;
      options.clock = [](void*) { return now; };
      const Session history("memory:", &options);
      for (Element step : simdjson::dom::array(scenario["steps"])) run(history, step);
      ++scenarios;
    }
  }
  CHECK(scenarios >= 12);
}
