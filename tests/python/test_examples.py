"""The examples for Python that need more than the package run as they stand."""

import pathlib
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


def run(name, *arguments):
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_langgraph_agent_remembers(tmp_path):
    pytest.importorskip("langgraph", reason="needs langgraph")
    assert "agent: scaled web to 4" in run("langgraph_agent.py", tmp_path / "agent.db")
    assert "agent: scaled web to 5" in run("langgraph_agent.py", tmp_path / "agent.db")


def test_the_plots_are_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    assert "refused: scale_deployment" in run("plots.py", tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {
        "timeline.png", "effectiveness.png", "projection.png", "clusters.png"
    }
