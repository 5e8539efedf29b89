#include <algorithm>
#include <memory>
#include <span>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

struct Arguments {
  std::optional<TimePoint> since;
  std::optional<std::size_t> limit;
};

// Programs get all resources; people get a page unless they ask for more.
constexpr std::size_t page = 50;
constexpr int most_resources = 1'000'000;

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

void print_table(std::span<const Summary> summaries) {
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

Exit stats(const Context& context, const Arguments& arguments) {
  History history = context.open(Access::read);
  // The sums are of all of them.
  const std::vector<Summary> summaries = history.summaries(arguments.since, most_resources);
  const std::size_t most = arguments.limit.value_or(context.json ? summaries.size() : page);
  const std::span listed = std::span(summaries).first(std::min(most, summaries.size()));
  const Health health = history.health();
  Summary total;
  for (const Summary& summary : summaries) {
    total.total_actions += summary.total_actions;
    total.last_24h += summary.last_24h;
    total.last_7d += summary.last_7d;
  }
  // They have no time of a change by which --since could choose.
  const std::int64_t without = arguments.since ? 0 : history.repository().retention().group({}).total;
  const std::int64_t actions = total.total_actions + without;
  if (context.json) {
    JsonWriter writer;
    writer.begin_object().key("totals").begin_object().member("resources", summaries.size());
    writer.member("actions", actions).member("without_resource", without).member("last_24h", total.last_24h);
    writer.member("last_7d", total.last_7d).end_object();
    writer.key("resources").begin_array();
    for (const Summary& summary : listed) writer.raw(to_json(summary));
    writer.end_array().key("health").raw(to_json(health));
    print_line(writer.end_object().take());
    return Exit::done;
  }
  if (!listed.empty()) print_table(listed);
  if (listed.size() < summaries.size()) {
    context.note(fmt::format("{} more resources; --limit lists them", summaries.size() - listed.size()));
  }
  if (without > 0) print_line(fmt::format("{} actions, {} of them on no known resource", actions, without));
  print_line(fmt::format("{} actions on {} resources, {} in the last 24 h, {} in the last 7 days",
                         total.total_actions, summaries.size(), total.last_24h, total.last_7d));
  print_line(fmt::format("{} changes in the feed, {} queued, {} failed; {} {}, schema {}", health.feed.seq,
                         health.feed.queued, health.feed.failed, health.engine.engine,
                         printable(health.engine.location), health.engine.schema_version));
  return Exit::done;
}

}  // namespace

void add_stats(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("stats", "Sums up each resource, the last touched first");
  add_time(*command, "--since", arguments->since,
           "Only resources with a change since then: RFC 3339, -7d or now");
  command
      ->add_option("--limit", arguments->limit,
                   "How many resources are listed; 50 if not given, with --json all")
      ->check(between(1, most_resources))
      ->type_name("N");
  context.on(command, [&context, arguments] { return stats(context, *arguments); });
}

}  // namespace actionhist::cli
