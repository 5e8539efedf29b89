"""Retention: nothing expires until a policy says so."""

from datetime import timedelta

import pytest

import actionhist
from conftest import NOON

WEB = {"kind": "Deployment", "namespace": "prod", "name": "web"}


@pytest.fixture
def ten(history):
    """Ten actions on one resource, a day apart: a1 is the newest."""
    history.record_many(
        {"action_id": f"a{i}", "action_type": "restart", "action_timestamp": NOON - timedelta(days=i),
         "resource_reference": WEB, "execution_status": "completed"}
        for i in range(1, 11))
    return history


def test_nothing_expires_by_default(ten):
    assert ten.retention_policies() == [] and ten.retention_plan() == []
    assert ten.apply_retention()["removed"] == 0
    assert len(ten.history()) == 10


def test_a_policy_is_planned_and_applied(ten):
    ten.set_retention_policy({"max_actions": 4, "compaction_strategy": "oldest-first", "compact": True}, **WEB)
    assert ten.retention_policy(**WEB)["max_actions"] == 4
    (plan,) = ten.retention_plan()
    assert [a["action_id"] for a in plan["going"]] == ["a10", "a9", "a8", "a7", "a6", "a5"]
    seen = []
    run = ten.apply_retention(batch=3, progress=lambda removed, done, groups: seen.append(removed))
    assert run["removed"] == 6 and seen[:2] == [3, 6]
    assert [t.action_id for t in ten.history()] == ["a1", "a2", "a3", "a4"]
    assert ten.retention_operations()[0]["run_id"] == run["run_id"]
    assert sum(row["actions"] for row in ten.compacted(**WEB)) == 6
    ten.set_retention_policy(None, **WEB)
    assert ten.retention_policies() == []


def test_a_legal_hold_refuses_to_delete(ten):
    ten.set_retention_policy({"legal_hold": True})
    with pytest.raises(actionhist.Conflict, match="legal hold"):
        ten.delete("a3")


def test_what_progress_raises_ends_the_run(ten):
    def stop(*_):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        ten.apply_retention(policy={"max_actions": 2}, batch=2, progress=stop)
    assert len(ten.history()) == 8
    assert ten.retention_operations()[0]["operation_status"] == "failed"


@pytest.mark.parametrize("policy", [{"max_actions": 0}, {"max_age": 3}, {"compaction_strategy": "newest"}])
def test_a_wrong_policy_is_refused(ten, policy):
    with pytest.raises(actionhist.InvalidArgument):
        ten.set_retention_policy(policy)
