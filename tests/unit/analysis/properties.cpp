// What must not matter to any pattern, tried on many random histories of mixed actions; those of scalings alone are
// in oscillation.cpp.
#include <random>

#include <catch2/catch.hpp>

#include "timeline.hpp"

using namespace actionhist;

namespace {

constexpr int histories = 150;

int one_of(std::mt19937& random, int bound) {
  return static_cast<int>(random() % static_cast<unsigned>(bound));
}

// A few kinds of actions on a few resources, with enough repetition that many histories hold a loop.
Timeline random_history(std::mt19937& random) {
  constexpr const char* types[] = {"scale_deployment", "restart_deployment", "update_resources",
                                   "get_pod_logs"};
  Timeline timeline;
  double minute = 0;
  std::vector<int> replicas{3, 3};
  for (int i = 0, size = 6 + one_of(random, 14); i < size; ++i) {
    minute += 1 + one_of(random, 12);
    const auto target = static_cast<std::size_t>(one_of(random, 2));
    const int kind = one_of(random, 4);
    if (kind == 0) {
      const int to = 2 + one_of(random, 4);
      timeline.scale(minute, replicas[target], to);
      replicas[target] = to;
    } else {
      timeline.add(minute, types[kind]).action_parameters =
          Json::object({{"memory", one_of(random, 2) == 0 ? "512Mi" : "1Gi"}});
    }
    Trace& trace = timeline.traces.back();
    Timeline::on(trace, target == 0 ? "web" : "api");
    trace.correlation_id = "run";
    trace.alert_name = "HighLatency";
    trace.alert_fingerprint = "f1";
    trace.outcome.result_hash = std::to_string(one_of(random, 2));
    if (one_of(random, 3) == 0) trace.outcome.status = Status::failed;
    if (one_of(random, 2) == 0) trace.outcome.effectiveness_score = .1 * one_of(random, 11);
  }
  return timeline;
}

// What was found, without what names and times are in it.
std::vector<std::string> essence(const Timeline& timeline, const std::vector<Alert>& alerts = {}) {
  std::vector<std::string> all;
  for (const Pattern& pattern : default_patterns()) {
    for (const bool candidate : {false, true}) {
      const Finding finding = find(pattern, timeline, {.alerts = alerts, .candidate = candidate});
      for (const Detection& each : finding.detections) {
        all.push_back(fmt::format("{} {} {} {} {} {}", candidate, to_string(each.pattern_type), each.sub_kind,
                                  each.confidence, to_string(each.severity),
                                  fmt::join(each.action_ids, ",")));
      }
      for (const std::string& reason : finding.not_evaluated) all.push_back(reason);
    }
  }
  std::ranges::sort(all);
  return all;
}

std::string camel_case(std::string_view type) {
  std::string text;
  bool upper = true;
  for (const char c : type) {
    if (c == '_') {
      upper = true;
      continue;
    }
    text += upper ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return text;
}

}  // namespace

TEST_CASE("names, times and spellings mean nothing to any pattern, looking back or at a proposal") {
  std::mt19937 random(1);
  std::size_t found = 0;
  for (int i = 0; i < histories; ++i) {
    const Timeline original = random_history(random);
    const std::vector<std::string> expected = essence(original);
    found += expected.size();
    INFO(i);
    Timeline renamed = original;
    for (Trace& trace : renamed.traces) Timeline::on(trace, trace.resource.name + "-0a1b-blue");
    CHECK(essence(renamed) == expected);
    Timeline shifted = original;
    for (Trace& trace : shifted.traces) *trace.action_timestamp += std::chrono::minutes(16 * 24 * 60 + 431);
    CHECK(essence(shifted) == expected);
    Timeline respelled = original;
    for (Trace& trace : respelled.traces) {
      std::ranges::replace(trace.action_type, '_', one_of(random, 2) == 0 ? '-' : '.');
    }
    CHECK(essence(respelled) == expected);
    Timeline camel = original;
    for (Trace& trace : camel.traces) trace.action_type = camel_case(trace.action_type);
    CHECK(essence(camel) == expected);
  }
  // The histories do hold loops.
  CHECK(found > 20);
}

TEST_CASE("memory that only grows or only shrinks is never flagged") {
  std::mt19937 random(3);
  for (int i = 0; i < histories; ++i) {
    Timeline timeline;
    const int sign = i % 2 == 0 ? 1 : -1;
    int value = sign > 0 ? 1 : 400;
    double minute = 0;
    for (int j = 0; j < 15; ++j) {
      minute += 1 + one_of(random, 15);
      const int to = value + sign * (1 + one_of(random, 20));
      const auto amount = [](int mebibytes) {
        return Json::object({{"memory", fmt::format("{}Mi", mebibytes)}});
      };
      Trace& trace = timeline.add(minute, "update_resources");
      trace.resource_state_before = amount(64 * value);
      trace.action_parameters = trace.outcome.resource_state_after = amount(64 * to);
      value = to;
      CHECK(essence(timeline).empty());
    }
  }
}

TEST_CASE("how numbers are written, and what is new in each request, means nothing") {
  std::mt19937 random(5);
  std::size_t found = 0;
  for (int i = 0; i < histories; ++i) {
    const Timeline original = random_history(random);
    const std::vector<std::string> expected = essence(original);
    found += expected.size();
    Timeline rewritten = original;
    for (std::size_t j = 0; j < rewritten.traces.size(); ++j) {
      Trace& trace = rewritten.traces[j];
      std::string text(trace.action_parameters.text());
      const auto replace = [&](std::string_view from, std::string_view to) {
        if (const auto at = text.find(from); at != text.npos) text.replace(at, from.size(), to);
      };
      replace("\"512Mi\"", one_of(random, 2) == 0 ? "536870912" : "\"524288Ki\"");
      replace("\"1Gi\"", "\"1024Mi\"");
      // Written in another order, and with an id of the request.
      text.insert(1, fmt::format("\"request_id\":\"{}\",", random()));
      trace.action_parameters = Json::parse(text, "parameters");
    }
    INFO(i);
    CHECK(essence(rewritten) == expected);
  }
  CHECK(found > 20);
}

TEST_CASE("an alert that is told twice has fired once") {
  std::mt19937 random(6);
  std::size_t found = 0;
  for (int i = 0; i < histories; ++i) {
    const Timeline history = random_history(random);
    std::vector<Alert> alerts;
    for (int j = 0, size = one_of(random, 8); j < size; ++j) {
      Alert& alert = alerts.emplace_back();
      alert.name = alert.fingerprint = fmt::format("f{}", 1 + one_of(random, 4));
      alert.resource = {
          .kind = "Deployment", .namespace_ = "shop", .name = one_of(random, 2) == 0 ? "web" : "db"};
      alert.starts_at = at_minute(one_of(random, 120));
    }
    const std::vector<std::string> expected = essence(history, alerts);
    found += expected.size();
    std::vector<Alert> twice;
    for (const Alert& alert : alerts) twice.insert(twice.end(), 1 + one_of(random, 3), alert);
    INFO(i);
    CHECK(essence(history, twice) == expected);
  }
  CHECK(found > 20);
}

TEST_CASE("waiting and asking how far something has come between the steps means nothing") {
  std::mt19937 random(7);
  for (int i = 0; i < histories; ++i) {
    const Timeline original = random_history(random);
    Timeline waiting;
    for (const Trace& trace : original.traces) {
      waiting.traces.push_back(trace);
      for (int j = one_of(random, 3); j > 0; --j) {
        Trace poll = trace;
        poll.action_id = fmt::format("poll-{}", waiting.traces.size());
        poll.action_type = one_of(random, 2) == 0 ? "get_rollout_status" : "wait";
        poll.action_parameters = {};
        poll.resource_state_before = poll.outcome.resource_state_after = {};
        poll.outcome.effectiveness_score.reset();
        poll.outcome.status = Status::completed;
        *poll.action_timestamp += std::chrono::seconds(10 - j);
        waiting.traces.push_back(std::move(poll));
      }
    }
    // The last step stays the last, because it is also looked at as a proposal.
    while (waiting.traces.back().action_id.starts_with("poll")) waiting.traces.pop_back();
    INFO(i);
    CHECK(essence(waiting) == essence(original));
  }
}

TEST_CASE("tries that end in success are no loop, however many it took") {
  std::mt19937 random(8);
  for (int tries = 1; tries < 12; ++tries) {
    Timeline timeline;
    for (int i = 0; i <= tries; ++i) {
      Trace& trace = timeline.add(4 * i, "patch_config");
      trace.correlation_id = "run";
      trace.alert_fingerprint = "f1";
      trace.action_parameters = Json::object({{"timeout", one_of(random, 2)}});
      trace.outcome.status = i == tries ? Status::completed : Status::failed;
      trace.outcome.effectiveness_score = i == tries ? 1. : 0.;
      trace.outcome.result_hash = i == tries ? "done" : "refused";
    }
    INFO(tries);
    CHECK(find(shipped(PatternType::ineffective_loop), timeline).detections.empty());
  }
}

TEST_CASE("a long run of an agent that always does something new is never flagged") {
  std::mt19937 random(9);
  constexpr const char* types[] = {"read_file", "edit_file", "run_tests", "bash", "search"};
  Timeline timeline;
  for (int i = 0; i < 300; ++i) {
    Trace& trace = timeline.add(.4 * i, types[one_of(random, 5)]);
    trace.resource = {};
    trace.resource_id.clear();
    trace.correlation_id = trace.session_id = "run";
    trace.action_parameters = Json::object({{"path", fmt::format("src/{}.cpp", i)}});
    trace.outcome.result_hash = fmt::format("result {}", i);
    if (one_of(random, 4) == 0) trace.outcome.status = Status::failed;
    if (i % 10 == 9) CHECK(essence(timeline).empty());
  }
}

TEST_CASE("a job that runs by schedule is no loop, and an agent that does the same in one run is") {
  std::mt19937 random(10);
  for (int i = 0; i < histories; ++i) {
    Timeline job;
    const int every = 6 + one_of(random, 60);
    double minute = 0;
    for (int run = 0; run < 12; ++run) {
      minute += every + .1 * one_of(random, 10);
      Trace& trace = job.add(minute, "create_backup");
      trace.correlation_id = fmt::format("job-{}", run);
      trace.action_parameters = Json::object({{"target", "s3"}});
      trace.outcome.result_hash = "done";
    }
    INFO(every);
    CHECK(essence(job).empty());
    Timeline agent = job;
    for (Trace& trace : agent.traces) trace.correlation_id = "run";
    CHECK_FALSE(essence(agent).empty());
    Timeline alerted = job;
    for (Trace& trace : alerted.traces) trace.alert_name = trace.alert_fingerprint = "BackupMissing";
    CHECK_FALSE(essence(alerted).empty());
  }
}

TEST_CASE("pods of one owner that are restarted in their turn are no loop, new pods for the same alert are") {
  for (int pods = 3; pods <= 5; ++pods) {
    Timeline rolling;
    for (int pod = 0; pod < pods; ++pod) {
      Trace& trace = rolling.add(2 * pod, "restart_pod");
      trace.resource.kind = "Pod";
      trace.resource.name = fmt::format("web-{}", pod);
      trace.owner = "Deployment/web";
      trace.outcome.result_hash = "restarted";
    }
    INFO(pods);
    CHECK(essence(rolling).empty());
    Timeline crashing = rolling;
    for (Trace& trace : crashing.traces) {
      trace.alert_name = "KubePodCrashLooping";
      trace.alert_fingerprint = trace.resource.name;
    }
    CHECK_FALSE(essence(crashing).empty());
  }
}

TEST_CASE("a rollback, and a switch between blue and green by schedule, are no thrashing") {
  Timeline release;
  const auto roll = [](Timeline& timeline, double minute, std::string from, std::string to) {
    Trace& trace = timeline.add(minute, "deploy");
    trace.pre_spec_hash = std::move(from);
    trace.outcome.post_spec_hash = std::move(to);
  };
  roll(release, 0, "v1", "v2");
  roll(release, 10, "v2", "v1");
  roll(release, 40, "v1", "v3");
  CHECK(essence(release).empty());
  for (const double hours : {1, 2, 12, 24}) {
    Timeline switched;
    for (int i = 0; i < 10; ++i)
      roll(switched, 60 * hours * i, i % 2 == 0 ? "blue" : "green", i % 2 == 0 ? "green" : "blue");
    CHECK(essence(switched).empty());
  }
}

TEST_CASE("a setting that parameters alone tell thrashes when it goes to and fro, and never by going on") {
  const auto rollout = [](const std::vector<int>& versions, bool with_reason = false) {
    Timeline timeline;
    for (const int version : versions) {
      const double minute = 5. * static_cast<double>(timeline.traces.size());
      Trace& trace = timeline.add(minute, "set_image");
      trace.action_parameters =
          with_reason ? Json::object({{"image", fmt::format("web:{}", version)}, {"container", "web"}})
                      : Json::object({{"image", fmt::format("web:{}", version)}});
    }
    return timeline;
  };
  const auto flagged = [](const Timeline& timeline) {
    for (const Pattern& pattern : default_patterns()) {
      for (const bool candidate : {false, true}) {
        if (!find(pattern, timeline, {.candidate = candidate}).detections.empty()) return true;
      }
    }
    return false;
  };
  std::mt19937 random(5);
  for (int history = 0; history < histories; ++history) {
    std::vector<int> versions{1};
    for (int i = 0, size = 2 + one_of(random, 12); i < size; ++i) versions.push_back(versions.back() + 1);
    CHECK_FALSE(flagged(rollout(versions)));
    // One of them does not work, is taken back, and mended in the next.
    std::vector<int> taken_back = versions;
    const auto at = taken_back.begin() + 1 + one_of(random, static_cast<int>(taken_back.size()) - 1);
    taken_back.insert(at + 1, *at - 1);
    CHECK_FALSE(flagged(rollout(taken_back)));
    std::vector<int> flips(versions.begin(), versions.end());
    for (int i = 0; i < 4; ++i) flips.push_back(versions.back() - 1 + i % 2);
    CHECK(flagged(rollout(flips)));
    CHECK(flagged(rollout(flips, true)));
  }
  // Each container has an image of its own, and each environment its version.
  Timeline turns;
  for (int i = 0; i < 12; ++i) {
    turns.add(5. * i, "deploy").action_parameters =
        Json::object({{"version", fmt::format("v{}", i / 2)}, {"env", i % 2 == 0 ? "staging" : "prod"}});
  }
  CHECK_FALSE(flagged(turns));
}

TEST_CASE("what is done to other resources meanwhile hides no loop of one") {
  std::mt19937 random(11);
  std::size_t found = 0;
  for (int i = 0; i < histories; ++i) {
    const Timeline original = random_history(random);
    Timeline busy;
    for (const Trace& trace : original.traces) {
      for (int j = one_of(random, 3); j > 0; --j) {
        Trace other = trace;
        Timeline::on(other, fmt::format("other-{}", busy.traces.size()));
        other.action_id = fmt::format("other-{}", busy.traces.size());
        other.correlation_id = other.alert_name = other.alert_fingerprint = "";
        other.action_type = "patch_config";
        other.resource_state_before = other.outcome.resource_state_after = {};
        other.outcome.effectiveness_score.reset();
        other.outcome.status = Status::completed;
        *other.action_timestamp -= std::chrono::seconds(j);
        busy.traces.push_back(std::move(other));
      }
      busy.traces.push_back(trace);
    }
    INFO(i);
    const auto of_resources = [&](const Timeline& timeline) {
      std::vector<std::string> all;
      for (const PatternType type : {PatternType::scale_oscillation, PatternType::resource_thrashing}) {
        for (const Detection& each : actionhist::found(type, timeline)) {
          all.push_back(fmt::format("{} {} {} {}", to_string(each.pattern_type), each.sub_kind,
                                    each.confidence, fmt::join(each.action_ids, ",")));
        }
      }
      std::ranges::sort(all);
      return all;
    };
    const std::vector<std::string> expected = of_resources(original);
    found += expected.size();
    CHECK(of_resources(busy) == expected);
  }
  CHECK(found > 5);
}
