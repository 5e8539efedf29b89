#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

std::string percent(const std::optional<double>& share) {
  return share ? fmt::format("{:.0f} %", *share * 100) : std::string("-");
}

std::string pattern_names(const std::vector<ActivePattern>& patterns) {
  std::string names;
  for (const ActivePattern& pattern : patterns) {
    names += names.empty() ? "" : ", ";
    names += to_string(pattern.pattern_type);
  }
  return names.empty() ? "-" : names;
}

void print_table(const std::vector<Summary>& summaries) {
  Table table({{"RESOURCE", Table::Column::flexible},
               {"ACTIONS", Table::Column::number},
               {"24 H", Table::Column::number},
               {"7 D", Table::Column::number},
               {"SUCCESS", Table::Column::number},
               {"EFFECT", Table::Column::number},
               {"LAST ACTION"},
               {"OSCILLATES", Table::Column::flexible}});
  for (const Summary& s : summaries) {
    table.add({resource_text(s.resource), std::to_string(s.total_actions), std::to_string(s.last_24h),
               std::to_string(s.last_7d), percent(s.success_rate), score_text(s.recent_effectiveness),
               s.last_action_at ? short_time(*s.last_action_at) : "-", pattern_names(s.active_patterns)});
  }
  table.print(terminal_width());
}

Exit stats(const Context& context, std::optional<TimePoint> since) {
  History history = context.open(Access::read);
  const std::vector<Summary> summaries = history.summaries(since);
  const Health health = history.health();
  Summary total;
  for (const Summary& summary : summaries) {
    total.total_actions += summary.total_actions;
    total.last_24h += summary.last_24h;
    total.last_7d += summary.last_7d;
  }
  if (context.json) {
    JsonWriter writer;
    writer.begin_object().key("totals").begin_object().member("resources", summaries.size());
    writer.member("actions", total.total_actions).member("last_24h", total.last_24h);
    writer.member("last_7d", total.last_7d).end_object();
    writer.key("resources").begin_array();
    for (const Summary& summary : summaries) writer.raw(to_json(summary));
    writer.end_array().key("health").raw(to_json(health));
    print_line(writer.end_object().take());
    return Exit::done;
  }
  if (!summaries.empty()) print_table(summaries);
  print_line(fmt::format("{} actions on {} resources, {} in the last 24 h, {} in the last 7 days",
                         total.total_actions, summaries.size(), total.last_24h, total.last_7d));
  print_line(fmt::format("{} changes in the feed, {} queued, {} failed; {} {}, schema {}", health.feed.seq,
                         health.feed.queued, health.feed.failed, health.engine.engine,
                         printable(health.engine.location), health.engine.schema_version));
  return Exit::done;
}

}  // namespace

void add_stats(CLI::App& app, Context& context) {
  auto since = std::make_shared<std::optional<TimePoint>>();
  CLI::App* command = app.add_subcommand("stats", "Sums up each resource, the last touched first");
  add_time(*command, "--since", *since, "Only resources with a change since then: RFC 3339, -7d or now");
  context.on(command, [&context, since] { return stats(context, *since); });
}

}  // namespace actionhist::cli
