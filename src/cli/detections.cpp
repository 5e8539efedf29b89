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

struct Listing {
  DetectionQuery query;
  Resource resource;
};

// The resource that the detection's scope is the id of, empty if it is of another scope or its actions are gone.
std::string guarded_text(History& history, const Detection& detection) {
  for (const Trace& trace : history.repository().actions().get(detection.action_ids)) {
    if (detection.scope == to_string(Scope{ScopeKind::resource, trace.resource_id}))
      return resource_text(guarded_resource(trace));
  }
  return {};
}

void print_detection(History& history, const Detection& detection) {
  print_line(fmt::format("{}  {}", printable(detection.detection_id), describe(detection)));
  const std::string resource = guarded_text(history, detection);
  if (!resource.empty()) print_line(fmt::format("  on {}", printable(resource)));
  if (detection.resolved_at) {
    print_line(
        fmt::format("  resolved {} by {}{}{}", short_time(*detection.resolved_at),
                    detection.resolution_method, detection.false_positive ? ", a false alarm" : "",
                    detection.resolution_notes.empty() ? "" : ": " + printable(detection.resolution_notes)));
  }
}

Exit list(const Context& context, const Listing& listing) {
  History history = context.open(Access::read);
  DetectionQuery query = listing.query;
  if (listing.resource != Resource{}) {
    const std::string id = resource_id(history.repository().tenant(), normalized(listing.resource));
    if (id.empty()) throw Error(ErrorCode::invalid_argument, "resource: --kind and --name are required");
    query.scope = to_string(Scope{ScopeKind::resource, id});
  }
  const std::vector<Detection> detections = history.detections(query);
  for (const Detection& detection : detections) {
    context.json ? print_line(to_json(detection)) : print_detection(history, detection);
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

Exit overrides(const Context& context) {
  const std::vector<OverrideRecord> records = context.open(Access::read).overrides();
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
  auto listing = std::make_shared<Listing>();
  DetectionQuery* const query = &listing->query;
  CLI::App* command = app.add_subcommand("detections", "Lists what the guard found, and says how it ended");
  command->require_subcommand(0, 1);
  command->add_option("--pattern", query->pattern_id, "Of this pattern")->type_name("ID");
  command->add_option("--scope", query->scope, "As detections have it: resource:ID")->type_name("SCOPE");
  add_resource(*command, listing->resource);
  add_time(*command, "--since", query->since, "Found at or after this time");
  add_time(*command, "--until", query->until, "Found before this time");
  command->add_flag("--unresolved", query->unresolved, "Only those that have not ended");
  command->add_option("--limit", query->limit, "How many, at most 10000; 50 if not given")
      ->check(between(1, 10'000))
      ->type_name("N");
  context.on(command, [&context, listing] { return list(context, *listing); });

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
  context.on(command->add_subcommand("overrides", "Lists who let refused actions pass, and why"),
             [&context] { return overrides(context); });
}

}  // namespace actionhist::cli
