"""Lists, filters and search by meaning."""

from datetime import timedelta

import pytest

import actionhist
from conftest import NOON

PAST = [
    ("oom", "The container was killed because its memory limit is too low.", "critical", 1),
    ("dns", "Name resolution fails: CoreDNS answers with SERVFAIL.", "warning", 2),
    ("disk", "The persistent volume is full and writes fail.", "critical", 3),
    ("cert", "The TLS certificate of the ingress has expired.", "info", 4),
]


@pytest.fixture
def past(history):
    history.record_many(
        {
            "action_id": action_id,
            "action_type": "restart_deployment",
            "action_timestamp": NOON - timedelta(minutes=minutes),
            "alert_severity": severity,
            "model_reasoning": reasoning,
            "action_parameters": {"replicas": minutes, "label": str(minutes)},
            "kind": "Deployment",
            "namespace": "prod",
            "name": action_id,
        }
        for action_id, reasoning, severity, minutes in PAST
    )
    assert history.wait_indexed(timeout=30) is True
    return history


def ids(found):
    return [getattr(item, "trace", item).action_id for item in found]


def test_what_was_recorded_is_found_by_its_words(past):
    hits = past.similar("memory limit of a container", limit=2)
    assert len(hits) == 2 and hits[0].trace.action_id == "oom"
    assert 0 <= hits[1].score <= hits[0].score <= 1
    explain = hits[0].explain
    assert explain["route"] == "index" and explain["fallback"] is None
    assert "memory" in explain["matched_terms"] and explain["bm25"] > 0 and explain["similarity"] > 0
    assert explain["space_id"] and 0 < explain["seq"] <= explain["feed_seq"]


def test_where_is_a_hard_filter(past):
    assert set(ids(past.similar("it fails", where={"alert_severity": "critical"}))) == {"oom", "disk"}
    assert past.similar("it fails", where={"alert_severity": "unheard"}) == []
    assert len(past.similar("certificate", limit=4)) == 4


def test_like_an_action_without_itself(past):
    found = ids(past.similar(action_id="oom"))
    assert "oom" not in found and len(found) == 3
    with pytest.raises(actionhist.NotFound):
        past.similar(action_id="nobody")


def test_by_vector(past):
    vector = [0.0] * 1024
    vector[0] = 1.0
    assert len(past.similar(vector=vector, limit=3)) == 3
    assert len(past.similar(vector=tuple(vector), limit=3)) == 3
    with pytest.raises(actionhist.InvalidArgument):
        past.similar(vector=[1.0, 2.0])
    with pytest.raises(actionhist.InvalidArgument, match=r"vector\[1\]"):
        past.similar(vector=[0.0, float("nan")])
    with pytest.raises(TypeError, match=r"vector\[0\]: must be a number, not str"):
        past.similar(vector="ab")


def test_a_threshold_drops_the_rest(past):
    best = past.similar("TLS certificate expired")[0]
    assert ids(past.similar("TLS certificate expired", threshold=best.score)) == ["cert"]
    assert past.similar("TLS certificate expired", threshold=1.0) in ([], [best]) or best.score == 1.0


def test_hits_that_are_alike_and_hits_that_are_not(past, history):
    reasoning = past.get("oom").model_reasoning
    history.record(action_id="twin", action_type="other", action_timestamp=NOON, model_reasoning=reasoning)
    assert "twin" in ids(past.similar(action_id="oom", fresh=True))
    found = past.similar("memory limit of a container", distinct=0.9, mmr_lambda=0.5)
    assert found and len(ids(found)) == len(set(ids(found)))
    assert past.similar(action_id="oom", percentile=0)
    assert past.similar("xylophone zebra", percentile=100) == []


def test_aspects_count_by_weight():
    history = actionhist.open("memory:", model=actionhist.open_model("aspects:hashed-lexical"))
    for alert in ("OutOfMemory", "DiskFull"):
        for action_type in ("restart_pod", "expand_volume"):
            history.record(
                action_id=f"{alert} {action_type}", action_type=action_type, alert_name=alert, action_timestamp=NOON
            )
    found = history.similar(action_id="DiskFull restart_pod", weights={"context": 1}, limit=1, fresh=True)
    assert ids(found) == ["DiskFull expand_volume"]
    assert found[0].explain["aspects"]["context"] == pytest.approx(1)
    assert found[0].explain["aspects"]["outcome"] == 0
    assert ids(history.similar(action_id="DiskFull restart_pod", weights={"action": 2}, limit=1)) == [
        "OutOfMemory restart_pod"
    ]
    for weights in ({}, {"action": -1}, {"acton": 1}, {"action": float("inf")}):
        with pytest.raises(actionhist.InvalidArgument, match="weights"):
            history.similar("disk", weights=weights)
    with pytest.raises(TypeError, match="weights"):
        history.similar("disk", weights=[1, 2, 0])


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"text": "a", "weights": {"action": 1}},
        {"text": "a", "action_id": "oom"},
        {"text": ""},
        {"text": "a", "limit": 0},
        {"text": "a", "limit": 1001},
        {"text": "a", "limit": 2**40},
        {"text": "a", "threshold": float("nan")},
        {"text": "a", "percentile": 101},
        {"text": "a", "mmr_lambda": -0.5},
        {"text": "a", "distinct": 0},
        {"text": "a", "where": {"no_such_field": 1}},
        {"text": "a", "where": {"alert_severity": {"$regex": "x"}}},
    ],
)
def test_senseless_searches_are_refused(past, arguments):
    with pytest.raises(actionhist.InvalidArgument):
        past.similar(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"text": 5},
        {"text": "a", "limit": "5"},
        {"text": "a", "limit": 1.5},
        {"text": "a", "where": "x"},
        {"text": "a", "where": [("a", 1)]},
        {"text": "a", "threshold": "high"},
        {"text": "a", "percentile": "high"},
        {"text": "a", "fresh": 1},
        {"text": "a", "vector": 5},
        {"text": "a", "top_k": 5},
    ],
)
def test_searches_with_wrong_types_are_a_type_error(past, arguments):
    with pytest.raises(TypeError):
        past.similar(**arguments)


def test_fresh_finds_what_was_recorded_just_now(history):
    history.record(action_id="new", action_type="restart_pod", action_timestamp=NOON, model_reasoning="zebra")
    assert ids(history.similar("zebra", fresh=True)) == ["new"]


def test_without_the_semantic_layer_the_database_answers_and_says_so(clock):
    with actionhist.open("memory:", semantic=False, clock=clock) as h:
        h.record(
            action_id="a",
            action_type="restart_pod",
            action_timestamp=NOON,
            model_reasoning="a zebra crossing",
        )
        hit = h.similar("zebra")[0]
        assert hit.explain["route"] == "text" and "off" in hit.explain["fallback"]
        assert hit.explain["matched_terms"] == ["zebra"]
        with pytest.raises(actionhist.Unsupported):
            h.wait_indexed(timeout=1)
        with pytest.raises(actionhist.Unavailable):
            h.similar(vector=[1.0])


def test_wait_indexed_says_when_nobody_works(clock):
    with actionhist.open("memory:", worker=False, clock=clock) as h:
        h.record(action_type="restart_pod", action_timestamp=NOON)
        assert h.wait_indexed(timeout=0.05) is False
        assert h.wait_indexed(0) is False
        assert h.health()["feed"]["queued"] == 1
        for senseless in (-1, float("nan")):
            with pytest.raises(actionhist.InvalidArgument, match="timeout"):
                h.wait_indexed(senseless)


def test_a_number_never_equals_text(past):
    by = lambda condition: ids(past.history(where=condition))
    assert by({"action_parameters.replicas": 3}) == ["disk"]
    assert by({"action_parameters.replicas": "3"}) == []
    assert by({"action_parameters.label": "3"}) == ["disk"]
    assert by({"action_parameters.label": 3}) == []
    assert by({"action_parameters.replicas": {"$gt": 2}}) == ["disk", "cert"]
    assert by({"action_parameters.replicas": {"$gt": "2"}}) == []
    assert ids(past.similar("it fails", where={"action_parameters.replicas": "3"})) == []
    assert ids(past.similar("it fails", where={"action_parameters.replicas": 3})) == ["disk"]


def test_filters_combine(past):
    by = lambda condition: ids(past.history(where=condition))
    assert by({"alert_severity": {"$in": ["info", "warning"]}}) == ["dns", "cert"]
    assert by({"alert_severity": {"$ne": "critical"}, "kind": "Deployment"}) == ["dns", "cert"]
    assert by({"$or": [{"name": "oom"}, {"action_timestamp": {"$lt": NOON - timedelta(minutes=3)}}]}) == [
        "oom",
        "cert",
    ]
    assert by({"$not": {"alert_severity": "critical"}}) == ["dns", "cert"]
    assert by({"effectiveness_score": {"$exists": False}}) == ["oom", "dns", "disk", "cert"]
    assert by({"effectiveness_score": None}) == ["oom", "dns", "disk", "cert"]


def test_history_is_newest_first_and_by_resource_and_time(past):
    assert ids(past.history()) == ["oom", "dns", "disk", "cert"]
    assert ids(past.history(kind="Deployment", namespace="prod", name="dns")) == ["dns"]
    assert ids(past.history(kind="deployments", name="dns")) == ["dns"]
    assert past.history(namespace="dev") == [] and past.history(cluster="eu") == []
    since, until = NOON - timedelta(minutes=3), NOON - timedelta(minutes=1)
    assert ids(past.history(since=since, until=until)) == ["dns", "disk"]
    assert ids(past.history(since=since.isoformat())) == ["oom", "dns", "disk"]
    past.record(action_id="rr", action_type="x", action_timestamp=NOON, correlation_id="rr-1")
    assert ids(past.history(correlation_id="rr-1")) == ["rr"]


def test_pages_follow_each_other(past):
    page = past.history(limit=3)
    assert ids(page) == ["oom", "dns", "disk"] and page.next
    assert isinstance(page, list) and page[0].action_id == "oom" and ids(page[1:]) == ["dns", "disk"]
    last = past.history(limit=3, cursor=page.next)
    assert ids(last) == ["cert"] and last.next is None
    with pytest.raises(actionhist.InvalidArgument, match="cursor"):
        past.history(cursor="page 2")


@pytest.mark.parametrize("limit", [0, -1, 10_001, 2**70])
def test_silly_limits_are_refused(past, limit):
    with pytest.raises(actionhist.InvalidArgument, match="limit"):
        past.history(limit=limit)


def test_summaries_and_resources(past, clock):
    summary = past.summaries()[0]
    assert summary["resource_reference"]["name"] == "oom" and summary["total_actions"] == 1
    assert "recent_effectiveness" not in summary
    clock.advance(hours=1)
    past.complete("dns", effectiveness_score=0.5)
    changed = past.summaries(changed_since=clock.time)
    assert [s["resource_reference"]["name"] for s in changed] == ["dns"]
    assert changed[0]["recent_effectiveness"] == 0.5 and changed[0]["success_rate"] == 1
    past.resource_seen(kind="Deployment", namespace="prod", name="new", uid="u-1", api_version="apps/v1")
    assert past.resource_deleted(kind="Deployment", namespace="prod", name="new", at=clock.time) is True
    assert past.resource_deleted(kind="Deployment", namespace="prod", name="never") is False
    with pytest.raises(actionhist.InvalidArgument, match="kind and name"):
        past.resource_seen(kind="Deployment", name="")
    with pytest.raises(TypeError):
        past.resource_seen(kind="Deployment")


def test_a_deleted_action_is_not_found_any_more(past):
    past.delete("oom")
    assert past.wait_indexed(30)
    assert "oom" not in ids(past.similar("memory limit of a container"))


def test_health_is_a_dict(past):
    past.similar("memory")
    health = past.health()
    assert health["live"] is True and health["ready"] is True
    assert health["engine"]["engine"] == "sqlite" and health["engine"]["durable"] is False
    assert health["feed"]["queued"] == 0 and health["index"]["vectors"] == 4
    routes = {route["use_case"]: route for route in health["routes"]}
    assert routes["natural_language_search"]["hits"] == 1
