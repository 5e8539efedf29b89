"""Brakes: checks, patterns and detections."""

import contextlib
import json
import os
import sqlite3
import subprocess
import time
import unittest

from cli import DONE, REFUSED, REJECTED, RESTART, USAGE, CliTest, scaling


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
        self.assertNotIn("evidence", done.out)
        self.assertNotIn("not evaluated", done.out)
        self.assertIn("--override-by WHO", done.out)
        found = self.run_json("detections")[0]["detection_id"]
        self.assertIn(f"actionhist detections resolve {found}", done.out)
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


class PatternsTest(CliTest):
    def setUp(self):
        super().setUp()
        self.run_cli("migrate")

    def test_the_shipped_ones_are_listed(self):
        out = self.run_cli("patterns").out
        for name in [
            "scale-oscillation",
            "resource-thrashing",
            "ineffective-loop",
            "cascading-failure",
            "action-budget",
        ]:
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

    def test_switching_keeps_what_others_change_meanwhile(self):
        with contextlib.closing(sqlite3.connect(self.db, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            switching = subprocess.Popen(self.command(["patterns", "enable", "action-budget"], self.db), env=self.env)
            # Time to come as far as it can without the right to write.
            time.sleep(1)
            other.execute("UPDATE oscillation_patterns SET min_occurrences = 7 WHERE pattern_id = 'action-budget'")
            other.execute("COMMIT")
        self.assertEqual(switching.wait(timeout=120), DONE)
        pattern = self.run_json("patterns", "show", "action-budget")[0]
        self.assertEqual((pattern["active"], pattern["min_occurrences"]), (True, 7))

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
        for bad in [
            "{",
            "[]x",
            "5",
            '{"pattern_id": "b"}',
            '{"pattern_id": "b", "pattern_type": "unknown"}',
            '{"pattern_id": "b", "pattern_type": "scale-oscillation", "min_occurrences": 0}',
        ]:
            with self.subTest(bad):
                self.run_cli("patterns", "set", "-", stdin=good + "\n" + bad, expect=REJECTED)
        self.assertEqual(len(self.run_json("patterns")), 5)


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
        self.assertNotIn("retry after", out)
        self.assertIn(", 1 refusal\n", self.run_cli("detections").out)
        self.assertIn("not evaluated: all: ", self.run_cli("check", "--type", "look").out)
        self.assertIn("me let s4 pass: planned", self.run_cli("detections", "overrides").out)
        self.run_cli("detections", "resolve", found["detection_id"], "--false-positive", "--notes", "a test")
        self.assertIn("a false alarm: a test", self.run_cli("detections").out)
        self.assertEqual(self.run_json("detections", "--unresolved"), [])
        self.run_cli("detections", "resolve", "nobody", expect=REJECTED)
        self.assertIn("0 resolved by time-out", self.run_cli("detections", "settle").out)
        self.assertEqual(self.run_json("patterns", "show", "scale-oscillation")[0]["false_positive_rate"], 1)

    def test_overrides_are_listed_from_a_time_and_to_a_number(self):
        step = json.loads(self.refuse())
        for i in range(2):
            step["action_id"] = f"o{i}"
            self.run_cli("propose", json.dumps(step), "--override-by", "me", "--override-reason", "planned")
        self.assertEqual(len(self.run_json("detections", "overrides")), 2)
        self.assertEqual(len(self.run_json("detections", "overrides", "--limit", "1")), 1)
        self.assertEqual(self.run_json("detections", "overrides", "--since", "+1h"), [])

    def test_options_of_the_list_are_not_those_of_its_commands(self):
        for args in (["settle", "--limit", "5"], ["resolve", "x", "--unresolved"], ["overrides", "--kind", "Pod"]):
            err = self.run_cli("detections", *args, expect=USAGE).err
            self.assertIn(f"is no option of {args[0]}; see actionhist detections {args[0]} --help", err)

    def test_those_of_a_resource_are_found_by_its_name(self):
        self.refuse()
        web = ("--kind", "Deployment", "--namespace", "prod", "--name", "web")
        self.assertEqual(len(self.run_json("detections", *web)), 1)
        self.assertIn("on prod/Deployment/web", self.run_cli("detections", *web).out)
        self.assertEqual(self.run_json("detections", "--kind", "Deployment", "--name", "other"), [])
        self.run_cli("detections", *web, "--scope", "session:s", expect=REJECTED)
        half = self.run_cli("detections", "--kind", "Deployment", expect=REJECTED)
        self.assertIn("kind and name are required", half.err)

    def test_the_state_before_is_an_option(self):
        for i, (before, after) in enumerate([(3, 5), (5, 3), (3, 5), (5, 3)]):
            step = ("--type", "scale_deployment", "--kind", "Deployment", "--name", "web", "--id", f"o{i}",
                    "--state-before", json.dumps({"replicas": before}), "--param", f"replicas={after}")
            self.run_cli("propose", *step, expect=REFUSED if i == 3 else DONE)

    def test_a_pattern_is_removed_and_a_resource_has_a_policy(self):
        self.refuse()
        self.run_cli("patterns", "remove", "action-budget")
        self.run_cli("patterns", "remove", "action-budget", expect=REJECTED)
        web = ["--kind", "Deployment", "--namespace", "prod", "--name", "web"]
        self.run_cli("patterns", "policy", *web, "--set", '{"pattern_min_occurrences": 4}')
        self.assertEqual(self.run_json("patterns", "policy", *web), [{"pattern_min_occurrences": 4}])
        self.run_cli("patterns", "policy", *web, "--set", '{"window": 4}', expect=REJECTED)


if __name__ == "__main__":
    unittest.main()
