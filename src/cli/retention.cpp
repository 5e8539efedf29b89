#include <algorithm>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/describe.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

// A policy by options. None of them given means the policy that is stored.
class PolicyArguments {
 public:
  void add_to(CLI::App& command) {
    add(command, "--max-actions", policy_.max_actions, "Keep this many actions of a resource")
        ->type_name("COUNT");
    add(command, "--max-age-days", days_, "Keep actions for this many days")->type_name("DAYS");
    given_.push_back(add_read(
                         command, "--strategy", policy_.strategy,
                         [](const std::string& text) { return parse_retention_strategy(text, "--strategy"); },
                         "oldest-first, effectiveness-based or pattern-aware (if not given)")
                         ->type_name("NAME"));
    add(command, "--min-effectiveness", policy_.min_effectiveness,
        "Effectiveness-based: what was assessed below goes whatever its age")
        ->type_name("SCORE");
    add(command, "--pattern-examples", policy_.pattern_examples,
        "Pattern-aware: detections of a pattern whose actions stay; 5 if not given")
        ->type_name("COUNT");
    add(command, "--high-effectiveness", policy_.high_effectiveness,
        "Best assessed actions of a resource that stay; 10 if not given")
        ->type_name("COUNT");
    given_.push_back(command.add_flag("--legal-hold", policy_.legal_hold, "Nothing goes, by no way"));
    given_.push_back(command.add_flag("--compact", policy_.compact, "What goes leaves its sums"));
  }

  // Throws a usage error.
  std::optional<RetentionPolicy> read() const {
    bool any = false;
    for (const CLI::Option* option : given_) any = any || option->count() > 0;
    if (!any) return std::nullopt;
    RetentionPolicy policy = policy_;
    if (days_) policy.max_age = std::chrono::days(*days_);
    read_argument([&] {
      validate(policy);
      return 0;
    });
    return policy;
  }

 private:
  template <class T>
  CLI::Option* add(CLI::App& command, const char* name, T& target, const char* description) {
    return given_.emplace_back(command.add_option(name, target, description));
  }

  RetentionPolicy policy_;
  std::optional<std::int32_t> days_;
  std::vector<CLI::Option*> given_;
};

struct Arguments {
  Resource resource;
  PolicyArguments policy;
  int batch = 500;
  int limit = 20;
};

std::string group_text(const Resource& resource, const std::string& resource_id) {
  if (resource_id.empty()) return "(no known resource)";
  return resource.kind.empty() ? resource_id : resource_text(resource);
}

std::string describe(const RetentionPolicy& policy) {
  if (policy.legal_hold) return "legal hold";
  std::string text;
  if (policy.max_actions) text += fmt::format("{} actions, ", *policy.max_actions);
  if (policy.max_age) text += fmt::format("{} days, ", policy.max_age->count());
  if (policy.min_effectiveness) text += fmt::format("effectiveness from {:.2f}, ", *policy.min_effectiveness);
  if (text.empty()) return "everything is kept";
  return fmt::format("{}{}{}", text, to_string(policy.strategy), policy.compact ? ", sums stay" : "");
}

std::int64_t count(const RetentionPlan& plan, RetentionReason reason) {
  return std::ranges::count(plan.going, reason, &ExpiringAction::reason);
}

Exit plan(const Context& context, const Arguments& arguments) {
  const RetentionRequest request{arguments.resource, arguments.policy.read(), arguments.batch, {}};
  const std::vector<RetentionPlan> plans = context.open(Access::read).retention_plan(request);
  std::size_t going = 0;
  Table table({{"RESOURCE", Table::Column::flexible},
               {"POLICY", Table::Column::flexible},
               {"ACTIONS", Table::Column::number},
               {"GO", Table::Column::number},
               {"AGE", Table::Column::number},
               {"COUNT", Table::Column::number},
               {"SCORE", Table::Column::number},
               {"CITED", Table::Column::number},
               {"BEST", Table::Column::number},
               {"OPEN", Table::Column::number},
               {"GUARDED", Table::Column::number},
               {"HELD", Table::Column::number}});
  for (const RetentionPlan& p : plans) {
    going += p.going.size();
    if (context.json) print_line(to_json(p));
    table.add({group_text(p.resource, p.resource_id), describe(p.policy), std::to_string(p.records_before),
               fmt::format("{}{}", p.going.size(), p.partial ? "+" : ""),
               std::to_string(count(p, RetentionReason::age)),
               std::to_string(count(p, RetentionReason::count)),
               std::to_string(count(p, RetentionReason::score)), std::to_string(p.kept_cited),
               std::to_string(p.kept_best), std::to_string(p.kept_open), std::to_string(p.kept_guarded),
               std::to_string(p.kept_held)});
  }
  if (context.json) return Exit::done;
  if (!table.empty()) table.print(terminal_width());
  context.say(fmt::format("{} actions would go", going), {});
  return Exit::done;
}

Exit apply(const Context& context, const Arguments& arguments) {
  History history = context.open(Access::change);
  Progress progress = context.progress();
  RetentionRequest request{arguments.resource, arguments.policy.read(), arguments.batch, {}};
  std::int64_t removed = 0;
  request.progress = [&](const RetentionProgress& p) {
    removed = p.removed;
    progress.show(static_cast<std::uintmax_t>(p.removed),
                  fmt::format("{} actions removed, {} of {} resources", p.removed, p.groups_done, p.groups));
  };
  RetentionRun run;
  try {
    run = history.apply_retention(request);
  } catch (const Error&) {
    progress.clear();
    if (removed > 0) {
      context.note("what was removed until here is gone, the rest is there; another run goes on");
    }
    throw;
  }
  progress.clear();
  const auto touched = std::ranges::count_if(
      run.operations, [](const RetentionOperation& operation) { return operation.records_deleted > 0; });
  const std::string alerts = run.alerts > 0 ? fmt::format(", and {} firings of alerts", run.alerts) : "";
  context.say(fmt::format("{} actions removed from {} resources{}", run.removed, touched, alerts),
              to_json(run));
  return Exit::done;
}

Exit list(const Context& context) {
  const std::vector<RetentionRule> rules = context.open(Access::read).retention_policies();
  if (context.json) {
    for (const RetentionRule& rule : rules) print_line(to_json(rule));
  }
  if (rules.empty()) context.note("no policy is set: everything is kept");
  if (context.json || rules.empty()) return Exit::done;
  Table table({{"RESOURCE", Table::Column::flexible}, {"POLICY", Table::Column::flexible}});
  for (const RetentionRule& rule : rules) {
    table.add({rule.resource_id.empty() ? "(all others)" : group_text(rule.resource, rule.resource_id),
               describe(rule.policy)});
  }
  table.print(terminal_width());
  return Exit::done;
}

Exit set(const Context& context, const Arguments& arguments) {
  const std::optional<RetentionPolicy> policy = arguments.policy.read();
  if (!policy) throw CLI::ValidationError("no policy: give --max-actions, --max-age-days or --legal-hold");
  History history = context.open(Access::create);
  history.set_retention_policy(policy, arguments.resource);
  context.say(describe(*policy), to_json(*policy));
  return Exit::done;
}

Exit clear(const Context& context, const Arguments& arguments) {
  History history = context.open(Access::change);
  history.set_retention_policy(std::nullopt, arguments.resource);
  const RetentionPolicy policy = history.retention_policy(arguments.resource);
  context.say(fmt::format("the policy is taken away; now: {}", describe(policy)), to_json(policy));
  return Exit::done;
}

Exit log(const Context& context, const Arguments& arguments) {
  const std::vector<RetentionOperation> operations =
      context.open(Access::read).retention_operations(arguments.limit);
  if (context.json) {
    for (const RetentionOperation& operation : operations) print_line(to_json(operation));
    return Exit::done;
  }
  Table table({{"START"},
               {"RESOURCE ID", Table::Column::flexible},
               {"WHAT"},
               {"STRATEGY"},
               {"BEFORE", Table::Column::number},
               {"REMOVED", Table::Column::number},
               {"AFTER", Table::Column::number},
               {"STATUS"},
               {"ERROR", Table::Column::flexible}});
  for (const RetentionOperation& o : operations) {
    table.add({short_time(o.operation_start), o.resource_id.empty() ? "-" : o.resource_id, o.operation_type,
               o.strategy_used, std::to_string(o.records_before), std::to_string(o.records_deleted),
               std::to_string(o.records_after), o.operation_status,
               o.error_message.empty() ? "-" : o.error_message});
  }
  if (!table.empty()) table.print(terminal_width());
  return Exit::done;
}

}  // namespace

void add_retention(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("retention", "Says what expires, and removes it");
  command->require_subcommand(1);

  const auto add = [&](CLI::App* to, auto... given) { return add_part<Arguments>(*to, context, given...); };
  const auto resource = [](CLI::App& part, Arguments& a) { add_resource(part, a.resource); };
  const auto policy = [](CLI::App& part, Arguments& a) { a.policy.add_to(part); };
  const auto batch = [](CLI::App& part, Arguments& a) {
    part.add_option("--batch", a.batch, "Actions in one transaction; 500 if not given")
        ->check(between(1, 10'000))
        ->type_name("COUNT");
  };
  const auto limit = [](CLI::App& part, Arguments& a) {
    part.add_option("--limit", a.limit, "At most this many; 20 if not given")
        ->check(between(1, 10'000))
        ->type_name("COUNT");
  };
  add(command, "plan", "What would go now, and why; changes nothing", &plan, resource, policy);
  add(command, "apply", "Removes what the plan says, in small transactions", &apply, resource, policy, batch);
  add(command, "log", "What runs did, the newest first", &log, limit);
  CLI::App* policies = add(command, "policy", "The policies that are set", &list);
  policies->require_subcommand(0, 1);
  add(policies, "set", "Sets the policy of a resource, or of all others without --kind and --name", &set,
      resource, policy);
  add(policies, "clear", "Takes it away", &clear, resource);
}

}  // namespace actionhist::cli
