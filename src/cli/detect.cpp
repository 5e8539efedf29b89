#include <memory>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/terminal.hpp"

namespace actionhist::cli {
namespace {

struct Arguments {
  DetectQuery query;
  std::optional<int> window_minutes;
};

Exit detect(const Context& context, Arguments& arguments) {
  DetectQuery& query = arguments.query;
  const bool scoped = !query.resource.kind.empty() || !query.resource.name.empty() ||
                      !query.correlation_id.empty() || !query.session_id.empty();
  if (!scoped) throw CLI::ValidationError("give --kind and --name, or --correlation, or --session");
  if (arguments.window_minutes) query.window = std::chrono::minutes(*arguments.window_minutes);
  const std::vector<Detection> detections = context.open(Access::read).detect(query);
  for (const Detection& detection : detections) {
    print_line(context.json ? to_json(detection) : describe(detection));
  }
  if (detections.empty()) context.note("no pattern is found");
  return Exit::done;
}

}  // namespace

void add_detect(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("detect", "Looks for oscillations, without changing anything");
  add_resource(*command, arguments->query.resource);
  command->add_option("--correlation", arguments->query.correlation_id, "Of a correlation id instead")
      ->type_name("ID");
  command->add_option("--session", arguments->query.session_id, "Of a session instead")->type_name("ID");
  add_time(*command, "--as-of", arguments->query.as_of, "As things were at this time; now if not given");
  command
      ->add_option("--window", arguments->window_minutes,
                   "How far back to look; each pattern's own if not given")
      ->check(between(1, 527'040))
      ->type_name("MINUTES");
  context.on(command, [&context, arguments] { return detect(context, *arguments); });
}

}  // namespace actionhist::cli
