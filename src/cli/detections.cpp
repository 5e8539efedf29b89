#include <map>
#include <memory>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/terminal.hpp"

namespace actionhist::cli {
namespace {

struct Resolving {
  std::string id;
  Resolution resolution;
};

// The resources that the detections' scopes are the ids of, by scope; a scope is missing if it is of another kind or the
// first action is gone. All actions of a resource's scope are on it, so one tells it.
std::map<std::string, std::string> guarded_texts(History& history, std::span<const Detection> detections) {
  std::vector<std::string> first;
  for (const Detection& detection : detections) {
    if (!detection.action_ids.empty()) first.push_back(detection.action_ids.front());
  }
  std::map<std::string, std::string> texts;
  for (const Trace& trace : history.repository().actions().get(first)) {
    texts.emplace(to_string(Scope{ScopeKind::resource, trace.resource_id}),
                  resource_text(guarded_resource(trace)));
  }
  return texts;
}

void print_detection(const Detection& detection, const std::map<std::string, std::string>& guarded) {
  print_line(fmt::format("{}  {}", printable(detection.detection_id), describe(detection)));
  const auto resource = guarded.find(detection.scope);
  if (resource != guarded.end()) print_line(fmt::format("  on {}", printable(resource->second)));
  if (detection.resolved_at) {
    print_line(
        fmt::format("  resolved {} by {}{}{}", short_time(*detection.resolved_at),
                    detection.resolution_method, detection.false_positive ? ", a false alarm" : "",
                    detection.resolution_notes.empty() ? "" : ": " + printable(detection.resolution_notes)));
  }
}

Exit list(const Context& context, const DetectionQuery& query) {
  History history = context.open(Access::read);
  const std::vector<Detection> detections = history.detections(query);
  std::map<std::string, std::string> guarded;
  if (!context.json) guarded = guarded_texts(history, detections);
  for (const Detection& detection : detections) {
    context.json ? print_line(to_json(detection)) : print_detection(detection, guarded);
  }
  if (detections.empty()) context.note("no detection is stored");
  return Exit::done;
}

Exit resolve(const Context& context, const Resolving& wanted) {
  const Detection resolved = context.open(Access::change).resolve(wanted.id, wanted.resolution);
  context.say(fmt::format("resolved {}", printable(resolved.detection_id)), to_json(resolved));
  return Exit::done;
}

Exit settle(const Context& context) {
  const Settlement done = context.open(Access::change).settle();
  context.say(fmt::format("{} resolved by time-out, {} because their alert ended; {} preventions judged",
                          done.resolved_by_timeout, done.resolved_by_evidence, done.judged),
              to_json(done));
  return Exit::done;
}

struct Overriding {
  std::optional<TimePoint> since;
  int limit = 100;
};

Exit overrides(const Context& context, const Overriding& wanted) {
  const std::vector<OverrideRecord> records =
      context.open(Access::read).overrides(wanted.since, wanted.limit);
  for (const OverrideRecord& record : records) {
    print_line(context.json ? to_json(record)
                            : fmt::format("{}  {} let {} pass: {}", short_time(record.overridden_at),
                                          printable(record.actor), printable(record.action_id),
                                          printable(record.reason)));
  }
  if (records.empty()) context.note("nothing was overridden");
  return Exit::done;
}

}  // namespace

void add_detections(CLI::App& app, Context& context) {
  auto query = std::make_shared<DetectionQuery>();
  CLI::App* command = app.add_subcommand("detections", "Lists what the guard found, and says how it ended");
  command->require_subcommand(0, 1);
  command->add_option("--pattern", query->pattern_id, "Of this pattern")->type_name("ID");
  command->add_option("--scope", query->scope, "As detections have it: resource:ID")->type_name("SCOPE");
  add_resource(*command, query->resource);
  add_time(*command, "--since", query->since, "Found at or after this time");
  add_time(*command, "--until", query->until, "Found before this time");
  command->add_flag("--unresolved", query->unresolved, "Only those that have not ended");
  add_limit(*command, query->limit, 10'000);
  context.on(command, [&context, query] { return list(context, *query); });

  auto wanted = std::make_shared<Resolving>();
  CLI::App* part =
      command->add_subcommand("resolve", "Ends a detection, so that it refuses nothing any more");
  part->add_option("ID", wanted->id, "The detection")->required()->type_name("");
  part->add_option("--method", wanted->resolution.method,
                   "timeout, manual-intervention (if not given) or automatic")
      ->check(one_of({"timeout", "manual-intervention", "automatic"}))
      ->type_name("METHOD");
  part->add_option("--notes", wanted->resolution.notes, "What was found out")->type_name("TEXT");
  part->add_flag("--false-positive", wanted->resolution.false_positive, "There was nothing to prevent");
  context.on(part, [&context, wanted] { return resolve(context, *wanted); });

  context.on(
      command->add_subcommand(
          "settle", "Ends what is over, judges preventions of yesterday, and counts the patterns' rates"),
      [&context] { return settle(context); });

  auto overriding = std::make_shared<Overriding>();
  part = command->add_subcommand("overrides", "Lists who let refused actions pass, and why");
  add_time(*part, "--since", overriding->since, "Overridden at or after this time");
  part->add_option("--limit", overriding->limit, "How many, at most 10000; 100 if not given")
      ->check(between(1, 10'000))
      ->type_name("N");
  context.on(part, [&context, overriding] { return overrides(context, *overriding); });
}

}  // namespace actionhist::cli
