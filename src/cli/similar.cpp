#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/index_wait.hpp"
#include "cli/terminal.hpp"

namespace actionhist::cli {
namespace {

constexpr std::size_t excerpt_width = 160;

struct Arguments {
  SimilarQuery query;
  double wait_seconds = 30;
  bool no_index = false;
};

// "action=2,outcome=1"
Aspects read_weights(std::string_view text) {
  Json weights;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    weights = with_member(weights, text.substr(0, comma), "weights");
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parse_aspects(weights.text());
}

void print_hit(std::size_t rank, const Hit& hit) {
  const Trace& trace = hit.trace;
  print_line(fmt::format("{:2}  {:.2f}  {}  {}  {}  {}  effectiveness {}", rank, hit.score,
                         short_time(trace.time()), printable(trace.action_type),
                         printable(resource_text(trace.resource)), to_string(trace.outcome.status),
                         score_text(trace.outcome.effectiveness_score)));
  const std::string reasoning = printable(trace.model_reasoning);
  const std::size_t width = std::min(terminal_width().value_or(excerpt_width), excerpt_width);
  if (!reasoning.empty() && width > 4) print_line(fmt::format("    {}", shortened(reasoning, width - 4)));
  const std::string terms = fmt::format("{}", fmt::join(hit.explain.matched_terms, ", "));
  print_line(fmt::format("    matched {}; id {}", terms.empty() ? "no word" : printable(terms),
                         printable(trace.action_id)));
}

Exit similar(const Context& context, const Arguments& arguments) {
  if (arguments.query.text.empty() == arguments.query.action_id.empty()) {
    throw CLI::ValidationError("give a text to look for, or --id of an action");
  }
  Options options = context.options(Access::change);
  options.semantic = !arguments.no_index;
  History history = context.open(Access::change, std::move(options));
  const std::chrono::milliseconds patience{static_cast<std::int64_t>(arguments.wait_seconds * 1000)};
  const bool complete = arguments.no_index || wait_for_index(context, history, patience);
  const std::vector<Hit> hits = history.similar(arguments.query);
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (context.json) {
      print_line(to_json(hits[i]));
    } else {
      print_hit(i + 1, hits[i]);
    }
  }
  if (hits.empty()) context.note("no similar action is known");
  if (!hits.empty() && !hits.front().explain.fallback.empty()) {
    context.note(fmt::format("found by the words alone, in the database: {}",
                             printable(hits.front().explain.fallback)));
  } else if (!complete) {
    context.note("the newest actions are not indexed yet and may be missing here");
  }
  return Exit::done;
}

}  // namespace

void add_similar(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("similar", "Finds past actions in situations like this one");
  SimilarQuery& query = arguments->query;
  command->add_option("TEXT", query.text, "What happens, in words")->type_name("");
  command->add_option("--id", query.action_id, "Like this action, instead of a text")->type_name("ID");
  command->add_option("--limit", query.limit, "How many, at most 1000; 10 if not given")
      ->check(between(1, 1000))
      ->type_name("N");
  add_json(*command, "--where", query.where, R"(A filter: {"kind": "Deployment"})");
  command->add_option("--threshold", query.threshold, "The least score, 0 to 1")
      ->check(between(0.0, 1.0))
      ->type_name("SCORE");
  command
      ->add_option("--percentile", query.percentile,
                   "Only what is more like it than so many percent of stored texts are like each other")
      ->check(between(0.0, 100.0))
      ->type_name("PERCENT");
  command
      ->add_option("--mmr-lambda", query.mmr_lambda,
                   "0 to 1: what differs from the actions before comes earlier (maximal marginal relevance)")
      ->check(between(0.0, 1.0))
      ->type_name("LAMBDA");
  command
      ->add_option("--distinct", query.distinct,
                   "Of actions that are so much alike (cosine) only the best, and none like --id")
      ->check(between(0.0, 1.0))
      ->type_name("COSINE");
  add_read(*command, "--weights", query.weights, read_weights,
           "How much context, action and outcome count, where each has a vector (a model aspects:…)")
      ->type_name("action=2,outcome=1");
  command->add_option("--wait", arguments->wait_seconds, "How long to wait for the index; 30 if not given")
      ->check(between(0.0, 86'400.0))
      ->type_name("SECONDS");
  command->add_flag("--no-index", arguments->no_index, "By words in the database, without the index");
  context.on(command, [&context, arguments] { return similar(context, *arguments); });
}

}  // namespace actionhist::cli
