"""Bad input gets an error that names the field, and nothing is stored."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

import actionhist
from conftest import NOON


def nested(depth):
    value = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def cyclic():
    value = {}
    value["self"] = value
    return value


INVALID = [
    ({"action_type": None}, "action_type: is required"),
    ({"action_type": ""}, "action_type: is required"),
    ({"action_timestamp": None}, "action_timestamp: is required"),
    ({"action_timestamp": "yesterday"}, "action_timestamp: "),
    ({"action_timestamp": ""}, "action_timestamp: "),
    ({"action_timestamp": 1773144000}, "action_timestamp: must be a time"),
    ({"action_timestamp": "2026-03-10T12:00:00"}, "action_timestamp: .*time zone"),
    ({"action_timestamp": datetime(2026, 3, 10, 12)}, "action_timestamp: .*time zone"),
    ({"action_timestamp": datetime(9999, 12, 31, tzinfo=timezone.utc)}, "action_timestamp: .*future"),
    ({"action_timestamp": datetime(1999, 12, 31, tzinfo=timezone.utc)}, "action_timestamp: .*2000"),
    ({"action_timestamp": NOON + timedelta(minutes=6)}, "action_timestamp: .*future"),
    ({"alert_firing_time": "9999-12-31T00:00:00Z"}, "alert_firing_time: "),
    ({"execution_status": "done"}, 'execution_status: "done"'),
    ({"execution_status": "x" + "é" * 100}, "execution_status: "),
    ({"execution_status": 3}, "execution_status: "),
    ({"effect": "sometimes"}, "effect: "),
    ({"model_confidence": 1.5}, "model_confidence: "),
    ({"model_confidence": -0.1}, "model_confidence: "),
    ({"model_confidence": float("nan")}, "model_confidence: "),
    ({"model_confidence": float("inf")}, "model_confidence: "),
    ({"model_confidence": "high"}, "model_confidence: "),
    ({"model_confidence": True}, "model_confidence: "),
    ({"effectiveness_score": 2}, "effectiveness_score: "),
    ({"execution_duration_ms": -1}, "execution_duration_ms: "),
    ({"execution_duration_ms": 1.5}, "execution_duration_ms: "),
    ({"execution_duration_ms": 1e300}, "execution_duration_ms: "),
    (
        {"execution_start_time": NOON, "execution_end_time": NOON - timedelta(seconds=1)},
        "execution_end_time: ",
    ),
    ({"action_id": "x" * 300}, "action_id: is 300 bytes"),
    ({"action_id": "日" * 86}, "action_id: is 258 bytes"),
    ({"action_id": "a\0b"}, "action_id: .*NUL"),
    ({"action_id": 7}, "action_id: "),
    ({"correlation_id": "x" * 256}, "correlation_id: "),
    ({"model_reasoning": "x" * 2**20}, "model_reasoning: is 1048576 bytes"),
    ({"model_reasoning": "a\0b"}, "model_reasoning: .*NUL"),
    ({"model_reasoning": "\ud800"}, "model_reasoning: .*surrogate"),
    ({"model_reasoning": ["a"]}, "model_reasoning: "),
    ({"alert_name": "x" * 2000}, "alert_name: "),
    ({"action_parameters": {"a": "\udfff"}}, "action_parameters.a: .*surrogate"),
    ({"action_parameters": {"\udfff": 1}}, "action_parameters: .*surrogate"),
    ({"action_parameters": {"a": [1, {"b": float("nan")}]}}, r"action_parameters.a\[1\].b: "),
    ({"action_parameters": {"a": "b\0"}}, "action_parameters: .*NUL"),
    ({"action_parameters": {"a": 2**64}}, "action_parameters.a: .*64 bits"),
    ({"action_parameters": {"a": -(2**63) - 1}}, "action_parameters.a: .*64 bits"),
    ({"action_parameters": {"a": datetime(2026, 3, 10)}}, "action_parameters.a: .*time zone"),
    ({"action_parameters": {"a": "x" * 2**19}}, "action_parameters: "),
    ({"action_parameters": nested(66)}, "action_parameters: .*64 levels"),
    ({"action_parameters": nested(500)}, "action_parameters: .*64 levels"),
    ({"action_parameters": cyclic()}, "action_parameters: .*64 levels"),
    ({"action_parameters": [1]}, "action_parameters: "),
    ({"action_parameters": "replicas=5"}, "action_parameters: "),
    ({"alternative_actions": {"a": 1}}, "alternative_actions: "),
    ({"metadata": [1]}, "metadata: "),
    ({"metadata": {"extra": 1}, "extra": 2}, "metadata: .*extra"),
    ({"resource_reference": "deployment/web"}, "resource_reference: "),
    ({"resource_reference": {"kind": 5}}, "resource_reference.kind: "),
    ({"resource_reference": {"colour": "red"}}, "resource_reference.colour: "),
    ({"resource_reference": {"kind": "Pod", "name": "x" * 2000}}, "resource_reference.name: "),
]


@pytest.mark.parametrize(
    "fields, message", INVALID, ids=[f"{next(iter(f))}-{i}" for i, (f, _) in enumerate(INVALID)]
)
def test_what_means_nothing_is_refused_with_its_name(history, restart, fields, message):
    for call in (history.record, history.propose, history.check):
        if call is not history.record and "is required" in message and "timestamp" in message:
            continue  # proposals take the time from the clock
        if call is not history.record and fields.get("action_timestamp") == "":
            continue
        with pytest.raises(actionhist.InvalidArgument, match=re.compile("^" + message)) as raised:
            call(restart(), **fields)
        assert isinstance(raised.value, ValueError) and raised.value.code == "invalid_argument"
        assert len(str(raised.value)) < 500
    assert history.history() == []


WRONG_TYPES = [
    ({"action_parameters": {"a": b"bytes"}}, r"action_parameters.a: must be .*, not bytes"),
    ({"action_parameters": {"a": {1, 2}}}, r"action_parameters.a: must be .*, not set"),
    (
        {"action_parameters": {"a": [Decimal("1.5")]}},
        r"action_parameters.a\[0\]: must be .*, not decimal.Decimal",
    ),
    ({"action_parameters": {"a": object()}}, r"action_parameters.a: must be .*, not object"),
    ({"action_parameters": {"a": 1j}}, r"action_parameters.a: must be .*, not complex"),
    ({"action_parameters": {"a": Path("x")}}, r"action_parameters.a: must be "),
    ({"action_parameters": {"a": date(2026, 3, 10)}}, r"action_parameters.a: must be .*, not datetime.date"),
    ({"action_parameters": {5: "five"}}, r"action_parameters: must be a dict with keys of str, not int"),
    ({"model_reasoning": b"bytes"}, r"model_reasoning: must be .*, not bytes"),
]


@pytest.mark.parametrize("fields, message", WRONG_TYPES)
def test_what_json_does_not_have_is_a_type_error(history, restart, fields, message):
    with pytest.raises(TypeError, match="^" + message):
        history.record(restart(**fields))
    with pytest.raises(TypeError, match=r"^actions\[1\]\." + message):
        history.record_many([restart("a"), restart("b", **fields)])
    assert history.history() == []


@pytest.mark.parametrize("action", ["restart", ["a"], 5, b"x", [("action_type", "x")]])
def test_an_action_is_a_dict(history, action):
    for call in (history.record, history.propose, history.check):
        with pytest.raises(TypeError, match="^action: must be a dict, not "):
            call(action)
        with pytest.raises(TypeError, match="^action: must be a dict, not "):
            call(action, action_type="x")
    with pytest.raises(TypeError):
        history.record_many(5)


def test_what_is_nearly_a_dict_is_refused_with_what_makes_one(history, restart):
    class Model:  # as pydantic's are
        def model_dump(self):
            return {"replicas": 3}

    @dataclass
    class Scale:
        replicas: int

    with pytest.raises(TypeError, match=r"^action: must be a dict, not Model; give its model_dump\(\)$"):
        history.record(Model())
    for given, hint in [(Model(), "its model_dump"), (Scale(3), "dataclasses.asdict")]:
        with pytest.raises(TypeError, match=f"^action_parameters: must be dict.*; give {hint}"):
            history.record(restart(action_parameters=given))
    history.record(restart(action_parameters=Model().model_dump()))


def test_what_raises_while_it_is_converted_raises_as_it_is(history, restart):
    class Broken:
        shape = ()
        dtype = "float32"

        def item(self):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        history.record(restart(action_parameters={"a": Broken()}))


def test_a_dict_that_changes_while_it_is_read_does_no_harm(history, restart):
    parameters = {}

    class Growing:
        shape = ()
        dtype = "float32"

        def item(self):
            parameters.clear()
            parameters.update({str(i): i for i in range(100)})
            return 1

    parameters.update(a=Growing(), b=[1] * 100)
    try:
        history.record(restart(action_parameters=parameters))
    except actionhist.InvalidArgument:
        pass


@pytest.mark.parametrize(
    "call",
    [
        lambda h: h.get(5),
        lambda h: h.get(None),
        lambda h: h.delete(b"a"),
        lambda h: h.start(5),
        lambda h: h.start("a", at=5),
        lambda h: h.complete(None),
        lambda h: h.complete("a", 5.5),
        lambda h: h.complete("a", correction="yes"),
        lambda h: h.link("a", "b", None),
        lambda h: h.history(kind=5),
        lambda h: h.history(since=5),
        lambda h: h.history(limit="9"),
        lambda h: h.history(where="x"),
        lambda h: h.detect(kind="Pod", name=5),
        lambda h: h.detect(kind="Pod", name="x", window_minutes="5"),
        lambda h: h.wait_indexed("soon"),
        lambda h: h.summaries(5),
        lambda h: h.observe("alert"),
        lambda h: h.put_pattern("pattern"),
        lambda h: h.resource_seen(kind=5, name="x"),
        lambda h: h.record("a", "b"),
        lambda h: h.history("web"),
    ],
)
def test_arguments_of_the_wrong_type_are_refused(history, restart, call):
    history.record(restart("a"))
    with pytest.raises((TypeError, actionhist.InvalidArgument)):
        call(history)
    assert history.get("a").execution_status == "pending"


def test_texts_that_are_no_text_are_refused_everywhere(history):
    for call in (history.get, history.delete, history.start, history.complete, history.similar):
        with pytest.raises(actionhist.InvalidArgument, match="surrogate"):
            call("\ud800")
    with pytest.raises(actionhist.InvalidArgument, match="surrogate"):
        history.history(where={"alert_name": "\ud800"})
    with pytest.raises(actionhist.InvalidArgument, match="surrogate"):
        history.history(name="\ud800")


@pytest.mark.parametrize(
    "arguments",
    [
        {"tenant": 5},
        {"read_only": "no"},
        {"semantic": None},
        {"redact": "x"},
        {"redact": [5]},
        {"clock": 5},
        {"log": "stderr"},
        {"busy_timeout_ms": "5"},
        {"on_unavailable": 5},
        {"tennant": "a"},
    ],
)
def test_options_of_the_wrong_type_are_refused(arguments):
    with pytest.raises(TypeError, match=next(iter(arguments))):
        actionhist.open("memory:", **arguments)


@pytest.mark.parametrize(
    "uri, arguments",
    [
        ("", {}),
        ("http://x", {}),
        ("memory:", {"tenant": ""}),
        ("memory:", {"tenant": "x" * 300}),
        ("memory:", {"redact": ["("]}),
        ("memory:", {"on_unavailable": "maybe"}),
        ("memory:", {"busy_timeout_ms": 2**40}),
    ],
)
def test_options_that_mean_nothing_are_refused(uri, arguments):
    with pytest.raises(actionhist.InvalidArgument):
        actionhist.open(uri, **arguments)


def test_files_that_are_no_database(tmp_path):
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"this is no database" * 1000)
    with pytest.raises(actionhist.Corrupt):
        actionhist.open(garbage)
    with pytest.raises(actionhist.InvalidArgument, match="folder"):
        actionhist.open(tmp_path)
    with pytest.raises(actionhist.InvalidArgument, match="does not exist"):
        actionhist.open(tmp_path / "no" / "such" / "x.db")
    with pytest.raises(actionhist.NotFound):
        actionhist.open(tmp_path / "x.db", read_only=True)
    with pytest.raises(actionhist.InvalidArgument, match="tenant"):
        actionhist.open("postgresql://user:secret@host/db")
    with pytest.raises(actionhist.InvalidArgument, match="postgres.pool"):
        actionhist.open("postgresql://user:secret@host/db", tenant="t", postgres={"pool": 3})
    with pytest.raises(actionhist.Unavailable) as unreachable:
        actionhist.open("postgresql://user:secret@host.invalid/db", tenant="t")
    assert "secret" not in str(unreachable.value)
    for wrong in (5, None, b"x.db"):
        with pytest.raises(TypeError):
            actionhist.open(wrong)


def test_a_read_only_database_reads(tmp_path, restart):
    path = tmp_path / "agent.db"
    with actionhist.open(path) as h:
        h.record(restart("a"))
    with actionhist.open(path, read_only=True) as h:
        assert h.get("a").action_id == "a"
        with pytest.raises(actionhist.Denied):
            h.record(restart("b"))
