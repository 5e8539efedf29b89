// Which resources exist, and their alerts; a part of Repository, whose rules of threads and errors hold here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/action.hpp>
#include <actionhist/alert.hpp>
#include <actionhist/guard_view.hpp>
#include <actionhist/resource.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

class ResourceStore {
 public:
  virtual ~ResourceStore() = default;

  // Notes that the resource exists; a new uid begins a new incarnation.
  virtual void seen(const Resource& resource, TimePoint at) = 0;
  // Ends the present incarnation. False if the resource is not known.
  virtual bool deleted(const Resource& resource, TimePoint at) = 0;
  // Those of this kind, namespace and name that were ever seen or acted on; unless `gone`, without those that were
  // deleted and not acted on since, if another one is there. Of its cluster and API group, or of any where these are
  // empty. By cluster and group; the first ten, if there are more.
  virtual std::vector<Resource> named(const Resource& resource, bool gone) = 0;

  // Stores the alert, or extends the one with the same fingerprint and start.
  virtual void observe(const Alert& alert) = 0;
  // Alerts that fired in [since, until], by time.
  virtual std::vector<Alert> alerts(TimePoint since, TimePoint until) = 0;
  // By fingerprint and namespace, those only of which there are any. A fingerprint is of one alert on one resource.
  virtual EarlierAlerts earlier_alerts(const EarlierAlertQuery& query) = 0;
  // When the last one with this fingerprint that fired in [since, until] ended; absent if it fires still, or none did.
  virtual std::optional<TimePoint> alert_end(std::string_view fingerprint, TimePoint since,
                                             TimePoint until) = 0;
};

}  // namespace actionhist
