#include <memory>

#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/describe.hpp"
#include "cli/terminal.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

[[noreturn]] void not_stored(const std::string& id) {
  throw Error(ErrorCode::not_found, fmt::format("action_id: \"{}\" is not stored", id));
}

Exit show(const Context& context, const std::string& id) {
  const auto trace = context.open(Access::read).get(id);
  if (!trace) not_stored(id);
  print_line(context.json ? to_json(*trace) : describe(*trace));
  return Exit::done;
}

Exit forget(const Context& context, const std::string& id) {
  if (!context.open(Access::change).erase(id)) not_stored(id);
  JsonWriter writer;
  writer.begin_object().member("action_id", id).member("deleted", true);
  context.say(fmt::format("deleted {}; its id stays taken", printable(id)), writer.end_object().take());
  return Exit::done;
}

}  // namespace

void add_show(CLI::App& app, Context& context) {
  const auto add = [&](const char* name, const char* description, auto run) {
    auto id = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand(name, description);
    command->add_option("ID", *id, "The action")->required()->type_name("");
    context.on(command, [&context, id, run] { return run(context, *id); });
  };
  add("show", "Shows all that is stored of an action", show);
  add("delete", "Forgets an action; its id stays taken", forget);

  struct Arguments {
    std::string id;
    std::string follow_up;
    std::string relation = "follow-up";
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("link", "Names the action that followed another");
  command->add_option("ID", arguments->id, "The first action")->required()->type_name("");
  command->add_option("FOLLOW_UP", arguments->follow_up, "The one that followed it")
      ->required()
      ->type_name("");
  command
      ->add_option("--relation", arguments->relation, "How: correction, rollback, …; follow-up if not given")
      ->type_name("TEXT");
  context.on(command, [&context, arguments] {
    History history = context.open(Access::change);
    const Trace trace = history.link(arguments->id, arguments->follow_up, arguments->relation);
    context.say(fmt::format("{} is followed by {} ({})", printable(arguments->id),
                            printable(arguments->follow_up), printable(arguments->relation)),
                to_json(trace));
    return Exit::done;
  });
}

}  // namespace actionhist::cli
