#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/input.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

Exit list(const Context& context) {
  const std::vector<Pattern> patterns = context.open(Access::read).patterns();
  if (context.json) {
    for (const Pattern& pattern : patterns) print_line(to_json(pattern));
    return Exit::done;
  }
  Table table({{"ID", Table::Column::flexible},
               {"TYPE"},
               {"ACTIVE"},
               {"AT LEAST", Table::Column::number},
               {"WINDOW", Table::Column::number},
               {"PREVENTION"},
               {"FOUND", Table::Column::number},
               {"LAST FOUND"}});
  for (const Pattern& pattern : patterns) {
    table.add({pattern.pattern_id, std::string(to_string(pattern.pattern_type)),
               pattern.active ? "yes" : "no", std::to_string(pattern.min_occurrences),
               fmt::format("{} min", pattern.time_window.count()),
               std::string(to_string(pattern.prevention_strategy)), std::to_string(pattern.total_detections),
               pattern.last_detection_at ? short_time(*pattern.last_detection_at) : "-"});
  }
  table.print(terminal_width());
  return Exit::done;
}

// A pattern, an array of them, or one a line as `patterns --json` prints them.
std::vector<Pattern> read_patterns(const std::string& path) {
  const std::string input = read_input(path);
  std::string_view rest = input;
  JsonDocument document;
  bool by_line = true;
  try {
    document.parse(rest.substr(0, rest.find('\n')), "pattern");
  } catch (const Error&) {
    by_line = false;
  }
  std::vector<Pattern> patterns;
  while (rest.find_first_not_of(" \t\n") != rest.npos) {
    const auto end = by_line ? rest.find('\n') : rest.npos;
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    const JsonElement element = document.parse(text, "pattern");
    if (!element.is_array()) {
      patterns.push_back(parse_pattern(text));
      continue;
    }
    for (JsonElement item : simdjson::dom::array(element)) {
      patterns.push_back(parse_pattern(std::string(simdjson::minify(item))));
    }
  }
  return patterns;
}

Pattern find(History& history, const std::string& id) {
  std::vector<Pattern> patterns = history.patterns();
  const auto found = std::ranges::find(patterns, id, &Pattern::pattern_id);
  if (found != patterns.end()) return std::move(*found);
  throw Error(ErrorCode::not_found, fmt::format("pattern_id: \"{}\" is not stored", id));
}

Exit set(const Context& context, const std::string& path) {
  const std::vector<Pattern> patterns = read_patterns(path);
  History history = context.open(Access::create);
  history.repository().transaction([&] {
    for (const Pattern& pattern : patterns) history.put_pattern(pattern);
  });
  for (const Pattern& pattern : patterns) {
    context.say(fmt::format("stored pattern {}", printable(pattern.pattern_id)), to_json(pattern));
  }
  return Exit::done;
}

Exit show(const Context& context, const std::string& id) {
  History history = context.open(Access::read);
  const Pattern pattern = find(history, id);
  const std::string json = to_json(pattern);
  if (context.json) {
    print_line(json);
    return Exit::done;
  }
  JsonDocument document;
  for (auto [name, value] : simdjson::dom::object(document.parse(json, "pattern"))) {
    const std::string text =
        value.is_string() ? std::string(std::string_view(value)) : simdjson::minify(value);
    print_line(fmt::format("{:<22}  {}", name, printable(text)));
  }
  return Exit::done;
}

Exit switch_to(const Context& context, const std::string& id, bool active) {
  History history = context.open(Access::change);
  Pattern pattern;
  // Nothing that others change meanwhile is lost.
  history.repository().transaction([&] {
    history.repository().patterns().lock();
    pattern = find(history, id);
    pattern.active = active;
    history.put_pattern(pattern);
  });
  context.say(fmt::format("pattern {} is {}", printable(id), active ? "enabled" : "disabled"),
              to_json(pattern));
  return Exit::done;
}

Exit remove(const Context& context, const std::string& id) {
  if (!context.open(Access::change).remove_pattern(id)) {
    throw Error(ErrorCode::not_found, fmt::format("pattern_id: \"{}\" is not stored", id));
  }
  context.say(fmt::format("removed pattern {}", printable(id)),
              Json::object({{"pattern_id", id}, {"removed", true}}).text());
  return Exit::done;
}

struct PolicyArguments {
  Resource resource;
  std::string json;
};

// Shows what the guard takes for a resource, after setting it when that is asked for.
Exit policy(const Context& context, const PolicyArguments& arguments) {
  History history = context.open(arguments.json.empty() ? Access::read : Access::create);
  if (!arguments.json.empty()) {
    history.set_guard_policy(arguments.resource, parse_guard_policy(arguments.json));
  }
  print_line(to_json(history.guard_policy(arguments.resource)));
  return Exit::done;
}

}  // namespace

void add_patterns(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("patterns", "Lists the patterns that the guard watches for");
  command->require_subcommand(0, 1);
  context.on(command, [&context] { return list(context); });

  const auto add = [&](const char* name, const char* description, const char* argument, const char* meaning,
                       auto run) {
    auto text = std::make_shared<std::string>();
    CLI::App* part = command->add_subcommand(name, description);
    part->add_option(argument, *text, meaning)->required()->type_name("");
    context.on(part, [&context, text, run] { return run(context, *text); });
  };
  add("set", "Stores patterns, replacing those with the same id", "FILE", "JSON of one or more; - is stdin",
      set);
  add("show", "Shows all of a pattern", "ID", "The pattern", show);
  add("remove", "Forgets a pattern; its detections stay", "ID", "The pattern", remove);
  auto arguments = std::make_shared<PolicyArguments>();
  CLI::App* own =
      command->add_subcommand("policy", "What the guard takes for one resource instead of the patterns' own");
  add_resource(*own, arguments->resource);
  own->add_option(
         "--set", arguments->json,
         R"({"oscillation_window_minutes": 60, "effectiveness_threshold": 0.5, "pattern_min_occurrences": 4})")
      ->type_name("JSON");
  context.on(own, [&context, arguments] { return policy(context, *arguments); });
  add("enable", "Lets the guard watch for a pattern", "ID", "The pattern",
      [](const Context& c, const std::string& id) { return switch_to(c, id, true); });
  add("disable", "Keeps a pattern without watching for it", "ID", "The pattern",
      [](const Context& c, const std::string& id) { return switch_to(c, id, false); });
}

}  // namespace actionhist::cli
