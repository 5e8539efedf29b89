#include "core/hash.hpp"

#include <set>

#include <catch2/catch.hpp>

#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

TEST_CASE("SHA-256 is the published one", "[hash]") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a UUIDv7 carries its time and sorts by it", "[hash]") {
  const std::string id = uuid_v7(noon);
  CHECK(id.size() == 36);
  CHECK(id[14] == '7');
  const auto ms = std::stoll(id.substr(0, 8) + id.substr(9, 4), nullptr, 16);
  CHECK(ms == std::chrono::duration_cast<std::chrono::milliseconds>(noon.time_since_epoch()).count());
  CHECK(uuid_v7(noon) < uuid_v7(noon + 1ms));
  CHECK(time_inside(id) == noon);
  for (int us = 0; us < 1000; ++us) {
    const TimePoint time = noon + std::chrono::microseconds(us);
    CHECK(time_inside(uuid_v7(time)) == time);
    CHECK(uuid_v7(time) < uuid_v7(time + 1us));
  }
  // One that somebody else made never holds a time of another millisecond.
  CHECK(time_inside("019aab0f-3a00-7fff-8000-000000000000") <
        time_inside("019aab0f-3a01-7000-8000-000000000000"));
  CHECK_FALSE(time_inside("a-1"));
  CHECK_FALSE(time_inside("019aab0f-3a00-4fff-8000-000000000000"));
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(uuid_v7(noon));
  CHECK(ids.size() == 1000);
}

TEST_CASE("a UUIDv5 never changes, or every resource would", "[hash]") {
  CHECK(uuid_v5("actionhist") == uuid_v5("actionhist"));
  CHECK(uuid_v5("actionhist")[14] == '5');
  CHECK(uuid_v5("a") != uuid_v5("b"));
}
