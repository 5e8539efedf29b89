#include <actionhist/resource.hpp>

#include <catch2/catch.hpp>

using namespace actionhist;

TEST_CASE("a resource has one id however its kind is spelled", "[resource]") {
  const Resource web{.kind = "Deployment", .namespace_ = "prod", .name = "web"};
  const std::string id = resource_id("t", web);
  CHECK(id.size() == 36);
  CHECK(resource_id("t", {.kind = "deployments", .namespace_ = "prod", .name = "web"}) == id);
  CHECK(resource_id("t",
                    {.api_version = "apps/v1", .kind = "deployment", .namespace_ = "prod", .name = "web"}) ==
        id);
  CHECK(
      resource_id(
          "t", {.api_version = "apps/v1beta2", .kind = "Deployment", .namespace_ = "prod", .name = "web"}) ==
      id);
}

TEST_CASE("what makes another resource gives another id", "[resource]") {
  const Resource web{.kind = "Deployment", .namespace_ = "prod", .name = "web"};
  const std::string id = resource_id("t", web);
  CHECK(resource_id("other", web) != id);
  CHECK(resource_id("t", {.cluster = "eu", .kind = "Deployment", .namespace_ = "prod", .name = "web"}) != id);
  CHECK(resource_id("t", {.api_version = "extensions/v1beta1",
                          .kind = "Deployment",
                          .namespace_ = "prod",
                          .name = "web"}) != id);
  CHECK(resource_id("t", {.kind = "Deployment", .namespace_ = "pro", .name = "dweb"}) != id);
  CHECK(resource_id("t", {.kind = "Deployment", .name = "web"}) != id);
}

TEST_CASE("a resource without kind or name has no id", "[resource]") {
  CHECK(resource_id("t", {.namespace_ = "prod", .name = "web"}).empty());
  CHECK(resource_id("t", {.kind = "Pod", .namespace_ = "prod"}).empty());
  CHECK(resource_id("t", {.kind = "Unknown", .namespace_ = "prod", .name = "unknown"}).empty());
}

TEST_CASE("a new uid is the same logical resource", "[resource]") {
  CHECK(resource_id("t", {.kind = "Pod", .namespace_ = "a", .name = "b", .uid = "1"}) ==
        resource_id("t", {.kind = "Pod", .namespace_ = "a", .name = "b", .uid = "2"}));
}
