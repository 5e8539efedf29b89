"""What others need on the same PostgreSQL server for one action at a time.

Usage: scripts/bench postgres --peers [--json] [--rounds N] [--calls N]

Compares with a bare INSERT by psycopg into a table with the same columns, a key and an index for a resource's latest
actions, and with LangGraph's PostgresStore.put, those of them that can be imported (psycopg, langgraph-checkpoint-postgres).
It starts a server of its own; all take turns with one connection each, and the median of the rounds' ratios counts.
"""

import argparse
import json
import os
import statistics
import sys

import actionhist
from bindings import langgraph_on_postgres, make_action, timed
from report import Report

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "tests", "python"))
import postgres  # noqa: E402


def psycopg_insert(uri):
    import psycopg

    connection = psycopg.connect(uri, autocommit=True, prepare_threshold=0)
    connection.execute(
        "CREATE TABLE bare_actions (action_id text PRIMARY KEY, action_timestamp timestamptz, correlation_id text, "
        "alert_name text, alert_severity text, alert_labels jsonb, model_used text, model_confidence float8, "
        "model_reasoning text, action_type text, action_parameters jsonb, resource_reference jsonb, "
        "resource_state_before jsonb)"
    )
    connection.execute("CREATE INDEX ON bare_actions (resource_reference, action_timestamp)")

    def record(action):
        values = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in action.items()}
        names, marks = ", ".join(values), ", ".join(f"%({name})s" for name in values)
        connection.execute(f"INSERT INTO bare_actions ({names}) VALUES ({marks})", values)

    return record


def langgraph_put(uri):
    put = langgraph_on_postgres(uri)
    return lambda action: put({**action, "action_timestamp": action["action_timestamp"].isoformat()})


PEERS = {"psycopg's bare INSERT": psycopg_insert, "LangGraph's put": langgraph_put}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=1000)
    arguments = parser.parse_args()
    report = Report("postgres --peers", arguments.json)
    # Every commit of every side is on the disk.
    with postgres.server(fsync="on") as uri:
        # Without the worker, as the others index nothing.
        with actionhist.open(uri, tenant="bench", semantic=False, worker=False) as history:
            sides = {"actionhist": history.record}
            for name, make in PEERS.items():
                try:
                    sides[name] = make(uri)
                except ImportError as missing:
                    print(f"  {name}: left out: {missing}")
            rates = {name: [] for name in sides}
            for number in range(arguments.rounds):
                for name in sorted(sides, reverse=number % 2 == 1):
                    actions = [make_action(f"peer-{number}", i) for i in range(arguments.calls)]
                    record = sides[name]
                    rates[name].append(timed(len(actions), lambda: [record(action) for action in actions]))
    for name in PEERS.keys() & rates.keys():
        ratio = statistics.median(mine / other for mine, other in zip(rates["actionhist"], rates[name]))
        report.add(
            f"one action / {name}", "rate", statistics.median(rates["actionhist"]), "per s",
            statistics.median(rates[name]), ratio,
        )


if __name__ == "__main__":
    main()
