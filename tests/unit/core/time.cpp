#include <actionhist/time.hpp>

#include <catch2/catch.hpp>

#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

TEST_CASE("times are read with any zone and written in UTC", "[time]") {
  CHECK(format_time(parse_time("2026-04-27T00:46:06+00:00")) == "2026-04-27T00:46:06Z");
  CHECK(format_time(parse_time("2026-04-27T02:46:06.250+02:00")) == "2026-04-27T00:46:06.25Z");
  CHECK(format_time(parse_time("2026-04-26 19:46:06-0500")) == "2026-04-27T00:46:06Z");
  CHECK(format_time(parse_time("2024-02-29T23:59:59.999999999z")) == "2024-02-29T23:59:59.999999Z");
  CHECK(format_time(parse_time("1969-12-31T23:59:59.5Z")) == "1969-12-31T23:59:59.5Z");
}

TEST_CASE("a time without a zone is refused, because it means another moment elsewhere", "[time]") {
  const std::string text = error_text_of([] { parse_time("2026-04-27T00:46:06", "action_timestamp"); });
  CHECK(text.find("action_timestamp") != text.npos);
  CHECK(text.find("no time zone") != text.npos);
}

TEST_CASE("what is no time is refused", "[time]") {
  for (const std::string_view text : {"", "now", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-04-27",
                                      "2026-04-27T25:00:00Z", "2026-04-27T00:00:00Zx", "20260427T000000Z"}) {
    CHECK_THROWS_AS(parse_time(text), Error);
  }
}
