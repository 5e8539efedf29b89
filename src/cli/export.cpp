#include <algorithm>
#include <functional>
#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/columns.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "core/trace_fields.hpp"

namespace actionhist::cli {
namespace {

constexpr int page_size = 1000;

struct Arguments {
  ActionQuery query;
  std::string format = "jsonl";
  std::string path = "-";
  bool oldest_first = false;
};

// A spreadsheet would run what begins like a formula; with a ' before it, it is text.
std::string harmless(std::string cell) {
  const bool formula =
      !cell.empty() && std::string_view("=+-@\t\r").find(cell.front()) != std::string_view::npos;
  return formula ? "'" + cell : cell;
}

// RFC 4180.
std::string quoted(const std::string& cell) {
  if (cell.find_first_of("\",\r\n") == cell.npos) return cell;
  std::string text = "\"";
  for (const char c : cell) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + '"';
}

std::string csv_row(const Trace& trace, bool heading) {
  std::string row;
  bool first = true;
  visit_columns(trace, [&](std::string_view name, const auto& member) {
    if (!std::exchange(first, false)) row += ',';
    row += quoted(heading ? std::string(name) : harmless(column_text(member)));
  });
  return row + "\r\n";
}

using Sink = std::function<void(const Trace&)>;

void export_newest_first(History& history, ActionQuery query, const Sink& sink) {
  do {
    const Page page = history.history(query);
    std::ranges::for_each(page.traces, sink);
    query.cursor = page.next;
  } while (!query.cursor.empty());
}

bool older(const Trace& a, const Trace& b) {
  return std::pair(a.time(), a.action_id) < std::pair(b.time(), b.action_id);
}

// Pages come newest first, so a first round notes where each begins and ends, and a second one walks back.
// What is recorded between the rounds lengthens a page, but moves no border.
void export_oldest_first(History& history, ActionQuery query, const Sink& sink) {
  struct Border {
    std::string cursor;
    Trace last;
  };
  std::vector<Border> pages;
  do {
    Page page = history.history(query);
    if (page.traces.empty()) break;
    pages.push_back({query.cursor, std::move(page.traces.back())});
    query.cursor = page.next;
  } while (!query.cursor.empty());

  for (; !pages.empty(); pages.pop_back()) {
    const Border& border = pages.back();
    std::vector<Trace> traces;
    query.cursor = border.cursor;
    do {
      Page page = history.history(query);
      std::ranges::move(page.traces, std::back_inserter(traces));
      query.cursor = page.next;
    } while (!query.cursor.empty() && (traces.empty() || older(border.last, traces.back())));
    std::erase_if(traces, [&](const Trace& trace) { return older(trace, border.last); });
    std::ranges::for_each(traces.rbegin(), traces.rend(), sink);
  }
}

Exit export_all(const Context& context, const Arguments& arguments) {
  ActionQuery query = arguments.query;
  const bool csv = arguments.format == "csv";
  History history = context.open(Access::read);
  // A filter that is refused leaves an existing file as it is.
  query.limit = 1;
  history.history(query);
  query.limit = page_size;

  Output output(arguments.path);
  Progress progress(!context.quiet && arguments.path != "-", std::nullopt);
  std::uintmax_t rows = 0;
  const Sink sink = [&](const Trace& trace) {
    output.write(csv ? csv_row(trace, false) : to_json(trace) + '\n');
    progress.show(0, fmt::format("{} actions", ++rows));
  };
  if (csv) output.write(csv_row(Trace{}, true));
  if (arguments.oldest_first) {
    export_oldest_first(history, std::move(query), sink);
  } else {
    export_newest_first(history, std::move(query), sink);
  }
  output.close();
  progress.clear();
  if (arguments.path != "-") context.note(fmt::format("{} actions written to {}", rows, arguments.path));
  return Exit::done;
}

}  // namespace

void add_export(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("export", "Writes all actions that match, the newest first");
  add_filters(*command, arguments->query);
  command
      ->add_option("--format", arguments->format,
                   "jsonl, which import reads back, or csv, for spreadsheets; jsonl if not given")
      ->check(one_of({"jsonl", "csv"}))
      ->type_name("FORMAT");
  command->add_option("--output", arguments->path, "Where to; - is stdout, and so if not given")
      ->type_name("FILE");
  command->add_flag("--oldest-first", arguments->oldest_first, "The other way round");
  context.on(command, [&context, arguments] { return export_all(context, *arguments); });
}

}  // namespace actionhist::cli
