#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/search.hpp"
#include "cli/terminal.hpp"

namespace actionhist::cli {
namespace {

constexpr std::size_t excerpt_width = 160;

struct Arguments {
  SimilarQuery query;
  IndexArguments index;
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
  const std::string& text = arguments.query.text;
  if (!text.empty() && !arguments.query.action_id.empty()) {
    throw CLI::ValidationError("give either a text to look for or --id of an action, not both");
  }
  if (arguments.query.action_id.empty() && text.find_first_not_of(" \t\r\n") == text.npos) {
    throw CLI::ValidationError("give a text to look for, or --id of an action");
  }
  Search search(context, arguments.index);
  const std::vector<Hit> hits = search.history().similar(arguments.query);
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (context.json) {
      print_line(to_json(hits[i]));
    } else {
      print_hit(i + 1, hits[i]);
    }
  }
  if (hits.empty()) context.note("no similar action is known");
  search.note(hits.empty() ? std::string() : hits.front().explain.fallback);
  return Exit::done;
}

}  // namespace

void add_similar(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("similar", "Finds past actions in situations like this one");
  SimilarQuery& query = arguments->query;
  command->add_option("TEXT", query.text, "What happens, in words")->type_name("");
  command->add_option("--id", query.action_id, "Like this action, instead of a text")->type_name("ID");
  add_limit(*command, query.limit, 1000);
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
  arguments->index.add_to(*command);
  context.on(command, [&context, arguments] { return similar(context, *arguments); });
}

}  // namespace actionhist::cli
