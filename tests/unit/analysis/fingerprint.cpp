#include <catch2/catch.hpp>

#include "analysis/fingerprint.hpp"

using namespace actionhist;

TEST_CASE("a quantity is the number that Kubernetes means by it") {
  CHECK(quantity("500m") == .5);
  CHECK(quantity("100m") == .1);
  CHECK(quantity("0.5") == .5);
  CHECK(quantity("2Gi") == 2147483648.);
  CHECK(quantity("1Ki") == 1024.);
  CHECK(quantity("3M") == 3e6);
  CHECK(quantity("1k") == 1e3);
  CHECK(quantity("2T") == 2e12);
  CHECK(quantity("1Pi") == 1125899906842624.);
  CHECK(quantity("12e3") == 12e3);
  CHECK(quantity("1E") == 1e18);
  CHECK(quantity("-5") == -5.);
  for (const char* text : {"", "m", "web", "1.2.3", "5 Gi", "2gi", "inf", "nan", "1e999", "0x10"}) {
    INFO(text);
    CHECK_FALSE(quantity(text).has_value());
  }
}

TEST_CASE("specs that mean the same have one hash") {
  const auto hash = [](const char* text) { return spec_hash(Json::parse(text)); };
  CHECK(hash(R"({"cpu": "500m"})") == hash(R"({"cpu": 0.5})"));
  CHECK(hash(R"({"cpu": "0.5"})") == hash(R"({"cpu": "500m"})"));
  CHECK(hash(R"({"limits": {"memory": "2Gi"}})") == hash(R"({"limits": {"memory": 2147483648}})"));
  CHECK(hash(R"({"a": 1, "b": [1, 2]})") == hash(R"({ "b": [1,2], "a": 1.0 })"));
  CHECK(hash(R"({"a": 1})") != hash(R"({"a": 2})"));
  CHECK(hash(R"({"b": [1, 2]})") != hash(R"({"b": [2, 1]})"));
}

TEST_CASE("a version is no number") {
  const auto hash = [](const char* text) { return spec_hash(Json::parse(text)); };
  CHECK(hash(R"({"version": "1.10"})") != hash(R"({"version": "1.1"})"));
  CHECK(hash(R"({"tag": "1.10"})") != hash(R"({"tag": 1.1})"));
}

TEST_CASE("what differs between two calls that mean the same is dropped at any depth") {
  const auto hash = [](const char* text) { return spec_hash(Json::parse(text)); };
  CHECK(hash(R"({"replicas": 3, "request_id": "a", "dryRun": true})") == hash(R"({"replicas": 3})"));
  CHECK(hash(R"({"meta": {"creationTimestamp": "x", "trace-id": 1}})") == hash(R"({"meta": {}})"));
  CHECK(hash(R"({"id": 1})") != hash(R"({"id": 2})"));

  constexpr std::string_view mine[] = {"Ticket"};
  CHECK(spec_hash(Json::parse(R"({"ticket": 1})"), mine) == spec_hash(Json::parse("{}"), mine));
  CHECK(spec_hash(Json::parse(R"({"uuid": 1})"), mine) != spec_hash(Json::parse("{}"), mine));
}

TEST_CASE("an absent spec has no hash") {
  CHECK(spec_hash(Json()).empty());
  CHECK(normal_form(Json()).empty());
}

TEST_CASE("the key of an action is its resource, its type and what it asks for") {
  Trace a;
  a.resource_id = "r1";
  a.action_type = "scale_deployment";
  a.action_parameters = Json::object({{"cpu", "500m"}, {"request_id", "1"}});
  Trace b = a;
  b.action_type = "ScaleDeployment";
  b.action_parameters = Json::object({{"cpu", .5}, {"request_id", "2"}});
  CHECK(canonical_key(a) == canonical_key(b));
  CHECK(canonical_key(a).rfind("r1|scale_deployment|", 0) == 0);
  b.resource_id = "r2";
  CHECK(canonical_key(a) != canonical_key(b));
}
