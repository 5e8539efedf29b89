"""Figures of a week of an agent: what it did to a deployment, how well each kind of action worked, and which kinds of
trouble there were.

    python plots.py FOLDER

Needs matplotlib (pip install actionhist[plot]).
"""

import pathlib
import sys
from datetime import datetime, timedelta, timezone

import actionhist
import actionhist.plot

START = datetime(2026, 3, 2, tzinfo=timezone.utc)
WEB = {"kind": "Deployment", "namespace": "prod", "name": "web"}


def remember_a_week(history: actionhist.History) -> None:
    """Restarts that help less each day, rollbacks that help, and now and then a failure."""
    history.record_many(
        {
            "action_id": f"{day}-{hour}",
            "action_type": "rollback_deployment" if hour % 6 == 0 else "restart_deployment",
            "action_timestamp": START + timedelta(days=day, hours=hour),
            "resource_reference": WEB,
            "execution_status": "failed" if (day + hour) % 11 == 5 else "completed",
            "effectiveness_score": 0.9 - hour / 100 if hour % 6 == 0 else 0.7 - day / 10 + hour / 100,
        }
        for day in range(7)
        for hour in range(0, 24, 2)
    )


def begin_to_oscillate(history: actionhist.History, now: list[datetime]) -> None:
    """The agent scales up and down, until the guard refuses."""
    for replicas in (6, 2, 6, 2, 6, 2):
        now[0] += timedelta(minutes=4)
        verdict = history.propose(
            action_type="scale_deployment",
            resource_reference=WEB,
            action_parameters={"replicas": replicas},
            resource_state_before={"replicas": 8 - replicas},
        )
        if not verdict.allowed:
            print("refused:", verdict.reason)
            return
        history.complete(verdict.trace.action_id, effectiveness_score=0.3)


TROUBLES = [
    ("OutOfMemory", "increase_memory", "the container was killed because its memory limit is too low", 0.9),
    ("DiskFull", "expand_volume", "the volume has no free space left and writes fail", 0.6),
    ("BadConfig", "restart_pod", "a mounted setting is invalid, so that the process aborts at start", 0.2),
]
DETAILS = [
    "after the deployment of the new version", "while the nightly import was running", "under the load of the sale",
    "since the cache was turned off", "as it did last month", "on two of five nodes", "only in the second zone",
]  # fmt: skip


def remember_troubles(history: actionhist.History) -> None:
    """Three kinds of trouble, each seen many times in other words."""
    for number, (alert, action_type, reasoning, score) in enumerate(TROUBLES):
        history.record_many(
            {
                "action_id": f"trouble-{number}-{i}",
                "action_type": action_type,
                "action_timestamp": START - timedelta(hours=8 * i, minutes=number),
                "alert_name": alert,
                "model_reasoning": f"{reasoning}, {DETAILS[i % 7]}, {DETAILS[i * i % 5]}, {DETAILS[i // 3 % 7]}",
                "resource_reference": {"kind": "Pod", "namespace": "prod", "name": f"pod-{i % 7}"},
                "execution_status": "failed" if i % 9 == 4 else "completed",
                "effectiveness_score": None if i % 5 == 0 else score + (i % 3 - 1) / 10,
            }
            for i in range(40 - 10 * number)
        )


def main(folder: pathlib.Path) -> None:
    now = [START + timedelta(days=7)]
    with actionhist.open("memory:", clock=lambda: now[0]) as history:
        remember_a_week(history)
        begin_to_oscillate(history, now)
        history.refresh_metrics()

        traces = history.history(**WEB, since=now[0] - timedelta(hours=8), limit=1000)
        found = history.detections(scope=f"resource:{traces[0].resource_id}")
        actionhist.plot.timeline(traces, found).savefig(folder / "timeline.png", dpi=150)
        daily = history.metrics(scope_type="global", metric_period="24h")
        actionhist.plot.effectiveness(daily).savefig(folder / "effectiveness.png", dpi=150)

        remember_troubles(history)
        history.wait_indexed()
        alerts = {"alert_name": {"$exists": True}}
        traces = history.history(where=alerts, limit=1000)
        actionhist.plot.projection(history.projection(where=alerts), traces).savefig(folder / "projection.png", dpi=150)
        actionhist.plot.clusters(history.clusters(3, where=alerts)).savefig(folder / "clusters.png", dpi=150)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."))
