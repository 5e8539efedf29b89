#include "cli/arguments.hpp"

#include <charconv>

#include <fmt/format.h>

#include "cli/input.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

// Farther than any stored time, and far from overflow in microseconds.
constexpr std::int64_t most_units = 1'000'000;

std::optional<std::chrono::seconds> unit_of(char letter) {
  using namespace std::chrono_literals;
  switch (letter) {
    case 's': return 1s;
    case 'm': return 1min;
    case 'h': return 1h;
    case 'd': return 24h;
    case 'w': return 24h * 7;
    default: return std::nullopt;
  }
}

std::optional<std::chrono::microseconds> read_distance(std::string_view text) {
  if (text.size() < 3 || (text.front() != '-' && text.front() != '+')) return std::nullopt;
  const auto unit = unit_of(text.back());
  std::int64_t count = 0;
  const char* end = text.data() + text.size() - 1;
  const auto [stop, error] = std::from_chars(text.data() + 1, end, count);
  if (!unit || error != std::errc{} || stop != end || count < 0 || count > most_units) return std::nullopt;
  return *unit * (text.front() == '-' ? -count : count);
}

// Numbers, true, objects and so on; a bare word is text.
Json read_value(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Error&) {
    return Json(text);
  }
}

struct TextOption {
  const char* name;
  std::string Action::*field;
  const char* description;
};

constexpr TextOption text_options[] = {
    {"--type", &Action::action_type, "What is done: scale_deployment"},
    {"--owner", &Action::owner, "Who owns the resource and is guarded instead: Deployment/web"},
    {"--alert", &Action::alert_name, "Name of the alert behind it"},
    {"--severity", &Action::alert_severity, "Severity of the alert"},
    {"--reasoning", &Action::model_reasoning, "Why, in words"},
    {"--model", &Action::model_used, "The model that chose it"},
    {"--id", &Action::action_id, "The action's id; one is made if none is given"},
    {"--correlation", &Action::correlation_id, "Correlation id"},
    {"--session", &Action::session_id, "Session id"},
    {"--actor", &Action::actor, "Who acts"},
    {"--environment", &Action::environment, "Where: production"},
};

void add_members(CLI::App& command, const char* name, std::vector<std::string>& target,
                 const char* description) {
  command.add_option(name, target, description)->allow_extra_args(false)->type_name("KEY=VALUE");
}

void add_given(Json& object, const std::vector<std::string>& assignments, std::string_view name) {
  for (const std::string& assignment : assignments) {
    object = read_argument([&] { return with_member(object, assignment, name); });
  }
}

}  // namespace

TimePoint read_time(std::string_view text, std::string_view field) {
  if (text == "now") return system_now();
  if (const auto distance = read_distance(text)) return system_now() + *distance;
  try {
    return parse_time(text, field);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}, -2h, -7d or now", error.what()));
  }
}

Json with_member(const Json& object, std::string_view assignment, std::string_view field) {
  const auto equals = assignment.find('=');
  if (equals == assignment.npos || equals == 0) {
    throw Error(ErrorCode::invalid_argument, fmt::format("{}: \"{}\" is not KEY=VALUE", field, assignment));
  }
  const std::string_view name = assignment.substr(0, equals);
  JsonWriter writer;
  JsonDocument document;
  writer.begin_object();
  if (!object.absent()) {
    if (object.text().front() != '{') {
      throw Error(ErrorCode::invalid_argument, fmt::format("{}: there is no object to add to", field));
    }
    for (auto [key, value] : simdjson::dom::object(document.parse(object))) {
      if (key != name) writer.key(key).raw(simdjson::minify(value));
    }
  }
  writer.member(name, read_value(assignment.substr(equals + 1)));
  return Json::parse(writer.end_object().take(), field);
}

CLI::Option* add_time(CLI::App& command, const std::string& name, std::optional<TimePoint>& target,
                      const std::string& description) {
  const auto read = [name](const std::string& text) { return read_time(text, name); };
  return add_read(command, name, target, read, description)->type_name("TIME");
}

CLI::Option* add_json(CLI::App& command, const std::string& name, Json& target,
                      const std::string& description) {
  const auto read = [name](const std::string& text) { return Json::parse(text, name); };
  return add_read(command, name, target, read, description)->type_name("JSON");
}

void add_limit(CLI::App& command, int& target, int most, std::string_view what) {
  command.add_option("--limit", target, fmt::format("{}, at most {}; {} if not given", what, most, target))
      ->check(between(1, most))
      ->type_name("N");
}

void add_resource(CLI::App& command, Resource& resource) {
  command.add_option("--kind", resource.kind, "Kind of the resource: Deployment")->type_name("KIND");
  command.add_option("--namespace", resource.namespace_, "Its namespace")->type_name("NAMESPACE");
  command.add_option("--name", resource.name, "Its name")->type_name("NAME");
  command.add_option("--cluster", resource.cluster, "Its cluster")->type_name("CLUSTER");
  command.add_option("--api-group", resource.api_group, "The API group of its kind")->type_name("GROUP");
}

void add_filters(CLI::App& command, ActionQuery& query) {
  add_resource(command, query.resource);
  command.add_option("--correlation", query.correlation_id, "Only of this correlation id")->type_name("ID");
  add_time(command, "--since", query.since, "From this time on: RFC 3339, -2h, -7d or now");
  add_time(command, "--until", query.until, "Before this time");
  add_json(command, "--where", query.where, R"(A filter: {"effectiveness_score": {"$lt": 0.5}})");
}

void JsonInput::add_to(CLI::App& command, const std::string& description) {
  CLI::Option* argument = command.add_option("JSON", argument_, description + "; - is stdin")->type_name("");
  command.add_option("--file", file_, "Read the JSON from a file; - is stdin")
      ->type_name("FILE")
      ->excludes(argument);
}

std::string JsonInput::read() const {
  if (!file_.empty()) return read_input(file_);
  return argument_ == "-" ? read_input("-") : argument_;
}

void ActionArguments::add_to(CLI::App& command) {
  input_.add_to(command, "The action as a JSON object");
  for (const TextOption& option : text_options) {
    command.add_option(option.name, given_.*option.field, option.description)->type_name("TEXT");
  }
  add_resource(command, given_.resource);
  add_time(command, "--time", given_.action_timestamp,
           "When: RFC 3339, -2h or now; now if the action is given by options alone");
  add_time(command, "--firing", given_.alert_firing_time, "When the alert fired");
  add_json(command, "--params", given_.action_parameters, "Its parameters");
  add_members(command, "--param", parameters_,
              "One of them, any number of times; what reads as JSON is JSON, else it is text");
  add_json(command, "--state-before", given_.resource_state_before,
           R"(The resource before it: {"replicas": 3})");
  add_members(command, "--label", labels_, "A label of the alert");
  add_members(command, "--metadata", metadata_, "A field of your own");
  add_read(
      command, "--effect", given_.effect,
      [](const std::string& text) { return parse_effect(text, "--effect"); },
      "mutating or read_only; by the type if not given")
      ->type_name("EFFECT");
  add_read(
      command, "--status", status_, [](const std::string& text) { return parse_status(text, "--status"); },
      "What became of it: completed, failed, …")
      ->type_name("STATUS");
  command.add_option("--confidence", given_.model_confidence, "The model's confidence, 0 to 1")
      ->type_name("SHARE");
  command.add_option("--score", given_.outcome.effectiveness_score, "How well it worked, 0 to 1")
      ->type_name("SHARE");
  command.add_option("--error", given_.outcome.execution_error, "Why it failed")->type_name("TEXT");
}

Action ActionArguments::read() const {
  Action action = input_.given() ? parse_action(input_.read()) : Action{};
  const auto take = [](auto& target, const auto& given) {
    if (given != std::remove_cvref_t<decltype(given)>{}) target = given;
  };
  for (const TextOption& option : text_options) take(action.*option.field, given_.*option.field);
  take(action.resource.kind, given_.resource.kind);
  take(action.resource.namespace_, given_.resource.namespace_);
  take(action.resource.name, given_.resource.name);
  take(action.resource.cluster, given_.resource.cluster);
  take(action.resource.api_group, given_.resource.api_group);
  take(action.action_timestamp, given_.action_timestamp);
  take(action.alert_firing_time, given_.alert_firing_time);
  take(action.action_parameters, given_.action_parameters);
  add_given(action.action_parameters, parameters_, "--param");
  take(action.resource_state_before, given_.resource_state_before);
  add_given(action.alert_labels, labels_, "--label");
  add_given(action.metadata, metadata_, "--metadata");
  take(action.effect, given_.effect);
  take(action.model_confidence, given_.model_confidence);
  take(action.outcome.effectiveness_score, given_.outcome.effectiveness_score);
  take(action.outcome.execution_error, given_.outcome.execution_error);
  if (status_) action.outcome.status = *status_;
  return action;
}

}  // namespace actionhist::cli
