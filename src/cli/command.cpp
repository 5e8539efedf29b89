#include "cli/command.hpp"

#include <fmt/format.h>

#include "cli/terminal.hpp"
#include "core/json_io.hpp"
#include "core/server_uri.hpp"

namespace actionhist::cli {

Exit exit_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::not_found:
    case ErrorCode::conflict: return Exit::rejected;
    case ErrorCode::denied:
    case ErrorCode::unavailable:
    case ErrorCode::timeout: return Exit::unavailable;
    default: return Exit::failed;
  }
}

namespace {

// Options of all commands may stand anywhere; those of a command that has commands of its own are not theirs.
void refuse_options_of_parents(const CLI::App& command) {
  for (const CLI::App* parent = command.get_parent(); parent->get_parent() != nullptr;
       parent = parent->get_parent()) {
    for (const CLI::Option* option : parent->get_options()) {
      if (option->count() > 0) {
        throw CLI::ValidationError(
            fmt::format("{} is no option of {}", option->get_name(), command.get_name()));
      }
    }
  }
}

}  // namespace

void Context::on(CLI::App* command, std::function<Exit()> run) {
  command->callback([this, command, run = std::move(run)] {
    // CLI11 calls back from the inside out; the innermost command is meant.
    if (!command->get_subcommands().empty()) return;
    refuse_options_of_parents(*command);
    chosen = run;
  });
}

const std::string& Context::database() const {
  if (uri.empty()) throw CLI::ValidationError("no database: give --db URI or set ACTIONHIST_DATABASE_URL");
  return uri;
}

Options Context::options(Access access) const {
  Options options;
  options.tenant = tenant;
  options.busy_timeout = std::chrono::milliseconds(static_cast<std::int64_t>(timeout_seconds * 1000));
  options.postgres.schema = schema;
  options.postgres.retry_for = options.busy_timeout;
  options.semantic = false;
  // Memory starts empty and needs its tables whatever is done with it.
  options.read_only = (read_only || access == Access::read) && database() != "memory:";
  return options;
}

std::shared_ptr<const EmbeddingModel> Context::model() const {
  if (embedder.empty()) return nullptr;
  return open_model(embedder,
                    embedder_options.empty() ? ModelOptions() : parse_model_options(embedder_options));
}

History Context::open(Access access, Options options) const {
  // Only a file is made by opening it.
  if (access != Access::create && !options.read_only && !is_server_uri(database())) {
    Options look = options;
    look.read_only = true;
    try {
      if (database() != "memory:") open_repository(database(), look);
    } catch (const Error& error) {
      // What else may be wrong is told when the database is opened to be changed.
      if (error.code() == ErrorCode::not_found) throw;
    }
  }
  if (options.semantic) options.model = model();
  return actionhist::open(database(), std::move(options));
}

void Context::say(std::string_view text, std::string_view json_text) const {
  if (json) {
    print_line(json_text);
  } else if (!quiet) {
    print_line(text);
  }
}

void Context::note(std::string_view text) const {
  if (quiet) return;
  if (!json) return print_error_line(text);
  JsonWriter writer;
  print_error_line(writer.begin_object().member("note", text).end_object().take());
}

void Context::complain(std::string_view code, std::string_view message) const {
  if (!json) return print_error_line(std::string("actionhist: ") + printable(message));
  JsonWriter writer;
  writer.begin_object().key("error").begin_object();
  writer.member("code", code).member("message", message);
  print_error_line(writer.end_object().end_object().take());
}

}  // namespace actionhist::cli
