"""Figures: what they show, and that they look as they did (in outline, whatever the fonts are).

ACTIONHIST_WRITE_OUTLINES=1 stores the outlines of the figures as they are now.
"""

import os
import pathlib
from datetime import timedelta

import pytest

import actionhist
from conftest import NOON

pytest.importorskip("matplotlib", reason="needs matplotlib")
np = pytest.importorskip("numpy", reason="needs numpy")

import matplotlib.image
from matplotlib.backends.backend_agg import FigureCanvasAgg

from actionhist import plot

OUTLINES = pathlib.Path(__file__).parent / "outlines"
WEB = {"kind": "Deployment", "namespace": "prod", "name": "web"}


@pytest.fixture
def story(history, clock, scale):
    """A day of restarts, of which one failed and one was not assessed, and then an oscillation."""
    scores = [0.9, 0.8, None, 0.4, 0.2]
    history.record_many(
        [
            {
                "action_type": "restart_deployment",
                "action_timestamp": NOON - timedelta(minutes=50 - 10 * i),
                "resource_reference": WEB,
                "execution_status": "failed" if i == 3 else "completed",
                "effectiveness_score": score,
            }
            for i, score in enumerate(scores)
        ]
    )
    for before, after in ((2, 6), (6, 2), (2, 6), (6, 2), (2, 6)):
        clock.advance(minutes=4)
        verdict = history.propose(scale(before, after))
        if not verdict.allowed:
            return history
        history.complete(verdict.trace.action_id, effectiveness_score=0.3)
    raise AssertionError("the guard has refused nothing")


@pytest.fixture
def timeline(story):
    traces = story.history(**WEB)
    return plot.timeline(traces, story.detections(scope=f"resource:{traces[0].resource_id}"))


@pytest.fixture
def metrics(story):
    for day in range(1, 5):
        story.record_many(
            {
                "action_type": "restart_deployment",
                "action_timestamp": NOON - timedelta(days=day, minutes=i),
                "effectiveness_score": 0.5 + day / 10,
            }
            for i in range(20)
        )
    story.refresh_metrics()
    return story.metrics(scope_type="global", metric_period="24h")


@pytest.fixture
def troubles(clock):
    """Three kinds of trouble, each seen many times in somewhat other words; the third is never assessed."""
    kinds = [
        ("increase_memory", "the container was killed because its memory limit is too low", 0.9),
        ("expand_volume", "the volume has no free space left and writes fail", 0.3),
        ("restart_pod", "a mounted setting is invalid, so that the process aborts at start", None),
    ]
    with actionhist.open("memory:", clock=clock) as h:
        for number, (action_type, reasoning, score) in enumerate(kinds):
            h.record_many(
                {
                    "action_id": f"{action_type}-{i}",
                    "action_type": action_type,
                    "action_timestamp": NOON - timedelta(hours=4 * i, minutes=number),
                    "model_reasoning": f"{reasoning}; seen in service {['shop', 'search', 'mail', 'pay'][i % 4]}",
                    "execution_status": "failed" if i % 9 == 4 else "completed",
                    "effectiveness_score": score,
                }
                for i in range(40 - 10 * number)
            )
        assert h.wait_indexed(60)
        yield h


@pytest.fixture
def projection(troubles):
    return plot.projection(troubles.projection(), troubles.history(where={"action_type": {"$ne": "restart_pod"}}, limit=1000))


@pytest.fixture
def clusters(troubles):
    return plot.clusters(troubles.clusters(3))


def outline(figure):
    """What is drawn within the axes, in 30 × 20 grey fields: letters, which stand outside, move the axes only."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    area = figure.axes[0].get_window_extent()
    pixels = np.asarray(canvas.buffer_rgba())[::-1, :, :3]
    grey = pixels[int(area.y0) : int(area.y1), int(area.x0) : int(area.x1)].mean(axis=2) / 255
    rows = np.array_split(grey, 20, axis=0)
    return np.array([[block.mean() for block in np.array_split(row, 30, axis=1)] for row in rows])


def likeness(figure, name):
    """How far the figure looks like the stored outline: 1 is the same."""
    found = outline(figure)
    path = OUTLINES / f"{name}.png"
    if os.environ.get("ACTIONHIST_WRITE_OUTLINES"):
        path.parent.mkdir(exist_ok=True)
        matplotlib.image.imsave(path, found, cmap="gray", vmin=0, vmax=1)
    stored = matplotlib.image.imread(path)[:, :, 0]
    return np.corrcoef(found.ravel(), stored.ravel())[0, 1]


def test_a_timeline_shows_actions_states_and_detections(timeline):
    axes = timeline.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["restart_deployment", "scale_deployment"]
    marks = [(line.get_marker(), round(float(line.get_ydata()[0]))) for line in axes.lines]
    assert marks.count(("o", 0)) == 4 and marks.count(("X", 0)) == 1
    assert 2 <= marks.count(("o", 1)) <= 4
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert len(hollow) == 1
    [span] = axes.patches
    assert span.get_hatch() == "//"
    assert [text.get_text() for text in axes.texts] == ["scale-oscillation, 1 refused"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["completed", "failed"]
    assert timeline.axes[1].get_ylabel() == "effectiveness"


def test_effectiveness_shows_each_type_with_its_intervals(metrics):
    figure = plot.effectiveness(metrics)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["restart_deployment", "scale_deployment"]
    restarts = [row for row in metrics if row["action_type"] == "restart_deployment"]
    means = sorted(row["average_score"] for row in restarts)
    assert sorted(axes.lines[0].get_ydata()) == pytest.approx(means)
    intervals = {tuple(np.round(part[:, 1], 6)) for group in axes.collections for part in group.get_segments()}
    assert intervals == {
        (round(row["confidence_interval_lower"], 6), round(row["confidence_interval_upper"], 6)) for row in metrics
    }
    assert axes.get_title(loc="left") == "global, each 24h"


def test_metrics_of_several_scopes_are_not_mixed(story):
    story.refresh_metrics()
    with pytest.raises(ValueError, match="scopes"):
        plot.effectiveness(story.metrics())


def test_a_map_shows_what_became_of_the_actions_that_are_known(projection, troubles):
    axes = projection.axes[0]
    marks = [line.get_marker() for line in axes.lines]
    assert marks.count("o") + marks.count("X") == 70 and marks.count("X") == 7
    assert len(axes.lines[0].get_xdata()) == 20 and axes.lines[0].get_marker() == "."
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"completed", "failed"}
    assert axes.get_xlabel().endswith("% of the variance")
    # Like actions lie together: each is nearer to the middle of its kind than to that of the other.
    places = {point["action_id"]: np.array(point["at"]) for point in troubles.projection()["points"]}
    kinds = [[at for name, at in places.items() if name.startswith(kind)] for kind in ("increase", "expand")]
    middles = [np.mean(kind, axis=0) for kind in kinds]
    for kind, (own, other) in zip(kinds, (middles, middles[::-1])):
        near = [np.linalg.norm(at - own) < np.linalg.norm(at - other) for at in kind]
        assert np.mean(near) > 0.95
    with pytest.raises(ValueError, match="dimensions"):
        plot.projection(troubles.projection(3))


def test_groups_show_their_size_their_effect_and_their_types(clusters):
    axes = clusters.axes[0]
    assert [round(bar.get_width()) for bar in axes.patches] == [40, 30, 20]
    assert [round(bar.get_y() + bar.get_height() / 2) for bar in axes.patches] == [0, 1, 2]
    brightness = [sum(bar.get_facecolor()[:3]) for bar in axes.patches]
    assert brightness[2] == 3 and brightness[0] > brightness[1]
    texts = [text.get_text() for text in axes.texts]
    assert [text.split()[0] for text in texts] == ["increase_memory", "expand_volume", "restart_pod"]
    assert "killed" in axes.get_yticklabels()[0].get_text()
    assert len(plot.clusters({"clusters": []}).axes) == 1


def test_figures_look_as_they_did(timeline, metrics, projection, clusters):
    effectiveness = plot.effectiveness(metrics)
    assert likeness(timeline, "timeline") > 0.8
    assert likeness(effectiveness, "effectiveness") > 0.8
    assert likeness(projection, "projection") > 0.8
    assert likeness(clusters, "clusters") > 0.8
    if not os.environ.get("ACTIONHIST_WRITE_OUTLINES"):
        assert likeness(timeline, "effectiveness") < 0.7
        assert likeness(plot.timeline([]), "timeline") < 0.7


def test_figures_go_into_a_part_of_a_figure():
    figure = plot.Figure()
    left, _ = figure.subfigures(1, 2)
    axes = left.subplots()
    assert plot.effectiveness([], axes=axes) is figure
    axes.remove()
    with pytest.raises(ValueError, match="no figure"):
        plot.effectiveness([], axes=axes)


def test_figures_go_into_axes_that_are_given(timeline, metrics):
    from matplotlib.figure import Figure

    figure = Figure()
    upper, lower = figure.subplots(2)
    assert plot.effectiveness(metrics, axes=upper) is figure
    assert plot.effectiveness([], axes=lower) is figure
    assert upper.get_legend() is not None
    assert lower.get_legend() is None
