"""Runs the program `actionhist` as its users do. ACTIONHIST_CLI is its path."""

import csv
import fcntl
import io
import json
import os
import pathlib
import pty
import signal
import sqlite3
import struct
import subprocess
import tempfile
import termios
import time
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


class ImportTest(CliTest):
    def test_a_line_is_stored_once_however_often_it_is_imported(self):
        path = self.write("a.jsonl", lines(action(f"a{i}") for i in range(3)))
        self.assertEqual(self.run_cli("import", path).out, "3 stored, 0 already there, 0 rejected\n")
        self.assertEqual(self.run_cli("import", path).out, "0 stored, 3 already there, 0 rejected\n")
        self.assertEqual(len(self.ids()), 3)

    def test_an_id_twice_in_one_file_is_stored_once(self):
        out = self.run_cli("import", "-", stdin=lines([action("a"), action("a"), action("b")])).out
        self.assertEqual(out, "2 stored, 1 already there, 0 rejected\n")

    def test_only_bad_lines_are_rejected_and_their_numbers_told(self):
        text = "\n".join(
            [
                json.dumps(action("a")),
                '{"action_id": "b", ',
                "",
                json.dumps(action("c", action_type="")),
                json.dumps(action("d", action_timestamp="2026-02-30T00:00:00Z")),
                json.dumps(action("e", minutes_ago=-60)),
                "[]",
                json.dumps(action("f")),
            ]
        )
        done = self.run_cli("import", self.write("a.jsonl", text), expect=REJECTED)
        self.assertEqual(done.out, "2 stored, 0 already there, 5 rejected\n")
        told = done.err.splitlines()
        self.assertEqual([line.split(":")[0] for line in told], [f"line {n}" for n in (2, 4, 5, 6, 7)])
        self.assertIn("action_type", told[1])
        self.assertIn("action_timestamp", told[2])
        self.assertIn("future", told[3])
        self.assertEqual(sorted(self.ids()), ["a", "f"])

    def test_one_bad_line_among_many_batches_costs_only_itself(self):
        records = [action(f"a{i:04}") for i in range(1234)]
        records[700]["model_confidence"] = 7
        done = self.run_cli("import", "-", "--json", stdin=lines(records), expect=REJECTED)
        result = json.loads(done.out)
        self.assertEqual((result["stored"], result["rejected"]), (1233, 1))
        self.assertEqual(result["errors"][0]["line"], 701)
        self.assertEqual(result["errors"][0]["code"], "invalid_argument")
        self.assertIn("model_confidence", result["errors"][0]["message"])

    def test_people_see_twenty_rejected_lines_and_programs_all(self):
        text = lines([action("a")]) + "nonsense\n" * 30
        done = self.run_cli("import", "-", stdin=text, expect=REJECTED)
        self.assertEqual(len(done.err.splitlines()), 21)
        self.assertIn("10 more", done.err.splitlines()[-1])
        result = self.run_json("import", "-", stdin=text, expect=REJECTED)[0]
        self.assertEqual([error["line"] for error in result["errors"]], list(range(2, 32)))
        self.assertEqual((result["already_there"], result["rejected"]), (1, 30))

    def test_byte_order_mark_crlf_empty_lines_and_a_last_line_without_end(self):
        text = "\ufeff" + json.dumps(action("a")) + "\r\n\r\n  \n" + json.dumps(action("b"))
        self.assertEqual(self.run_cli("import", self.write("a.jsonl", text)).out[:8], "2 stored")

    def test_an_empty_file_is_fine(self):
        self.assertEqual(self.run_cli("import", "-", stdin="").out[:8], "0 stored")

    def test_long_lines_are_read_whole(self):
        long_text = "é" * 100_000
        self.store(action("a", model_reasoning=long_text))
        self.assertEqual(self.run_json("show", "a")[0]["model_reasoning"], long_text)
        text = lines([action("b", model_reasoning="x" * 300_000), action("c")])
        done = self.run_cli("import", "-", stdin=text, expect=REJECTED)
        self.assertIn("line 1: model_reasoning", done.err)

    def test_bytes_that_are_no_utf8_are_rejected(self):
        good, bad = [lines([action(name)]).encode() for name in "ab"], b'{"action_type": "\xff\xfe"}\n'
        done = self.run_cli("import", "-", stdin=good[0] + bad + good[1], expect=REJECTED)
        self.assertIn("line 2", done.err)
        self.assertEqual(sorted(self.ids()), ["a", "b"])

    def test_dry_run_checks_everything_and_leaves_no_file(self):
        records = [action(f"a{i}") for i in range(600)] + [action("b", model_confidence=2)]
        done = self.run_cli("import", "-", "--dry-run", stdin=lines(records), expect=REJECTED)
        self.assertEqual(done.out, "600 valid, 1 rejected; nothing was stored\n")
        self.assertIn("line 601: model_confidence", done.err)
        self.assertEqual(list(self.folder.iterdir()), [])
        result = self.run_json("import", "-", "--dry-run", db="", stdin=lines(records[:2]))[0]
        self.assertEqual((result["dry_run"], result["valid"], result["stored"]), (True, 2, 0))

    def test_a_deleted_id_is_rejected_and_the_rest_stored(self):
        self.store(action("a"))
        self.run_cli("delete", "a")
        text = lines([action("b"), action("a"), action("c")])
        done = self.run_cli("import", "-", stdin=text, expect=REJECTED)
        self.assertEqual(done.out[:8], "2 stored")
        self.assertIn("line 2", done.err)

    def test_a_missing_file_and_a_folder_are_named(self):
        missing = str(self.folder / "none.jsonl")
        self.assertIn(missing, self.run_cli("import", missing, expect=REJECTED).err)
        self.assertIn(str(self.folder), self.run_cli("import", self.folder, expect=REJECTED).err)
        self.assertFalse(os.path.exists(self.db))

    def test_quiet_says_nothing_when_all_goes_well(self):
        done = self.run_cli("import", "-", "--quiet", stdin=lines([action("a")]))
        self.assertEqual((done.out, done.err), ("", ""))

    def test_a_person_at_a_terminal_sees_the_progress(self):
        path = self.write("a.jsonl", lines(action(f"a{i}") for i in range(1000)))
        master, slave = pty.openpty()
        done = subprocess.run(self.command(["import", path], self.db), stderr=slave, stdout=subprocess.PIPE,
                              env=self.env, timeout=60)
        os.close(slave)
        seen = os.read(master, 65536).decode()
        os.close(master)
        self.assertEqual(done.returncode, DONE)
        self.assertIn("%", seen)
        self.assertTrue(seen.endswith("\x1b[K"), "the bar is taken away at the end")

    @unittest.skipUnless((DATA / "actions" / "ingest_records.jsonl").exists(), f"{DATA} is not here")
    def test_real_records_are_stored_once(self):
        path = DATA / "actions" / "ingest_records.jsonl"
        self.assertEqual(self.run_cli("import", path).out, "1100 stored, 0 already there, 0 rejected\n")
        self.assertEqual(self.run_cli("import", path).out, "0 stored, 1100 already there, 0 rejected\n")
        self.assertEqual(self.run_json("doctor")[0]["problems"], [])


class RecordTest(CliTest):
    def test_options_make_an_action_of_now(self):
        trace = self.run_json(
            "record", "--type", "scale_deployment",
            "--kind", "deployments", "--namespace", "prod", "--name", "web",
            "--param", "replicas=5", "--param", "image=nginx:1.2", "--param", 'tag="1.10"',
            "--param", "force=true",
            "--alert", "HighLoad", "--severity", "high", "--label", "team=a=b",
            "--reasoning", "Zu viel Verkehr — 负载", "--confidence", "0.9", "--actor", "me",
            "--metadata", "ticket=T-1", "--status", "completed", "--score", "1",
        )[0]
        self.assertEqual(trace["action_parameters"],
                         {"replicas": 5, "image": "nginx:1.2", "tag": "1.10", "force": True})
        self.assertEqual(trace["resource_reference"]["kind"], "Deployment")
        self.assertEqual(trace["alert_labels"], {"team": "a=b"})
        self.assertEqual(trace["model_reasoning"], "Zu viel Verkehr — 负载")
        self.assertEqual(trace["metadata"], {"ticket": "T-1"})
        self.assertEqual(trace["effectiveness_score"], 1)
        self.assertTrue(trace["stored"])
        self.assertEqual(self.ids(), [trace["action_id"]])

    def test_json_comes_as_argument_file_or_stdin_and_options_win(self):
        text = json.dumps(action("a"))
        self.assertIn("stored a", self.run_cli("record", text).out)
        self.assertIn("already there a", self.run_cli("record", "-", stdin=text).out)
        self.assertIn("already there a", self.run_cli("record", "--file", "-", stdin=text).out)
        path = self.write("a.json", json.dumps(action("a"), indent=2))
        options = ["--id", "b", "--time", "-2h", "--param", "grace=30"]
        trace = self.run_json("record", "--file", path, *options)[0]
        self.assertEqual((trace["action_id"], trace["action_parameters"]), ("b", {"grace": 30}))
        self.assertLess(trace["action_timestamp"], ago(119))

    def test_json_without_a_time_is_rejected(self):
        record = action("a")
        del record["action_timestamp"]
        self.assertIn("action_timestamp", self.run_cli("record", json.dumps(record), expect=REJECTED).err)
        self.assertFalse(self.ids())

    def test_what_is_no_action_is_rejected(self):
        for text in ["{}", "[]", "nonsense", '{"action_type": 5}']:
            with self.subTest(text):
                self.run_cli("record", text, expect=REJECTED)
        self.run_cli("record", expect=REJECTED)
        self.run_cli("record", "--file", self.folder / "none.json", expect=REJECTED)

    def test_options_that_cannot_be_read_are_usage_errors(self):
        for option in [["--time", "yesterday"], ["--time", "2026-03-10T12:00:00"], ["--param", "x"],
                       ["--confidence", "much"], ["--status", "fine"], ["--effect", "none"],
                       ["--params", "{"]]:
            with self.subTest(option):
                done = self.run_cli("record", "--type", "x", *option, expect=USAGE)
                self.assertIn(option[0], done.err)
        self.assertFalse(os.path.exists(self.db))

    def test_tenants_do_not_see_each_other(self):
        self.run_cli("record", json.dumps(action("a")), "--tenant", "one")
        self.assertEqual(self.ids("--tenant", "two"), [])
        self.assertEqual(self.ids("--tenant", "one"), ["a"])


class GuardTest(CliTest):
    def store_oscillation(self):
        self.store(scaling("s1", 15, 5, 3), scaling("s2", 10, 3, 5), scaling("s3", 5, 5, 3))

    def next_step(self):
        record = scaling("s4", 0, 3, 5)
        del record["action_timestamp"], record["execution_status"]
        return json.dumps(record)

    def test_a_first_action_is_allowed_and_pending(self):
        verdict = self.run_json("propose", *RESTART)[0]
        self.assertTrue(verdict["allowed"])
        self.assertEqual(verdict["trace"]["execution_status"], "pending")
        again = self.run_json("propose", *RESTART, "--id", verdict["trace"]["action_id"])[0]
        self.assertTrue(again["repeated"])
        self.assertIn("allowed", self.run_cli("check", "--type", "get_pods", "--name", "web").out)

    def test_an_oscillation_is_refused_and_explained(self):
        self.store_oscillation()
        done = self.run_cli("propose", self.next_step(), expect=REFUSED)
        self.assertIn("would continue scale-oscillation on prod/Deployment/web", done.out)
        self.assertIn("retry after", done.out)
        verdict = self.run_json("propose", self.next_step(), expect=REFUSED)[0]
        self.assertFalse(verdict["allowed"])
        self.assertEqual(verdict["detections"][0]["pattern_type"], "scale-oscillation")
        self.assertNotIn("s4", self.ids())
        self.assertEqual(self.run_cli("propose", "--quiet", self.next_step(), expect=REFUSED).out, "")

    def test_check_answers_the_same_and_writes_nothing(self):
        self.store_oscillation()
        self.run_cli("check", self.next_step(), expect=REFUSED)
        found = {p["pattern_id"]: p["total_detections"] for p in self.run_json("patterns")}
        self.assertEqual(set(found.values()), {0})
        self.run_cli("check", "--type", "restart_deployment", "--kind", "Deployment", "--name", "other")
        self.assertEqual(len(self.ids()), 3)

    def test_check_does_not_take_a_missing_database_for_an_empty_one(self):
        self.run_cli("check", "--type", "x", expect=REJECTED)
        self.assertFalse(os.path.exists(self.db))

    def test_detect_finds_it_afterwards(self):
        self.store_oscillation()
        self.store(scaling("s4", 1, 3, 5))
        found = self.run_json("detect", "--kind", "Deployment", "--namespace", "prod", "--name", "web")
        self.assertEqual(found[0]["pattern_type"], "scale-oscillation")
        self.assertEqual(found[0]["action_ids"], ["s1", "s2", "s3", "s4"])
        out = self.run_cli("detect", "--kind", "deployment", "--name", "web", "--window", "60").out
        self.assertIn("scale-oscillation", out)
        self.assertIn("s4", out)
        before = self.run_cli("detect", "--kind", "Deployment", "--name", "web", "--as-of", "-12m")
        self.assertEqual((before.out, before.err), ("", "no pattern is found\n"))
        self.run_cli("detect", expect=USAGE)


class LifecycleTest(CliTest):
    def propose(self):
        return self.run_json("propose", *RESTART, "--time", "-5m")[0]["trace"]["action_id"]

    def test_from_proposal_to_assessment(self):
        name = self.propose()
        self.assertEqual(self.run_cli("start", name, "--at", "-4m").out, f"{name} is executing\n")
        done = self.run_json("complete", name, "--status", "failed", "--error", "no nodes",
                             "--notes", "as before", "--score", "0.25", "--state-after", '{"ready": 0}')[0]
        self.assertEqual((done["execution_status"], done["execution_error"]), ("failed", "no nodes"))
        self.assertEqual(done["resource_state_after"], {"ready": 0})
        self.assertGreater(done["execution_duration_ms"], 200_000)
        assessed = self.run_json("assess", name, "--health", "1", "--alert", "0", "--method", "manual")[0]
        self.assertAlmostEqual(assessed["effectiveness_score"], .4 / .75, places=6)
        shown = self.run_cli("show", name).out
        for text in ["execution_status", "failed", "no nodes", "as before"]:
            self.assertIn(text, shown)

    def test_another_outcome_needs_a_correction(self):
        name = self.propose()
        self.assertEqual(self.run_json("complete", name)[0]["execution_status"], "completed")
        self.run_cli("complete", name)
        done = self.run_cli("complete", name, "--status", "failed", "--json", expect=REJECTED)
        self.assertEqual(json.loads(done.err)["error"]["code"], "conflict")
        self.run_cli("complete", name, "--status", "failed", "--correction")

    def test_an_outcome_may_come_as_json(self):
        name = self.propose()
        outcome = {"status": "rolled-back", "effectiveness_score": 0.1,
                   "kubernetes_operations": [{"operation": "patch"}]}
        done = self.run_json("complete", name, "--outcome", json.dumps(outcome), "--score", "0.2")[0]
        self.assertEqual(done["execution_status"], "rolled-back")
        self.assertEqual(done["effectiveness_score"], 0.2)
        self.run_cli("complete", name, "--outcome", '{"unheard_of": 1}', expect=REJECTED)
        self.run_cli("complete", name, "--outcome", "{", expect=REJECTED)
        self.run_cli("complete", name, "--status", "pending", expect=REJECTED)
        self.run_cli("complete", name, "--status", "unheard-of", expect=USAGE)

    def test_links_and_deletion(self):
        self.store(action("a"), action("b"))
        trace = self.run_json("link", "a", "b", "--relation", "rollback")[0]
        self.assertEqual(trace["follow_up_actions"], [{"action_id": "b", "relation": "rollback"}])
        self.assertIn("deleted a", self.run_cli("delete", "a").out)
        self.assertEqual(self.ids(), ["b"])

    def test_an_unknown_id_is_rejected_by_name(self):
        self.store(action("a"))
        for args in [["show", "x"], ["start", "x"], ["complete", "x"], ["assess", "x", "--score", "1"],
                     ["delete", "x"], ["link", "x", "a"]]:
            with self.subTest(args[0]):
                self.assertIn('"x"', self.run_cli(*args, expect=REJECTED).err)

    def test_show_without_a_database_does_not_make_one(self):
        for args in [["show", "a"], ["complete", "a"], ["delete", "a"], ["similar", "a"], ["history"],
                     ["stats"], ["export"], ["patterns"]]:
            with self.subTest(args[0]):
                self.assertIn("does not exist", self.run_cli(*args, expect=REJECTED).err)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_what_agents_wrote_cannot_steer_the_terminal(self):
        self.store(action("a", model_reasoning="one\u001b[2Jtwo\nthree\u202efour"))
        shown = self.run_cli("show", "a").out
        self.assertNotIn("\x1b", shown)
        self.assertNotIn("\u202e", shown)
        self.assertEqual(self.run_json("show", "a")[0]["model_reasoning"], "one\u001b[2Jtwo\nthree\u202efour")


class ObserveTest(CliTest):
    def test_an_alert_is_noted(self):
        alert = {"alert_name": "HighLoad", "severity": "high", "starts_at": ago(10),
                 "resource_reference": {"kind": "Deployment", "namespace": "prod", "name": "web"}}
        self.assertIn("HighLoad", self.run_cli("observe", json.dumps(alert)).out)
        alert["ends_at"] = ago(1)
        noted = self.run_json("observe", "-", stdin=json.dumps(alert))[0]
        self.assertEqual(noted["alert_name"], "HighLoad")
        stored = sqlite3.connect(self.db).execute("SELECT alert_name, ends_at IS NULL FROM alert_events")
        self.assertEqual(stored.fetchall(), [("HighLoad", 0)])

    def test_what_is_no_alert_is_rejected(self):
        self.run_cli("observe", expect=USAGE)
        self.assertIn("starts_at", self.run_cli("observe", '{"alert_name": "x"}', expect=REJECTED).err)
        self.run_cli("observe", "{", expect=REJECTED)


class HistoryTest(CliTest):
    def fill(self):
        self.store(
            action("old", 60 * 24 * 10, correlation_id="c1"),
            action("pod", 30, resource_reference={"kind": "Pod", "namespace": "dev", "name": "web-1"}),
            action("new", 10, effectiveness_score=0.75, correlation_id="c1",
                   action_parameters={"replicas": 5}),
            action("none", 5, resource_reference={}, alert_name=""),
        )

    def test_a_table_for_people_newest_first(self):
        self.fill()
        out = self.run_cli("history", "--ids").out.splitlines()
        self.assertEqual(out[0].split(), ["TIME", "TYPE", "RESOURCE", "STATUS", "SCORE", "ALERT", "ID"])
        self.assertEqual([line.split()[-1] for line in out[1:]], ["none", "new", "pod", "old"])
        self.assertIn("prod/Deployment/web", out[2])
        self.assertIn("0.75", out[2])

    def test_filters_narrow_the_list(self):
        self.fill()
        self.assertEqual(self.ids("--kind", "pods"), ["pod"])
        self.assertEqual(self.ids("--namespace", "prod", "--name", "web"), ["new", "old"])
        self.assertEqual(self.ids("--correlation", "c1", "--since", "-7d"), ["new"])
        self.assertEqual(self.ids("--until", "-7d"), ["old"])
        self.assertEqual(self.ids("--since", ago(40), "--until", "-20m"), ["pod"])
        self.assertEqual(self.ids("--where", '{"effectiveness_score": {"$gte": 0.5}}'), ["new"])
        self.assertEqual(self.ids("--where", '{"action_parameters.replicas": {"$gt": 4}}'), ["new"])
        self.assertEqual(self.ids("--where", '{"action_parameters.replicas": "5"}'), [])
        self.assertEqual(self.ids("--where", '{"$or": [{"kind": "Pod"}, {"correlation_id": "c1"}]}'),
                         ["new", "pod", "old"])
        self.assertEqual(self.ids("--where", "{}"), ["none", "new", "pod", "old"])

    def test_filters_that_mean_nothing_are_refused(self):
        self.fill()
        done = self.run_cli("history", "--where", '{"unheard_of": 1}', expect=REJECTED)
        self.assertIn("unheard_of", done.err)
        self.run_cli("history", "--where", '{"kind": {"$like": 1}}', expect=REJECTED)
        self.run_cli("history", "--where", "{", expect=USAGE)
        self.run_cli("history", "--limit", "0", expect=USAGE)
        self.run_cli("history", "--since", "soon", expect=USAGE)
        self.run_cli("history", "--cursor", "x", expect=REJECTED)

    def test_pages_follow_each_other(self):
        self.store(*(action(f"a{i:02}", 60) for i in range(25)))
        seen, cursor = [], []
        for _ in range(5):
            done = self.run_cli("history", "--json", "--limit", "10", *cursor)
            seen += [json.loads(line)["action_id"] for line in done.out.splitlines()]
            if not done.err:
                break
            cursor = ["--cursor", json.loads(done.err)["next"]]
        self.assertEqual(len(seen), 25)
        self.assertEqual(len(set(seen)), 25)
        self.assertIn("--cursor", self.run_cli("history", "--limit", "10").err)

    def test_nothing_found_is_said_and_no_error(self):
        self.fill()
        done = self.run_cli("history", "--kind", "Node")
        self.assertEqual((done.out, done.err), ("", "no action matches\n"))

    def test_a_table_fits_the_terminal(self):
        self.store(action("a", action_type="重启部署" * 20, alert_name="é" * 80,
                          resource_reference={"kind": "Deployment", "name": "n" * 90}))
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 90, 0, 0))
        subprocess.run(self.command(["history"], self.db), stdout=slave, env=self.env, timeout=60, check=True)
        os.close(slave)
        out = os.read(master, 65536).decode().splitlines()
        os.close(master)
        wide = sum(2 if "\u4e00" <= c <= "\u9fff" else 1 for c in out[1])
        self.assertLessEqual(wide, 90)
        self.assertEqual(out[1].count("…"), 3)
        self.assertNotIn("…", self.run_cli("history").out)


class SimilarTest(CliTest):
    def fill(self):
        self.store(
            action("oom", 60,
                   model_reasoning="The container is killed because memory runs out; raise the limit.",
                   action_type="increase_memory_limit", effectiveness_score=0.9),
            action("disk", 50, model_reasoning="The volume is full, old logs have to go.",
                   alert_name="DiskFull", action_type="clean_volume"),
            action("cert", 40, model_reasoning="The certificate expired yesterday and must be renewed.",
                   alert_name="CertificateExpired", action_type="renew_certificate"),
        )

    def test_the_best_match_comes_first_with_its_reasons(self):
        self.fill()
        out = self.run_cli("similar", "pod killed, out of memory").out
        self.assertTrue(out.splitlines()[0].startswith(" 1  "))
        self.assertIn("increase_memory_limit", out.splitlines()[0])
        self.assertIn("effectiveness 0.90", out.splitlines()[0])
        self.assertIn("raise the limit", out)
        self.assertIn("memory", [line for line in out.splitlines() if "matched" in line][0])
        hits = self.run_json("similar", "expired certificate", "--limit", "2")
        self.assertEqual(hits[0]["trace"]["action_id"], "cert")
        self.assertEqual(hits[0]["explain"]["route"], "index")
        self.assertEqual(len(hits), 2)

    def test_like_an_action_and_within_a_filter(self):
        self.fill()
        hits = self.run_json("similar", "--id", "oom")
        self.assertNotIn("oom", [hit["trace"]["action_id"] for hit in hits])
        hits = self.run_json("similar", "memory", "--where", '{"alert_name": "DiskFull"}')
        self.assertEqual([hit["trace"]["action_id"] for hit in hits], ["disk"])
        self.run_cli("similar", "--id", "unknown", expect=REJECTED)

    def test_words_alone_find_without_the_index_and_say_so(self):
        self.fill()
        done = self.run_cli("similar", "certificate", "--no-index")
        self.assertIn("renew_certificate", done.out)
        self.assertIn("words alone", done.err)
        hit = self.run_json("similar", "certificate", "--no-index")[0]
        self.assertEqual(hit["explain"]["route"], "text")
        self.assertTrue(hit["explain"]["fallback"])
        done = self.run_cli("similar", "xylophone", "--no-index")
        self.assertEqual((done.out, done.err), ("", "no similar action is known\n"))

    def test_a_reader_without_rights_is_told_what_is_missing(self):
        self.fill()
        done = self.run_cli("similar", "certificate", "--read-only", "--wait", "5")
        self.assertIn("not indexed yet", done.err)
        self.run_cli("worker", "--once")
        done = self.run_cli("similar", "certificate", "--read-only")
        self.assertIn("renew_certificate", done.out)
        self.assertNotIn("not indexed yet", done.err)

    def test_text_may_be_the_name_of_a_command(self):
        self.fill()
        self.assertTrue(self.run_cli("similar", "history").out)
        self.assertTrue(self.run_cli("similar", "--db", self.db, "--", "-certificate", db="").out)

    def test_one_question_at_a_time(self):
        self.fill()
        self.run_cli("similar", expect=USAGE)
        self.run_cli("similar", "x", "--id", "oom", expect=USAGE)
        self.run_cli("similar", "x", "--limit", "5000", expect=USAGE)


class DetectionsTest(CliTest):
    def refuse(self):
        self.store(scaling("s1", 15, 5, 3), scaling("s2", 10, 3, 5), scaling("s3", 5, 5, 3))
        step = scaling("s4", 0, 3, 5)
        del step["action_timestamp"], step["execution_status"]
        self.run_cli("propose", json.dumps(step), expect=REFUSED)
        return json.dumps(step)

    def test_listed_overridden_and_resolved(self):
        step = self.refuse()
        found = self.run_json("detections", "--unresolved")[0]
        self.run_cli("propose", step, "--override-by", "me", expect=REJECTED)
        out = self.run_cli("propose", step, "--override-by", "me", "--override-reason", "planned").out
        self.assertIn("although it would be refused", out)
        self.assertIn("me let s4 pass: planned", self.run_cli("detections", "overrides").out)
        self.run_cli("detections", "resolve", found["detection_id"], "--false-positive", "--notes", "a test")
        self.assertIn("a false alarm: a test", self.run_cli("detections").out)
        self.assertEqual(self.run_json("detections", "--unresolved"), [])
        self.run_cli("detections", "resolve", "nobody", expect=REJECTED)
        self.assertIn("0 resolved by time-out", self.run_cli("detections", "settle").out)
        self.assertEqual(self.run_json("patterns", "show", "scale-oscillation")[0]["false_positive_rate"], 1)

    def test_a_pattern_is_removed_and_a_resource_has_a_policy(self):
        self.refuse()
        self.run_cli("patterns", "remove", "action-budget")
        self.run_cli("patterns", "remove", "action-budget", expect=REJECTED)
        web = ["--kind", "Deployment", "--namespace", "prod", "--name", "web"]
        self.run_cli("patterns", "policy", *web, "--set", '{"pattern_min_occurrences": 4}')
        self.assertEqual(self.run_json("patterns", "policy", *web), [{"pattern_min_occurrences": 4}])
        self.run_cli("patterns", "policy", *web, "--set", '{"window": 4}', expect=REJECTED)


class MetricsTest(CliTest):
    def test_computed_and_listed(self):
        self.store(*(action(f"m{i}", 60 + i, effectiveness_score=i / 10) for i in range(10)))
        self.assertEqual(self.run_json("metrics"), [])
        found = self.run_json("metrics", "--refresh", "--scope", "global", "--period", "30d")
        self.assertEqual(sum(metric["sample_size"] for metric in found), 10)
        out = self.run_cli("metrics", "--period", "7d").out
        self.assertIn("namespace prod", out)
        self.assertEqual(self.run_json("metrics", "--full", "--scope", "global", "--period", "30d"), found)
        web = ["--scope", "resource", "--kind", "Deployment", "--namespace", "prod", "--name", "web"]
        self.assertTrue(self.run_json("metrics", *web, "--period", "30d"))
        self.run_cli("metrics", "--scope", "universe", expect=USAGE)

    def test_the_context_of_a_model(self):
        self.store(*(action(f"m{i}", 60 + i, effectiveness_score=0.1) for i in range(4)))
        out = self.run_cli("context", "--alert", "KubePodCrashLooping", "--budget", "300").out
        self.assertIn("never resolved it", out)
        found = self.run_json("context", "--kind", "Deployment", "--name", "web", "--namespace", "prod")[0]
        self.assertIn("warnings", found)
        self.run_cli("context", expect=REJECTED)


class RecommendTest(CliTest):
    def test_what_worked_comes_first_and_what_failed_is_named(self):
        self.store(
            *(action(f"good{i}", 60 + i, action_type="rollback", effectiveness_score=0.9) for i in range(2)),
            *(action(f"bad{i}", 70 + i, effectiveness_score=0.1) for i in range(2)),
        )
        found = self.run_json("recommend", "out of memory at start", "--alert", "KubePodCrashLooping")[0]
        self.assertEqual([each["action_type"] for each in found["actions"]], ["rollback"])
        self.assertEqual([each["action_type"] for each in found["avoid"]], ["restart_deployment"])
        out = self.run_cli("recommend", "--id", "good0", "--no-index").out
        self.assertIn("worked\n  rollback  success", out)
        self.assertIn("avoid\n  restart_deployment", out)
        self.run_cli("recommend", expect=REJECTED)
        self.run_cli("recommend", "x", "--limit", "0", expect=USAGE)


class PatternsTest(CliTest):
    def setUp(self):
        super().setUp()
        self.run_cli("migrate")

    def test_the_shipped_ones_are_listed(self):
        out = self.run_cli("patterns").out
        for name in ["scale-oscillation", "resource-thrashing", "ineffective-loop", "cascading-failure",
                     "action-budget"]:
            self.assertIn(name, out)
        active = {p["pattern_id"]: p["active"] for p in self.run_json("patterns")}
        self.assertEqual([name for name in active if not active[name]], ["action-budget"])

    def test_switched_on_and_off(self):
        self.assertIn("enabled", self.run_cli("patterns", "enable", "action-budget").out)
        self.assertTrue(self.run_json("patterns", "show", "action-budget")[0]["active"])
        self.run_cli("patterns", "disable", "action-budget")
        self.assertFalse(self.run_json("patterns", "show", "action-budget")[0]["active"])
        self.assertIn("action-budget", self.run_cli("patterns", "show", "action-budget").out)
        for verb in ["show", "enable", "disable"]:
            self.run_cli("patterns", verb, "unknown", expect=REJECTED)

    def test_a_budget_of_three_refuses_the_fourth(self):
        self.run_cli("patterns", "enable", "action-budget")
        for _ in range(3):
            self.run_cli("propose", *RESTART)
        self.run_cli("propose", *RESTART, expect=REFUSED)

    def test_set_stores_one_many_and_what_the_list_printed(self):
        one = {"pattern_id": "mine", "pattern_type": "scale-oscillation", "min_occurrences": 3}
        self.assertIn("mine", self.run_cli("patterns", "set", "-", stdin=json.dumps(one, indent=2)).out)
        many = [dict(one, pattern_id="x"), dict(one, pattern_id="y")]
        self.run_cli("patterns", "set", self.write("p.json", json.dumps(many)))
        printed = self.run_cli("patterns", "--json").out
        self.assertEqual(len(printed.splitlines()), 8)
        self.run_cli("patterns", "set", "-", stdin=printed)
        self.assertEqual(self.run_cli("patterns", "--json").out, printed)

    def test_a_bad_pattern_stores_none(self):
        good = json.dumps({"pattern_id": "mine", "pattern_type": "scale-oscillation"})
        for bad in ["{", "[]x", "5", '{"pattern_id": "b"}', '{"pattern_id": "b", "pattern_type": "unknown"}',
                    '{"pattern_id": "b", "pattern_type": "scale-oscillation", "min_occurrences": 0}']:
            with self.subTest(bad):
                self.run_cli("patterns", "set", "-", stdin=good + "\n" + bad, expect=REJECTED)
        self.assertEqual(len(self.run_json("patterns")), 5)


class StatsTest(CliTest):
    def test_resources_at_a_glance(self):
        self.store(action("a", 60, effectiveness_score=0.5), action("b", 30, execution_status="failed"),
                   action("c", 20, resource_reference={"kind": "Node", "name": "n1"}))
        out = self.run_cli("stats").out
        self.assertIn("prod/Deployment/web", out)
        self.assertIn("50 %", out)
        self.assertIn("3 actions on 2 resources", out)
        stats = self.run_json("stats", "--since", "-1h")[0]
        self.assertEqual(stats["totals"]["actions"], 3)
        self.assertEqual(stats["resources"][0]["resource_reference"]["kind"], "Node")
        self.assertEqual(stats["health"]["engine"]["engine"], "sqlite")
        self.assertEqual(self.run_json("stats", "--since", "+1h")[0]["resources"], [])


class WorkerTest(CliTest):
    def test_once_works_off_the_queue(self):
        self.store(*(action(f"a{i}") for i in range(700)))
        out = self.run_cli("worker", "--once").out
        self.assertTrue(out.splitlines()[-1].startswith("0 queued, 0 failed"), out)
        head = self.run_json("worker", "--once")[-1]
        self.assertEqual(head["queued"], 0)
        self.assertEqual(head["feed_seq"], head["replica_seq"])

    def test_it_runs_until_it_is_told_to_stop(self):
        for number in [signal.SIGTERM, signal.SIGINT]:
            with self.subTest(number):
                worker = subprocess.Popen(self.command(["worker", "--json"], self.db), stdout=subprocess.PIPE,
                                          stderr=subprocess.PIPE, env=self.env)
                try:
                    first = json.loads(worker.stdout.readline())
                    self.run_cli("record", "--type", "x", "--name", "web")
                    deadline = time.monotonic() + 30
                    seen = first
                    while seen["feed_seq"] == first["feed_seq"] and time.monotonic() < deadline:
                        seen = json.loads(worker.stdout.readline())
                    self.assertGreater(seen["feed_seq"], first["feed_seq"])
                    worker.send_signal(number)
                    self.assertEqual(worker.wait(timeout=30), DONE)
                finally:
                    worker.kill()
                    worker.communicate()

    def test_it_has_to_write(self):
        self.store(action("a"))
        self.run_cli("worker", "--once", "--read-only", expect=USAGE)


class EmbedTest(CliTest):
    def store_troubles(self, each=20):
        kinds = [("OutOfMemory", "raise_limit", "killed because its memory limit is too low"),
                 ("DiskFull", "expand_volume", "the volume has no free space left"),
                 ("BadConfig", "patch_config", "a mounted setting is invalid")]
        self.store(*(action(f"a{i}", 600 - i, alert_name=kinds[i % 3][0], action_type=kinds[i % 3][1],
                            model_reasoning=f"{kinds[i % 3][2]}, case {i * 7919 % 1000}")
                     for i in range(3 * each)))

    def test_from_backfill_to_another_space(self):
        self.store_troubles()
        self.assertEqual(self.run_json("embed", "status")[0]["queued"], 60)
        self.assertEqual(self.run_json("embed", "backfill")[0], {"done": 60, "failed": 0})
        self.assertEqual(self.run_json("embed", "backfill")[0]["done"], 0)
        fitted = self.run_json("embed", "fit", "--dimension", "8")[0]["space_id"]
        quality = self.run_json("embed", "evaluate")[0]
        self.assertEqual(quality["queries"], 60)
        self.assertGreater(quality["words"]["ndcg"], 0.5)
        self.assertTrue(self.run_json("embed", "switch", fitted)[0]["switched"])
        status = self.run_json("embed", "status")[0]
        self.assertEqual(status["space_id"], fitted)
        used = {space["space_id"]: space for space in status["spaces"]}
        self.assertEqual(used[fitted]["missing"], 0)
        self.assertIn(fitted, self.run_cli("embed", "status").out)
        self.assertIn("words alone", self.run_cli("embed", "evaluate").out)
        self.run_cli("embed", "drop", fitted, expect=REJECTED)
        self.run_cli("embed", "drop", "hashed-lexical/1024/1")
        self.run_cli("embed", "switch", "nosuch", expect=REJECTED)

    def test_vectors_from_files(self):
        self.store_troubles(1)
        path = self.folder / "vectors.jsonl"
        path.write_text(lines([{"action_id": f"a{i}", "vector": [i, 1, 0]} for i in range(3)]))
        self.assertEqual(self.run_json("embed", "import", "mine/3", str(path))[0],
                         {"stored": 3, "present": 0, "unknown": 0})
        self.assertEqual(self.run_json("embed", "import", "mine/3", str(path))[0]["present"], 3)
        array = self.folder / "vectors.npy"
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
        header += b" " * (117 - len(header)) + b"\n"
        array.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header +
                          struct.pack("<6f", 1, 0, 0, 0, 1, 0))
        ids = self.folder / "ids.txt"
        ids.write_text("a0\nnosuch\n")
        self.assertEqual(self.run_json("embed", "import", "other/3", str(array), "--ids", str(ids))[0],
                         {"stored": 1, "present": 0, "unknown": 1})
        self.run_cli("embed", "import", "other/3", str(array), expect=REJECTED)
        array.write_bytes(array.read_bytes()[:-4])
        self.run_cli("embed", "import", "other/3", str(array), "--ids", str(ids), expect=REJECTED)
        path.write_text('{"action_id": "a0", "vector": [1, "x"]}\n')
        self.assertIn("line 1", self.run_cli("embed", "import", "mine/3", str(path), expect=REJECTED).err)

    def test_nothing_has_failed(self):
        self.store_troubles(1)
        self.run_cli("embed", "backfill")
        self.assertIn("nothing has failed", self.run_cli("embed", "failed").out)
        self.assertEqual(self.run_json("embed", "failed", "--retry")[0], {"queued": 0})


class MigrateTest(CliTest):
    def behind(self):
        """A database as an earlier version might have left it."""
        with sqlite3.connect(self.db) as connection:
            connection.execute("CREATE TABLE actionhist_migrations (version INTEGER PRIMARY KEY, name TEXT, "
                               "applied_at INTEGER)")
        connection.close()

    def test_a_new_database_is_made_and_stays_as_it_is(self):
        self.assertIn("up to date", self.run_cli("migrate").out)
        version = self.run_json("migrate")[0]["schema_version"]
        self.assertGreaterEqual(version, 3)
        self.assertIn(f"schema {version}", self.run_cli("migrate", "--verify").out)
        self.assertEqual(self.run_cli("migrate", "--print").out, "")

    def test_print_shows_the_whole_script_before_there_is_a_database(self):
        out = self.run_cli("migrate", "--print").out
        self.assertIn("CREATE TABLE", out)
        self.assertIn("resource_action_traces", out)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_print_and_verify_read_an_old_schema_without_changing_it(self):
        self.behind()
        self.assertIn("resource_action_traces", self.run_cli("migrate", "--print").out)
        done = self.run_cli("migrate", "--verify", expect=FAILED)
        self.assertIn("migrate", done.out)
        tables = sqlite3.connect(self.db).execute("SELECT count(*) FROM sqlite_master").fetchone()
        self.assertEqual(tables, (1,))

    def test_an_old_schema_is_brought_up_to_date(self):
        self.behind()
        done = self.run_cli("history", expect=FAILED)
        self.assertIn("actionhist migrate", done.err)
        self.run_cli("migrate")
        self.run_cli("history")

    def test_verify_needs_a_database(self):
        self.run_cli("migrate", "--verify", expect=REJECTED)
        self.assertEqual(list(self.folder.iterdir()), [])


class DoctorTest(CliTest):
    def test_a_healthy_database(self):
        self.store(action("a"))
        out = self.run_cli("doctor").out
        self.assertIn("healthy", out)
        self.assertIn("4 of 5 patterns active", out)
        report = self.run_json("doctor")[0]
        self.assertTrue(report["healthy"])
        self.assertEqual(report["problems"], [])

    def test_what_waits_too_long_is_told_with_the_remedy(self):
        self.store(action("a"))
        with sqlite3.connect(self.db) as connection:
            connection.execute("UPDATE embedding_queue SET enqueued_at = enqueued_at - 3600000000")
        connection.close()
        self.assertIn("actionhist worker", self.run_cli("doctor").out)

    def test_a_counter_that_is_wrong_is_a_problem(self):
        self.store(action("a"))
        with sqlite3.connect(self.db) as connection:
            connection.execute("UPDATE action_histories SET total_actions = 7")
        connection.close()
        self.assertIn("counter", self.run_cli("doctor", expect=FAILED).out)
        self.assertIn("counter", self.run_cli("migrate", "--verify", expect=FAILED).out)

    def test_a_database_that_cannot_be_opened(self):
        self.assertIn("check the path", self.run_cli("doctor", expect=UNAVAILABLE).err)
        broken = self.write("broken.db", "This is no database. " * 100)
        self.assertIn("backup", self.run_cli("doctor", db=broken, expect=FAILED).err)


class ExportTest(CliTest):
    def exported(self, *args):
        return [json.loads(line)["action_id"] for line in self.run_cli("export", *args).out.splitlines()]

    def test_jsonl_comes_back_by_import(self):
        records = [action(f"a{i}", 60 - i, metadata={"n": i}) for i in range(5)]
        self.store(*records)
        text = self.run_cli("export").out
        self.assertEqual(self.exported(), ["a4", "a3", "a2", "a1", "a0"])
        other = str(self.folder / "other.db")
        self.assertEqual(self.run_cli("import", "-", stdin=text, db=other).out[:8], "5 stored")
        copies = [json.loads(line) for line in self.run_cli("export", db=other).out.splitlines()]
        for copy, original in zip(copies, map(json.loads, text.splitlines()), strict=True):
            for column in ["created_at", "updated_at"]:
                del copy[column], original[column]
            self.assertEqual(copy, original)

    def test_csv_is_quoted_as_rfc_4180_says(self):
        reasoning = 'He said "no",\nthen: „größer“ — 内存 🙂, done'
        self.store(action("a", model_reasoning=reasoning, action_parameters={"a,b": 'c"d'},
                          effectiveness_score=0.5))
        raw = self.run_cli("export", "--format", "csv").stdout
        self.assertTrue(raw.endswith(b"\r\n"))
        rows = list(csv.DictReader(io.StringIO(raw.decode(), newline="")))
        self.assertEqual(len(rows), 1)
        self.assertEqual(rows[0]["model_reasoning"], reasoning)
        self.assertEqual(json.loads(rows[0]["action_parameters"]), {"a,b": 'c"d'})
        self.assertEqual(rows[0]["effectiveness_score"], "0.5")
        self.assertEqual(rows[0]["kind"], "Deployment")
        self.assertEqual(rows[0]["model_confidence"], "")
        self.assertEqual(raw.split(b",", 1)[0], b"action_id")

    def test_an_empty_result_is_a_heading_alone(self):
        self.store(action("a"))
        self.assertEqual(len(self.run_cli("export", "--format", "csv", "--kind", "Node").out.splitlines()), 1)
        self.assertEqual(self.run_cli("export", "--kind", "Node").out, "")

    def test_every_page_is_written_in_either_order(self):
        self.store(*(action(f"a{i:04}", 3000 - i // 3) for i in range(2500)))
        newest = self.exported()
        self.assertEqual(len(newest), 2500)
        self.assertEqual(self.exported("--oldest-first"), newest[::-1])
        self.assertEqual(self.run_cli("export", "--oldest-first", "--kind", "Node").out, "")

    def test_filters_and_files(self):
        self.store(action("a", 60), action("b", 5, alert_severity="info"))
        path = self.folder / "out.csv"
        where = ["--where", '{"alert_severity": "info"}']
        done = self.run_cli("export", "--format", "csv", "--output", path, *where)
        self.assertEqual(done.out, "")
        self.assertIn("1 actions", done.err)
        self.assertEqual([row["action_id"] for row in csv.DictReader(path.open(newline=""))], ["b"])
        self.run_cli("export", "--output", path, "--where", '{"unheard_of": 1}', expect=REJECTED)
        self.assertGreater(path.stat().st_size, 0, "a refused export leaves the file as it was")

    def test_paths_that_cannot_be_written(self):
        self.store(action("a"))
        self.run_cli("export", "--output", self.folder / "none" / "out.csv", expect=REJECTED)
        self.run_cli("export", "--output", self.folder, expect=REJECTED)
        self.run_cli("export", "--format", "xml", expect=USAGE)
        if os.path.exists("/dev/full"):
            done = self.run_cli("export", "--output", "/dev/full", expect=UNAVAILABLE)
            self.assertIn("cannot be written", done.err)
            with open("/dev/full", "wb") as full:
                done = subprocess.run(self.command(["export"], self.db), stdout=full, stderr=subprocess.PIPE,
                                      env=self.env, timeout=60)
            self.assertEqual(done.returncode, UNAVAILABLE)


class ProgramTest(CliTest):
    def test_help_and_version(self):
        self.assertIn("import", self.run_cli("--help", db="").out)
        self.assertIn("--dry-run", self.run_cli("import", "--help", db="").out)
        self.assertIn("set", self.run_cli("patterns", "--help", db="").out)
        self.assertRegex(self.run_cli("version", db="").out, r"^actionhist \d+\.\d+\.\d+\n$")
        self.assertRegex(self.run_cli("--version", db="").out, r"^actionhist \d+\.\d+\.\d+\n$")
        self.assertIn("version", self.run_json("version", db="")[0])

    def test_usage_errors_are_one_line_that_leads_on(self):
        for args in [[], ["unheard-of"], ["history", "--unheard-of"], ["show"], ["patterns", "unheard-of"],
                     ["history", "--limit"], ["migrate", "--print", "--verify"], ["--unheard-of", "history"],
                     ["record", "{}", "--file", "x"], ["history", "--timeout", "-1"]]:
            with self.subTest(args):
                err = self.run_cli(*args, expect=USAGE).err
                self.assertEqual(len(err.splitlines()), 1, err)
                self.assertTrue(err.startswith("actionhist: "), err)
                self.assertIn("--help", err)

    def test_errors_as_json(self):
        err = json.loads(self.run_cli("--json", "unheard-of", expect=USAGE).err)
        self.assertEqual(err["error"]["code"], "usage")
        err = json.loads(self.run_cli("show", "x", "--json", expect=REJECTED).err)
        self.assertEqual(err["error"]["code"], "not_found")
        self.assertTrue(err["error"]["message"])

    def test_the_database_comes_by_option_or_environment(self):
        err = self.run_cli("history", db="", expect=USAGE).err
        self.assertIn("--db", err)
        self.assertIn("ACTIONHIST_DATABASE_URL", err)
        self.store(action("a"))
        self.assertIn("restart", self.run_cli("history", db="", env={"ACTIONHIST_DATABASE_URL": self.db}).out)
        self.assertIn("restart", self.run_cli("history", db=f"sqlite:{self.db}").out)
        other = str(self.folder / "other.db")
        self.run_cli("history", db=other, env={"ACTIONHIST_DATABASE_URL": self.db}, expect=REJECTED)

    def test_options_may_stand_before_and_after_the_command(self):
        self.store(action("a"))
        self.assertIn("restart", self.run_cli("--db", self.db, "history", db="").out)
        done = self.run_cli("--quiet", "--db", self.db, "history", "--limit", "1", db="")
        self.assertIn("restart", done.out)
        self.run_cli("patterns", "--db", self.db, "show", "action-budget", db="")
        self.run_cli("patterns", "show", "action-budget", "--json")

    def test_what_is_no_database_is_refused_by_its_kind(self):
        self.run_cli("history", db=str(self.folder), expect=REJECTED)
        self.run_cli("record", "--type", "x", db=str(self.folder), expect=REJECTED)
        self.run_cli("record", "--type", "x", db=str(self.folder / "none" / "a.db"), expect=REJECTED)
        self.run_cli("record", "--type", "x", db="mysql://host/db", expect=REJECTED)
        broken = self.write("broken.db", "This is no database. " * 100)
        for args in [["history"], ["record", "--type", "x"]]:
            self.assertIn("not a database", self.run_cli(*args, db=broken, expect=FAILED).err)
        self.assertEqual(pathlib.Path(broken).read_bytes(), b"This is no database. " * 100)

    def test_read_only_writes_nothing(self):
        self.store(action("a"))
        self.run_cli("record", "--type", "x", "--read-only", expect=UNAVAILABLE)
        self.run_cli("delete", "a", "--read-only", expect=UNAVAILABLE)
        self.assertEqual(self.ids("--read-only"), ["a"])

    def test_a_database_that_another_process_holds(self):
        self.store(action("a"))
        other = sqlite3.connect(self.db, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        begin = time.monotonic()
        err = self.run_cli("record", "--type", "x", "--timeout", "1", "--json", expect=UNAVAILABLE).err
        self.assertEqual(json.loads(err)["error"]["code"], "timeout")
        self.assertLess(time.monotonic() - begin, 30)
        self.assertEqual(self.ids(), ["a"], "readers go on")

    def test_memory_is_empty_and_fine(self):
        self.assertIn("stored", self.run_cli("record", "--type", "x", db="memory:").out)
        self.assertEqual(self.run_cli("history", db="memory:").out, "")
        self.assertIn("healthy", self.run_cli("doctor", db="memory:").out)

    def test_a_reader_that_leaves_early_is_no_crash(self):
        self.store(*(action(f"a{i}") for i in range(500)))
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(self.command(["export"], self.db), stdout=write, stderr=subprocess.PIPE,
                              env=self.env, timeout=60)
        os.close(write)
        self.assertIn(done.returncode, [-signal.SIGPIPE, UNAVAILABLE])


class RetentionTest(CliTest):
    """Ten actions on web, a day apart, the newest a day old; one on db."""

    def setUp(self):
        super().setUp()
        day = 24 * 60
        self.store(*(action(f"w{i}", (10 - i) * day) for i in range(10)))
        db = {"kind": "Deployment", "namespace": "prod", "name": "db"}
        self.store(action("d0", 9 * day, resource_reference=db))
        self.web = ["--kind", "Deployment", "--namespace", "prod", "--name", "web"]

    def test_nothing_expires_until_a_policy_is_set(self):
        self.assertIn("everything is kept", self.run_cli("retention", "policy").out)
        self.assertIn("0 actions would go", self.run_cli("retention", "plan").out)
        self.assertIn("0 actions removed", self.run_cli("retention", "apply").out)
        self.assertEqual(len(self.ids()), 11)

    def test_a_plan_is_carried_out_and_noted(self):
        self.run_cli("retention", "policy", "set", "--max-actions", "4", "--strategy", "oldest-first", *self.web)
        (plan,) = self.run_json("retention", "plan")
        self.assertEqual([a["action_id"] for a in plan["going"]], [f"w{i}" for i in range(6)])
        self.assertEqual({a["reason"] for a in plan["going"]}, {"count"})
        self.assertEqual(len(self.ids()), 11)
        (run,) = self.run_json("retention", "apply", "--batch", "4")
        self.assertEqual(run["removed"], 6)
        self.assertEqual(sorted(self.ids()), ["d0", "w6", "w7", "w8", "w9"])
        (row,) = self.run_json("retention", "log")
        self.assertEqual(row["run_id"], run["run_id"])
        self.assertEqual((row["records_before"], row["records_deleted"], row["records_after"]), (10, 6, 4))
        self.assertEqual(row["operation_status"], "completed")
        self.run_cli("migrate", "--verify")

    def test_a_policy_is_tried_without_setting_it(self):
        (plan,) = self.run_json("retention", "plan", *self.web, "--max-age-days", "5")
        self.assertEqual({a["reason"] for a in plan["going"]}, {"age"})
        self.assertEqual(self.run_json("retention", "policy"), [])

    def test_policies_are_set_listed_and_taken_away(self):
        self.run_cli("retention", "policy", "set", "--max-age-days", "30", "--compact")
        self.run_cli("retention", "policy", "set", "--legal-hold", *self.web)
        rules = self.run_json("retention", "policy")
        self.assertEqual(rules[0]["policy"]["max_age_days"], 30)
        self.assertEqual(rules[1]["resource_reference"]["name"], "web")
        self.assertIn("legal hold", self.run_cli("retention", "policy").out)
        self.run_cli("delete", "w3", expect=REJECTED)
        self.run_cli("retention", "policy", "clear", *self.web)
        self.run_cli("delete", "w3")
        self.assertEqual(len(self.run_json("retention", "policy")), 1)

    def test_a_policy_without_sense_is_a_usage_error(self):
        for options in (["--max-actions", "0"], ["--strategy", "newest-first"], [], ["--max-age-days", "x"]):
            self.run_cli("retention", "policy", "set", *options, expect=USAGE)
        self.assertEqual(self.run_json("retention", "policy"), [])


class DiscoverTest(CliTest):
    def test_an_unusual_run_is_found_and_explained(self):
        day = 24 * 60

        def run(name, minutes_ago, *types):
            return [
                action(f"{name}-{i}", minutes_ago - i, action_type=each, correlation_id=name)
                for i, each in enumerate(types)
            ]

        usual = [run(f"day-{i}", (2 + i) * day, "get_logs", "restart_pod") for i in range(22)]
        self.store(*sum(usual, []), *run("odd", 120, "get_logs", "delete_volume"))
        (found,) = self.run_json("discover", "anomalies")
        self.assertEqual([each["scope"] for each in found["runs"]], ["correlation:odd"])
        self.assertEqual(found["runs"][0]["action_id"], "odd-1")
        self.assertIn("delete_volume after get_logs is unusual", self.run_cli("discover", "anomalies").out)
        self.assertIn("as usual", self.run_cli("discover", "anomalies", "--where", '{"correlation_id": {"$ne": "odd"}}',
                                               "--since", ago(3 * day)).err)
        self.run_cli("discover", "anomalies", "--quantile", "2", expect=USAGE)
        self.run_cli("discover", expect=USAGE)


if __name__ == "__main__":
    unittest.main()
