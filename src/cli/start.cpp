#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/terminal.hpp"
#include "core/names.hpp"

namespace actionhist::cli {
namespace {

struct StartArguments {
  std::string id;
  std::optional<TimePoint> at;
};

struct CompleteArguments {
  std::string id;
  std::string outcome;
  std::optional<Status> status;
  std::optional<double> score;
  std::string error;
  std::string notes;
  Json state_after;
  bool correction = false;

  // Throws Error: invalid_argument.
  Outcome read() const {
    Outcome result = outcome.empty() ? Outcome{} : parse_outcome(outcome);
    const Status likely = error.empty() ? Status::completed : Status::failed;
    if (status || outcome.empty()) result.status = status.value_or(likely);
    if (score) result.effectiveness_score = score;
    if (!error.empty()) result.execution_error = error;
    if (!notes.empty()) result.effectiveness_notes = notes;
    if (!state_after.absent()) result.resource_state_after = state_after;
    return result;
  }
};

struct AssessArguments {
  std::string id;
  Assessment assessment;
};

// Only what ends an action.
Status read_ending(std::string_view text) {
  using enum Status;
  for (const Status status : {completed, failed, rolled_back, cancelled, escalated}) {
    if (same_name(to_string(status), text)) return status;
  }
  throw Error(
      ErrorCode::invalid_argument,
      fmt::format("--status: \"{}\" is none of completed, failed, rolled-back, cancelled, escalated", text));
}

Exit confirm(const Context& context, const Trace& trace, std::string_view remark = {}) {
  std::string text =
      fmt::format("{} is {}{}", printable(trace.action_id), to_string(trace.outcome.status), remark);
  if (trace.outcome.effectiveness_score) {
    text += fmt::format(", effectiveness {}", score_text(trace.outcome.effectiveness_score));
  }
  context.say(text, to_json(trace));
  return Exit::done;
}

void add_id(CLI::App* command, std::string& id) {
  command->add_option("ID", id, "The action")->required()->type_name("");
}

}  // namespace

void add_start(CLI::App& app, Context& context) {
  auto start = std::make_shared<StartArguments>();
  CLI::App* command = app.add_subcommand("start", "Says that an action is being done");
  add_id(command, start->id);
  add_time(*command, "--at", start->at, "Since when; now if not given");
  context.on(command, [&context, start] {
    const Trace trace = context.open(Access::change).start(start->id, start->at);
    return confirm(context, trace, trace.stored ? "" : " already: somebody else began it");
  });

  auto complete = std::make_shared<CompleteArguments>();
  command = app.add_subcommand("complete", "Says what became of an action");
  add_id(command, complete->id);
  add_read(
      *command, "--status", complete->status, read_ending,
      "completed, failed, rolled-back, cancelled or escalated; failed with --error, else completed, if not given")
      ->type_name("STATUS");
  command->add_option("--score", complete->score, "How well it worked, 0 to 1")->type_name("SCORE");
  command->add_option("--error", complete->error, "Why it failed")->type_name("TEXT");
  command->add_option("--notes", complete->notes, "Notes on how well it worked")->type_name("TEXT");
  add_json(*command, "--state-after", complete->state_after, "The resource afterwards");
  command->add_option("--outcome", complete->outcome, "All of it as a JSON object; other options win")
      ->type_name("JSON");
  command->add_flag("--correction", complete->correction, "The outcome that is stored was wrong");
  context.on(command, [&context, complete] {
    const Outcome outcome = complete->read();
    History history = context.open(Access::change);
    return confirm(context, history.complete(complete->id, outcome, complete->correction));
  });

  auto assess = std::make_shared<AssessArguments>();
  command = app.add_subcommand("assess", "Says how well an action worked");
  add_id(command, assess->id);
  Assessment& assessment = assess->assessment;
  command->add_option("--health", assessment.health, "Is the resource healthy? 0 to 1")->type_name("SHARE");
  command->add_option("--alert", assessment.alert, "Did the alert end? 0 to 1")->type_name("SHARE");
  command->add_option("--metrics", assessment.metrics, "Did the metric improve? 0 to 1")->type_name("SHARE");
  command->add_option("--score", assessment.score, "The whole, instead of its parts")->type_name("SCORE");
  add_json(*command, "--criteria", assessment.criteria, R"({"alert_resolved": true})");
  command
      ->add_option("--method", assessment.method, "automated, manual or ml-derived; automated if not given")
      ->check(one_of({"automated", "manual", "ml-derived"}))
      ->type_name("METHOD");
  command->add_option("--notes", assessment.notes, "Notes in words")->type_name("TEXT");
  add_time(*command, "--at", assessment.assessed_at, "When it was assessed; now if not given");
  context.on(command, [&context, assess] {
    const Assessment& a = assess->assessment;
    if (!a.health && !a.alert && !a.metrics && !a.score && a.criteria.absent() && a.notes.empty()) {
      throw CLI::ValidationError("nothing is said: give --score, or --health, --alert and --metrics");
    }
    return confirm(context, context.open(Access::change).assess(assess->id, assess->assessment));
  });
}

}  // namespace actionhist::cli
