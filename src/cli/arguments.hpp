// Arguments that several commands take. What cannot be read from the command line is a usage error; JSON that
// comes as input is rejected like any other input.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "cli/command.hpp"

namespace actionhist::cli {

// "now", "-2h", "-7d" (s, m, h, d or w; + for the future) or RFC 3339.
// Throws Error: invalid_argument, naming `field`.
TimePoint read_time(std::string_view text, std::string_view field);

// The JSON object with the member that "key=value" says. The value is JSON where it reads as JSON, else text.
// Throws Error: invalid_argument, naming `field`.
Json with_member(const Json& object, std::string_view assignment, std::string_view field);

// Runs `read` and turns what it refuses into a usage error.
template <class Read>
auto read_argument(Read read) {
  try {
    return read();
  } catch (const Error& error) {
    throw CLI::ValidationError(error.what());
  }
}

// An option whose text is read by `read(text)`. The target must live as long as the command.
template <class Target, class Read>
CLI::Option* add_read(CLI::App& command, const std::string& name, Target& target, Read read,
                      const std::string& description) {
  return command.add_option_function<std::string>(
      name, [&target, read](const std::string& text) { target = read_argument([&] { return read(text); }); },
      description);
}

// Adds `name` to a command that consists of several. Each of `parts` adds options for Arguments; `run` is called with the
// context and with them, or with the context alone.
template <class Arguments, class Run, class... Parts>
CLI::App* add_part(CLI::App& command, Context& context, const char* name, const char* description, Run run,
                   Parts... parts) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* part = command.add_subcommand(name, description);
  (parts(*part, *arguments), ...);
  context.on(part, [&context, arguments, run] {
    if constexpr (std::is_invocable_v<Run, const Context&>) {
      return run(context);
    } else {
      return run(context, *arguments);
    }
  });
  return part;
}

// Refuses numbers outside [low, high]. CLI11's own check would repeat itself in the help.
template <class Number>
CLI::Validator between(Number low, Number high) {
  return CLI::Validator(CLI::Range(low, high)).description("");
}

inline CLI::Validator one_of(const std::vector<std::string>& texts) {
  return CLI::Validator(CLI::IsMember(texts)).description("");
}

CLI::Option* add_time(CLI::App& command, const std::string& name, std::optional<TimePoint>& target,
                      const std::string& description);
CLI::Option* add_json(CLI::App& command, const std::string& name, Json& target,
                      const std::string& description);

// --limit, of which `target` is the default: "WHAT, at most MOST; DEFAULT if not given".
void add_limit(CLI::App& command, int& target, int most, std::string_view what = "How many");

// --kind, --namespace, --name, --cluster and --api-group.
void add_resource(CLI::App& command, Resource& resource);

// The filters of history and export: a resource, a correlation, a time and --where.
void add_filters(CLI::App& command, ActionQuery& query);

// One JSON text: the argument itself, or a file named by --file; "-" is stdin for both.
class JsonInput {
 public:
  void add_to(CLI::App& command, const std::string& description);
  bool given() const noexcept { return !argument_.empty() || !file_.empty(); }
  // Throws Error: not_found, invalid_argument, denied.
  std::string read() const;

 private:
  std::string argument_;
  std::string file_;
};

// The action of record, propose and check: as JSON, as options, or both, where the options win.
class ActionArguments {
 public:
  void add_to(CLI::App& command);
  // True when everything was said by options, so that the time may be the clock's.
  bool options_alone() const noexcept { return !input_.given(); }
  // Throws Error: invalid_argument.
  Action read() const;

 private:
  JsonInput input_;
  Action given_;  // by options
  std::optional<Status> status_;
  std::vector<std::string> parameters_;  // KEY=VALUE, as the next two
  std::vector<std::string> labels_;
  std::vector<std::string> metadata_;
};

}  // namespace actionhist::cli
