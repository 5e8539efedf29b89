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
