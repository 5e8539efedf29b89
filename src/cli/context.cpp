#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/search.hpp"
#include "cli/terminal.hpp"

namespace actionhist::cli {
namespace {

Exit show(const Context& context, const ContextQuery& given) {
  ContextQuery query = given;
  query.json = context.json;
  Search search(context);
  const actionhist::Context found = search.history().context(query);
  if (context.json) {
    const Json facts = Json::parse(found.content, "content");
    const Json sized = with_member(facts, fmt::format("tokens={}", found.tokens), "tokens");
    print_line(with_member(sized, fmt::format("omitted={}", found.omitted), "omitted").text());
  } else {
    print_line(found.content);
  }
  if (found.omitted > 0) {
    context.note("some sentences did not fit; --budget gives more tokens");
  }
  search.note({});
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
