#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/search.hpp"
#include "cli/terminal.hpp"

namespace actionhist::cli {
namespace {

struct Arguments {
  RecommendQuery query;
  IndexArguments index;
};

void print_list(std::string_view title, const std::vector<Recommendation>& list) {
  if (list.empty()) return;
  print_line(title);
  for (const Recommendation& each : list) {
    print_line(fmt::format("  {}  success {:.2f} ({:.2f} to {:.2f}), share {:.2f}, effective cases {:.1f}",
                           printable(each.action_type), each.expected_success, each.lower, each.upper,
                           each.share, each.effective_sample_size));
    print_line(fmt::format("      {}", printable(each.reason)));
    for (const RecommendedCase& example : each.examples) {
      print_line(fmt::format("      {}  {}  outcome {}  like this {:.2f}  id {}", short_time(example.time),
                             printable(resource_text(example.resource)), score_text(example.outcome),
                             example.similarity, printable(example.action_id)));
    }
  }
}

Exit recommend(const Context& context, const Arguments& arguments) {
  Search search(context, arguments.index);
  const Recommendations found = search.history().recommend(arguments.query);
  if (context.json) {
    print_line(to_json(found));
  } else {
    print_list("best first", found.actions);
    print_list("avoid", found.avoid);
  }
  if (found.actions.empty() && found.avoid.empty()) {
    context.note("no similar action is known");
  } else if (!found.supported) {
    context.note(
        "no case like this is known: what is listed is what usually holds, whatever the situation is");
  }
  search.note(found.fallback);
  return Exit::done;
}

}  // namespace

void add_recommend(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("recommend", "Says what worked in situations like this one");
  RecommendQuery& query = arguments->query;
  command->add_option("TEXT", query.text, "What happens, in words")->type_name("");
  command->add_option("--alert", query.alert_name, "The alert's name")->type_name("NAME");
  command->add_option("--severity", query.alert_severity, "The alert's severity")->type_name("SEVERITY");
  add_resource(*command, query.resource);
  command->add_option("--id", query.action_id, "The situation of this action")->type_name("ID");
  add_json(*command, "--where", query.where, R"(Which past actions may speak: {"environment": "prod"})");
  add_limit(*command, query.limit, 100, "How many of each list");
  command
      ->add_option("--neighbours", query.neighbours,
                   "How many similar actions are heard, at most 500; 20 if not given")
      ->check(between(1, 500))
      ->type_name("N");
  command->add_flag("--explore", query.explore, "Prefer what is promising and little known");
  arguments->index.add_to(*command);
  context.on(command, [&context, arguments] { return recommend(context, *arguments); });
}

}  // namespace actionhist::cli
