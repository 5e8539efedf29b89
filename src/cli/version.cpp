#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {

void add_version(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("version", "Prints the version");
  context.on(command, [&context] {
    JsonWriter writer;
    print_line(context.json ? writer.begin_object().member("version", version()).end_object().take()
                            : fmt::format("actionhist {}", version()));
    return Exit::done;
  });
}

}  // namespace actionhist::cli
