#include "scaling_agent.hpp"

#include <algorithm>
#include <cstdio>

using namespace actionhist;

namespace {

constexpr int fewest = 1;
constexpr int most = 6;
constexpr int stride = 3;
constexpr int long_queue = 20;
constexpr int short_queue = 5;
constexpr double idle = 0.3;
// A new size gets this many ticks before it is judged.
constexpr int ticks_between_steps = 4;

std::string so_much_later(std::chrono::steady_clock::time_point then) {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - then;
  char text[32];
  std::snprintf(text, sizeof(text), " %.1f s later.", passed.count());
  return text;
}

Json replicas(int count) { return Json::object({{"replicas", count}}); }

}  // namespace

Resource ScalingAgent::resource() {
  Resource resource;
  resource.kind = "Deployment";
  resource.namespace_ = "demo";
  resource.name = "queue-worker";
  return resource;
}

std::string ScalingAgent::tick(const Reading& now) {
  assess_step(now, false);
  if (holds()) {
    longest_queue_ = std::max(longest_queue_, now.queued);
    return "held";
  }
  if (pause_ > 0) {
    --pause_;
    return {};
  }
  const auto wanted = wish(now);
  return wanted ? propose(*wanted, now) : std::string();
}

void ScalingAgent::finish(const Reading& now) {
  assess_step(now, true);
  if (refusal_) record_hold();
}

std::optional<ScalingAgent::Wish> ScalingAgent::wish(const Reading& now) {
  const std::string busy = std::to_string(static_cast<int>(now.busy * 100)) + " %";
  if (now.queued > long_queue && now.workers < most) {
    return Wish{std::min(most, now.workers + stride), "QueueBacklog",
                "A queue backlog: " + std::to_string(now.queued) + " jobs wait and the workers are " + busy +
                    " busy. More workers drain the queue."};
  }
  if (now.queued <= short_queue && now.busy < idle && now.workers > fewest) {
    return Wish{std::max(fewest, now.workers - stride), "IdleWorkers",
                "The workers idle: they are " + busy +
                    " busy and no queue waits for them. "
                    "Scaling down saves what they cost."};
  }
  return std::nullopt;
}

std::string ScalingAgent::propose(const Wish& wish, const Reading& now) {
  Action action;
  action.actor = "naive-autoscaler";
  action.alert_name = wish.alert;
  action.model_reasoning = wish.reasoning;
  action.action_type = "scale_deployment";
  action.action_parameters = replicas(wish.replicas);
  action.resource = resource();
  action.resource_state_before = replicas(now.workers);

  const std::string step =
      std::to_string(now.workers) + " -> " + std::to_string(wish.replicas) + " (" + wish.alert + "): ";
  Verdict verdict = history_.propose(action);
  if (!verdict.allowed()) {
    refused(std::move(verdict), now.workers);
    return step + "refused";
  }
  const std::string id = verdict.trace->action_id;
  history_.start(id);
  Outcome outcome;
  outcome.resource_state_after = replicas(pool_.resize(wish.replicas));
  outcome.status = pool_.size() == wish.replicas ? Status::completed : Status::failed;
  history_.complete(id, outcome);
  step_ = Step{id, wish.replicas > now.workers, std::chrono::steady_clock::now()};
  pause_ = ticks_between_steps;
  return step + std::string(to_string(outcome.status));
}

void ScalingAgent::refused(Verdict verdict, int workers) {
  refusal_ = std::move(verdict);
  refused_at_ = system_now();
  held_ = workers;
  longest_queue_ = 0;
}

// A step up has worked when the queue is short, a step down has failed when the queue is long again.
void ScalingAgent::assess_step(const Reading& now, bool final) {
  if (!step_) return;
  const bool drained = now.queued <= short_queue;
  const bool backed_up = now.queued > long_queue;
  if (!final && !(step_->up ? drained : backed_up)) return;
  const std::string later = so_much_later(step_->taken);
  Assessment assessment;
  if (step_->up) {
    assessment.health = assessment.alert = drained ? 1 : 0;
    assessment.notes = (drained ? "The queue was short" : "The queue was still long") + later;
  } else {
    assessment.alert = 1;
    assessment.health = backed_up ? 0 : 1;
    assessment.notes = (backed_up ? "The queue was long again" : "The queue was still short") + later;
  }
  history_.assess(step_->action_id, assessment);
  step_.reset();
}

// Doing nothing helped or did not, and is worth remembering like any action.
void ScalingAgent::record_hold() {
  Action hold;
  hold.action_timestamp = refused_at_;
  hold.actor = "naive-autoscaler";
  hold.alert_name = "IdleWorkers";
  hold.model_reasoning = "The next step was refused: " + refusal_->reason +
                         ". Workers that idle soon after a queue backlog are kept for the next one.";
  hold.action_type = "hold_replicas";
  hold.effect = Effect::read_only;
  hold.resource = resource();
  hold.resource_state_before = replicas(held_);
  hold.outcome.status = Status::completed;
  hold.outcome.resource_state_after = replicas(held_);
  hold.outcome.effectiveness_score = longest_queue_ <= long_queue ? 1 : 0;
  hold.outcome.effectiveness_notes = "While " + std::to_string(held_) + " workers were kept, at most " +
                                     std::to_string(longest_queue_) + " jobs waited.";
  history_.record(hold);
}
