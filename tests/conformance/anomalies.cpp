// What every engine promises about runs that did not go as usual.
#include <catch2/catch.hpp>

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

  void run(const std::string& name, TimePoint begin, const std::vector<std::string>& types) {
    std::vector<Action> actions;
    for (std::size_t i = 0; i < types.size(); ++i) {
      Action action = restart(name + "-" + std::to_string(i), begin + 1min * i);
      action.action_type = types[i];
      action.correlation_id = name;
      actions.push_back(std::move(action));
    }
    history.record(actions);
  }

  void usual_month() {
    for (int i = 0; i < 25; ++i)
      run("day-" + std::to_string(i), noon - 26 * 24h + i * 24h, {"get_logs", "restart_pod", "verify"});
  }
};

}  // namespace

TEST_CASE("a run that goes as no run before is an anomaly, and says at which step", "[anomaly]") {
  Fixture f;
  f.usual_month();
  f.run("good", noon - 3h, {"get-logs", "RestartPod", "verify"});
  f.run("bad", noon - 2h, {"get_logs", "delete_volume", "verify"});
  f.run("short", noon - 1h, {"get_logs"});
  f.run("busy", noon - 5min, {"get_logs", "restart_pod"});
  const Anomalies found = f.history.anomalies();
  CHECK(found.enough);
  CHECK(found.complete);
  CHECK(found.history == 25);
  CHECK(found.judged == 4);
  REQUIRE(found.runs.size() == 2);
  CHECK(found.runs[0].scope == "correlation:bad");
  CHECK(found.runs[0].previous == "get_logs");
  CHECK(found.runs[0].step == "delete_volume");
  CHECK(found.runs[0].action_id == "bad-1");
  CHECK(found.runs[0].surprise > found.runs[0].threshold);
  CHECK(found.runs[0].actions == 3);
  CHECK(found.runs[0].reason == "delete_volume after get_logs is unusual");
  CHECK(found.runs[1].scope == "correlation:short");
  CHECK(found.runs[1].step == "end");
  CHECK(found.runs[1].reason == "the run ended after get_logs, which is unusual");
  CHECK(to_json(f.history.anomalies()) == to_json(found));
  CHECK(f.history.anomalies({.limit = 1}).runs.size() == 1);
}

TEST_CASE("without enough history nothing is called an anomaly", "[anomaly]") {
  Fixture f;
  f.run("a", noon - 1h, {"get_logs", "delete_volume"});
  const Anomalies found = f.history.anomalies();
  CHECK_FALSE(found.enough);
  CHECK_FALSE(found.threshold);
  CHECK(found.judged == 1);
  CHECK(found.runs.empty());
}

TEST_CASE("anomalies refuse a query that makes no sense, naming the field", "[anomaly]") {
  Fixture f;
  const auto refused = [&](const AnomalyQuery& query, std::string_view field) {
    const std::string text = error_text_of([&] { f.history.anomalies(query); });
    INFO(text);
    CHECK(text.find(field) != std::string::npos);
    CHECK(error_code_of([&] { f.history.anomalies(query); }) == ErrorCode::invalid_argument);
  };
  refused({.history_days = 0}, "history_days");
  refused({.quantile = 0}, "quantile");
  refused({.quantile = 1.5}, "quantile");
  refused({.limit = 0}, "limit");
  refused({.as_of = noon - 1h, .since = noon}, "since");
  refused({.where = Json("text")}, "where");
  CHECK_THROWS_AS(parse_anomaly_query(R"({"quantil": 0.9})"), Error);
}
