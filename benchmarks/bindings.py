"""What Python costs over C++, how still the event loop stays, and what others need for the same work.

Usage: scripts/bench bindings [--json] [--rounds N] [--peers]

Both languages take turns in one run and the median of the rounds' ratios counts. `--peers` needs numpy and compares with
those of langgraph-checkpoint-sqlite (searching needs pysqlite3-binary, unless Python's own SQLite may load extensions),
langgraph-checkpoint-postgres with psycopg, chromadb, lancedb and qdrant-client that can be imported: one record at a time
on disk, and the search of ten neighbours by a given vector.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone

import actionhist
from report import Report

START = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)
REASONING = (
    "The container aborts at start because the mounted ConfigMap holds an invalid key; patching it and "
    "restarting the Deployment removes the cause."
)
SEARCHABLE_ROWS = 2000


def make_action(run, i):
    return {
        "action_id": f"{run}-{i}",
        "action_timestamp": START + timedelta(seconds=i),
        "correlation_id": f"incident-{i // 10}",
        "alert_name": "KubePodCrashLooping",
        "alert_severity": "critical",
        "alert_labels": {"app": "web", "team": "payments"},
        "model_used": "model",
        "model_confidence": 0.75,
        "model_reasoning": REASONING,
        "action_type": "patch_configmap",
        "action_parameters": {"key": "timeout", "value": 30},
        "resource_reference": {"kind": "ConfigMap", "namespace": "prod", "name": f"web-{i % 100}"},
        "resource_state_before": {"timeout": "30x"},
    }


class Files:
    """A new database on disk for each use."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("ACTIONHIST_BENCH_DIR", "."))
        self.count = 0

    def path(self):
        self.count += 1
        return os.path.join(self.folder, str(self.count))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)


def timed(count, work):
    since = time.perf_counter()
    work()
    return count / (time.perf_counter() - since)


def python_rate(work, uri, count):
    # Recording is compared without the worker, which would take its turns between the calls.
    with actionhist.open(uri, worker=work == "similar") as h:
        if work == "record":

            def one_by_one():
                for i in range(count):
                    h.record(make_action("one", i))

            return timed(count, one_by_one)
        if work == "record_many":
            return timed(count, lambda: h.record_many(make_action("many", i) for i in range(count)))
        h.record_many([make_action("found", i) for i in range(SEARCHABLE_ROWS)])
        h.wait_indexed(300)
        queries = vectors(count)

        def search():
            for query in queries:
                h.similar(vector=query)

        return timed(count, search)


def vectors(count, dimension=1024):
    """numpy's arrays where there is numpy."""
    try:
        import numpy

        return list(numpy.random.default_rng(1).standard_normal((count, dimension), dtype=numpy.float32))
    except ImportError:
        import array

        return [array.array("f", (random.gauss(0, 1) for _ in range(dimension))) for _ in range(count)]


def floor_rate(program, work, uri, count):
    done = subprocess.run([program, work, uri, str(count)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def against_cpp(report, files, program, rounds):
    for case, work, on_disk, count in (
        ("record, durable", "record", True, 300),
        ("record, memory", "record", False, 2000),
        ("record_many(10,000), durable", "record_many", True, 10_000),
        ("similar by vector, memory", "similar", False, 500),
    ):
        pairs = []
        for _ in range(rounds):
            floor = floor_rate(program, work, files.path() if on_disk else "memory:", count)
            pairs.append((python_rate(work, files.path() if on_disk else "memory:", count), floor))
        # Of pairs that ran one after the other, because the machine has other work too.
        value, baseline = (statistics.median(column) for column in zip(*pairs))
        ratio = statistics.median(ours / floor for ours, floor in pairs)
        report.add(case, "rate against C++", value, "per s", baseline, ratio)


async def stalls(seconds, load):
    """How late a task that sleeps for a millisecond wakes up, in ms, sorted."""
    late, stop = [], False

    async def ticker():
        while not stop:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            late.append((time.perf_counter() - before - 0.001) * 1000)

    tasks = [asyncio.create_task(load()) for _ in range(100)] if load else []
    tick = asyncio.create_task(ticker())
    await asyncio.sleep(seconds)
    stop = True
    await tick
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return sorted(late)


def event_loop(report, rounds):
    def quantile(late):
        return late[min(len(late) - 1, int(len(late) * 0.999))]

    async def measure():
        async with actionhist.open("memory:") as h:
            await h.arecord_many([make_action("found", i) for i in range(SEARCHABLE_ROWS)])
            await h.await_indexed(300)

            async def searching():
                while True:
                    await h.asimilar("container aborts, invalid key in the config map", limit=5)

            idle, busy = [], []
            for _ in range(rounds):
                idle.append(quantile(await stalls(2, None)))
                busy.append(quantile(await stalls(2, searching)))
            return statistics.median(busy), statistics.median(idle)

    busy, idle = asyncio.run(measure())
    report.add("100 concurrent asimilar", "stall p99.9", busy, "ms", idle, busy / idle)


# The others, each as (name, record one, search by vector); their embedding is given to them, as ours to us.


def langgraph_store(path, dimension):
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:
        import sqlite3

    from langgraph.store.sqlite import SqliteStore

    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    by_text = {}
    # Its vectors need an extension, which not every Python may load.
    searches = hasattr(connection, "enable_load_extension")
    index = {"dims": dimension, "embed": lambda texts: [by_text[t] for t in texts]}
    store = SqliteStore(connection, index=index if searches else None)
    store.setup()

    def record(i, action, vector):
        by_text[action["model_reasoning"]] = vector.tolist()
        store.put(("actions",), action["action_id"], action, index=["model_reasoning"] if searches else False)

    def search(vector):
        by_text["query"] = vector.tolist()
        return store.search(("actions",), query="query", limit=10)

    return record, search if searches else None


def chroma(path, dimension):
    import chromadb

    collection = chromadb.PersistentClient(path).create_collection("actions", embedding_function=None)

    def record(i, action, vector):
        collection.add(
            ids=[action["action_id"]], embeddings=[vector.tolist()], documents=[action["model_reasoning"]],
            metadatas=[{"action": json.dumps(action)}],
        )

    def search(vector):
        return collection.query(query_embeddings=[vector.tolist()], n_results=10)

    return record, search


def lance(path, dimension):
    import lancedb

    table = None

    def record(i, action, vector):
        nonlocal table
        row = [{"id": action["action_id"], "vector": vector, "action": json.dumps(action)}]
        if table is None:
            table = lancedb.connect(path).create_table("actions", row)
        else:
            table.add(row)

    def search(vector):
        return table.search(vector).distance_type("cosine").limit(10).to_list()

    # As its manual asks for after many small writes.
    search.settle = lambda: table.optimize()
    return record, search


def qdrant(path, dimension):
    from qdrant_client import QdrantClient, models

    client = QdrantClient(path=path)
    client.create_collection(
        "actions", vectors_config=models.VectorParams(size=dimension, distance=models.Distance.COSINE)
    )

    def record(i, action, vector):
        client.upsert("actions", [models.PointStruct(id=i, vector=vector.tolist(), payload=action)])

    def search(vector):
        return client.query_points("actions", query=vector.tolist(), limit=10)

    return record, search


def langgraph_on_postgres(uri):
    from langgraph.store.postgres import PostgresStore
    from psycopg import Connection
    from psycopg.rows import dict_row

    # Its vectors need an extension of the server, so it only records.
    store = PostgresStore(Connection.connect(uri, autocommit=True, prepare_threshold=0, row_factory=dict_row))
    store.setup()
    return lambda action: store.put(("actions",), action["action_id"], action, index=False)


def against_postgres_store(report, rounds):
    """Both record in the same database of one server, in turns."""
    sys.path.append(os.path.join(os.path.dirname(__file__), "..", "tests", "python"))
    import postgres

    with postgres.server(fsync="on") as uri:
        theirs = langgraph_on_postgres(uri)
        with actionhist.open(uri, tenant="bench", semantic=False, worker=False) as history:
            pairs = []
            for number in range(rounds):
                actions = [make_action(f"peer-{number}", i) for i in range(500)]
                mine = timed(len(actions), lambda: [history.record(action) for action in actions])
                for action in actions:
                    action["action_timestamp"] = action["action_timestamp"].isoformat()
                pairs.append((mine, timed(len(actions), lambda: [theirs(action) for action in actions])))
    mine, other = (statistics.median(column) for column in zip(*pairs))
    ratio = statistics.median(a / b for a, b in pairs)
    report.add("against langgraph_on_postgres", "record one", mine, "per s", other, ratio)


class Given:
    """A model that looks vectors up, so that all are compared without their models."""

    def __init__(self, dimension):
        self.space_id, self.dimension, self.by_number = f"given/{dimension}/1", dimension, {}

    def embed(self, texts, role):
        return [self.by_number[text.rsplit("number ", 1)[1].split()[0]] for text in texts]


def ours(path, dimension):
    model = Given(dimension)
    history = actionhist.open(path, model=model)

    def record(i, action, vector):
        model.by_number[str(i)] = vector
        history.record(action)

    def search(vector):
        return history.similar(vector=vector, limit=10)

    search.settle = lambda: history.wait_indexed(300)
    return record, search


def against_peers(report, files, rounds):
    import numpy

    dimension, rows, queries = 256, 2000, 200
    given = numpy.random.default_rng(2).standard_normal((rows + queries, dimension), dtype=numpy.float32)
    rates = {}
    for _ in range(rounds):
        for make in (ours, langgraph_store, chroma, lance, qdrant):
            try:
                record, search = make(files.path(), dimension)
            except ImportError as missing:
                rates.setdefault(make.__name__, f"left out: {missing}")
                continue
            actions = [make_action("peer", i) for i in range(rows)]
            for i, action in enumerate(actions):
                action["model_reasoning"] += f" number {i} "
                action["action_timestamp"] = action["action_timestamp"].isoformat()

            def fill():
                for i, action in enumerate(actions):
                    record(i, action, given[i])

            def ask():
                for vector in given[rows:]:
                    assert search(vector)

            stored = timed(rows, fill)
            getattr(search, "settle", lambda: None)()
            searched = timed(queries, ask) if search is not None else None
            rates.setdefault(make.__name__, []).append((stored, searched))
    medians = {
        name: [None if None in column else statistics.median(column) for column in zip(*found)]
        for name, found in rates.items()
        if not isinstance(found, str)
    }
    for position, metric in enumerate(("record one", "search of ten")):
        for name, found in medians.items():
            if name != "ours" and found[position] is not None:
                mine, theirs = medians["ours"][position], found[position]
                report.add(f"against {name}", metric, mine, "per s", theirs, mine / theirs)
    for name, why in rates.items():
        if isinstance(why, str):
            print(f"  {name}: {why}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--floor", required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    report = Report("bindings", arguments.json)
    with Files() as files:
        against_cpp(report, files, arguments.floor, arguments.rounds)
        event_loop(report, min(3, arguments.rounds))
        if arguments.peers:
            against_peers(report, files, min(3, arguments.rounds))
            try:
                against_postgres_store(report, min(3, arguments.rounds))
            except ImportError as missing:
                print(f"  langgraph_on_postgres: left out: {missing}")


if __name__ == "__main__":
    main()
