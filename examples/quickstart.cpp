// Records what an agent did, finds what worked before, and asks before it acts again.
#include <actionhist/actionhist.hpp>

#include <iostream>

using namespace actionhist;

int main(int argc, char** argv) try {
  History history = actionhist::open(argc > 1 ? argv[1] : "sqlite:history.db");

  // What happened an hour ago. Its id makes it safe to record it again.
  Action past;
  past.action_id = "checkout-oom-1";
  past.action_timestamp = system_now() - std::chrono::hours(1);
  past.alert_name = "KubePodCrashLooping";
  past.model_reasoning = "The container is killed for memory while it warms its cache.";
  past.action_type = "increase_memory";
  past.action_parameters = Json::object({{"memory", "2Gi"}});
  past.resource.kind = "Deployment";
  past.resource.namespace_ = "prod";
  past.resource.name = "checkout";
  past.outcome.status = Status::completed;
  past.outcome.effectiveness_score = 0.9;
  history.record(past);

  // Ask before acting. What is allowed is stored at once, so that no other agent passes beside it.
  Action next;
  next.model_reasoning = "Latency is above its objective; three pods are too few for this load.";
  next.action_type = "scale_deployment";
  next.action_parameters = Json::object({{"replicas", 5}});
  next.resource = past.resource;
  next.resource_state_before = Json::object({{"replicas", 3}});
  const Verdict verdict = history.propose(next);
  if (verdict.allowed()) {
    // … scale, look at the result, and say what became of it.
    Outcome outcome;
    outcome.status = Status::completed;
    outcome.resource_state_after = Json::object({{"replicas", 5}});
    outcome.effectiveness_score = 0.8;
    history.complete(verdict.trace->action_id, outcome);
  } else {
    std::cout << "refused: " << verdict.reason << "\n";
  }

  // What worked before when something like this happened?
  SimilarQuery query;
  query.text = "pods crash, out of memory at start";
  query.fresh = true;
  for (const Hit& hit : history.similar(query)) {
    const Trace& found = hit.trace;
    std::cout << hit.score << "  " << found.action_type << " " << found.action_parameters.text() << " on "
              << to_string(found.resource);
    if (const auto& score = found.outcome.effectiveness_score) std::cout << ", effectiveness " << *score;
    std::cout << "\n";
  }
} catch (const Error& error) {
  std::cerr << to_string(error.code()) << ": " << error.what() << "\n";
  return 1;
}
