// What actionhist.h declares of recording and guarding.
#include "operate.hpp"
#include "request.hpp"

using namespace actionhist;
using namespace actionhist::capi;

namespace {

std::vector<Action> parse_actions(std::string_view text) {
  JsonDocument document;
  const JsonElement given = document.parse(text, "request");
  if (!given.is_array()) refuse("request", "must be an array of actions");
  std::vector<Action> actions;
  for (JsonElement item : simdjson::dom::array(given)) {
    try {
      actions.push_back(parse_action(std::string(simdjson::minify(item))));
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("actions[{}].{}", actions.size(), error.what()));
    }
  }
  return actions;
}

}  // namespace

ACTIONHIST_OPERATION(record) { return to_json(history.record(parse_action(text))); }

ACTIONHIST_OPERATION(record_many) { return array_of(history.record(parse_actions(text))); }

ACTIONHIST_OPERATION(import_actions) { return to_json(history.import_actions(parse_actions(text))); }

ACTIONHIST_OPERATION(propose) {
  const Verdict verdict = history.propose(parse_action(text));
  std::string answer = to_json(verdict);
  if (!verdict.allowed() && handle.refused) handle.refused(answer);
  return answer;
}

ACTIONHIST_OPERATION(override) {
  Request request(text);
  const std::string action = request.json("action");
  const std::string override_ = request.json("override");
  request.done();
  return to_json(history.propose(parse_action(action), parse_override(override_)));
}

ACTIONHIST_OPERATION(check) { return to_json(history.check(parse_action(text))); }

ACTIONHIST_OPERATION(start) {
  Request request(text);
  const std::string action_id = request.required_text("action_id");
  const auto at = request.time("at");
  request.done();
  return to_json(history.start(action_id, at));
}

ACTIONHIST_OPERATION(complete) {
  Request request(text);
  const std::string action_id = request.required_text("action_id");
  const std::string outcome = request.json("outcome");
  bool correction = false;
  request.read("correction", correction);
  request.done();
  return to_json(history.complete(action_id, parse_outcome(outcome), correction));
}

ACTIONHIST_OPERATION(assess) {
  Request request(text);
  const std::string action_id = request.required_text("action_id");
  const std::string assessment = request.json("assessment");
  request.done();
  return to_json(history.assess(action_id, parse_assessment(assessment)));
}

ACTIONHIST_OPERATION(observe) {
  history.observe(parse_alert(text));
  return std::string(null);
}

ACTIONHIST_OPERATION(link) {
  Request request(text);
  const std::string action_id = request.required_text("action_id");
  const std::string follow_up = request.required_text("follow_up");
  const std::string relation = request.required_text("relation");
  request.done();
  return to_json(history.link(action_id, follow_up, relation));
}

ACTIONHIST_OPERATION(erase) {
  Request request(text);
  const std::string action_id = request.required_text("action_id");
  request.done();
  return flag(history.erase(action_id));
}

ACTIONHIST_OPERATION(resource_seen) {
  Request request(text);
  const Resource resource = request.resource();
  const auto at = request.time("at");
  request.done();
  history.resource_seen(resource, at);
  return std::string(null);
}

ACTIONHIST_OPERATION(resource_deleted) {
  Request request(text);
  const Resource resource = request.resource();
  const auto at = request.time("at");
  request.done();
  return flag(history.resource_deleted(resource, at));
}
