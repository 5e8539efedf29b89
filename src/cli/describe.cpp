#include "cli/describe.hpp"

#include <fmt/format.h>

#include "cli/columns.hpp"
#include "cli/terminal.hpp"
#include "core/trace_fields.hpp"

namespace actionhist::cli {
namespace {

constexpr std::size_t name_width = 31;  // of the longest column, effectiveness_assessment_method

void add_line(std::string& text, std::string_view line) {
  if (!text.empty()) text += '\n';
  text += line;
}

// What was found, without its evidence.
std::string headline(const Detection& d) {
  std::string text = fmt::format("{} ({}, confidence {:.2f}", to_string(d.pattern_type),
                                 to_string(d.severity), d.confidence);
  if (!d.sub_kind.empty()) text += ", " + d.sub_kind;
  text += fmt::format(") in {}", printable(d.scope));
  add_line(text,
           fmt::format("  {} actions from {} to {}: {}", d.action_ids.size(), short_time(d.first_at),
                       short_time(d.last_at), printable(fmt::format("{}", fmt::join(d.action_ids, ", ")))));
  return text;
}

}  // namespace

std::string short_time(TimePoint time) { return format_time(std::chrono::floor<std::chrono::seconds>(time)); }

std::string score_text(const std::optional<double>& score) {
  return score ? fmt::format("{:.2f}", *score) : std::string("-");
}

std::string resource_text(const Resource& resource) {
  const std::string text = resource == Resource{} ? std::string() : to_string(resource);
  return text.empty() ? "-" : text;
}

std::string describe(const Trace& trace) {
  std::string text;
  visit_columns(trace, [&](std::string_view name, const auto& member) {
    const std::string value = printable(column_text(member));
    if (!value.empty()) add_line(text, fmt::format("{:<{}}  {}", name, name_width, value));
  });
  return text;
}

std::string describe(const Detection& d) {
  std::string text = headline(d);
  if (!d.evidence.absent()) add_line(text, fmt::format("  evidence {}", printable(d.evidence.text())));
  if (d.prevention) {
    std::string line = fmt::format("  prevention {}", to_string(*d.prevention));
    if (d.in_force_until) line += fmt::format(", in force until {}", short_time(*d.in_force_until));
    if (d.refusals > 0) line += fmt::format(", {} refusal{}", d.refusals, d.refusals == 1 ? "" : "s");
    add_line(text, line);
  }
  return text;
}

std::string describe(const Verdict& verdict) {
  std::string text(to_string(verdict.decision));
  if (verdict.trace) text += fmt::format(" {}", printable(verdict.trace->action_id));
  if (verdict.repeated) text += " (decided before)";
  if (!verdict.reason.empty()) text += fmt::format(": {}", printable(verdict.reason));
  if (verdict.overridden) text += ", although it would be refused";
  const bool refused = !verdict.allowed();
  for (const Detection& detection : verdict.detections) {
    add_line(text, headline(detection));
    if (refused && !detection.detection_id.empty()) {
      add_line(text, fmt::format("  if it is over: actionhist detections resolve {}",
                                 printable(detection.detection_id)));
    }
  }
  if (refused && !verdict.detections.empty()) {
    add_line(text,
             "  to let it pass all the same: actionhist propose … --override-by WHO --override-reason WHY");
  }
  for (const Detection& detection : verdict.shadowed) {
    add_line(text, "only tried, not refused: " + headline(detection));
  }
  if (verdict.alternative) {
    add_line(text, fmt::format("instead: {}, {}", printable(verdict.alternative->action_type),
                               printable(verdict.alternative->reason)));
  }
  if (refused && verdict.retry_after)
    add_line(text, fmt::format("retry after {}", short_time(*verdict.retry_after)));
  // That one rule lacked data says little to people; that all of them did is why it was allowed.
  for (const std::string& rule : verdict.not_evaluated) {
    if (rule.starts_with("all: ")) add_line(text, fmt::format("not evaluated: {}", printable(rule)));
  }
  return text;
}

}  // namespace actionhist::cli
