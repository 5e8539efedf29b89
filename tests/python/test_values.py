"""What the library returns: attributes, equality, copies, and the types that are promised."""

import ast
import copy
import inspect
import json
import pathlib
import pickle
import subprocess
import sys

import pytest

import actionhist
from conftest import NOON


@pytest.fixture
def values(history, clock, scale):
    """One of each, by class name."""
    for i, (before, after) in enumerate([(3, 5), (5, 3), (3, 5), (5, 3)]):
        verdict = history.propose(scale(before, after, action_id=f"a-{i}", model_reasoning="load changes"))
        clock.advance(minutes=5)
    assert not verdict
    assert history.wait_indexed(30)
    return {
        "Trace": history.get("a-0"),
        "Verdict": verdict,
        "Detection": verdict.detections[0],
        "Hit": history.similar("load changes")[0],
    }


def test_a_repr_says_what_it_is(values):
    assert repr(values["Trace"]) == (
        "<actionhist.Trace 'a-0' scale_deployment on prod/Deployment/web, pending, 2026-03-10T12:00:00Z>"
    )
    assert repr(values["Verdict"]).startswith(f"<actionhist.Verdict {values['Verdict'].decision}: ")
    assert repr(values["Detection"]).startswith("<actionhist.Detection scale-oscillation, ")
    assert "a-" in repr(values["Hit"])


def test_values_become_plain_dicts(values):
    for value in values.values():
        assert json.loads(json.dumps(value.to_dict())) == value.to_dict()
    assert values["Verdict"].to_dict()["allowed"] is False
    assert values["Hit"].to_dict()["trace"]["action_type"] == "scale_deployment"


def test_equal_values_are_equal(values, history, scale):
    again = history.similar("load changes")[0]
    assert again == values["Hit"] and hash(again) == hash(values["Hit"]) and again is not values["Hit"]
    answers = [history.check(scale(3, 5)) for _ in range(2)]
    assert answers[0] == answers[1] and len(set(answers)) == 1
    assert answers[0] != history.check(action_type="look")
    assert values["Verdict"] != values["Hit"]


@pytest.mark.parametrize("name", ["Trace", "Verdict", "Detection", "Hit"])
def test_values_are_read_only_and_not_pickled(values, name):
    value = values[name]
    with pytest.raises(TypeError, match=f"{name}: cannot be pickled"):
        pickle.dumps(value)
    assert copy.copy(value) is value and copy.deepcopy([value])[0] is value
    with pytest.raises(AttributeError):
        setattr(value, "score" if name == "Hit" else "resources" if name == "Detection" else "reason", "x")
    with pytest.raises(TypeError):
        type(value)()
    assert type(value).__module__ == "actionhist" and getattr(actionhist, name) is type(value)


def test_traces_are_equal_by_content(history, restart):
    a = history.record(restart("a"))
    assert a == history.get("a") and hash(a) == hash(history.get("a")) and a is not history.get("a")
    assert a != history.record(restart("b")) and a != "a" and not a == None  # noqa: E711
    assert len({a, history.get("a"), history.get("b")}) == 2
    assert history.complete("a") != a


def test_a_value_outlives_its_history(history, values):
    hit = values["Hit"]
    trace = hit.trace
    values.clear()
    del hit
    history.close()
    assert trace.action_type == "scale_deployment" and trace.action_parameters["replicas"] in (3, 5)


def test_changing_what_an_attribute_gave_changes_nothing(values):
    trace = values["Trace"]
    trace.action_parameters["replicas"] = 99
    trace.resource["kind"] = "Pod"
    assert trace.action_parameters == {"replicas": 5} and trace.resource["kind"] == "Deployment"


def package_file(name):
    return pathlib.Path(actionhist.__file__).parent / name


def test_the_stub_names_what_is_there():
    assert package_file("py.typed").exists()
    for node in ast.parse(package_file("_actionhist.pyi").read_text()).body:
        if not isinstance(node, ast.ClassDef):
            continue
        runtime = getattr(actionhist._actionhist, node.name)
        promised = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
        assert {n for n in promised if not n.startswith("__")} == {
            n for n in dir(runtime) if not n.startswith("_")
        }


def test_complete_takes_the_columns_of_an_outcome():
    given = set(inspect.signature(actionhist.History.complete).parameters) - {"self", "status", "correction"}
    assert given <= set(dir(actionhist.Trace))
    outcome = {name for name in dir(actionhist.Trace) if name.startswith(("execution_", "effectiveness_"))}
    assert outcome - {"execution_status"} <= given


def test_errors_are_classes_by_code():
    assert issubclass(actionhist.InvalidArgument, ValueError)
    assert issubclass(actionhist.NotFound, LookupError)
    assert issubclass(actionhist.Timeout, TimeoutError)
    codes = {cls.code: cls for cls in actionhist.Error.__subclasses__()}
    assert len(codes) == 10
    for code, cls in codes.items():
        assert cls.__name__ == code.title().replace("_", "")
        assert getattr(actionhist, cls.__name__) is cls and cls.__module__ == "actionhist"
        assert pickle.loads(pickle.dumps(cls("message"))).args == ("message",)


def test_the_package_shows_what_it_has():
    assert actionhist.__version__.count(".") == 2
    for name in actionhist.__all__:
        assert hasattr(actionhist, name), name
    for name, method in inspect.getmembers(actionhist.History, inspect.isfunction):
        assert name.startswith("_") or method.__doc__, name


def test_a_history_that_was_never_closed_does_not_disturb_the_end(tmp_path):
    program = """
import actionhist, sys
h = actionhist.open(sys.argv[1], log=print)
h.record(action_type="restart_pod", action_timestamp="2026-03-10T12:00:00Z")
cycle = [h]
cycle.append(cycle)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "x.db")], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_readme_of_the_package_runs(tmp_path):
    lines = [line[4:] for line in actionhist.__doc__.splitlines() if line.startswith("    ")]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    with actionhist.open(tmp_path / "agent.db") as h:
        assert [trace.effectiveness_score for trace in h.history()] == [None, 0.9]
