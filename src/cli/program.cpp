#include <algorithm>
#include <cstdio>
#include <iostream>

#include <fmt/format.h>

#include "cli/arguments.hpp"

namespace actionhist::cli {
namespace {

void add_global_options(CLI::App& app, Context& context) {
  app.add_option("--db", context.uri, "The database: memory:, sqlite:PATH or a path, or postgresql://…")
      ->envname("ACTIONHIST_DATABASE_URL")
      ->type_name("URI");
  app.add_option_function<std::string>(
         "--tenant", [&context](const std::string& tenant) { context.tenant = tenant; },
         "Whose memory it is; \"default\" if not given, but PostgreSQL needs one")
      ->envname("ACTIONHIST_TENANT")
      ->type_name("TENANT");
  app.add_option("--schema", context.schema, "PostgreSQL's schema; \"actionhist\" if not given")
      ->envname("ACTIONHIST_SCHEMA")
      ->type_name("SCHEMA");
  app.add_option(
         "--embedder", context.embedder,
         "What turns texts into vectors: static:FOLDER, sentence:FOLDER, https://HOST/v1#MODEL; the built-in model if not given")
      ->envname("ACTIONHIST_EMBEDDER")
      ->type_name("URI");
  app.add_option("--embedder-options", context.embedder_options,
                 "Its options, as docs/embedding.md names them")
      ->envname("ACTIONHIST_EMBEDDER_OPTIONS")
      ->type_name("JSON");
  app.add_option("--timeout", context.timeout_seconds,
                 "How long a write waits for other processes; 10 if not given")
      ->check(between(0.0, 86'400.0))
      ->type_name("SECONDS");
  app.add_flag("--read-only", context.read_only, "Open the database without the right to change it");
  app.add_flag("--json", context.json, "Results and errors as JSON, one object a line");
  app.add_flag("-q,--quiet", context.quiet, "No notes and no confirmations");
}

void add_commands(CLI::App& app, Context& context) {
  add_record(app, context);
  add_start(app, context);
  add_show(app, context);
  add_observe(app, context);
  add_import(app, context);
  add_export(app, context);
  add_history(app, context);
  add_similar(app, context);
  add_recommend(app, context);
  add_discover(app, context);
  add_detect(app, context);
  add_detections(app, context);
  add_patterns(app, context);
  add_retention(app, context);
  add_partitions(app, context);
  add_metrics(app, context);
  add_context(app, context);
  add_stats(app, context);
  add_embed(app, context);
  add_worker(app, context);
  add_migrate(app, context);
  add_doctor(app, context);
  add_version(app, context);
}

// The command that was named after this one, null if none was.
const CLI::App* parsed_command(const CLI::App& command) {
  for (const CLI::App* each : command.get_subcommands({})) {
    if (each->parsed()) return each;
  }
  return nullptr;
}

// CLI11 would only say that a subcommand is required.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  std::string names;
  const CLI::App* innermost = &app;
  while (const CLI::App* named = parsed_command(*innermost)) {
    names += named->get_name() + " ";
    innermost = named;
  }
  const auto unknown = app.remaining();
  std::string message = error.what();
  if (innermost == &app) {
    message = unknown.empty() ? "no command is given" : fmt::format("no command \"{}\"", unknown.front());
  }
  // A URI in the wrong place may hold a password.
  if (message.find("://") != message.npos) {
    message = "a database is given with --db or ACTIONHIST_DATABASE_URL";
  }
  return fmt::format("{}; see actionhist {}--help", message, names);
}

// What was printed must have arrived: a full disk behind a pipe is an error too.
Exit flushed(const Context& context, Exit exit) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit;
  context.complain(to_string(ErrorCode::unavailable), "the output cannot be written");
  return Exit::unavailable;
}

}  // namespace

Exit run(int argc, char** argv) {
  Context context;
  CLI::App app("The memory of what agents did, with brakes.", "actionhist");
  app.fallthrough();
  app.require_subcommand(1);
  app.set_version_flag("--version", [] { return fmt::format("actionhist {}", version()); });
  add_global_options(app, context);
  app.footer("Also: --db --tenant --timeout --read-only --json --quiet; see actionhist --help");
  add_commands(app, context);
  app.footer("actionhist COMMAND --help tells more.");  // the commands have taken over the one before
  try {
    app.parse(argc, argv);
    return flushed(context, context.chosen());
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      app.exit(error);
      std::cout.flush();
      return flushed(context, Exit::done);
    }
    // The flag may stand behind what could not be read.
    context.json = std::any_of(argv, argv + argc, [](std::string_view arg) { return arg == "--json"; });
    context.complain("usage", usage_message(app, error));
    return Exit::usage;
  } catch (const Error& error) {
    context.complain(to_string(error.code()), error.what());
    return exit_of(error.code());
  } catch (const std::exception& error) {
    context.complain(to_string(ErrorCode::internal), error.what());
    return Exit::failed;
  }
}

}  // namespace actionhist::cli
