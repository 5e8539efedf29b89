#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/terminal.hpp"

namespace actionhist::cli {
namespace {

Exit anomalies(const Context& context, const AnomalyQuery& query) {
  const Anomalies found = context.open(Access::read).anomalies(query);
  if (context.json) {
    print_line(to_json(found));
    return Exit::done;
  }
  for (const Anomaly& each : found.runs) {
    print_line(fmt::format("{}  {}  {} actions  surprise {:.1f} (usual up to {:.1f})  id {}",
                           short_time(each.last_at), printable(each.scope), each.actions, each.surprise,
                           each.threshold, printable(each.action_id)));
    print_line(fmt::format("    {}", printable(each.reason)));
  }
  if (!found.enough) {
    context.note(fmt::format("{} runs are too few to know what is usual", found.history));
  } else if (found.runs.empty()) {
    context.note(fmt::format("{} runs, all of them as usual", found.judged));
  }
  if (!found.complete) context.note("the oldest actions were left out, because there are too many");
  return Exit::done;
}

}  // namespace

void add_discover(CLI::App& app, Context& context) {
  CLI::App* discover = app.add_subcommand("discover", "Finds what nobody asked for by name");
  discover->require_subcommand(1);

  auto query = std::make_shared<AnomalyQuery>();
  CLI::App* command =
      discover->add_subcommand("anomalies", "Runs whose steps follow each other as they hardly ever did");
  add_time(*command, "--as-of", query->as_of, "As things were at this time; now if not given");
  add_time(*command, "--since", query->since,
           "Runs with an action since then; the last 24 hours if not given");
  command->add_option("--history", query->history_days, "How long before says what is usual; 30 if not given")
      ->check(between(1, 366))
      ->type_name("DAYS");
  command->add_option("--quantile", query->quantile, "Of the usual surprises; 0.99 if not given")
      ->check(between(0.0, 1.0))
      ->type_name("Q");
  add_json(*command, "--where", query->where, R"(Which actions count: {"environment": "prod"})");
  command->add_option("--limit", query->limit, "How many, at most 1000; 50 if not given")
      ->check(between(1, 1000))
      ->type_name("N");
  context.on(command, [&context, query] { return anomalies(context, *query); });
}

}  // namespace actionhist::cli
