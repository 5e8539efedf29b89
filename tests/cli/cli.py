"""What the tests of the program share: they run it as its users do. ACTIONHIST_CLI is its path."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest
from datetime import datetime, timedelta, timezone

PROJECT = pathlib.Path(__file__).resolve().parents[2]
CLI = os.environ.get("ACTIONHIST_CLI", str(PROJECT / "build" / "release" / "actionhist"))
DATA = pathlib.Path(os.environ.get("ACTIONHIST_DATA", PROJECT / ".." / "shared" / "data")).resolve()

RESTART = ["--type", "restart_deployment", "--kind", "Deployment", "--name", "web"]

DONE, REFUSED, USAGE, REJECTED, UNAVAILABLE, FAILED = range(6)


def ago(minutes):
    time_then = datetime.now(timezone.utc) - timedelta(minutes=minutes)
    return time_then.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def action(action_id, minutes_ago=60, **fields):
    record = {
        "action_id": action_id,
        "action_timestamp": ago(minutes_ago),
        "action_type": "restart_deployment",
        "resource_reference": {"kind": "Deployment", "namespace": "prod", "name": "web"},
        "alert_name": "KubePodCrashLooping",
        "alert_severity": "critical",
        "model_reasoning": "The container runs out of memory at each start.",
        "execution_status": "completed",
    }
    record.update(fields)
    return record


def scaling(action_id, minutes_ago, before, after, **fields):
    return action(
        action_id,
        minutes_ago,
        action_type="scale_deployment",
        action_parameters={"replicas": after},
        resource_state_before={"replicas": before},
        **fields,
    )


def lines(records):
    return "".join(json.dumps(record) + "\n" for record in records)


class CliTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.db = str(self.folder / "agent.db")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("ACTIONHIST_")}

    def command(self, args, db):
        return [CLI, *map(str, args), *(["--db", db] if db else [])]

    def run_cli(self, *args, expect=DONE, stdin="", db=None, env=None):
        done = subprocess.run(
            self.command(args, self.db if db is None else db),
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=120,
            env={**self.env, **(env or {})},
        )
        done.out, done.err = done.stdout.decode(), done.stderr.decode()
        told = f"{args}\nstdout: {done.out[-2000:]}\nstderr: {done.err[-2000:]}"
        self.assertEqual(done.returncode, expect, told)
        return done

    def run_json(self, *args, **kwargs):
        """The JSON values that the program printed."""
        return [json.loads(line) for line in self.run_cli(*args, "--json", **kwargs).out.splitlines()]

    def store(self, *records):
        self.run_cli("import", "-", stdin=lines(records))

    def write(self, name, text):
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    def ids(self, *filters):
        return [trace["action_id"] for trace in self.run_json("history", *filters)]
