#include <fmt/format.h>

#include <actionhist/postgres_months.hpp>

#include "cli/arguments.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

struct Arguments {
  Month month{};
  std::string folder;
  int ahead = 3;
};

PostgresMonths months(const Context& context, Progress* progress = nullptr) {
  PostgresMonthsOptions options{.postgres = context.options(Access::change).postgres};
  if (progress != nullptr) {
    if (context.read_only) throw CLI::ValidationError("partitions: this has to write; leave out --read-only");
    options.progress = [progress](const MonthProgress& p) {
      progress->show(static_cast<std::uintmax_t>(p.actions),
                     p.actions > 0 ? fmt::format("{}, {} actions", p.step, p.actions) : std::string(p.step));
    };
  }
  return PostgresMonths(context.database(), std::move(options));
}

// Runs `work` with a line that shows how far it is.
template <class Work>
auto shown(const Context& context, Work work) {
  Progress progress = context.progress();
  PostgresMonths all = months(context, &progress);
  try {
    return work(all);
  } catch (const Error& error) {
    progress.clear();
    if (error.code() == ErrorCode::unavailable || error.code() == ErrorCode::timeout)
      context.note("no action is lost, and the same command goes on");
    throw;
  }
}

Exit list(const Context& context) {
  Table table({{"MONTH"},
               {"STATE"},
               {"ACTIONS", Table::Column::number},
               {"MIB", Table::Column::number},
               {"ARCHIVE", Table::Column::flexible}});
  for (const MonthInfo& m : months(context).list()) {
    if (context.json) print_line(to_json(m));
    table.add({format_month(m.month), std::string(to_string(m.state)),
               m.actions < 0 ? "?" : std::to_string(m.actions),
               fmt::format("{:.1f}", static_cast<double>(m.bytes) / (1 << 20)),
               m.archive.empty() ? "-" : m.archive});
  }
  if (!context.json && !table.empty()) table.print(terminal_width());
  return Exit::done;
}

Exit ensure(const Context& context, const Arguments& arguments) {
  const std::vector<Month> made =
      shown(context, [&](PostgresMonths& all) { return all.ensure(arguments.ahead); });
  JsonWriter writer;
  writer.begin_object().key("made").begin_array();
  for (const Month month : made) writer.value(format_month(month));
  context.say(made.empty() ? "all of them are there" : fmt::format("{} months made", made.size()),
              writer.end_array().end_object().take());
  return Exit::done;
}

// What the month is afterwards.
Exit tell(const Context& context, Month month, MonthState state, std::string_view text) {
  JsonWriter writer;
  writer.begin_object().member("month", format_month(month)).member("state", to_string(state));
  context.say(fmt::format("{} {}", format_month(month), text), writer.end_object().take());
  return Exit::done;
}

Exit detach(const Context& context, const Arguments& arguments) {
  shown(context, [&](PostgresMonths& all) { all.detach(arguments.month); });
  return tell(context, arguments.month, MonthState::detached, "is detached: archive or restore it");
}

Exit archive(const Context& context, const Arguments& arguments) {
  const MonthArchive done =
      shown(context, [&](PostgresMonths& all) { return all.archive(arguments.month, arguments.folder); });
  context.say(fmt::format("{} actions of {} are in {}, {} bytes, verified; the database is without them",
                          done.actions, format_month(done.month), done.file, done.bytes),
              to_json(done));
  return Exit::done;
}

Exit restore(const Context& context, const Arguments& arguments) {
  shown(context, [&](PostgresMonths& all) { all.restore(arguments.month, arguments.folder); });
  return tell(context, arguments.month, MonthState::present, "is back, and queued for the index");
}

}  // namespace

void add_partitions(CLI::App& app, Context& context) {
  CLI::App* command =
      app.add_subcommand("partitions", "PostgreSQL's months: made ahead, taken out into files, and put back");
  command->require_subcommand(1);
  const auto add = [&](auto... given) { add_part<Arguments>(*command, context, given...); };
  const auto month = [](CLI::App& part, Arguments& a) {
    add_read(
        part, "MONTH", a.month, [](const std::string& text) { return parse_month(text, "MONTH"); },
        "As in 2026-03, in UTC")
        ->required()
        ->type_name("");
  };
  const auto ahead = [](CLI::App& part, Arguments& a) {
    part.add_option("--ahead", a.ahead, "Months after this one; 3 if not given")
        ->check(between(0, 120))
        ->type_name("COUNT");
  };
  const auto to = [](CLI::App& part, Arguments& a) {
    part.add_option("--to", a.folder, "The folder of the archive and its manifest")
        ->required()
        ->type_name("FOLDER");
  };
  const auto from = [](CLI::App& part, Arguments& a) {
    part.add_option("--from", a.folder, "The folder of the archive; not for a month that is only detached")
        ->type_name("FOLDER");
  };
  add("list", "The months, their size and where they are", &list);
  add("ensure", "Makes this month and the next ones", &ensure, ahead);
  add("detach", "Takes a month out of what is searched and counted, into a table of its own", &detach, month);
  add("archive", "Moves a month into a verified file", &archive, month, to);
  add("restore", "Puts a month back as it was", &restore, month, from);
}

}  // namespace actionhist::cli
