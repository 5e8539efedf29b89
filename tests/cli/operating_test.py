"""The worker, schema, health, export, retention and embedding."""

import csv
import io
import json
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time
import unittest

from cli import DONE, FAILED, PROJECT, REJECTED, UNAVAILABLE, USAGE, CliTest, action, lines

sys.path.append(str(PROJECT / "tests" / "python"))
import postgres  # noqa: E402


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
                worker = subprocess.Popen(
                    self.command(["worker", "--json"], self.db),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=self.env,
                )
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


class PartitionsTest(CliTest):
    def test_the_embedded_engine_has_none(self):
        self.store(action("a"))
        for args in [["list"], ["ensure"], ["detach", "2024-03"], ["archive", "2024-03", "--to", self.folder]]:
            with self.subTest(args):
                self.assertIn("PostgreSQL", self.run_cli("partitions", *args, expect=FAILED).err)

    def test_a_month_has_to_be_one(self):
        self.run_cli("partitions", "detach", "2024-13", expect=USAGE)
        self.run_cli("partitions", "archive", "2024-03", expect=USAGE)
        self.run_cli("partitions", "detach", "2024-03", "--read-only", expect=USAGE)


class MigrateTest(CliTest):
    def behind(self):
        """A database as an earlier version might have left it."""
        with sqlite3.connect(self.db) as connection:
            connection.execute(
                "CREATE TABLE actionhist_migrations (version INTEGER PRIMARY KEY, name TEXT, applied_at INTEGER)"
            )
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

    def test_a_file_may_be_called_like_a_server(self):
        done = subprocess.run(
            self.command(["migrate", "--indexes", "search"], "postgres.db"),
            cwd=self.folder, env=self.env, capture_output=True, timeout=120,
        )
        self.assertEqual(done.returncode, USAGE)
        self.assertIn(b"only PostgreSQL", done.stderr)

    def test_a_server_needs_no_tenant_for_its_schema(self):
        with postgres.server() as uri:
            self.assertIn("CREATE TABLE", self.run_cli("migrate", "--print", db=uri).out)
            self.run_cli("migrate", db=uri)
            self.run_cli("migrate", "--verify", db=uri)
            self.assertIn("--tenant", self.run_cli("history", db=uri, expect=REJECTED).err)
            self.assertIn("guard     0 of 0", self.run_cli("doctor", "--tenant", "default", "--read-only", db=uri).out)
            self.run_cli("migrate", "--tenant", "sre", db=uri)
            self.assertIn("4 of 5", self.run_cli("doctor", "--tenant", "sre", "--read-only", db=uri).out)

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
        self.assertIn("path of an actionhist database", self.run_cli("doctor", db=broken, expect=FAILED).err)

    @unittest.skipUnless(os.geteuid() == 0, "nobody else may mount")
    def test_a_disk_that_is_nearly_full_is_a_problem(self):
        small = self.folder / "small"
        small.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(small)]
        if subprocess.run(mount, capture_output=True).returncode != 0:
            self.skipTest("no right to mount a small file system")
        try:
            db = str(small / "h.db")
            self.run_cli("import", "-", db=db, stdin=lines([action("a")]))
            self.assertIn("make space", self.run_cli("doctor", db=db, expect=FAILED).out)
        finally:
            subprocess.run(["umount", str(small)], check=True)


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
        self.store(action("a", model_reasoning=reasoning, action_parameters={"a,b": 'c"d'}, effectiveness_score=0.5))
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

    def test_a_cell_of_csv_is_no_formula(self):
        self.store(action("a", model_reasoning="=1+2", alert_name="@sum", effectiveness_score=0.5))
        (row,) = csv.DictReader(io.StringIO(self.run_cli("export", "--format", "csv").out, newline=""))
        self.assertEqual((row["model_reasoning"], row["alert_name"]), ("'=1+2", "'@sum"))
        self.assertEqual(row["effectiveness_score"], "0.5")

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

    def test_a_file_is_there_as_a_whole_or_as_it_was(self):
        self.store(*(action(f"a{i:04}", 3000 - i) for i in range(1500)))
        path = self.folder / "out.jsonl"
        path.write_text("before\n")
        path.chmod(0o640)
        link = self.folder / "link.jsonl"
        link.symlink_to(path)
        self.run_cli("export", "--output", link)
        self.assertEqual((link.is_symlink(), path.stat().st_mode & 0o777), (True, 0o640))
        self.assertEqual(len(path.read_text().splitlines()), 1500)
        # The first page can be read, the second one not.
        with sqlite3.connect(self.db) as connection:
            connection.execute("UPDATE resource_action_traces SET execution_status = '?' WHERE action_id = 'a0100'")
        connection.close()
        self.run_cli("export", "--output", path, expect=REJECTED)
        self.assertEqual(len(path.read_text().splitlines()), 1500)
        self.assertEqual(sorted(each.name for each in self.folder.glob("*.tmp")), [])

    def test_a_pipe_is_written_in_its_place(self):
        self.store(action("a"))
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        with subprocess.Popen(self.command(["export", "--output", pipe], self.db), env=self.env) as running:
            self.assertEqual(json.loads(pipe.read_text())["action_id"], "a")
            self.assertEqual(running.wait(timeout=60), DONE)
        self.assertTrue(pipe.is_fifo())

    def test_paths_that_cannot_be_written(self):
        self.store(action("a"))
        self.run_cli("export", "--output", self.folder / "none" / "out.csv", expect=REJECTED)
        self.run_cli("export", "--output", self.folder, expect=REJECTED)
        self.run_cli("export", "--format", "xml", expect=USAGE)
        if os.path.exists("/dev/full"):
            done = self.run_cli("export", "--output", "/dev/full", expect=UNAVAILABLE)
            self.assertIn("cannot be written", done.err)
            with open("/dev/full", "wb") as full:
                done = subprocess.run(
                    self.command(["export"], self.db), stdout=full, stderr=subprocess.PIPE, env=self.env, timeout=60
                )
            self.assertEqual(done.returncode, UNAVAILABLE)


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
        self.assertIn("everything is kept", self.run_cli("retention", "policy").err)
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

    def test_what_cannot_begin_removes_nothing_and_says_no_more(self):
        err = self.run_cli("retention", "apply", "--kind", "Deployment", "--max-actions", "1", expect=REJECTED).err
        self.assertNotIn("what was removed", err)

    def test_a_policy_without_sense_is_a_usage_error(self):
        for options in (["--max-actions", "0"], ["--strategy", "newest-first"], [], ["--max-age-days", "x"]):
            self.run_cli("retention", "policy", "set", *options, expect=USAGE)
        self.assertEqual(self.run_json("retention", "policy"), [])


class EmbedTest(CliTest):
    def store_troubles(self, each=20):
        kinds = [
            ("OutOfMemory", "raise_limit", "killed because its memory limit is too low"),
            ("DiskFull", "expand_volume", "the volume has no free space left"),
            ("BadConfig", "patch_config", "a mounted setting is invalid"),
        ]
        self.store(
            *(
                action(
                    f"a{i}",
                    600 - i,
                    alert_name=kinds[i % 3][0],
                    action_type=kinds[i % 3][1],
                    model_reasoning=f"{kinds[i % 3][2]}, case {i * 7919 % 1000}",
                )
                for i in range(3 * each)
            )
        )

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
        self.assertEqual(
            self.run_json("embed", "import", "mine/3", str(path))[0], {"stored": 3, "present": 0, "unknown": 0}
        )
        self.assertEqual(self.run_json("embed", "import", "mine/3", str(path))[0]["present"], 3)
        array = self.folder / "vectors.npy"
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
        header += b" " * (117 - len(header)) + b"\n"
        array.write_bytes(
            b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack("<6f", 1, 0, 0, 0, 1, 0)
        )
        ids = self.folder / "ids.txt"
        ids.write_text("a0\nnosuch\n")
        self.assertEqual(
            self.run_json("embed", "import", "other/3", str(array), "--ids", str(ids))[0],
            {"stored": 1, "present": 0, "unknown": 1},
        )
        ids.write_bytes(b"a1\r\na2\r\n")
        crlf = ["embed", "import", "crlf/3", str(array), "--ids", str(ids)]
        self.assertEqual(self.run_json(*crlf)[0], {"stored": 2, "present": 0, "unknown": 0})
        ids.write_text("x\ny\n")
        unknown = self.run_json("embed", "import", "other/3", str(array), "--ids", str(ids), expect=REJECTED)
        self.assertEqual(unknown[0], {"stored": 0, "present": 0, "unknown": 2})
        self.run_cli("embed", "import", "other/3", str(array), expect=REJECTED)
        array.write_bytes(array.read_bytes()[:-4])
        self.run_cli("embed", "import", "other/3", str(array), "--ids", str(ids), expect=REJECTED)
        path.write_text('{"action_id": "a0", "vector": [1, "x"]}\n')
        self.assertIn("line 1", self.run_cli("embed", "import", "mine/3", str(path), expect=REJECTED).err)

    def test_nothing_has_failed(self):
        self.store_troubles(1)
        self.run_cli("embed", "backfill")
        self.assertIn("nothing has failed", self.run_cli("embed", "failed").err)
        self.assertIn("space_id: \"nosuch\" is not stored", self.run_cli("embed", "drop", "nosuch", expect=REJECTED).err)
        self.assertEqual(self.run_json("embed", "failed", "--retry")[0], {"queued": 0})


if __name__ == "__main__":
    unittest.main()
