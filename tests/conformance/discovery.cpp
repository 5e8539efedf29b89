// What every engine promises about groups, near-duplicates and pictures of actions.
#include <cmath>

#include <catch2/catch.hpp>

#include "support/models.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  FixedClock clock;
  History history = open(engine.uri(folder), {.tenant = "default", .semantic = false, .clock = clock});

  Fixture() { UNSCOPED_INFO(engine.name); }

  // Ten days of two kinds of trouble; the second one more often every day.
  void two_kinds() {
    std::vector<Action> actions;
    for (int day = 0; day < 10; ++day) {
      Action memory = restart("memory-" + std::to_string(day), noon - 24h * (10 - day));
      memory.action_type = "increase_memory";
      memory.model_reasoning = "The container was killed because it ran out of memory.";
      memory.outcome = completed(.75);
      actions.push_back(memory);
      for (int i = 0; i <= day; ++i) {
        Action certificate = restart("cert-" + std::to_string(day) + "-" + std::to_string(i),
                                     noon - 24h * (10 - day) + 1min * i);
        certificate.action_type = "renew_certificate";
        certificate.alert_name = "CertificateExpiry";
        certificate.resource = {.kind = "Secret", .namespace_ = "gateway", .name = "tls"};
        certificate.model_reasoning =
            "The certificate of the gateway expires tomorrow; the issuer renews it.";
        actions.push_back(certificate);
      }
    }
    history.record(actions);
  }
};

}  // namespace

TEST_CASE("similar actions are grouped, and a person understands the names", "[discovery]") {
  Fixture f;
  f.two_kinds();
  const Clusters found = f.history.clusters();
  CHECK(found.complete);
  CHECK(found.actions == 65);
  REQUIRE(found.clusters.size() == 2);
  const Cluster& certificates = found.clusters[0];
  const Cluster& memory = found.clusters[1];
  CHECK(certificates.actions == 55);
  CHECK(certificates.types == std::vector<std::string>{"renew_certificate"});
  CHECK(certificates.name.find("certificate") != std::string::npos);
  CHECK(certificates.stability > .9);
  CHECK(certificates.trend == "growing");
  CHECK_FALSE(certificates.effectiveness);
  CHECK(memory.actions == 10);
  CHECK(std::ranges::find(memory.terms, "memory") != memory.terms.end());
  CHECK(memory.trend == "steady");
  CHECK(memory.assessed == 10);
  CHECK(memory.effectiveness == .75);
  CHECK(memory.examples.size() == 5);
  CHECK(memory.cohesion > .5);
  // The same seed gives the same answer.
  CHECK(to_json(f.history.clusters()) == to_json(found));
  CHECK(f.history.clusters({.clusters = 3}).clusters.size() <= 3);
  const Json kind = Json::object({{"kind", "Pod"}});
  ClusterQuery nothing;
  nothing.where = kind;
  CHECK(f.history.clusters(nothing).clusters.empty());
}

TEST_CASE("actions that say the same are found as near-duplicates", "[discovery]") {
  Fixture f;
  f.two_kinds();
  const auto found = f.history.duplicates();
  REQUIRE(found.size() == 2);
  CHECK(found[0].action_ids.size() == 55);
  CHECK(found[0].action_ids[0] == "cert-0-0");
  CHECK(found[1].action_ids.size() == 10);
  CHECK(found[0].similarity >= .95);
}

TEST_CASE("a projection puts what is alike together", "[discovery]") {
  Fixture f;
  f.two_kinds();
  const Projection found = f.history.projection();
  REQUIRE(found.points.size() == 65);
  REQUIRE(found.explained.size() == 2);
  CHECK(found.explained[0] > .9);
  const auto first = [&](const std::string& type) {
    for (const ProjectedAction& point : found.points) {
      if (point.action_type == type) return point.at[0];
    }
    return 0.;
  };
  CHECK(std::abs(first("increase_memory") - first("renew_certificate")) > .5);
  for (const ProjectedAction& point : found.points)
    CHECK(point.at[0] == Approx(first(point.action_type)).margin(.1));
  ProjectionQuery solid;
  solid.dimensions = 3;
  CHECK(f.history.projection(solid).points[0].at.size() == 3);
  CHECK(to_json(f.history.projection()) == to_json(found));
}

TEST_CASE("discovery takes the vectors that the index has", "[discovery]") {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  const auto model = std::make_shared<Counting>();
  History history = open(engine.uri(folder), {.tenant = "default", .model = model, .index_folder = ""});
  std::vector<Action> actions;
  for (int i = 0; i < 20; ++i) {
    actions.push_back(restart("a-" + std::to_string(i)));
    if (i % 2 == 1) actions.back().model_reasoning = "The certificate expires tomorrow.";
  }
  history.record(actions);
  REQUIRE(history.wait_indexed(30s));
  const int made = model->texts;
  const auto groups = history.duplicates();
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].action_ids.size() == 10);
  CHECK(history.clusters().clusters.size() == 2);
  CHECK(history.projection().points.size() == 20);
  CHECK(model->texts == made);
}

TEST_CASE("discovery of an empty memory is empty, and senseless queries are refused", "[discovery]") {
  Fixture f;
  CHECK(f.history.clusters().clusters.empty());
  CHECK(f.history.duplicates().empty());
  CHECK(f.history.projection().points.empty());
  f.history.record(restart("one"));
  CHECK(f.history.clusters().clusters.empty());
  CHECK(f.history.projection().points.size() == 1);
  const auto refused = [](auto ask, std::string_view field) {
    const std::string text = error_text_of(ask);
    INFO(text);
    CHECK(text.find(field) != std::string::npos);
  };
  ClusterQuery clusters;
  clusters.clusters = 1;
  refused([&] { f.history.clusters(clusters); }, "clusters");
  clusters = {};
  clusters.actions = 5;
  refused([&] { f.history.clusters(clusters); }, "actions");
  clusters = {};
  clusters.seed = -1;
  refused([&] { f.history.clusters(clusters); }, "seed");
  DuplicateQuery duplicates;
  duplicates.threshold = 0;
  refused([&] { f.history.duplicates(duplicates); }, "threshold");
  ProjectionQuery projection;
  projection.dimensions = 4;
  refused([&] { f.history.projection(projection); }, "dimensions");
  refused([] { parse_cluster_query(R"({"cluster": 2})"); }, "cluster");
}
