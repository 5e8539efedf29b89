"""What was learned from the recorded actions."""

import pytest

import actionhist


def test_what_worked_is_recommended_and_what_failed_is_not(history, restart):
    for i, score in enumerate((0.9, 1.0)):
        history.record(restart(f"good-{i}", action_type="rollback", effectiveness_score=score,
                               execution_status="completed"))
    for i in range(2):
        history.record(restart(f"bad-{i}", effectiveness_score=0.1, execution_status="completed"))
    found = history.recommend("pod crashes at start", alert_name="KubePodCrashLooping", fresh=True)
    assert [each["action_type"] for each in found["actions"]] == ["rollback"]
    assert [each["action_type"] for each in found["avoid"]] == ["restart_deployment"]
    best = found["actions"][0]
    assert 0 < best["lower"] < best["expected_success"] < best["upper"] < 1
    assert {example["action_id"] for example in best["examples"]} == {"good-0", "good-1"}


def test_an_unclear_question_is_refused(history):
    with pytest.raises(actionhist.InvalidArgument, match="recommend: give a text"):
        history.recommend()
    with pytest.raises(actionhist.InvalidArgument, match="limit"):
        history.recommend("x", limit=0)


def flip(name, before, after):
    return {
        "action_id": name,
        "action_type": "scale_deployment",
        "action_parameters": {"replicas": after},
        "resource_reference": {"kind": "Deployment", "namespace": "prod", "name": "web"},
        "resource_state_before": {"replicas": before},
    }


def oscillate(history, clock):
    for name, before, after in (("f-1", 3, 5), ("f-2", 5, 3)):
        assert history.propose(flip(name, before, after))
        history.complete(name, status="completed", resource_state_after={"replicas": after})
        clock.advance(minutes=5)


def test_a_refusal_is_told_overridden_and_resolved(clock):
    told = []
    with actionhist.open("memory:", clock=clock, on_detection=told.append) as history:
        oscillate(history, clock)
        assert not history.propose(flip("f-3", 3, 5))
        assert [(t["action_id"], t["fresh"], t["overridden"]) for t in told] == [("f-3", True, False)]
        verdict = history.propose(flip("f-4", 3, 5), override={"actor": "me", "reason": "planned"})
        assert verdict and verdict.overridden
        assert history.overrides()[0]["actor"] == "me"
        with pytest.raises(actionhist.InvalidArgument, match="override.reason"):
            history.propose(flip("f-5", 3, 5), override={"actor": "me"})
        (found,) = history.detections(unresolved=True)
        assert found.overrides == 1 and found.refusals == 1
        resolved = history.resolve(found.detection_id, notes="planned", false_positive=True)
        assert resolved.false_positive and resolved.resolution_notes == "planned"
        assert history.detection(found.detection_id) == resolved
        assert history.detections(unresolved=True) == []
        assert history.settle()["resolved_by_timeout"] == 0


def test_patterns_are_tried_changed_and_removed(history, clock):
    pattern = next(p for p in history.patterns() if p["pattern_id"] == "scale-oscillation")
    history.put_pattern(pattern, shadow=True)
    oscillate(history, clock)
    verdict = history.propose(flip("f-3", 3, 5))
    assert verdict and len(verdict.shadowed) == 1
    assert history.remove_pattern("scale-oscillation")
    assert not history.remove_pattern("scale-oscillation")


def test_a_resource_has_a_policy_of_its_own(history):
    web = {"kind": "Deployment", "namespace": "prod", "name": "web"}
    assert history.guard_policy(**web) == {}
    history.set_guard_policy({"pattern_min_occurrences": 4}, **web)
    assert history.guard_policy(**web) == {"pattern_min_occurrences": 4}
