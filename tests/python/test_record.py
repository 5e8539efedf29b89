"""Recording an action and what became of it."""

import json
import uuid
from datetime import datetime, timedelta, timezone
from enum import Enum

import pytest

import actionhist
from conftest import NOON


def test_a_recorded_action_comes_back_with_every_field(history):
    given = {
        "action_id": "a-1",
        "correlation_id": "rr-1",
        "session_id": "s-1",
        "actor": "agent-7",
        "environment": "production",
        "action_timestamp": NOON,
        "alert_name": "KubePodCrashLooping",
        "alert_severity": "critical",
        "alert_labels": {"app.kubernetes.io/name": "web", "tier": "front"},
        "alert_annotations": {"summary": "crash loop"},
        "alert_firing_time": NOON - timedelta(minutes=3),
        "alert_fingerprint": "f00d",
        "model_used": "model-1",
        "routing_tier": "route1",
        "model_confidence": 0.75,
        "model_reasoning": "because",
        "alternative_actions": [{"action": "scale_deployment", "confidence": 0.2}],
        "action_type": "restart_deployment",
        "action_parameters": {
            "grace": 30,
            "force": False,
            "note": None,
            "ratio": 0.5,
            "steps": ["a", {"b": 1}],
        },
        "resource_state_before": {"replicas": 3},
        "pre_spec_hash": "h1",
        "execution_status": "completed",
        "execution_start_time": NOON,
        "execution_end_time": NOON + timedelta(seconds=2.5),
        "kubernetes_operations": [{"operation": "patch", "resource": "deployment/web", "result": "success"}],
        "resource_state_after": {"replicas": 3},
        "post_spec_hash": "h2",
        "result_hash": "r1",
        "effectiveness_score": 0.9,
        "effectiveness_criteria": {"alert_resolved": True},
        "effectiveness_assessment_method": "manual",
        "effectiveness_notes": "worked",
        "metadata": {"ticket": "OPS-1"},
    }
    history.record(given, kind="Deployment", namespace="prod", name="web", cluster="eu", uid="u-1")
    trace = history.get("a-1")
    for name, value in given.items():
        assert getattr(trace, name) == value or name == "metadata", name
    assert trace.metadata["ticket"] == "OPS-1"
    assert trace.execution_duration_ms == 2500
    assert trace.stored and trace.effect == "mutating"
    assert trace.created_at == NOON


def test_what_is_not_given_is_none(history):
    trace = history.record(action_type="restart_pod", action_timestamp=NOON)
    for name in (
        "correlation_id",
        "alert_name",
        "action_parameters",
        "alert_firing_time",
        "kind",
        "resource_id",
    ):
        assert getattr(trace, name) is None, name
    assert trace.resource == dict.fromkeys(
        ["cluster", "api_group", "api_version", "kind", "namespace", "name", "uid"]
    )
    assert trace.execution_status == "pending"
    assert uuid.UUID(trace.action_id).version == 7


def test_none_is_not_given_and_never_zero(history):
    trace = history.record(
        action_type="restart_pod",
        action_timestamp=NOON,
        model_confidence=None,
        effectiveness_score=None,
        execution_start_time=None,
        execution_duration_ms=None,
        effect=None,
        alert_labels=None,
        correlation_id=None,
    )
    assert trace.model_confidence is None
    assert trace.effectiveness_score is None
    assert trace.execution_start_time is None
    assert trace.execution_duration_ms is None
    assert trace.alert_labels is None
    assert trace.correlation_id is None


def test_a_dict_keywords_or_both_and_the_keywords_win(history, restart):
    assert history.record(restart("a")).action_type == "restart_deployment"
    assert history.record(action_type="restart_pod", action_timestamp=NOON).action_type == "restart_pod"
    given = restart("b", alert_severity="warning")
    trace = history.record(given, alert_severity="info", name="db", alert_name=None)
    assert (trace.alert_severity, trace.name, trace.alert_name) == ("info", "db", None)
    assert given["alert_severity"] == "warning" and "name" not in given


def test_fields_that_are_no_column_are_kept_in_metadata(history):
    trace = history.record(action_type="restart_pod", action_timestamp=NOON, root_cause="OOM", tries=[1, 2])
    assert trace.metadata == {"root_cause": "OOM", "tries": [1, 2]}


def test_the_same_id_again_is_not_stored_again(history, restart):
    first = history.record(restart("a"))
    again = history.record(restart("a", alert_severity="info"))
    assert first.stored and not again.stored
    assert again == first and again.alert_severity == "critical"


def test_times_may_have_any_zone_and_come_back_in_utc(history):
    tokyo = timezone(timedelta(hours=9))
    moment = datetime(2026, 3, 10, 20, 30, 0, 123456, tzinfo=tokyo)
    for given in (moment, moment.isoformat(), "2026-03-10T11:30:00.123456Z"):
        trace = history.record(action_id=str(uuid.uuid4()), action_type="restart_pod", action_timestamp=given)
        assert trace.action_timestamp == moment
        assert trace.action_timestamp.tzinfo is timezone.utc


def test_uuid_enum_and_tuple_are_understood(history):
    class Severity(Enum):
        CRITICAL = "critical"

    class Tier(str, Enum):
        ONE = "route1"

    identifier = uuid.uuid4()
    trace = history.record(
        action_id=identifier,
        action_type="restart_pod",
        action_timestamp=NOON,
        alert_severity=Severity.CRITICAL,
        routing_tier=Tier.ONE,
        action_parameters={"ids": (identifier, 1), "at": NOON, "level": Severity.CRITICAL},
    )
    assert trace.action_id == str(identifier)
    assert (trace.alert_severity, trace.routing_tier) == ("critical", "route1")
    assert trace.action_parameters == {
        "ids": [str(identifier), 1],
        "at": "2026-03-10T12:00:00Z",
        "level": "critical",
    }
    assert history.get(identifier) == trace
    assert history.complete(identifier).execution_status == "completed"


class Scalar:
    """What a scalar of numpy looks like from outside."""

    shape = ()
    dtype = "float32"

    def __init__(self, value):
        self.value = value

    def item(self):
        return self.value


def test_scalars_of_numpy_are_numbers(history):
    trace = history.record(
        action_type="restart_pod",
        action_timestamp=NOON,
        model_confidence=Scalar(0.5),
        action_parameters={"replicas": Scalar(3), "force": Scalar(True)},
    )
    assert trace.model_confidence == 0.5
    assert trace.action_parameters == {"replicas": 3, "force": True}


def test_scalars_of_numpy_itself(history):
    numpy = pytest.importorskip("numpy")
    trace = history.record(
        action_type="restart_pod",
        action_timestamp=NOON,
        model_confidence=numpy.float32(0.5),
        action_parameters={
            "a": numpy.int64(3),
            "b": numpy.bool_(True),
            "c": numpy.float64(2.5),
            "d": numpy.array(4),
        },
    )
    assert trace.model_confidence == 0.5
    assert trace.action_parameters == {"a": 3, "b": True, "c": 2.5, "d": 4}
    with pytest.raises(TypeError, match=r"^action_parameters\.a: "):
        history.record(action_type="x", action_timestamp=NOON, action_parameters={"a": numpy.array([1, 2])})


TEXTS = [
    "Ünïcödé",
    "日本語のテキスト",
    "🚀 rocket",
    "a\u0301 combining",
    "\u202eright-to-left",
    'tab\tline\nquote"\\',
    "\u007f\u0080\ud7ff\ue000\uffff\U0010ffff",
]


@pytest.mark.parametrize("text", TEXTS)
def test_unicode_comes_back_as_it_was(history, text):
    trace = history.record(
        action_id=text,
        action_type="restart_pod",
        action_timestamp=NOON,
        model_reasoning=text,
        action_parameters={text: [text]},
        name=text,
        kind="Pod",
    )
    assert (trace.action_id, trace.model_reasoning, trace.name) == (text, text, text)
    assert trace.action_parameters == {text: [text]}
    assert history.get(text) == trace
    assert [t.action_id for t in history.history(kind="Pod", name=text)] == [text]


@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1, 0.1, 1e-300, 1e300])
def test_numbers_come_back_as_they_were(history, number):
    trace = history.record(action_type="x", action_timestamp=NOON, action_parameters={"n": number})
    assert trace.action_parameters["n"] == number
    assert type(trace.action_parameters["n"]) is type(number)


def test_a_thousand_at_once_and_their_duplicates(history, restart):
    actions = [restart(f"a-{i}", action_timestamp=NOON - timedelta(seconds=i)) for i in range(1000)]
    traces = history.record_many(actions)
    assert [t.action_id for t in traces] == [a["action_id"] for a in actions]
    assert all(t.stored for t in traces)
    again = history.record_many(actions[500:] + [restart("new")])
    assert [t.stored for t in again] == [False] * 500 + [True]
    assert len(history.history(limit=10_000)) == 1001


def test_record_many_takes_any_iterable_and_an_empty_one(history, restart):
    assert [t.action_id for t in history.record_many(restart(f"g-{i}") for i in range(3))] == [
        "g-0",
        "g-1",
        "g-2",
    ]
    assert history.record_many([]) == []


def test_record_many_stores_all_or_nothing_and_names_the_position(history, restart):
    bad = restart("b")
    del bad["action_type"]
    with pytest.raises(actionhist.InvalidArgument, match=r"^actions\[1\]\.action_type: is required"):
        history.record_many([restart("a"), bad])
    with pytest.raises(actionhist.InvalidArgument, match=r"^actions\[1\]\.execution_status: "):
        history.record_many([restart("a"), restart("b", execution_status="done")])
    with pytest.raises(actionhist.InvalidArgument, match=r"^actions\[1\]\.action_parameters\.n: "):
        history.record_many([restart("a"), restart("b", action_parameters={"n": float("nan")})])
    with pytest.raises(TypeError, match=r"^actions\[1\]: must be a dict, not str"):
        history.record_many([restart("a"), "b"])
    assert history.history() == []


def test_an_action_goes_from_pending_to_completed(history, clock, restart):
    trace = history.propose(restart("a")).trace
    assert trace.execution_status == "pending"
    clock.advance(seconds=1)
    assert history.start("a").execution_start_time == clock.time
    clock.advance(seconds=4)
    done = history.complete(
        "a",
        status="completed",
        effectiveness_score=0.9,
        resource_state_after={"replicas": 3},
        effectiveness_notes="quiet since",
        kubernetes_operations=[{"operation": "patch"}],
    )
    assert done.execution_status == "completed"
    assert done.execution_end_time == clock.time and done.execution_duration_ms == 4000
    assert done.effectiveness_score == 0.9 and done.effectiveness_assessed_at == clock.time
    assert done.resource_state_after == {"replicas": 3}
    assert history.get("a") == done


def test_start_takes_a_time(history, restart):
    history.record(restart("a"))
    at = NOON + timedelta(seconds=7)
    assert history.start("a", at).execution_start_time == at
    history.record(restart("b"))
    assert history.start("b", at="2026-03-10T12:00:08Z").execution_start_time == NOON + timedelta(seconds=8)


def test_complete_without_a_score_leaves_it_absent(history, restart):
    history.record(restart("a"))
    done = history.complete("a")
    assert done.effectiveness_score is None and done.effectiveness_assessed_at is None


def test_the_same_outcome_again_is_fine_and_another_is_a_conflict(history, restart):
    history.record(restart("a"))
    done = history.complete("a", "failed", execution_error="no quota")
    assert history.complete("a", "failed") == done
    with pytest.raises(actionhist.Conflict, match="execution_status"):
        history.complete("a", "cancelled")
    corrected = history.complete("a", "completed", correction=True)
    assert corrected.execution_status == "completed" and corrected.execution_error == "no quota"


def test_unknown_ids_and_keywords_are_refused(history, restart):
    with pytest.raises(actionhist.NotFound, match='action_id: "nobody"'):
        history.complete("nobody")
    with pytest.raises(LookupError):
        history.start("nobody")
    history.record(restart("a"))
    with pytest.raises(TypeError, match="efectiveness_score"):
        history.complete("a", efectiveness_score=0.9)
    with pytest.raises(TypeError, match="execution_status"):
        history.complete("a", execution_status="failed")
    with pytest.raises(actionhist.InvalidArgument, match="status"):
        history.complete("a", "pending")
    with pytest.raises(actionhist.InvalidArgument, match='"done"'):
        history.complete("a", "done")
    assert history.get("a").execution_status == "pending"


def test_assess_weighs_the_parts(history, restart):
    history.record(restart("a"))
    history.complete("a")
    assert history.assess("a", health=1, alert=1, metrics=0.8).effectiveness_score == 0.95
    assert history.assess("a", health=0.75).effectiveness_score == 0.75
    trace = history.assess(
        "a", score=0.4, method="manual", notes="not quite", criteria={"alert_resolved": False}
    )
    assert trace.effectiveness_score == 0.4
    assert trace.effectiveness_assessment_method == "manual"
    assert trace.effectiveness_notes == "not quite"
    assert trace.effectiveness_criteria == {"alert_resolved": False}


def test_nothing_assessed_leaves_the_score_absent(history, restart):
    history.record(restart("a"))
    history.complete("a")
    assert history.assess("a").effectiveness_score is None


def test_link_adds_a_follow_up_once(history, restart):
    history.record_many([restart("a"), restart("b")])
    history.link("a", "b", "correction")
    trace = history.link("a", "b", "correction")
    assert trace.follow_up_actions == [{"action_id": "b", "relation": "correction"}]


def test_a_deleted_action_is_gone_and_its_id_stays_taken(history, restart):
    history.record(restart("a"))
    assert history.delete("a") is True
    assert history.delete("a") is False
    assert history.get("a") is None
    with pytest.raises(actionhist.Conflict, match="deleted"):
        history.record(restart("a"))


def test_what_was_recorded_is_there_after_a_restart(tmp_path, restart):
    path = tmp_path / "agent.db"
    with actionhist.open(path) as h:
        first = h.record(restart("a"))
    for uri in (str(path), f"sqlite:{path}"):
        with actionhist.open(uri) as h:
            assert h.get("a") == first


def test_tenants_do_not_see_each_other(tmp_path, restart):
    path = tmp_path / "agent.db"
    with actionhist.open(path, tenant="red") as red, actionhist.open(path, tenant="blue") as blue:
        red.record(restart("a"))
        assert blue.get("a") is None and blue.history() == []
        assert blue.record(restart("a", alert_severity="info")).stored
        assert red.get("a").alert_severity == "critical"


def test_secrets_are_not_stored(restart):
    with actionhist.open("memory:", redact=[r"ticket-\d+"]) as h:
        trace = h.record(
            restart(
                "a",
                model_reasoning="password=hunter22 for ticket-4711",
                action_parameters={"token": "abcdef", "n": 1},
            )
        )
    assert trace.model_reasoning == "password=[redacted] for [redacted]"
    assert trace.action_parameters == {"token": "[redacted]", "n": 1}


def test_a_trace_as_a_dict_can_be_recorded_elsewhere(history, restart):
    history.record(restart("a", root_cause="OOM"), cluster="eu")
    trace = history.complete("a", effectiveness_score=0.5)
    plain = json.loads(json.dumps(trace.to_dict()))
    assert plain["resource_reference"]["kind"] == "Deployment"
    assert plain["action_timestamp"] == "2026-03-10T12:00:00Z"
    with actionhist.open("memory:") as other:
        copy = other.record(plain)
    assert {k: v for k, v in copy.to_dict().items() if k not in ("created_at", "updated_at")} == {
        k: v for k, v in plain.items() if k not in ("created_at", "updated_at")
    }
