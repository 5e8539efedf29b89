"""The scenarios that every language runs: tests/cases."""

import base64
import dataclasses
import json
import math
import pathlib
from datetime import datetime, timedelta

import pytest

import actionhist

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "cases"
SCENARIOS = [s for file in sorted(FOLDER.glob("*.json")) for s in json.loads(file.read_text("utf-8"))]


def perform(h, call, request):
    """A call as a user of Python makes it."""
    if call == "record_many":
        return h.record_many(request)
    if call in ("record", "propose", "check", "observe", "put_pattern"):
        return getattr(h, call)(request)
    arguments = dict(request)
    resource = arguments.pop("resource", {})
    if call == "find":
        page = h.history(**resource, **arguments)
        return {"traces": [trace.to_dict() for trace in page], "next": page.next}
    if call == "complete":
        outcome = arguments.pop("outcome")
        outcome["status"] = outcome.pop("execution_status")
        return h.complete(**arguments, **outcome)
    if call == "assess":
        return h.assess(arguments["action_id"], **arguments["assessment"])
    if call == "wait_indexed":
        return h.wait_indexed(arguments["timeout_ms"] / 1000)
    if "item" in call:
        return on_items(h.items, call, arguments)
    if "checkpoint" in call:
        return on_checkpoints(h.checkpoints, call, arguments)
    name = {"erase": "delete"}.get(call, call)
    return getattr(h, name)(**resource, **arguments)


def on_items(items, call, arguments):
    if call == "put_items":
        for item in arguments["items"]:
            item.setdefault("value", None)
            item["ttl"] = item.pop("ttl_seconds", None)
        return items.put_many(arguments["items"])
    if call == "get_items":
        return items.get_many(((k["namespace"], k["key"]) for k in arguments["keys"]), renew=arguments["renew"])
    return getattr(items, {"item_namespaces": "namespaces"}.get(call, call.removesuffix("_items")))(**arguments)


def on_checkpoints(checkpoints, call, arguments):
    def key(of):
        return actionhist.CheckpointKey(*(of.pop(name) for name in actionhist.CheckpointKey._fields))

    if call == "put_checkpoint":
        state = base64.b64decode(arguments.pop("state"))
        return checkpoints.put(key(arguments), state, **arguments)
    if call == "put_checkpoint_writes":
        writes = [
            actionhist.CheckpointWrite(**{"task_path": "", **write, "value": base64.b64decode(write["value"])})
            for write in arguments.pop("writes")
        ]
        return checkpoints.put_writes(key(arguments), writes)
    if call == "remove_checkpoints":
        return checkpoints.remove([key(each) for each in arguments["keys"]])
    return getattr(checkpoints, call.replace("_checkpoints", "").replace("_checkpoint", ""))(**arguments)


def plain(value):
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list) or type(value) is tuple:
        return [plain(item) for item in value]
    if hasattr(value, "_asdict"):
        value = value._asdict()
    elif dataclasses.is_dataclass(value):
        value = vars(value)
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return value.to_dict() if hasattr(value, "to_dict") else value


def matches(expected, found):
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(matches(v, found.get(k)) for k, v in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(matches, expected, found))
    if isinstance(expected, bool) or not isinstance(expected, (int, float)):
        return expected == found
    return math.isclose(expected, found, abs_tol=1e-9, rel_tol=0)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[s["name"] for s in SCENARIOS])
def test_scenario(scenario):
    now = datetime.fromisoformat(scenario["clock"].replace("Z", "+00:00"))
    with actionhist.open("memory:", clock=lambda: now) as h:
        for step in scenario["steps"]:
            if "advance_minutes" in step:
                now += timedelta(minutes=step["advance_minutes"])
            elif "error" in step:
                # What misses a required argument does not get as far as the library.
                with pytest.raises((actionhist.Error, TypeError)) as raised:
                    perform(h, step["call"], step["request"])
                assert getattr(raised.value, "code", "invalid_argument") == step["error"]
                assert step.get("message", "") in str(raised.value)
            else:
                answer = plain(perform(h, step["call"], step["request"]))
                assert matches(step["answer"], answer), (step, answer)


def test_there_are_scenarios():
    assert len(SCENARIOS) >= 12
