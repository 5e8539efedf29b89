#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"

namespace actionhist::cli {
namespace {

struct Arguments {
  MetricQuery query;
  bool refresh = false;
  bool full = false;
};

std::string significance(const EffectivenessMetric& metric) {
  if (!metric.adjusted_significance) return "-";
  return fmt::format("{:.3f}{}", *metric.adjusted_significance,
                     *metric.adjusted_significance <= .1 ? " *" : "");
}

void print_table(const std::vector<EffectivenessMetric>& metrics) {
  Table table({{"SCOPE", Table::Column::flexible},
               {"PERIOD"},
               {"FROM"},
               {"ACTION", Table::Column::flexible},
               {"N", Table::Column::number},
               {"MEAN", Table::Column::number},
               {"MEDIAN", Table::Column::number},
               {"95 %"},
               {"TREND"},
               {"CHANGE"},
               {"ALARM"}});
  for (const EffectivenessMetric& m : metrics) {
    std::string scope(to_string(m.scope_type));
    if (!m.scope_value.empty()) scope += " " + m.scope_value;
    table.add({scope, std::string(to_string(m.metric_period)), short_time(m.period_start), m.action_type,
               std::to_string(m.sample_size), fmt::format("{:.2f}", m.average_score),
               fmt::format("{:.2f}", m.median_score),
               fmt::format("{:.2f} to {:.2f}", m.confidence_interval_lower, m.confidence_interval_upper),
               m.min_sample_size_met ? m.trend_direction : "too few", significance(m),
               m.alarm ? "fell" : "-"});
  }
  table.print(terminal_width());
}

Exit metrics(const Context& context, const Arguments& arguments) {
  const bool refresh = arguments.refresh || arguments.full;
  History history = context.open(refresh ? Access::change : Access::read);
  if (refresh) {
    const MetricRefresh done = history.refresh_metrics(arguments.full);
    context.note(fmt::format("{} hours had new scores, {} periods were computed", done.hours, done.periods));
  }
  const std::vector<EffectivenessMetric> found = history.metrics(arguments.query);
  if (context.json) {
    for (const EffectivenessMetric& metric : found) print_line(to_json(metric));
  } else if (!found.empty()) {
    print_table(found);
  }
  if (found.empty()) context.note("no metrics; --refresh computes them from the assessed actions");
  if (std::ssize(found) == arguments.query.limit) {
    context.note(
        fmt::format("these are the first {} rows; --limit gives more, if there are any", found.size()));
  }
  return Exit::done;
}

}  // namespace

void add_metrics(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("metrics", "How effective actions were, by scope, type and period");
  MetricQuery& query = arguments->query;
  add_read(
      *command, "--scope", query.scope_type,
      [](const std::string& text) { return std::optional(parse_metric_scope(text)); },
      "global, namespace, resource-type, alert-type, model or resource")
      ->type_name("SCOPE");
  command->add_option("--value", query.scope_value, "The namespace, kind, alert, model or resource id")
      ->type_name("VALUE");
  add_resource(*command, query.resource);
  add_read(
      *command, "--period", query.metric_period,
      [](const std::string& text) { return std::optional(parse_metric_period(text)); }, "1h, 24h, 7d or 30d")
      ->type_name("PERIOD");
  command->add_option("--type", query.action_type, "Of this action type")->type_name("TYPE");
  add_time(*command, "--since", query.since, "Periods that end after this time");
  add_time(*command, "--until", query.until, "Periods that begin before this time");
  add_limit(*command, query.limit, 100'000, "How many rows");
  command->add_flag("--refresh", arguments->refresh, "First compute what changed");
  command->add_flag("--full", arguments->full, "First compute everything anew");
  context.on(command, [&context, arguments] { return metrics(context, *arguments); });
}

}  // namespace actionhist::cli
