// An alert that fired or ended. Cascades and returning alerts are found through these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <actionhist/json.hpp>
#include <actionhist/resource.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

struct Alert {
  std::string name;         // required
  std::string fingerprint;  // from name, labels and resource if empty
  std::string severity;
  Json labels;
  Resource resource;
  TimePoint starts_at{};
  std::optional<TimePoint> ends_at;

  friend bool operator==(const Alert&, const Alert&) = default;
};

// The firings of one alert before those that are told one by one.
struct EarlierFirings {
  std::string fingerprint;
  Resource resource;  // of the last one
  std::int64_t firings = 0;
  TimePoint last_starts_at{};
  std::optional<TimePoint> last_ends_at;
  std::optional<TimePoint> latest_end;  // that is known of any of them

  friend bool operator==(const EarlierFirings&, const EarlierFirings&) = default;
};

struct EarlierAlerts {
  std::vector<EarlierFirings> firings;           // by fingerprint
  std::vector<std::string> critical_namespaces;  // sorted; those asked about that had a critical alert

  friend bool operator==(const EarlierAlerts&, const EarlierAlerts&) = default;
};

// {"alert_name": …, "starts_at": …, "ends_at": …, "resource_reference": {…}}
Alert parse_alert(std::string_view json);

}  // namespace actionhist
