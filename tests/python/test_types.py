"""The package is typed: what a strict type checker says of it and of a program that uses it."""

import json
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

QUICKSTART = pathlib.Path(__file__).resolve().parents[2] / "examples" / "quickstart.py"

WRONG = """
import actionhist

h = actionhist.open("memory:")
h.similar(5)
h.record(action_type="x").execution_status.nothing
"""


PACKAGE = pathlib.Path(actionhist.__file__).parent.parent


def mypy(file):
    pytest.importorskip("mypy", reason="needs mypy")
    return ["mypy", "--strict", "--cache-dir", str(file.parent / "cache"), str(file)]


def pyright(file):
    pytest.importorskip("basedpyright", reason="needs basedpyright")
    config = {"typeCheckingMode": "strict", "include": [file.name], "extraPaths": [str(PACKAGE)]}
    (file.parent / "pyrightconfig.json").write_text(json.dumps(config))
    return ["basedpyright", "-p", str(file.parent)]


def check(tmp_path, checker, program):
    file = tmp_path / "program.py"
    file.write_text(program)
    return subprocess.run(
        [sys.executable, "-m", *checker(file)],
        env={"MYPYPATH": str(PACKAGE), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("checker", [mypy, pyright])
@pytest.mark.parametrize("program", [PROGRAM, QUICKSTART.read_text()], ids=["program", "quickstart"])
def test_a_right_program_and_the_package_pass(tmp_path, checker, program):
    result = check(tmp_path, checker, program)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "checker, complaints",
    [(mypy, ["arg-type", "attr-defined"]), (pyright, ["reportArgumentType", "reportAttributeAccessIssue"])],
)
def test_a_wrong_program_does_not(tmp_path, checker, complaints):
    result = check(tmp_path, checker, WRONG)
    assert result.returncode == 1
    for complaint in complaints:
        assert complaint in result.stdout
