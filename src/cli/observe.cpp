#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/terminal.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {

void add_observe(CLI::App& app, Context& context) {
  auto input = std::make_shared<JsonInput>();
  CLI::App* command = app.add_subcommand("observe", "Notes that an alert fired or ended");
  input->add_to(*command, R"({"alert_name": …, "starts_at": …, "ends_at": …, "resource_reference": {…}})");
  context.on(command, [&context, input] {
    if (!input->given()) throw CLI::ValidationError("no alert: give it as JSON, or --file");
    const Alert alert = parse_alert(input->read());
    context.open(Access::create).observe(alert);
    JsonWriter writer;
    writer.begin_object().member("alert_name", alert.name).member("starts_at", format_time(alert.starts_at));
    context.say(fmt::format("noted {} since {}", printable(alert.name), short_time(alert.starts_at)),
                writer.end_object().take());
    return Exit::done;
  });
}

}  // namespace actionhist::cli
