// What many tests need: a temporary folder, a fixed clock, actions to record, engines to run over.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <unistd.h>

#include <actionhist/actionhist.hpp>

namespace actionhist::test {

using namespace std::chrono_literals;

// A folder that goes away with it.
class TempFolder {
 public:
  TempFolder() {
    // In memory where there is such a place: what the tests prove does not need a sync of a real disk.
    const bool shared_memory = access("/dev/shm", W_OK) == 0;
    const std::filesystem::path parent = shared_memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string name = (parent / "actionhist-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string file(std::string_view name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline const TimePoint noon = parse_time("2026-03-10T12:00:00Z");

// A clock that stands still until it is moved.
struct FixedClock {
  std::shared_ptr<TimePoint> time = std::make_shared<TimePoint>(noon);
  TimePoint operator()() const { return *time; }
  void advance(std::chrono::microseconds by) const { *time += by; }
};

inline Action restart(std::string id, TimePoint at = noon) {
  Action action;
  action.action_id = std::move(id);
  action.action_timestamp = at;
  action.action_type = "restart_deployment";
  action.resource = {.kind = "Deployment", .namespace_ = "prod", .name = "web"};
  action.alert_name = "KubePodCrashLooping";
  action.alert_severity = "critical";
  action.model_reasoning = "The pod crashes after each start; a restart may clear it.";
  return action;
}

inline Action scale(std::string id, int from, int to, TimePoint at) {
  Action action = restart(std::move(id), at);
  action.action_type = "scale_deployment";
  action.action_parameters = Json::object({{"replicas", to}});
  action.resource_state_before = Json::object({{"replicas", from}});
  action.alert_name = "HighLoad";
  return action;
}

inline Outcome completed(std::optional<double> score = {}) {
  Outcome outcome;
  outcome.status = Status::completed;
  outcome.effectiveness_score = score;
  return outcome;
}

// An engine to run a test over, by its URI.
struct Engine {
  std::string name;
  std::function<std::string(const TempFolder&)> uri;
};

inline std::vector<Engine> embedded_engines() {
  return {{"memory", [](const TempFolder&) { return std::string("memory:"); }},
          {"sqlite", [](const TempFolder& folder) { return "sqlite:" + folder.file("history.db"); }}};
}

// All of them, for programs that are linked with the test servers.
std::vector<Engine> engines();

// The code of the Error that `work` throws; internal if it throws nothing.
template <class Work>
ErrorCode error_code_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

// The text of the Error that `work` throws, empty if it throws nothing.
template <class Work>
std::string error_text_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace actionhist::test
