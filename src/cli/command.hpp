// What the commands share: the options before and after them, the database, the output and the exit status.
// All of it is used by the main thread alone.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include <actionhist/actionhist.hpp>

#include "cli/progress.hpp"

namespace actionhist::cli {

// The exit status of the program. Scripts rely on the values.
enum class Exit {
  done = 0,
  refused = 1,      // by the guard
  usage = 2,        // the command line cannot be understood
  rejected = 3,     // the input was understood and not accepted
  unavailable = 4,  // try again, or get the rights
  failed = 5,
};

// The status that an error of the library ends with.
Exit exit_of(ErrorCode code) noexcept;

// True for errors that speak about one input, not about the database.
inline bool about_input(const Error& error) noexcept { return exit_of(error.code()) == Exit::rejected; }

// What a command needs of the database. A file that is missing is made by `create` alone, because a mistyped
// path would otherwise answer like an empty memory.
enum class Access { read, change, create };

struct Context {
  std::string uri;
  std::optional<std::string> tenant;
  std::string schema = PostgresOptions().schema;
  std::string embedder;          // a URI of open_model(); the built-in model if empty
  std::string embedder_options;  // JSON
  double timeout_seconds = 10;
  bool json = false;
  bool quiet = false;
  bool read_only = false;
  std::function<Exit()> chosen;  // the command, once the command line is read

  // Makes `run` what happens when `command` was named.
  void on(CLI::App* command, std::function<Exit()> run);

  // Throws a usage error when no database was named.
  const std::string& database() const;

  // Without the semantic layer, so that opening costs next to nothing.
  Options options(Access access) const;

  // What --embedder names, null without it.
  std::shared_ptr<const EmbeddingModel> model() const;

  History open(Access access) const { return open(access, options(access)); }
  History open(Access access, Options options) const;

  // Writes a line to stdout: `text` for people, `json` for programs. `quiet` leaves out the first.
  void say(std::string_view text, std::string_view json) const;

  // A bar for people who watch, as Progress.
  Progress progress(std::optional<std::uintmax_t> total = {}) const { return {!quiet && !json, total}; }

  // Writes a line to stderr, for people who watch.
  void note(std::string_view text) const;

  // The last words before a failure, on stderr.
  void complain(std::string_view code, std::string_view message) const;
};

void add_import(CLI::App& app, Context& context);
void add_export(CLI::App& app, Context& context);
void add_record(CLI::App& app, Context& context);  // record, propose and check
void add_start(CLI::App& app, Context& context);   // start, complete and assess
void add_show(CLI::App& app, Context& context);    // show, link and delete
void add_observe(CLI::App& app, Context& context);
void add_history(CLI::App& app, Context& context);
void add_similar(CLI::App& app, Context& context);
void add_discover(CLI::App& app, Context& context);
void add_recommend(CLI::App& app, Context& context);
void add_detect(CLI::App& app, Context& context);
void add_detections(CLI::App& app, Context& context);
void add_patterns(CLI::App& app, Context& context);
void add_retention(CLI::App& app, Context& context);
void add_partitions(CLI::App& app, Context& context);
void add_metrics(CLI::App& app, Context& context);
void add_context(CLI::App& app, Context& context);
void add_stats(CLI::App& app, Context& context);
void add_embed(CLI::App& app, Context& context);
void add_worker(CLI::App& app, Context& context);
void add_migrate(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);

// The whole program.
Exit run(int argc, char** argv);

}  // namespace actionhist::cli
