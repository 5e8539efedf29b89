// Actions with fields of every type, and filters that fit some of them. The same seed gives the same ones.
#pragma once

#include <random>

#include "core/json_io.hpp"
#include "support/samples.hpp"

namespace actionhist::test {

class RandomFilters {
 public:
  explicit RandomFilters(unsigned seed) : random_(seed) {}

  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  Action action(int i) {
    Action action = restart("a-" + std::to_string(i), noon - std::chrono::minutes(below(100)));
    if (below(3) == 0) action.alert_severity = below(2) ? "warning" : "info";
    if (below(4) == 0) action.resource.name = "api";
    if (below(5) == 0) action.resource = {};
    if (below(3) == 0) action.model_confidence = below(10) / 10.0;
    if (below(2) == 0)
      action.action_parameters =
          Json::object({{"replicas", value()}, {"nested", Json::object({{"x", value()}})}});
    if (below(2) == 0) action.alert_labels = Json::object({{"app.kubernetes.io/name", "web"}, {"n", "5"}});
    if (below(2) == 0)
      action.metadata =
          Json::object({{"a.b", value()}, {"flag", below(2) == 0}, {"list", Json::array({1, 2})}});
    if (below(3) == 0) action.outcome = completed(below(10) / 10.0);
    return action;
  }

  Json filter(int depth = 0) {
    JsonWriter writer;
    writer.begin_object();
    const int kind = depth < 3 ? below(6) : 5;
    if (kind == 0 || kind == 1) {
      writer.key(kind == 0 ? "$and" : "$or").begin_array();
      for (int i = 0, n = 1 + below(3); i < n; ++i) writer.value(filter(depth + 1));
      writer.end_array();
    } else if (kind == 2) {
      writer.key("$not").value(filter(depth + 1));
    } else {
      writer.key(field()).value(condition());
    }
    return Json::parse(writer.end_object().take());
  }

 private:
  Json value() {
    switch (below(7)) {
      case 0: return below(5);
      case 6: return std::int64_t{9007199254740992} + below(3);  // whose last digit a double would lose
      case 1: return below(10) / 2.0;
      case 2: return std::to_string(below(5));
      case 3: return below(2) == 0;
      case 4: return nullptr;
      default: return "web";
    }
  }

  const char* field() {
    constexpr const char* fields[] = {"alert_severity",
                                      "name",
                                      "kind",
                                      "model_confidence",
                                      "action_parameters.replicas",
                                      "action_parameters.nested.x",
                                      "action_parameters.nested",
                                      "metadata.a.b",
                                      "metadata.flag",
                                      "metadata.list",
                                      "metadata",
                                      "alert_labels.app.kubernetes.io/name",
                                      "alert_labels.n",
                                      "effectiveness_score",
                                      "execution_status",
                                      "resource_id"};
    return fields[below(std::size(fields))];
  }

  Json condition() {
    constexpr const char* ordered[] = {"$gt", "$gte", "$lt", "$lte"};
    switch (below(6)) {
      case 0: return value();
      case 1: return Json::object({{"$ne", value()}});
      case 2: return Json::object({{"$in", Json::array({value(), value()})}});
      case 3: return Json::object({{"$exists", below(2) == 0}});
      case 4:
        return Json::object(
            {{ordered[below(4)], below(2) ? Json(below(10) / 2.0) : Json(std::to_string(below(5)))}});
      default: return Json::object({{"$not", Json::object({{"$eq", value()}})}});
    }
  }

  std::mt19937 random_;
};

}  // namespace actionhist::test
