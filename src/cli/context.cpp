#include <memory>

#include "cli/arguments.hpp"
#include "cli/index_wait.hpp"
#include "cli/terminal.hpp"

namespace actionhist::cli {
namespace {

Exit show(const Context& context, const ContextQuery& given) {
  ContextQuery query = given;
  query.json = context.json;
  Options options = context.options(Access::change);
  options.semantic = true;
  History history = context.open(Access::change, std::move(options));
  const bool complete = wait_for_index(context, history, std::chrono::seconds(30));
  const actionhist::Context found = history.context(query);
  print_line(found.content);
  if (found.omitted > 0) {
    context.note("some sentences did not fit; --budget gives more tokens");
  }
  if (!complete) context.note("the newest actions are not indexed yet and may be missing here");
  return Exit::done;
}

}  // namespace

void add_context(CLI::App& app, Context& context) {
  auto query = std::make_shared<ContextQuery>();
  CLI::App* command = app.add_subcommand(
      "context", "What a language model should know before it acts, within a budget of tokens");
  command->add_option("TEXT", query->text, "What happens, in words")->type_name("");
  command->add_option("--alert", query->alert_name, "The alert's name")->type_name("NAME");
  add_resource(*command, query->resource);
  command->add_option("--spec-hash", query->spec_hash, "Of the resource as it is now")->type_name("HASH");
  command->add_option("--budget", query->budget_tokens, "How many tokens; 2000 if not given")
      ->check(between(50, 1'000'000))
      ->type_name("TOKENS");
  context.on(command, [&context, query] { return show(context, *query); });
}

}  // namespace actionhist::cli
