"""Recording, importing and what becomes of an action."""

import json
import os
import pty
import sqlite3
import subprocess
import unittest

from cli import DATA, DONE, REJECTED, RESTART, USAGE, CliTest, action, ago, lines


class ImportTest(CliTest):
    def test_a_line_is_stored_once_however_often_it_is_imported(self):
        path = self.write("a.jsonl", lines(action(f"a{i}") for i in range(3)))
        self.assertEqual(self.run_cli("import", path).out, "3 stored, 0 already there, 0 rejected\n")
        self.assertEqual(self.run_cli("import", path).out, "0 stored, 3 already there, 0 rejected\n")
        self.assertEqual(len(self.ids()), 3)

    def test_an_outcome_that_comes_later_completes_the_action(self):
        begun = dict(action("a"), execution_status="executing")
        ended = dict(begun, execution_status="failed", execution_error="quota exceeded", effectiveness_score=0.1)
        self.run_cli("import", "-", stdin=lines([begun, action("b")]))
        out = self.run_cli("import", "-", stdin=lines([ended, action("b")])).out
        self.assertEqual(out, "0 stored, 1 completed, 1 already there, 0 rejected\n")
        (stored,) = self.run_json("show", "a")
        self.assertEqual((stored["execution_status"], stored["execution_error"]), ("failed", "quota exceeded"))
        (result,) = self.run_json("import", "-", stdin=lines([ended, begun]))
        self.assertEqual((result["completed"], result["already_there"]), (0, 2))

    def test_an_id_twice_in_one_file_is_stored_once(self):
        out = self.run_cli("import", "-", stdin=lines([action("a"), action("a"), action("b")])).out
        self.assertEqual(out, "2 stored, 1 already there, 0 rejected\n")

    def test_lines_without_an_id_are_stored_once_too_and_equal_ones_each(self):
        record = action("a")
        del record["action_id"]
        other = dict(record, action_type="scale_deployment")
        path = self.write("a.jsonl", lines([record, other, record]))
        self.assertEqual(self.run_cli("import", path).out, "3 stored, 0 already there, 0 rejected\n")
        self.assertEqual(self.run_cli("import", path).out, "0 stored, 3 already there, 0 rejected\n")
        self.assertEqual(len(self.ids()), 3)
        # The order of the keys makes no other line of it.
        turned = lines([dict(reversed(list(record.items())))])
        self.assertEqual(self.run_cli("import", "-", stdin=turned).out[:8], "0 stored")

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
        done = subprocess.run(
            self.command(["import", path], self.db), stderr=slave, stdout=subprocess.PIPE, env=self.env, timeout=60
        )
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
            "record",
            "--type",
            "scale_deployment",
            "--kind",
            "deployments",
            "--namespace",
            "prod",
            "--name",
            "web",
            "--param",
            "replicas=5",
            "--param",
            "image=nginx:1.2",
            "--param",
            'tag="1.10"',
            "--param",
            "force=true",
            "--alert",
            "HighLoad",
            "--severity",
            "high",
            "--label",
            "team=a=b",
            "--reasoning",
            "Zu viel Verkehr — 负载",
            "--confidence",
            "0.9",
            "--actor",
            "me",
            "--metadata",
            "ticket=T-1",
            "--status",
            "completed",
            "--score",
            "1",
        )[0]
        self.assertEqual(
            trace["action_parameters"], {"replicas": 5, "image": "nginx:1.2", "tag": "1.10", "force": True}
        )
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
        for option in [
            ["--time", "yesterday"],
            ["--time", "2026-03-10T12:00:00"],
            ["--param", "x"],
            ["--confidence", "much"],
            ["--status", "fine"],
            ["--effect", "none"],
            ["--params", "{"],
        ]:
            with self.subTest(option):
                done = self.run_cli("record", "--type", "x", *option, expect=USAGE)
                self.assertIn(option[0], done.err)
        self.assertFalse(os.path.exists(self.db))

    def test_tenants_do_not_see_each_other(self):
        self.run_cli("record", json.dumps(action("a")), "--tenant", "one")
        self.assertEqual(self.ids("--tenant", "two"), [])
        self.assertEqual(self.ids("--tenant", "one"), ["a"])


class LifecycleTest(CliTest):
    def propose(self):
        return self.run_json("propose", *RESTART, "--time", "-5m")[0]["trace"]["action_id"]

    def test_an_error_without_a_status_is_a_failure(self):
        name = self.run_json("propose", *RESTART)[0]["trace"]["action_id"]
        self.assertEqual(self.run_json("complete", name, "--error", "boom")[0]["execution_status"], "failed")
        other = self.run_json("propose", *RESTART)[0]["trace"]["action_id"]
        done = self.run_json("complete", other, "--error", "a warning", "--status", "completed")[0]
        self.assertEqual(done["execution_status"], "completed")

    def test_an_assessment_says_something(self):
        self.store(action("a"))
        self.assertIn("give --score", self.run_cli("assess", "a", expect=USAGE).err)
        self.assertIn("give --score", self.run_cli("assess", "a", "--method", "manual", expect=USAGE).err)
        self.run_cli("assess", "a", "--notes", "seen")

    def test_words_of_a_name_are_parted_by_either(self):
        for spelling in ("read-only", "read_only"):
            self.assertEqual(self.run_json("record", "--type", "look", "--effect", spelling)[0]["effect"], "read_only")

    def test_a_misspelt_resource_is_refused(self):
        record = '{"action_type": "x", "knd": "Deployment", "name": "web"}'
        err = self.run_cli("propose", record, expect=REJECTED).err
        self.assertIn("knd: is not known, but kind is", err)

    def test_from_proposal_to_assessment(self):
        name = self.propose()
        self.assertEqual(self.run_cli("start", name, "--at", "-4m").out, f"{name} is executing\n")
        done = self.run_json(
            "complete",
            name,
            "--status",
            "failed",
            "--error",
            "no nodes",
            "--notes",
            "as before",
            "--score",
            "0.25",
            "--state-after",
            '{"ready": 0}',
        )[0]
        self.assertEqual((done["execution_status"], done["execution_error"]), ("failed", "no nodes"))
        self.assertEqual(done["resource_state_after"], {"ready": 0})
        self.assertGreater(done["execution_duration_ms"], 200_000)
        assessed = self.run_json("assess", name, "--health", "1", "--alert", "0", "--method", "manual")[0]
        self.assertAlmostEqual(assessed["effectiveness_score"], 0.4 / 0.75, places=6)
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
        outcome = {
            "status": "rolled-back",
            "effectiveness_score": 0.1,
            "kubernetes_operations": [{"operation": "patch"}],
        }
        done = self.run_json("complete", name, "--outcome", json.dumps(outcome), "--score", "0.2")[0]
        self.assertEqual(done["execution_status"], "rolled-back")
        self.assertEqual(done["effectiveness_score"], 0.2)
        self.run_cli("complete", name, "--outcome", '{"unheard_of": 1}', expect=REJECTED)
        self.run_cli("complete", name, "--outcome", "{", expect=REJECTED)
        self.run_cli("complete", name, "--status", "pending", expect=USAGE)
        err = self.run_cli("complete", name, "--status", "unheard-of", expect=USAGE).err
        self.assertIn("escalated", err)
        self.assertNotIn("pending", err)

    def test_links_and_deletion(self):
        self.store(action("a"), action("b"))
        trace = self.run_json("link", "a", "b", "--relation", "rollback")[0]
        self.assertEqual(trace["follow_up_actions"], [{"action_id": "b", "relation": "rollback"}])
        self.assertIn("deleted a", self.run_cli("delete", "a").out)
        self.assertEqual(self.ids(), ["b"])

    def test_an_unknown_id_is_rejected_by_name(self):
        self.store(action("a"))
        for args in [
            ["show", "x"],
            ["start", "x"],
            ["complete", "x"],
            ["assess", "x", "--score", "1"],
            ["delete", "x"],
            ["link", "x", "a"],
        ]:
            with self.subTest(args[0]):
                self.assertIn('"x"', self.run_cli(*args, expect=REJECTED).err)

    def test_show_without_a_database_does_not_make_one(self):
        for args in [
            ["show", "a"],
            ["complete", "a"],
            ["delete", "a"],
            ["similar", "a"],
            ["history"],
            ["stats"],
            ["export"],
            ["patterns"],
        ]:
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
        alert = {
            "alert_name": "HighLoad",
            "severity": "high",
            "starts_at": ago(10),
            "resource_reference": {"kind": "Deployment", "namespace": "prod", "name": "web"},
        }
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


if __name__ == "__main__":
    unittest.main()
