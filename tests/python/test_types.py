"""The package is typed: what a strict type checker says of it and of a program that uses it."""

import pathlib
import subprocess
import sys

import pytest

import actionhist

PROGRAM = """
import asyncio
from datetime import datetime, timezone
from typing import List, Optional

import actionhist


async def main() -> None:
    async with actionhist.open("memory:") as h:
        trace: actionhist.Trace = await h.arecord(
            action_type="restart", action_timestamp=datetime.now(timezone.utc)
        )
        hits: List[actionhist.Hit] = await h.asimilar("pods", limit=3, where={"kind": "Pod"})
        verdict: actionhist.Verdict = h.propose(action_type="restart")
        with h.action(action_type="restart") as a:
            inner: Optional[actionhist.Trace] = a.trace

        @h.tracked
        def scale(replicas: int) -> str:
            return str(replicas)

        text: str = scale(3)
        print(trace, hits, verdict, inner, text)


asyncio.run(main())
"""

WRONG = """
import actionhist

h = actionhist.open("memory:")
h.similar(5)
h.record(action_type="x").execution_status.nothing
"""


def check(tmp_path, program):
    pytest.importorskip("mypy", reason="needs mypy")
    file = tmp_path / "program.py"
    file.write_text(program)
    package = pathlib.Path(actionhist.__file__).parent.parent
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(file)],
        env={"MYPYPATH": str(package), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )


def test_a_right_program_and_the_package_pass(tmp_path):
    result = check(tmp_path, PROGRAM)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_wrong_program_does_not(tmp_path):
    result = check(tmp_path, WRONG)
    assert result.returncode == 1
    assert "arg-type" in result.stdout
    assert "attr-defined" in result.stdout
