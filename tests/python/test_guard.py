"""Proposals: what continues an oscillation is refused, and the caller learns why."""

import threading
from datetime import timedelta

import pytest

import actionhist
from conftest import NOON

# Replicas 3, 5, 3, 5, each change with the state before it.
SWINGS = [(3, 5), (5, 3), (3, 5)]
# One more, so that they end where they began.
PAST = [(5, 3), *SWINGS]
DECISIONS = {"block-action": "blocked", "cooling-period": "cooling"}


def propose_swings(history, clock, scale):
    """The proposals five minutes apart; those that are allowed are completed."""
    verdicts = []
    for i, (before, after) in enumerate(SWINGS):
        clock.time = NOON + timedelta(minutes=5 * i)
        verdicts.append(history.propose(scale(before, after, action_id=f"swing-{i}")))
        if verdicts[-1]:
            history.complete(f"swing-{i}", resource_state_after={"replicas": after})
    return verdicts



def test_a_verdict_names_what_was_stored_and_what_was_not_looked_at(history):
    verdict = history.propose(action_type="restart_deployment", kind="Deployment", name="web")
    assert verdict.action_id == verdict.trace.action_id
    assert "not evaluated" not in repr(verdict)
    unknown = history.check(action_type="restart_deployment")
    assert unknown.action_id is None
    assert "not evaluated: all: neither the resource" in repr(unknown)


def test_what_is_misspelt_does_not_switch_the_guard_off(history):
    with pytest.raises(actionhist.InvalidArgument, match="nmae: is not known, but name is"):
        history.propose(action_type="restart_deployment", kind="Deployment", nmae="web")
    with pytest.raises(actionhist.InvalidArgument, match="overide: is not known, but override is"):
        history.propose(action_type="restart_deployment", overide={"actor": "me", "reason": "planned"})
    with pytest.raises(actionhist.InvalidArgument, match="override: check"):
        history.check(action_type="restart_deployment", override={"actor": "me", "reason": "planned"})


def test_the_first_action_is_allowed_and_stored_as_pending(history, scale):
    verdict = history.propose(scale(3, 5), action_id="a")
    assert verdict.allowed and verdict and verdict.decision == "allowed"
    assert not verdict.repeated and verdict.detections == [] and verdict.retry_after is None
    assert verdict.trace.stored and verdict.trace.execution_status == "pending"
    assert verdict.trace.action_timestamp == NOON
    assert history.get("a") == verdict.trace


def test_scaling_to_and_fro_is_refused(history, clock, scale):
    verdicts = propose_swings(history, clock, scale)
    assert [v.allowed for v in verdicts] == [True, True, False]
    refused = verdicts[-1]
    assert not refused and refused.reason and "scale-oscillation" in refused.reason
    assert refused.trace is None and history.get("swing-2") is None
    detection = refused.detections[0]
    assert detection.pattern_type == "scale-oscillation" and detection.pattern_id == "scale-oscillation"
    assert refused.decision == DECISIONS[detection.prevention]
    assert detection.confidence == 0.5 and detection.severity == "medium"
    assert detection.action_ids == ["swing-0", "swing-1", "swing-2"]
    assert detection.evidence["reversals"] == 2 and detection.evidence["dimension"] == "replicas"
    assert detection.refusals == 1 and detection.refused_ids == ["swing-2"]
    assert detection.in_force_until == refused.retry_after > clock.time
    assert detection.first_at == NOON and detection.last_at == detection.as_of == clock.time
    assert detection.scope.startswith("resource:") and detection.detection_id
    assert detection == refused.detections[0]


def test_the_same_proposal_again_gets_the_same_answer(history, clock, scale):
    history.propose(action_type="restart_pod", action_id="a-1", kind="Pod", name="p")
    allowed = history.propose(action_type="restart_pod", action_id="a-1", kind="pods", name="p")
    assert allowed and allowed.repeated and not allowed.trace.stored
    verdicts = propose_swings(history, clock, scale)
    with pytest.raises(actionhist.Conflict, match="completed already"):
        history.propose(scale(*SWINGS[0], action_id="swing-0"))
    refused = history.propose(scale(*SWINGS[2], action_id="swing-2"))
    assert not refused and refused.repeated and refused.decision == verdicts[-1].decision
    assert refused.detections[0].detection_id == verdicts[-1].detections[0].detection_id
    assert refused.detections[0].refusals == 1


def test_another_resource_is_not_concerned(history, clock, scale):
    propose_swings(history, clock, scale)
    other = {"kind": "Deployment", "namespace": "prod", "name": "db"}
    assert history.propose(scale(3, 5, resource_reference=other))
    assert history.propose(scale(3, 5), cluster="us")


def test_check_decides_without_writing(history, clock, scale):
    for i, (before, after) in enumerate(SWINGS[:2]):
        history.propose(scale(before, after, action_id=f"swing-{i}"))
        history.complete(f"swing-{i}", resource_state_after={"replicas": after})
        clock.advance(minutes=5)
    for _ in range(2):
        verdict = history.check(scale(*SWINGS[2], action_id="next"))
        assert not verdict and verdict.decision in DECISIONS.values() and verdict.trace is None
        assert not verdict.repeated and verdict.detections[0].refusals == 0
    assert history.get("next") is None
    assert history.check(scale(5, 6, resource_reference={"kind": "Pod", "name": "x"}))


def test_an_unknown_resource_says_that_nothing_could_be_looked_at(history):
    verdict = history.propose(action_type="restart_pod")
    assert verdict and any("resource" in reason for reason in verdict.not_evaluated)


def test_detect_looks_back_from_any_moment(history, scale):
    history.record_many(
        scale(
            before,
            after,
            action_id=f"a-{i}",
            action_timestamp=NOON - timedelta(minutes=15 - 5 * i),
            execution_status="completed",
            resource_state_after={"replicas": after},
        )
        for i, (before, after) in enumerate(PAST)
    )
    web = {"kind": "Deployment", "namespace": "prod", "name": "web"}
    found = history.detect(**web, as_of=NOON, window_minutes=120)
    assert [d.pattern_type for d in found] == ["scale-oscillation"]
    assert found[0].confidence == 0.875 and found[0].severity == "high"
    assert found[0].action_ids == ["a-0", "a-1", "a-2", "a-3"]
    assert found[0].detection_id is None and found[0].prevention is None
    assert history.detect(**web)[0] == history.detect(**web, as_of=NOON)[0]
    assert history.detect(**web, as_of=NOON - timedelta(minutes=10)) == []
    assert history.detect(**web, as_of=NOON + timedelta(hours=5)) == []
    assert history.detect(**web, as_of=NOON, window_minutes=2) == []
    assert history.detect(kind="Deployment", namespace="prod", name="db", as_of=NOON) == []
    assert history.detect(kind="deployments", name="web", as_of=NOON)


def test_detect_by_correlation_and_session(history, scale):
    history.record_many(
        scale(
            before,
            after,
            action_timestamp=NOON - timedelta(minutes=15 - 5 * i),
            execution_status="completed",
            resource_state_after={"replicas": after},
            correlation_id="rr-1",
            session_id="s-1",
        )
        for i, (before, after) in enumerate(PAST)
    )
    assert history.detect(correlation_id="rr-1", as_of=NOON)[0].scope == "correlation:rr-1"
    assert history.detect(session_id="s-1", as_of=NOON)[0].scope == "session:s-1"
    assert history.detect(correlation_id="rr-2", as_of=NOON) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"namespace": "prod"},
        {"kind": "Pod", "name": "x", "window_minutes": 0},
        {"kind": "Pod", "name": "x", "window_minutes": 10**9},
    ],
)
def test_detect_without_a_scope_or_with_a_silly_window_is_refused(history, arguments):
    with pytest.raises(actionhist.InvalidArgument):
        history.detect(**arguments)


def test_patterns_are_data(history):
    patterns = {p["pattern_id"]: p for p in history.patterns()}
    assert patterns["scale-oscillation"]["time_window_minutes"] == 120
    assert patterns["action-budget"]["active"] is False
    history.put_pattern(patterns["scale-oscillation"], time_window_minutes=30)
    history.put_pattern({"pattern_id": "mine", "pattern_type": "action-budget", "namespaces": ["dev"]})
    patterns = {p["pattern_id"]: p for p in history.patterns()}
    assert patterns["scale-oscillation"]["time_window_minutes"] == 30
    assert patterns["mine"]["namespaces"] == ["dev"] and patterns["mine"]["active"] is True
    with pytest.raises(actionhist.InvalidArgument, match="pattern_type"):
        history.put_pattern(pattern_id="x", pattern_type="no-such")
    with pytest.raises(actionhist.InvalidArgument, match="colour"):
        history.put_pattern(pattern_id="x", pattern_type="action-budget", colour="red")


def test_eight_agents_never_pass_a_budget_of_three(tmp_path):
    with actionhist.open(tmp_path / "agent.db") as h:
        h.put_pattern(pattern_id="budget", pattern_type="action-budget", min_occurrences=3)
        verdicts = []
        gate = threading.Barrier(8)

        def agent():
            gate.wait()
            verdicts.append(h.propose(action_type="drain_node", kind="Node", name="n-1"))

        threads = [threading.Thread(target=agent) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(v.allowed for v in verdicts) == [False] * 5 + [True] * 3
        assert len(h.history(limit=100)) == 3


def test_alerts_are_observed(history):
    history.observe(
        alert_name="HighLoad",
        starts_at=NOON,
        kind="Deployment",
        namespace="prod",
        name="web",
        labels={"team": "a"},
        severity="warning",
    )
    history.observe({"alert_name": "HighLoad", "starts_at": NOON, "ends_at": NOON + timedelta(minutes=1)})
    with pytest.raises(actionhist.InvalidArgument, match="starts_at: is required"):
        history.observe(alert_name="HighLoad")
    with pytest.raises(actionhist.InvalidArgument, match="alert_name: is required"):
        history.observe(starts_at=NOON)
    with pytest.raises(actionhist.InvalidArgument, match="ends_at"):
        history.observe(alert_name="x", starts_at=NOON, ends_at=NOON - timedelta(minutes=1))
