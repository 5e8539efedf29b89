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

std::string share(const std::optional<double>& value) {
  return value ? fmt::format("{:.2f}", *value) : "unknown";
}

Exit clusters(const Context& context, const ClusterQuery& query) {
  const Clusters found = context.open(Access::read).clusters(query);
  if (context.json) {
    print_line(to_json(found));
    return Exit::done;
  }
  for (const Cluster& each : found.clusters) {
    print_line(fmt::format("{}  {} actions, {}, effectiveness {}, stability {:.2f}", printable(each.name),
                           each.actions, each.trend, share(each.effectiveness), each.stability));
    print_line(fmt::format(
        "    {}  from {} to {}  like {}", printable(fmt::format("{}", fmt::join(each.types, ", "))),
        short_time(each.first_at), short_time(each.last_at), printable(each.examples.front())));
  }
  if (found.clusters.empty())
    context.note(fmt::format("{} actions are too few to be grouped", found.actions));
  return Exit::done;
}

Exit duplicates(const Context& context, const DuplicateQuery& query) {
  const std::vector<Duplicates> found = context.open(Access::read).duplicates(query);
  for (const Duplicates& each : found) {
    print_line(context.json ? to_json(each)
                            : fmt::format("{} actions, at least {:.2f} alike: {}", each.action_ids.size(),
                                          each.similarity,
                                          printable(fmt::format("{}", fmt::join(each.action_ids, " ")))));
  }
  if (found.empty()) context.note("no two actions say nearly the same");
  return Exit::done;
}

Exit projection(const Context& context, const ProjectionQuery& query) {
  const Projection found = context.open(Access::read).projection(query);
  if (context.json) {
    print_line(to_json(found));
    return Exit::done;
  }
  for (const ProjectedAction& point : found.points) {
    print_line(fmt::format("{:7.3f}  {}  {}", fmt::join(point.at, "  "), printable(point.action_type),
                           printable(point.action_id)));
  }
  return Exit::done;
}

// The selection that all but anomalies look at.
void add_selection(CLI::App& command, DiscoveryQuery& query) {
  add_json(command, "--where", query.where, R"(Which actions: {"environment": "prod"})");
  add_time(command, "--since", query.since, "Not before this time");
  add_time(command, "--until", query.until, "Before this time");
  command.add_option("--actions", query.actions, "How many of the newest, 10 to 10000; 2000 if not given")
      ->check(between(10, 10'000))
      ->type_name("N");
  command.add_option("--seed", query.seed, "Another seed may group otherwise; 1 if not given")
      ->check(between(0, 2'147'483'647))
      ->type_name("N");
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
  add_limit(*command, query->limit, 1000);
  context.on(command, [&context, query] { return anomalies(context, *query); });

  auto groups = std::make_shared<ClusterQuery>();
  command = discover->add_subcommand("clusters", "Groups of similar actions, with names");
  add_selection(*command, *groups);
  command->add_option("--clusters", groups->clusters, "How many, 2 to 50; as separate best if not given")
      ->check(between(0, 50))
      ->type_name("N");
  context.on(command, [&context, groups] { return clusters(context, *groups); });

  auto same = std::make_shared<DuplicateQuery>();
  command = discover->add_subcommand("duplicates", "Actions that say nearly the same");
  add_selection(*command, *same);
  command->add_option("--threshold", same->threshold, "The least cosine; 0.95 if not given")
      ->check(between(0.0, 1.0))
      ->type_name("X");
  context.on(command, [&context, same] { return duplicates(context, *same); });

  auto picture = std::make_shared<ProjectionQuery>();
  command = discover->add_subcommand("projection", "The actions as points of a picture, for plotting");
  add_selection(*command, *picture);
  command->add_option("--dimensions", picture->dimensions, "2 or 3; 2 if not given")
      ->check(between(2, 3))
      ->type_name("N");
  context.on(command, [&context, picture] { return projection(context, *picture); });
}

}  // namespace actionhist::cli
