"""What was learned from the recorded actions."""

from datetime import timedelta

import pytest

import actionhist


def test_what_worked_is_recommended_and_what_failed_is_not(history, restart):
    for i, score in enumerate((0.9, 1.0)):
        history.record(restart(f"good-{i}", action_type="rollback", effectiveness_score=score,
                               execution_status="completed"))
    for i in range(2):
        history.record(restart(f"bad-{i}", effectiveness_score=0.1, execution_status="completed"))
    found = history.recommend("pod crashes at start", alert_name="KubePodCrashLooping", fresh=True)
    assert [each["action_type"] for each in found["actions"]] == ["rollback"]
    assert [each["action_type"] for each in found["avoid"]] == ["restart_deployment"]
    best = found["actions"][0]
    assert 0 < best["lower"] < best["expected_success"] < best["upper"] < 1
    assert {example["action_id"] for example in best["examples"]} == {"good-0", "good-1"}


def test_an_unclear_question_is_refused(history):
    with pytest.raises(actionhist.InvalidArgument, match="recommend: give a text"):
        history.recommend()
    with pytest.raises(actionhist.InvalidArgument, match="limit"):
        history.recommend("x", limit=0)


def flip(name, before, after):
    return {
        "action_id": name,
        "action_type": "scale_deployment",
        "action_parameters": {"replicas": after},
        "resource_reference": {"kind": "Deployment", "namespace": "prod", "name": "web"},
        "resource_state_before": {"replicas": before},
    }


def oscillate(history, clock):
    for name, before, after in (("f-1", 3, 5), ("f-2", 5, 3)):
        assert history.propose(flip(name, before, after))
        history.complete(name, status="completed", resource_state_after={"replicas": after})
        clock.advance(minutes=5)


def test_a_refusal_is_told_overridden_and_resolved(clock):
    told = []
    with actionhist.open("memory:", clock=clock, on_detection=told.append) as history:
        oscillate(history, clock)
        assert not history.propose(flip("f-3", 3, 5))
        assert [(t["action_id"], t["fresh"], t["overridden"]) for t in told] == [("f-3", True, False)]
        verdict = history.propose(flip("f-4", 3, 5), override={"actor": "me", "reason": "planned"})
        assert verdict and verdict.overridden
        assert history.overrides()[0]["actor"] == "me"
        with pytest.raises(actionhist.InvalidArgument, match="override.reason"):
            history.propose(flip("f-5", 3, 5), override={"actor": "me"})
        (found,) = history.detections(unresolved=True)
        assert found.overrides == 1 and found.refusals == 1
        resolved = history.resolve(found.detection_id, notes="planned", false_positive=True)
        assert resolved.false_positive and resolved.resolution_notes == "planned"
        assert history.detection(found.detection_id) == resolved
        assert history.detections(unresolved=True) == []
        assert history.settle()["resolved_by_timeout"] == 0


def test_patterns_are_tried_changed_and_removed(history, clock):
    pattern = next(p for p in history.patterns() if p["pattern_id"] == "scale-oscillation")
    history.put_pattern(pattern, shadow=True)
    oscillate(history, clock)
    verdict = history.propose(flip("f-3", 3, 5))
    assert verdict and len(verdict.shadowed) == 1
    assert history.remove_pattern("scale-oscillation")
    assert not history.remove_pattern("scale-oscillation")


def test_a_resource_has_a_policy_of_its_own(history):
    web = {"kind": "Deployment", "namespace": "prod", "name": "web"}
    assert history.guard_policy(**web) == {}
    history.set_guard_policy({"pattern_min_occurrences": 4}, **web)
    assert history.guard_policy(**web) == {"pattern_min_occurrences": 4}


def test_metrics_equal_an_independent_computation(history, clock, restart):
    stats = pytest.importorskip("scipy.stats")
    numpy = pytest.importorskip("numpy")
    scores = {"day": [], "before": []}
    for i in range(60):
        for day, offset in (("before", timedelta(hours=24)), ("day", timedelta(0))):
            score = (i * i * 7 % 23) / 22 * (0.6 if day == "day" else 1)
            at = clock.time - offset - timedelta(minutes=300) + timedelta(minutes=4 * i)
            history.record(restart(f"{day}-{i}", action_timestamp=at, effectiveness_score=score,
                                   execution_status="completed"))
            scores[day].append(score)
    assert history.refresh_metrics()["metrics"] > 0
    newest, _ = history.metrics(scope_type="global", metric_period="24h")
    x, y = numpy.array(scores["day"]), numpy.array(scores["before"])
    near = lambda value: pytest.approx(value, rel=1e-9, abs=1e-9)  # noqa: E731
    assert newest["average_score"] == near(x.mean())
    assert newest["median_score"] == near(numpy.median(x))
    assert newest["std_deviation"] == near(x.std(ddof=1))
    low, high = stats.t.interval(0.95, len(x) - 1, x.mean(), stats.sem(x))
    assert newest["confidence_interval_lower"] == near(low)
    assert newest["confidence_interval_upper"] == near(high)
    assert newest["trend_slope"] == near(stats.theilslopes(x)[0])
    p = stats.mannwhitneyu(x, y, alternative="two-sided", method="asymptotic").pvalue
    assert newest["statistical_significance"] == near(p)
    # Mann and Kendall, corrected for ties and continuity.
    n = len(x)
    s = sum(numpy.sign(x[j] - x[i]) for i in range(n) for j in range(i + 1, n))
    ties = numpy.unique(x, return_counts=True)[1]
    variance = (n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
    assert newest["trend_confidence"] == near(1 - 2 * stats.norm.sf((abs(s) - 1) / variance**0.5))


def test_metrics_of_many_scores_equal_an_independent_computation(history, clock, restart):
    stats = pytest.importorskip("scipy.stats")
    numpy = pytest.importorskip("numpy")
    scores = {"day": [], "before": []}
    actions = []
    for i in range(600):
        for day, offset in (("before", timedelta(hours=24)), ("day", timedelta(0))):
            score = round((i * i * 7 % 997) / 996 * (1 - i / 3000 if day == "day" else 1), 3)
            at = clock.time - offset - timedelta(minutes=690) + timedelta(minutes=i)
            fields = {"effectiveness_score": score, "execution_status": "completed"}
            actions.append(restart(f"{day}-{i}", action_timestamp=at, **fields))
            scores[day].append(score)
    history.record_many(actions)
    history.refresh_metrics()
    newest, _ = history.metrics(scope_type="global", metric_period="24h")
    x, y = numpy.array(scores["day"]), numpy.array(scores["before"])
    near = lambda value: pytest.approx(value, rel=1e-9, abs=1e-9)  # noqa: E731
    assert newest["sample_size"] == 600
    assert newest["average_score"] == near(x.mean())
    assert newest["median_score"] == near(numpy.median(x))
    assert newest["std_deviation"] == near(x.std(ddof=1))
    low, high = stats.t.interval(0.95, len(x) - 1, x.mean(), stats.sem(x))
    assert newest["confidence_interval_lower"] == near(low)
    assert newest["confidence_interval_upper"] == near(high)
    p = stats.mannwhitneyu(x, y, alternative="two-sided", method="asymptotic").pvalue
    assert newest["statistical_significance"] == near(p)
    # The day began at 00:30; its hours are the steps of the trend.
    hours = [part.mean() for part in numpy.split(x, range(30, 600, 60))]
    assert newest["trend_slope"] == near(stats.theilslopes(hours)[0])


def test_the_context_fits_its_budget(history, restart):
    for i in range(4):
        history.record(restart(f"c-{i}", effectiveness_score=0.1, execution_status="completed"))
    given = history.context(alert_name="KubePodCrashLooping", budget_tokens=100)
    assert given["tokens"] <= 100
    assert "never resolved it" in given["content"]
    with pytest.raises(actionhist.InvalidArgument, match="budget_tokens"):
        history.context("x", budget_tokens=1)


def test_due_assessments_are_leased(history, clock, restart):
    history.record(restart("a", execution_status="completed", effectiveness_due_at=clock.time))
    assert [trace.action_id for trace in history.lease_assessments("w")] == ["a"]
    assert history.lease_assessments("v") == []


def test_discovery_and_upkeep() -> None:
    with actionhist.open("memory:", semantic=False) as history:
        history.record_many(
            [
                {
                    "action_id": f"{kind}{i}",
                    "action_timestamp": "2026-03-10T12:00:00Z",
                    "action_type": kind,
                    "model_reasoning": f"{kind} was needed here",
                    "execution_status": "completed",
                }
                for kind in ("renew_certificate", "increase_memory")
                for i in range(5)
            ]
        )
        found = history.clusters(2)
        assert sorted(each["actions"] for each in found["clusters"]) == [5, 5]
        assert [len(each["action_ids"]) for each in history.duplicates(0.9)] == [5, 5]
        assert len(history.projection(3)["points"][0]["at"]) == 3
        assert history.anomalies()["enough"] is False
        assert history.upkeep()["metrics"]["hours"] == 0
        with pytest.raises(actionhist.InvalidArgument, match="dimensions"):
            history.projection(4)

