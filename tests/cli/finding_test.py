"""History, search, and what is learned from it."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
import unittest

from cli import REJECTED, USAGE, CliTest, action, ago


class HistoryTest(CliTest):
    def fill(self):
        self.store(
            action("old", 60 * 24 * 10, correlation_id="c1"),
            action("pod", 30, resource_reference={"kind": "Pod", "namespace": "dev", "name": "web-1"}),
            action("new", 10, effectiveness_score=0.75, correlation_id="c1", action_parameters={"replicas": 5}),
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
        self.assertEqual(
            self.ids("--where", '{"$or": [{"kind": "Pod"}, {"correlation_id": "c1"}]}'), ["new", "pod", "old"]
        )
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
        self.assertEqual(self.run_cli("history", "--limit", "10", "-q").err, "")
        self.assertIn("next", self.run_cli("history", "--limit", "10", "-q", "--json").err)

    def test_nothing_found_is_said_and_no_error(self):
        self.fill()
        done = self.run_cli("history", "--kind", "Node")
        self.assertEqual((done.out, done.err), ("", "no action matches\n"))

    def test_a_table_fits_the_terminal(self):
        self.store(
            action(
                "a",
                action_type="重启部署" * 20,
                alert_name="é" * 80,
                resource_reference={"kind": "Deployment", "name": "n" * 90},
            )
        )
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
            action(
                "oom",
                60,
                model_reasoning="The container is killed because memory runs out; raise the limit.",
                action_type="increase_memory_limit",
                effectiveness_score=0.9,
            ),
            action(
                "disk",
                50,
                model_reasoning="The volume is full, old logs have to go.",
                alert_name="DiskFull",
                action_type="clean_volume",
            ),
            action(
                "cert",
                40,
                model_reasoning="The certificate expired yesterday and must be renewed.",
                alert_name="CertificateExpired",
                action_type="renew_certificate",
            ),
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

    def test_what_is_hardly_alike_is_left_out_on_request(self):
        self.fill()
        asked = ("similar", "expired certificate", "--distinct", "0.9", "--mmr-lambda", "0.5")
        self.assertEqual(self.run_json(*asked)[0]["trace"]["action_id"], "cert")
        self.assertEqual(self.run_cli("similar", "xylophone zebra", "--percentile", "100").out, "")
        self.run_cli("similar", "x", "--percentile", "101", expect=USAGE)

    def test_the_aspects_that_count_are_weighed(self):
        self.fill()
        self.run_cli("similar", "memory", "--weights", "action=1", expect=REJECTED)
        self.run_cli("embed", "switch", "aspects/1/hashed-lexical/1024/1", "--force")
        asked = ("similar", "renew certificate", "--weights")
        for weights in ("context=1,action=2", "context=1"):
            hit = self.run_json(*asked, weights)[0]
            self.assertEqual(hit["trace"]["action_id"], "cert")
        aspects = hit["explain"]["aspects"]
        self.assertAlmostEqual(hit["explain"]["similarity"], aspects["context"], places=5)
        self.assertGreater(aspects["action"], aspects["context"])
        for wrong in ("action", "size=1", "action=much"):
            self.run_cli(*asked, wrong, expect=USAGE)
        self.run_cli(*asked, "action=-1", expect=REJECTED)

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
        for args in [["recommend", "certificate", "--wait", "600"], ["context", "certificate"]]:
            self.assertIn("not indexed yet", self.run_cli(*args, "--read-only").err)
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
        self.run_cli("similar", " \t ", expect=USAGE)
        self.assertIn("either a text", self.run_cli("similar", "x", "--id", "oom", expect=USAGE).err)
        self.run_cli("similar", "x", "--limit", "5000", expect=USAGE)


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
        self.assertIn("best first\n  rollback  success", out)
        self.assertIn("avoid\n  restart_deployment", out)
        self.run_cli("recommend", expect=REJECTED)
        self.run_cli("recommend", "x", "--limit", "0", expect=USAGE)


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
        self.assertEqual(self.run_json("metrics", *web[2:]), self.run_json("metrics", *web))
        self.assertIn("scope_type", self.run_cli("metrics", "--scope", "global", *web[2:], expect=REJECTED).err)
        self.assertIn("the first 1 rows", self.run_cli("metrics", "--limit", "1").err)
        self.run_cli("metrics", "--scope", "universe", expect=USAGE)

    def test_the_context_of_a_model(self):
        self.store(*(action(f"m{i}", 60 + i, effectiveness_score=0.1) for i in range(4)))
        out = self.run_cli("context", "--alert", "KubePodCrashLooping", "--budget", "300").out
        self.assertIn("never resolved it", out)
        found = self.run_json("context", "--kind", "Deployment", "--name", "web", "--namespace", "prod")[0]
        self.assertIn("warnings", found)
        self.assertGreater(found["tokens"], 0)
        self.assertEqual(found["omitted"], 0)
        self.run_cli("context", expect=REJECTED)


class StatsTest(CliTest):
    def test_resources_at_a_glance(self):
        self.store(
            action("a", 60, effectiveness_score=0.5),
            action("b", 30, execution_status="failed"),
            action("c", 20, resource_reference={"kind": "Node", "name": "n1"}),
        )
        out = self.run_cli("stats").out
        self.assertIn("prod/Deployment/web", out)
        self.assertIn("50 %", out)
        self.assertIn("3 actions on 2 resources", out)
        stats = self.run_json("stats", "--since", "-1h")[0]
        self.assertEqual(stats["totals"]["actions"], 3)
        self.assertEqual(stats["resources"][0]["resource_reference"]["kind"], "Node")
        self.assertEqual(stats["health"]["engine"]["engine"], "sqlite")
        self.assertEqual(self.run_json("stats", "--since", "+1h")[0]["resources"], [])

    def test_actions_without_a_resource_count_too(self):
        self.store(action("a"), action("b", resource_reference=None))
        self.assertIn("2 actions, 1 of them on no known resource\n1 actions on 1 resources", self.run_cli("stats").out)
        totals = self.run_json("stats")[0]["totals"]
        self.assertEqual((totals["actions"], totals["without_resource"]), (2, 1))

    def test_people_see_a_page_and_programs_all(self):
        nodes = [{"kind": "Node", "name": f"n{i}"} for i in range(52)]
        self.store(*(action(f"a{i}", 60, resource_reference=node) for i, node in enumerate(nodes)))
        done = self.run_cli("stats")
        self.assertEqual(done.out.count("Node/n"), 50)
        self.assertIn("2 more resources", done.err)
        self.assertIn("52 actions on 52 resources", done.out)
        self.assertEqual(self.run_cli("stats", "--limit", "3").out.count("Node/n"), 3)
        self.assertEqual(len(self.run_json("stats")[0]["resources"]), 52)
        few = self.run_json("stats", "--limit", "1")[0]
        self.assertEqual((len(few["resources"]), few["totals"]["resources"]), (1, 52))


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
        self.assertIn(
            "as usual",
            self.run_cli(
                "discover", "anomalies", "--where", '{"correlation_id": {"$ne": "odd"}}', "--since", ago(3 * day)
            ).err,
        )
        self.run_cli("discover", "anomalies", "--quantile", "2", expect=USAGE)

    def test_groups_duplicates_and_a_picture(self):
        certificate = {
            "action_type": "renew_certificate",
            "alert_name": "CertificateExpiry",
            "model_reasoning": "The certificate of the gateway expires tomorrow.",
        }
        self.store(*(action(f"m{i}", 60 + i) for i in range(6)))
        self.store(*(action(f"c{i}", 30 + i, **certificate) for i in range(7)))
        (found,) = self.run_json("discover", "clusters", "--clusters", "2")
        self.assertEqual([each["actions"] for each in found["clusters"]], [7, 6])
        self.assertIn("certificate", found["clusters"][0]["name"])
        self.assertIn("renew_certificate", self.run_cli("discover", "clusters").out)
        self.assertEqual([len(each["action_ids"]) for each in self.run_json("discover", "duplicates")], [7, 6])
        self.assertIn("7 actions", self.run_cli("discover", "duplicates").out)
        (picture,) = self.run_json("discover", "projection", "--dimensions", "3")
        self.assertEqual({len(point["at"]) for point in picture["points"]}, {3})
        self.assertEqual(len(self.run_cli("discover", "projection").out.splitlines()), 13)
        self.run_cli("discover", "projection", "--dimensions", "4", expect=USAGE)

    def test_a_subcommand_is_required(self):
        self.run_cli("discover", expect=USAGE)


if __name__ == "__main__":
    unittest.main()
