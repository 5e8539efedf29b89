"""Figures of what was recorded, which also read well in grey. Needs matplotlib (pip install actionhist[plot]).

    traces = history.history(kind="Deployment", namespace="prod", name="web", limit=1000)
    found = history.detections(scope=f"resource:{traces[0].resource_id}")
    actionhist.plot.timeline(traces, found).savefig("web.pdf")
    actionhist.plot.effectiveness(history.metrics(scope_type="global", metric_period="24h")).savefig("types.pdf")
    actionhist.plot.projection(history.projection(), history.history(limit=2000)).savefig("map.pdf")
    actionhist.plot.clusters(history.clusters()).savefig("kinds.pdf")

Each draws into `axes` if given, else into a figure of its own, and returns the figure. Nothing is shown.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any, Iterable

import matplotlib.dates
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ._actionhist import Detection, Trace

__all__ = ["clusters", "effectiveness", "projection", "timeline"]

# What became of an action, by the shape of its mark.
_shapes = {
    "pending": ("o", "pending"),
    "executing": ("o", "executing"),
    "completed": ("o", "completed"),
    "failed": ("X", "failed"),
    "rolled-back": ("v", "rolled back"),
    "cancelled": ("s", "cancelled"),
    "escalated": ("^", "escalated"),
}
_lines = ("-", "--", "-.", ":")
_marks = ("o", "s", "^", "D", "v", "P", "X", "*")
# Of its actions a day.
_trends = {"growing": "↗", "steady": "→", "shrinking": "↘"}
# A group that comes back when others are left out.
_stable = 0.75
# Dark is bad, bright is good, and their grey says the same.
_scores = ScalarMappable(Normalize(0, 1), "cividis")

# This part of matplotlib has no types.
_dates: Any = matplotlib.dates


def timeline(traces: Iterable[Trace], detections: Iterable[Detection] = (), *, axes: Axes | None = None) -> Figure:
    """Actions over time, a row for each type, and behind them the time that each detection was in force.

    The shape of a mark says what became of the action, its colour how effective it was; hollow is not assessed.
    """
    actions = sorted(traces, key=lambda trace: trace.action_timestamp)
    types = list(dict.fromkeys(trace.action_type for trace in actions))
    figure, axes = _drawn_into(axes, (9, 1.6 + 0.45 * max(1, len(types))))
    for trace in actions:
        _draw_action(axes, _place(trace.action_timestamp), types.index(trace.action_type), trace)
    axes.set_yticks(range(len(types)), types)
    axes.set_ylim(len(types) - 0.4, -0.9)
    for detection in detections:
        _draw_detection(axes, detection)
    axes.grid(axis="y", linewidth=0.5, alpha=0.5)
    _set_times(axes)
    _set_status_legend(axes, actions)
    figure.colorbar(_scores, ax=axes, label="effectiveness", pad=0.02)
    return figure


def effectiveness(metrics: Iterable[dict[str, Any]], *, axes: Axes | None = None) -> Figure:
    """The mean effectiveness of each action type, period by period, with its 95 % interval.

    Hollow marks rest on fewer than five assessments; a ring is an alarm. Takes rows of History.metrics(), of one
    scope and one length of periods.
    """
    rows = sorted(metrics, key=lambda row: str(row["period_start"]))
    scopes = {(row["scope_type"], row.get("scope_value"), row["metric_period"]) for row in rows}
    if len(scopes) > 1:
        raise ValueError(f"metrics: are of {len(scopes)} scopes or periods; ask history.metrics() for one of each")
    series: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        series[row["action_type"]].append(row)
    figure, axes = _drawn_into(axes, (9, 4))
    lines = [_draw_series(axes, number, len(series), name, series[name]) for number, name in enumerate(sorted(series))]
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel("effectiveness")
    axes.grid(linewidth=0.5, alpha=0.5)
    for kind, value, period in scopes:
        axes.set_title(f"{value or kind}, each {period}", loc="left", fontsize="medium")
    _set_times(axes)
    _set_legend(axes, lines)
    return figure


def projection(
    projected: dict[str, Any], traces: Iterable[Trace] = (), *, axes: Axes | None = None
) -> Figure:
    """A map of actions, on which near ones are alike. Takes what History.projection() gave, of two dimensions.

    Those of `traces` are marked by what became of them, as in timeline(); of the others only the place is shown.
    """
    shares = projected["explained"]
    if len(shares) > 2:
        raise ValueError(f"projected: has {len(shares)} dimensions; ask history.projection() for 2")
    known = {trace.action_id: trace for trace in traces}
    points = projected["points"]
    figure, axes = _drawn_into(axes, (7, 5.5))
    others = [point["at"] for point in points if point["action_id"] not in known]
    axes.plot([at[0] for at in others], [at[1] for at in others], linestyle="none", marker=".", color="0.7", zorder=1)
    shown = [(point["at"], known[point["action_id"]]) for point in points if point["action_id"] in known]
    for at, trace in shown:
        _draw_action(axes, at[0], at[1], trace, size=6)
    axes.set_xticks([])
    axes.set_yticks([])
    for axis, share in zip((axes.xaxis, axes.yaxis), shares):
        axis.set_label_text(f"{share:.0%} of the variance")
    # A step means the same in both directions.
    axes.set_aspect("equal", adjustable="datalim")
    if shown:
        _set_status_legend(axes, [trace for _, trace in shown])
        figure.colorbar(_scores, ax=axes, label="effectiveness", pad=0.02)
    return figure


def clusters(found: dict[str, Any], *, axes: Axes | None = None) -> Figure:
    """The groups of similar actions, the largest on top. Takes what History.clusters() gave.

    Length is the number of actions, colour how effective they were on average; white is not assessed, and a dashed
    border says that the group is not stable. Beside each stand its action types and whether it grows.
    """
    rows = found["clusters"]
    figure, axes = _drawn_into(axes, (9, 1.2 + 0.5 * max(1, len(rows))))
    for place, row in enumerate(rows):
        score = row.get("effectiveness")
        axes.barh(
            place,
            row["actions"],
            height=0.6,
            color="white" if score is None else _scores.to_rgba(score),
            edgecolor="black",
            linewidth=0.8,
            linestyle="-" if row["stability"] >= _stable else "--",
        )
        axes.annotate(
            f"{', '.join(row.get('types', []))} {_trends.get(row.get('trend'), '')}".strip(),
            (row["actions"], place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
        )
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("actions")
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    # Room for what stands beside the longest.
    axes.margins(x=0.35)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if rows:
        figure.colorbar(_scores, ax=axes, label="effectiveness", pad=0.02)
    return figure


def _drawn_into(axes: Axes | None, size: tuple[float, float]) -> tuple[Figure, Axes]:
    if axes is None:
        figure = Figure(figsize=size, layout="constrained")
        return figure, figure.add_subplot()
    if axes.figure is None:
        raise ValueError("axes: belong to no figure")
    # That may be a part of a figure, whose own figure is the whole. get_figure(root=True) is of matplotlib 3.10.
    return axes.figure.figure, axes


def _draw_action(axes: Axes, x: float, y: float, trace: Trace, size: float = 9) -> None:
    score = trace.effectiveness_score
    axes.plot(
        [x],
        [y],
        marker=_shapes[trace.execution_status][0],
        markersize=size,
        linestyle="none",
        color="black",
        markeredgewidth=0.8,
        markerfacecolor="white" if score is None else _scores.cmap(score),
    )


def _draw_detection(axes: Axes, detection: Detection) -> None:
    ends = (detection.resolved_at, detection.in_force_until, detection.last_at)
    end = next(each for each in ends if each is not None)
    label = detection.pattern_type
    if detection.refusals:
        label += f", {detection.refusals} refused"
    start = _place(detection.first_at)
    axes.axvspan(start, _place(end), facecolor="0.9", edgecolor="0.6", hatch="//", linewidth=0, zorder=0)
    late = start > sum(axes.get_xlim()) / 2
    axes.annotate(
        label,
        (_place(end) if late else start, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-3 if late else 3, -3),
        textcoords="offset points",
        ha="right" if late else "left",
        va="top",
        fontsize="small",
        backgroundcolor=(1, 1, 1, 0.7),
    )


def _draw_series(axes: Axes, number: int, count: int, name: str, rows: list[dict[str, Any]]) -> Line2D:
    # Side by side within their period, so that intervals do not hide each other.
    share = 0.5 + 0.08 * (number - (count - 1) / 2)
    times = [_within(row, min(0.9, max(0.1, share))) for row in rows]
    means = [row["average_score"] for row in rows]
    [line] = axes.plot(
        times,
        means,
        linestyle=_lines[number % len(_lines)],
        marker=_marks[number % len(_marks)],
        markersize=6,
        label=name,
    )
    colour = line.get_color()
    lower = [row["confidence_interval_lower"] for row in rows]
    upper = [row["confidence_interval_upper"] for row in rows]
    axes.vlines(times, lower, upper, color=colour, linewidth=1.2)
    few = [(time, mean) for time, mean, row in zip(times, means, rows) if not row["min_sample_size_met"]]
    axes.plot(*_columns(few), linestyle="none", marker=line.get_marker(), color=colour, markerfacecolor="white")
    alarms = [(time, mean) for time, mean, row in zip(times, means, rows) if row["alarm"]]
    axes.plot(*_columns(alarms), linestyle="none", marker="o", markersize=14, color="black", markerfacecolor="none")
    return line


def _columns(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _within(row: dict[str, Any], share: float) -> float:
    """A place within the period of a row, 0 at its start and 1 at its end."""
    start, end = _place(_time(row["period_start"])), _place(_time(row["period_end"]))
    return start + share * (end - start)


def _time(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value.replace("Z", "+00:00"))


def _place(time: datetime) -> float:
    """Where a time is on an axis of times."""
    return float(_dates.date2num(time))


def _set_times(axes: Axes) -> None:
    axes.xaxis_date()
    locator = _dates.AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(_dates.ConciseDateFormatter(locator))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _set_status_legend(axes: Axes, traces: list[Trace]) -> None:
    statuses = dict.fromkeys(_shapes[trace.execution_status] for trace in traces)
    marks = [Line2D([], [], color="black", marker=shape, linestyle="none", label=name) for shape, name in statuses]
    _set_legend(axes, marks)


def _set_legend(axes: Axes, handles: list[Line2D]) -> None:
    if handles:
        axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.06), ncols=4, frameon=False, borderaxespad=0)
