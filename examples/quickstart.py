"""Records what an agent did, asks before it acts again, and finds what worked before."""
import sys

import actionhist

checkout = {"kind": "Deployment", "namespace": "prod", "name": "checkout"}

with actionhist.open(sys.argv[1] if len(sys.argv) > 1 else "sqlite:history.db") as history:
    verdict = history.propose({
        "alert_name": "HighLatency", "model_reasoning": "Three pods are too few for this load.",
        "action_type": "scale_deployment", "action_parameters": {"replicas": 5},
        "resource_reference": checkout, "resource_state_before": {"replicas": 3}})
    if verdict.action_id:
        # … scale, look at the result, and say what became of it.
        history.complete(verdict.action_id, status="completed", effectiveness_score=0.8,
                         resource_state_after={"replicas": 5})
    else:
        print("refused:", verdict.reason)

    history.wait_indexed(timeout=10)
    for hit in history.similar("latency is high, not enough pods", limit=3):
        print(f"{hit.score:.2f}  {hit.trace.action_type} on {hit.trace.name}, "
              f"effectiveness {hit.trace.effectiveness_score}")
