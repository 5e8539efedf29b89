// An alert that fired or ended. Cascades and returning alerts are found through these.
#pragma once

#include <optional>
#include <string>

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

// {"alert_name": …, "starts_at": …, "ends_at": …, "resource_reference": {…}}
Alert parse_alert(std::string_view json);

}  // namespace actionhist
