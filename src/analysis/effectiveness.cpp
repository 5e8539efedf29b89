#include <actionhist/effectiveness.hpp>

#include <cmath>

#include "core/json_fields.hpp"

namespace actionhist {

std::optional<double> effectiveness_score(const Assessment& assessment) {
  if (assessment.score) return assessment.score;
  double sum = 0;
  double weights = 0;
  const auto add = [&](double weight, const std::optional<double>& part) {
    if (!part) return;
    sum += weight * *part;
    weights += weight;
  };
  add(.40, assessment.health);
  add(.35, assessment.alert);
  add(.25, assessment.metrics);
  if (weights == 0) return std::nullopt;
  // Rounded, so that 1/1/.8 is .95 in every engine and not .9500000000000001.
  return std::round(sum / weights * 1e9) / 1e9;
}

Assessment parse_assessment(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "assessment"), "assessment");
  Assessment assessment;
  reader("health", assessment.health);
  reader("alert", assessment.alert);
  reader("metrics", assessment.metrics);
  reader("score", assessment.score);
  reader("criteria", assessment.criteria);
  reader("method", assessment.method);
  reader("notes", assessment.notes);
  reader("assessed_at", assessment.assessed_at);
  reader.expect_done();
  require_between("health", assessment.health, 0, 1);
  require_between("alert", assessment.alert, 0, 1);
  require_between("metrics", assessment.metrics, 0, 1);
  require_between("score", assessment.score, 0, 1);
  if (!assessment.criteria.absent() && assessment.criteria.text().front() != '{') {
    refuse("criteria", "must be a JSON object");
  }
  if (assessment.method != "automated" && assessment.method != "manual" &&
      assessment.method != "ml-derived") {
    refuse("method", "is none of automated, manual, ml-derived");
  }
  return assessment;
}

}  // namespace actionhist
