// actionhist embed: which embedding spaces there are, how they are filled, and how well they find.
#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "cli/vector_file.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

struct Arguments {
  std::string space_id;
  SwitchOptions change;
  std::vector<std::string> ids;
  bool retry = false;
  int limit = 100;
  FitOptions fit;
  EvaluationOptions evaluation;
  std::string file;
  std::string ids_file;
};

// These commands work on the database alone, with the model but without an index.
History open(const Context& context, Access access) {
  Options options = context.options(access);
  options.model = context.model();
  return context.open(access, std::move(options));
}

// A line for as long as something is done to texts.
class Line {
 public:
  Line(const Context& context, std::string_view done) : progress_(context.progress()), done_(done) {}

  auto callback() {
    return [this](const EmbeddingProgress& p) {
      progress_.show(static_cast<std::uintmax_t>(p.done),
                     fmt::format("{} {}, {} left", p.done, done_, p.left));
    };
  }

 private:
  Progress progress_;
  std::string_view done_;  // what has become of those that are done
};

Exit status(const Context& context) {
  History history = context.open(Access::read);
  const std::vector<EmbeddingSpace> spaces = history.spaces();
  const Health health = history.health();
  if (context.json) {
    JsonWriter writer;
    writer.begin_object().member("space_id", health.feed.space_id).member("queued", health.feed.queued);
    writer.member("failed", health.feed.failed).key("spaces").begin_array();
    for (const EmbeddingSpace& space : spaces) writer.raw(to_json(space));
    print_line(writer.end_array().end_object().take());
    return Exit::done;
  }
  Table table({{"SPACE", Table::Column::flexible},
               {"USED"},
               {"DIMENSIONS", Table::Column::number},
               {"VECTORS", Table::Column::number},
               {"MISSING", Table::Column::number},
               {"USED SINCE"}});
  for (const EmbeddingSpace& s : spaces) {
    table.add({s.space_id, s.active ? "yes" : "no", std::to_string(s.dimension), std::to_string(s.vectors),
               std::to_string(s.missing), s.activated_at ? short_time(*s.activated_at) : "-"});
  }
  if (!table.empty()) table.print(terminal_width());
  context.say(fmt::format("{} queued, {} failed", health.feed.queued, health.feed.failed), {});
  return Exit::done;
}

Exit change(const Context& context, const Arguments& arguments) {
  History history = open(context, Access::change);
  SwitchOptions options = arguments.change;
  SpaceSwitch result;
  {
    Line line(context, "embedded");
    options.progress = line.callback();
    result = history.switch_space(arguments.space_id, options);
  }
  const bool was = result.previous == result.space_id;
  const std::string said = result.why.empty() ? "" : "; " + printable(result.why);
  context.say(was               ? "searches use this space already"
              : result.switched ? fmt::format("searches now use {}{}", printable(result.space_id), said)
                                : fmt::format("searches stay with {}{}; --force changes all the same",
                                              printable(result.previous), said),
              to_json(result));
  return was || result.switched ? Exit::done : Exit::rejected;
}

Exit fit(const Context& context, const Arguments& arguments) {
  FitOptions options = arguments.fit;
  EmbeddingSpace space;
  {
    Line line(context, "looked at");
    options.progress = line.callback();
    space = context.open(Access::change).fit_space(options);
  }
  const std::string name = printable(space.space_id);
  context.say(fmt::format("fitted {}; actionhist embed switch {} uses it", name, name), to_json(space));
  return Exit::done;
}

Exit backfill(const Context& context) {
  History history = open(context, Access::change);
  std::int64_t done = 0;
  {
    Line line(context, "embedded");
    done = history.backfill(line.callback());
  }
  const std::int64_t failed = history.health().feed.failed;
  JsonWriter writer;
  writer.begin_object().member("done", done).member("failed", failed);
  context.say(fmt::format("{} actions dealt with, {} failed", done, failed), writer.end_object().take());
  return failed == 0 ? Exit::done : Exit::failed;
}

Exit drop(const Context& context, const Arguments& arguments) {
  if (!context.open(Access::change).drop_space(arguments.space_id)) {
    throw Error(ErrorCode::not_found, fmt::format("space_id: \"{}\" is not stored", arguments.space_id));
  }
  JsonWriter writer;
  writer.begin_object().member("dropped", true);
  context.say("dropped", writer.end_object().take());
  return Exit::done;
}

Exit failed(const Context& context, const Arguments& arguments) {
  History history = context.open(arguments.retry ? Access::change : Access::read);
  if (arguments.retry) {
    const std::int64_t queued = history.retry_failed(arguments.ids);
    JsonWriter writer;
    writer.begin_object().member("queued", queued);
    context.say(fmt::format("{} queued again", queued), writer.end_object().take());
    return Exit::done;
  }
  Table table({{"ID", Table::Column::flexible},
               {"TRIES", Table::Column::number},
               {"QUEUED"},
               {"ERROR", Table::Column::flexible}});
  for (const FailedSubject& each : history.failed_subjects(arguments.limit)) {
    if (context.json) print_line(to_json(each));
    table.add({each.subject_id, std::to_string(each.attempts), short_time(each.queued_at), each.error});
  }
  if (table.empty()) {
    context.note("nothing has failed");
  } else if (!context.json) {
    table.print(terminal_width());
  }
  return Exit::done;
}

Exit import_file(const Context& context, const Arguments& arguments) {
  const VectorFile file(arguments.file, arguments.ids_file);
  const VectorImport result = context.open(Access::change).import_vectors(arguments.space_id, file.vectors());
  context.say(fmt::format("{} vectors stored, {} were there, {} of no known action", result.stored,
                          result.present, result.unknown),
              to_json(result));
  const bool nothing_known = result.unknown > 0 && result.stored == 0 && result.present == 0;
  return nothing_known ? Exit::rejected : Exit::done;
}

void add_quality(Table& table, std::string_view what, const SearchQuality& quality) {
  table.add({std::string(what), fmt::format("{:.3f}", quality.ndcg), fmt::format("{:.3f}", quality.recall),
             fmt::format("{:.3f}", quality.mrr)});
}

Exit evaluate(const Context& context, const Arguments& arguments) {
  const Evaluation evaluation = open(context, Access::read).evaluate(arguments.evaluation);
  if (context.json) {
    print_line(to_json(evaluation));
    return Exit::done;
  }
  if (evaluation.queries == 0) {
    context.note("no two actions are known that belong together; record more with alert and type");
    return Exit::done;
  }
  Table table({{"SEARCH BY", Table::Column::flexible},
               {"NDCG@10", Table::Column::number},
               {"RECALL@10", Table::Column::number},
               {"MRR", Table::Column::number}});
  add_quality(table, "words alone", evaluation.words);
  for (const SpaceQuality& space : evaluation.spaces) {
    add_quality(table, space.space_id + " alone", space.vectors_alone);
    add_quality(table, space.space_id + " and words", space.with_words);
  }
  table.print(terminal_width());
  context.say(fmt::format("{} queries over {} actions", evaluation.queries, evaluation.documents), {});
  return Exit::done;
}

}  // namespace

void add_embed(CLI::App& app, Context& context) {
  CLI::App* command =
      app.add_subcommand("embed", "Embedding spaces: their state, filling, change and quality");
  command->require_subcommand(1);
  const auto add = [&](auto... given) { add_part<Arguments>(*command, context, given...); };
  const auto space = [](CLI::App& part, Arguments& a) {
    part.add_option("SPACE", a.space_id, "The space's id, as status shows it")->required()->type_name("");
  };
  add("status", "The spaces, and what waits for them", &status);
  add("switch", "Fills a space, compares it, and has searches use it", &change,
      [](CLI::App& part, Arguments& a) {
        part.add_option("SPACE", a.space_id, "The space's id; that of --embedder if not given")
            ->type_name("");
        part.add_flag("--force", a.change.force, "Although searches would find less, or vectors are missing");
      });
  add("backfill", "Embeds what was recorded without an index", &backfill);
  add("fit", "Fits a model on what is stored, as a space of its own", &fit, [](CLI::App& part, Arguments& a) {
    part.add_option("--dimension", a.fit.dimension, "At most so many; 256 if not given")
        ->check(between(2, 1024))
        ->type_name("COUNT");
    part.add_option("--documents", a.fit.documents, "On the newest so many actions; 10000 if not given")
        ->check(between(8, 100'000))
        ->type_name("COUNT");
    part.add_option("--seed", a.fit.seed, "Another number gives another model; 1 if not given")
        ->type_name("N");
  });
  add("drop", "Forgets a space that searches do not use", &drop, space);
  add("failed", "What the model refuses", &failed, [](CLI::App& part, Arguments& a) {
    part.add_flag("--retry", a.retry, "Queue them again");
    part.add_option("IDS", a.ids, "With --retry: only these")->type_name("");
    part.add_option("--limit", a.limit, "At most this many; 100 if not given")
        ->check(between(1, 10'000))
        ->type_name("COUNT");
  });
  add("import", "Stores vectors that were computed elsewhere", &import_file, space,
      [](CLI::App& part, Arguments& a) {
        part.add_option("FILE", a.file,
                        R"(.npy with float32 rows, or lines of {"action_id": …, "vector": […]})")
            ->required()
            ->type_name("");
        part.add_option("--ids", a.ids_file, "For .npy: a file with the action id of each row on its line")
            ->type_name("FILE");
      });
  add("evaluate", "How well each space finds what belongs together in this memory", &evaluate,
      [](CLI::App& part, Arguments& a) {
        part.add_option("--space", a.evaluation.spaces, "Only these spaces")->type_name("SPACE");
        part.add_option("--queries", a.evaluation.queries, "At most this many; 200 if not given")
            ->check(between(1, 10'000))
            ->type_name("COUNT");
        part.add_option("--documents", a.evaluation.documents, "The newest so many; 20000 if not given")
            ->check(between(2, 1'000'000))
            ->type_name("COUNT");
      });
}

}  // namespace actionhist::cli
