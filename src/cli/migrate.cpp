#include <memory>

#include <fmt/format.h>

#include <actionhist/postgres_roles.hpp>

#include "cli/arguments.hpp"
#include "cli/terminal.hpp"
#include "core/json_io.hpp"
#include "core/server_uri.hpp"

namespace actionhist::cli {
namespace {

struct Arguments {
  bool print = false;
  bool verify = false;
  bool print_roles = false;
  std::vector<IndexSet> indexes;
};

std::vector<IndexSet> read_sets(std::string_view text) {
  std::vector<IndexSet> sets;
  for (bool more = true; more;) {
    const auto comma = text.find(',');
    sets.push_back(parse_index_set(text.substr(0, comma), "--indexes"));
    more = comma != text.npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return sets;
}

// The schema is all tenants', so none has to be named.
Options for_schema(const Context& context, Access access, const std::vector<IndexSet>& indexes) {
  Options options = context.options(access);
  if (!options.tenant) options.tenant = "default";
  options.postgres.indexes = indexes;
  return options;
}

// The storage as it is, whatever its schema.
std::unique_ptr<Repository> untouched(const Context& context, std::string_view uri,
                                      const std::vector<IndexSet>& indexes = {}) {
  Options options = for_schema(context, Access::read, indexes);
  options.run_migrations = false;
  return open_repository(uri, options);
}

Exit print_script(const Context& context, const std::vector<IndexSet>& indexes) {
  std::unique_ptr<Repository> repository;
  try {
    repository = untouched(context, context.database(), indexes);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    // A database that is yet to be made gets all of it.
    repository = untouched(context, "memory:");
  }
  const std::string script = repository->maintenance().migration_script();
  if (context.json) {
    JsonWriter writer;
    print_line(writer.begin_object().member("script", script).end_object().take());
  } else if (!script.empty()) {
    print_line(script);
  } else {
    context.note("the schema is up to date");
  }
  return Exit::done;
}

Exit print_roles(const Context& context) {
  const std::string script = postgres_roles_script(context.schema);
  if (context.json) {
    JsonWriter writer;
    print_line(writer.begin_object().member("script", script).end_object().take());
  } else {
    print_line(script);
  }
  return Exit::done;
}

Exit verify(const Context& context) {
  const auto repository = untouched(context, context.database());
  const EngineInfo info = repository->maintenance().info();
  std::vector<std::string> problems;
  if (info.schema_version == info.schema_latest) {
    problems = repository->maintenance().verify();
  } else {
    problems.push_back(fmt::format("the schema is {}, this program needs {}; run actionhist migrate",
                                   info.schema_version, info.schema_latest));
  }
  JsonWriter writer;
  writer.begin_object().member("schema_version", info.schema_version);
  writer.member("schema_latest", info.schema_latest).key("problems").begin_array();
  for (const std::string& problem : problems) {
    writer.value(problem);
    if (!context.json) print_line(printable(problem));
  }
  const std::string result = writer.end_array().end_object().take();
  if (context.json) print_line(result);
  if (!problems.empty()) return Exit::failed;
  if (!context.json) context.say(fmt::format("schema {}, no problem found", info.schema_version), {});
  return Exit::done;
}

Exit migrate(const Context& context, const std::vector<IndexSet>& indexes) {
  Options options = for_schema(context, Access::create, indexes);
  // A History would keep the shipped patterns for its tenant, also where nobody has named one.
  const bool tables_alone = !context.tenant && is_server_uri(context.database());
  const EngineInfo info = tables_alone ? open_repository(context.database(), options)->maintenance().info()
                                       : context.open(Access::create, std::move(options)).health().engine;
  JsonWriter writer;
  writer.begin_object().member("schema_version", info.schema_version);
  context.say(fmt::format("the schema is {}, up to date", info.schema_version), writer.end_object().take());
  return Exit::done;
}

}  // namespace

void add_migrate(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("migrate", "Brings the database's schema up to date");
  CLI::Option* print = command->add_flag("--print", arguments->print, "Only print what would be run");
  command
      ->add_flag("--verify", arguments->verify,
                 "Only check, with no right to change; exit status 5 for problems")
      ->excludes(print);
  command
      ->add_flag("--print-roles", arguments->print_roles,
                 "Only print what makes PostgreSQL's roles: writer, reader, embedder, maintenance")
      ->excludes(print)
      ->excludes("--verify");
  add_read(
      *command, "--indexes", arguments->indexes, &read_sets,
      "PostgreSQL: build what these sets have, search and analytics, and drop all else; lean is none of them")
      ->type_name("SET,SET")
      ->excludes("--verify")
      ->excludes("--print-roles");
  context.on(command, [&context, arguments] {
    if (arguments->print_roles) return print_roles(context);
    if (!arguments->indexes.empty() && !is_server_uri(context.database())) {
      throw CLI::ValidationError("--indexes: only PostgreSQL has sets of indexes");
    }
    if (arguments->print) return print_script(context, arguments->indexes);
    return arguments->verify ? verify(context) : migrate(context, arguments->indexes);
  });
}

}  // namespace actionhist::cli
