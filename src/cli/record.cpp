#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/terminal.hpp"

namespace actionhist::cli {
namespace {

Exit record(const Context& context, const ActionArguments& arguments) {
  Action action = arguments.read();
  if (!action.action_timestamp && arguments.options_alone()) action.action_timestamp = system_now();
  const Trace trace = context.open(Access::create).record(action);
  context.say(fmt::format("{} {}", trace.stored ? "stored" : "already there", printable(trace.action_id)),
              to_json(trace));
  return Exit::done;
}

Exit answer(const Context& context, const Verdict& verdict) {
  context.say(describe(verdict), to_json(verdict));
  return verdict.allowed() ? Exit::done : Exit::refused;
}

}  // namespace

void add_record(CLI::App& app, Context& context) {
  const auto add = [&](const char* name, const char* description, auto run) {
    auto arguments = std::make_shared<ActionArguments>();
    CLI::App* command = app.add_subcommand(name, description);
    arguments->add_to(*command);
    context.on(command, [arguments, run] { return run(*arguments); });
    return command;
  };
  add("record", "Stores an action as it happened, without asking the guard",
      [&context](const ActionArguments& arguments) { return record(context, arguments); });
  auto allowance = std::make_shared<Override>();
  CLI::App* propose =
      add("propose", "Asks the guard and stores the action if it may be done; exit status 1 if not",
          [&context, allowance](const ActionArguments& arguments) {
            const Action action = arguments.read();
            History history = context.open(Access::create);
            const bool insisted = !allowance->actor.empty() || !allowance->reason.empty();
            return answer(context, insisted ? history.propose(action, *allowance) : history.propose(action));
          });
  propose->add_option("--override-by", allowance->actor, "Who lets it pass although it is refused")
      ->type_name("ACTOR");
  propose->add_option("--override-reason", allowance->reason, "Why; both are kept")->type_name("TEXT");
  add("check", "Asks the guard without storing anything; exit status 1 if the action would be refused",
      [&context](const ActionArguments& arguments) {
        const Action action = arguments.read();
        return answer(context, context.open(Access::read).check(action));
      });
}

}  // namespace actionhist::cli
