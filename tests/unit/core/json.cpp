#include <actionhist/json.hpp>

#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include <catch2/catch.hpp>

#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

TEST_CASE("JSON that means the same has one text", "[json]") {
  CHECK(Json::parse(R"( { "b" : 1.0, "a":[true, null , "x\u0041"] } )").text() ==
        R"({"a":[true,null,"xA"],"b":1})");
  CHECK(Json::parse("1e2") == Json(100));
  CHECK(Json::parse("0.50") == Json(0.5));
  CHECK(Json::parse("-0.0") == Json(0));
  CHECK(Json::parse(R"("\/")") == Json("/"));
  CHECK(Json::parse("9007199254740993").text() == "9007199254740993");
  CHECK(Json::parse("1e16") == Json::parse("10000000000000000"));
  CHECK(Json(-9223372036854775808.0) == Json(std::numeric_limits<std::int64_t>::min()));
  CHECK(Json::parse("-9.2e18") == Json::parse("-9200000000000000000"));
  CHECK(Json::parse("1.8e19") == Json::parse("18000000000000000000"));
  CHECK(Json::parse("1e20").text() == "1e+20");
}

TEST_CASE("JSON that no engine could keep is refused with the field's name", "[json]") {
  const auto refused = [](std::string_view text) {
    return error_text_of([&] { Json::parse(text, "metadata"); });
  };
  CHECK(refused("{").starts_with("metadata: is not valid JSON"));
  CHECK(refused("").starts_with("metadata: is empty"));
  CHECK(refused(R"({"a":1,"a":2})") == "metadata: the key \"a\" is given twice");
  CHECK(refused(R"({"a":"x\u0000y"})") == "metadata: holds a NUL character");
  CHECK(refused("\"\xff\"") == "metadata: is not valid UTF-8");
  for (const char* number : {"1e999", "18446744073709551616", "-9223372036854775809"}) {
    CHECK(refused(number) == "metadata: holds an integer beyond 64 bits, or a number beyond a double");
  }
  CHECK(refused("NaN").starts_with("metadata: is not valid JSON"));
  CHECK(refused("[1,]").starts_with("metadata: is not valid JSON"));
  CHECK(refused("{} {}").starts_with("metadata: is not valid JSON"));
  CHECK(refused('"' + std::string(300'000, 'x') + '"').starts_with("metadata: is 300002 bytes long"));
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  CHECK(refused(deep) == "metadata: nested deeper than 64 levels");
}

TEST_CASE("JSON is built from C++ values", "[json]") {
  CHECK(Json::object({{"replicas", 5}, {"memory", "2Gi"}, {"none", Json()}}).text() ==
        R"({"memory":"2Gi","replicas":5})");
  CHECK(Json::array({1, true, nullptr, "a\"b"}).text() == R"([1,true,null,"a\"b"])");
  CHECK(Json(std::size_t{7}) == Json(7));
  CHECK(Json(7LL) == Json(7U));
  CHECK(Json(std::numeric_limits<std::uint64_t>::max()).text() == "18446744073709551615");
  CHECK(Json(std::numeric_limits<std::int64_t>::min()).text() == "-9223372036854775808");
  CHECK(Json(0.5F) == Json(0.5));
  CHECK(Json(true).text() == "true");
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Json, const int*>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Json, char>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Json, std::vector<bool>::reference>);
  CHECK(Json().absent());
  CHECK_FALSE(Json(nullptr).absent());
  CHECK_THROWS_AS(Json(std::nan("")), Error);
  CHECK_THROWS_AS(Json(std::numeric_limits<double>::infinity()), Error);
  CHECK_THROWS_AS(Json("\xc3("), Error);
}

TEST_CASE("canonical JSON is a fixed point", "[json]") {
  for (const std::string_view text :
       {R"({"z":[{"y":1e-7,"x":123456789.125}],"a":"\u2028\t\\"})", "[[],{},\"\"]", "1e+300", "-17"}) {
    const Json once = Json::parse(text);
    CHECK(Json::parse(once.text()) == once);
  }
}
