#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

struct Arguments {
  ActionQuery query;
  bool ids = false;
};

void print_table(const std::vector<Trace>& traces, bool ids) {
  std::vector<Table::Column> columns{
      {"TIME"},   {"TYPE", Table::Column::flexible}, {"RESOURCE", Table::Column::flexible},
      {"STATUS"}, {"SCORE", Table::Column::number},  {"ALERT", Table::Column::flexible}};
  if (ids) columns.push_back({"ID"});
  Table table(std::move(columns));
  for (const Trace& trace : traces) {
    std::vector<std::string> cells{short_time(trace.time()),
                                   trace.action_type,
                                   resource_text(trace.resource),
                                   std::string(to_string(trace.outcome.status)),
                                   score_text(trace.outcome.effectiveness_score),
                                   trace.alert_name.empty() ? "-" : trace.alert_name};
    if (ids) cells.push_back(trace.action_id);
    table.add(std::move(cells));
  }
  table.print(terminal_width());
}

Exit history(const Context& context, const Arguments& arguments) {
  const Page page = context.open(Access::read).history(arguments.query);
  if (context.json) {
    for (const Trace& trace : page.traces) print_line(to_json(trace));
  } else if (page.traces.empty()) {
    context.note("no action matches");
  } else {
    print_table(page.traces, arguments.ids);
  }
  // A program has no other way to the next page.
  if (page.next.empty() || (context.quiet && !context.json)) return Exit::done;
  JsonWriter writer;
  print_error_line(context.json ? writer.begin_object().member("next", page.next).end_object().take()
                                : fmt::format("there is more: --cursor {}", printable(page.next)));
  return Exit::done;
}

}  // namespace

void add_history(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("history", "Lists actions, the newest first");
  add_filters(*command, arguments->query);
  add_limit(*command, arguments->query.limit, 10'000);
  command->add_option("--cursor", arguments->query.cursor, "Go on where a list ended")->type_name("CURSOR");
  command->add_flag("--ids", arguments->ids, "With the actions' ids");
  context.on(command, [&context, arguments] { return history(context, *arguments); });
}

}  // namespace actionhist::cli
