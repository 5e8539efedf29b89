"""The program as a whole: usage, statuses, output."""

import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import time
import unittest

from cli import FAILED, REJECTED, UNAVAILABLE, USAGE, CliTest, action


class ProgramTest(CliTest):
    def test_help_and_version(self):
        self.assertIn("import", self.run_cli("--help", db="").out)
        self.assertIn("--dry-run", self.run_cli("import", "--help", db="").out)
        self.assertIn("set", self.run_cli("patterns", "--help", db="").out)
        self.assertRegex(self.run_cli("version", db="").out, r"^actionhist \d+\.\d+\.\d+\n$")
        self.assertRegex(self.run_cli("--version", db="").out, r"^actionhist \d+\.\d+\.\d+\n$")
        self.assertIn("version", self.run_json("version", db="")[0])

    def test_a_password_in_the_wrong_place_is_not_printed(self):
        for args in (["history", "postgresql://bob:hunter2@db/agents"], ["postgresql://bob:hunter2@db/agents"]):
            err = self.run_cli(*args, expect=USAGE).err
            self.assertNotIn("hunter2", err)
            self.assertIn("--db", err)

    def test_usage_errors_are_one_line_that_leads_on(self):
        for args in [
            [],
            ["unheard-of"],
            ["history", "--unheard-of"],
            ["show"],
            ["patterns", "unheard-of"],
            ["history", "--limit"],
            ["migrate", "--print", "--verify"],
            ["--unheard-of", "history"],
            ["record", "{}", "--file", "x"],
            ["history", "--timeout", "-1"],
        ]:
            with self.subTest(args):
                err = self.run_cli(*args, expect=USAGE).err
                self.assertEqual(len(err.splitlines()), 1, err)
                self.assertTrue(err.startswith("actionhist: "), err)
                self.assertIn("--help", err)

    def test_a_usage_error_leads_to_the_help_of_its_command(self):
        err = self.run_cli("retention", "policy", "set", "--unheard-of", expect=USAGE).err
        self.assertIn("see actionhist retention policy set --help", err)

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
        done = subprocess.run(
            self.command(["export"], self.db), stdout=write, stderr=subprocess.PIPE, env=self.env, timeout=60
        )
        os.close(write)
        self.assertIn(done.returncode, [-signal.SIGPIPE, UNAVAILABLE])


if __name__ == "__main__":
    unittest.main()
