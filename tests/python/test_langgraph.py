"""The memory of LangGraph agents: its own conformance kit for the saver, and what its store promises."""

import asyncio
import itertools
import operator
from typing import Annotated, TypedDict

import pytest

import actionhist
import postgres

pytest.importorskip("langgraph", reason="needs langgraph")
pytest.importorskip("langgraph.checkpoint.conformance", reason="needs langgraph-checkpoint-conformance")

from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import GetOp, ListNamespacesOp, MatchCondition, PutOp, SearchOp
from langgraph.types import Command, interrupt

from actionhist.langgraph import HistorySaver, HistoryStore


@pytest.fixture(scope="module")
def server():
    if not postgres.PROGRAMS.exists():
        pytest.skip(f"needs {postgres.PROGRAMS}")
    with postgres.server() as uri:
        yield uri


@pytest.fixture(params=["memory", "file", "postgresql"])
def open_empty(request, tmp_path):
    """A function that opens a memory with nothing in it."""
    if request.param == "memory":
        return lambda **options: actionhist.open("memory:", **options)
    numbers = itertools.count()
    if request.param == "file":
        return lambda **options: actionhist.open(tmp_path / f"{next(numbers)}.db", **options)
    uri = request.getfixturevalue("server")
    # Without the index, which would keep files in the user's cache.
    return lambda **options: actionhist.open(
        uri, tenant=f"{request.node.name}-{next(numbers)}", semantic=False, **options
    )


@pytest.fixture
def opened(open_empty):
    with open_empty() as h:
        yield h


@pytest.fixture
def store(open_empty, clock):
    with open_empty(clock=clock) as h:
        yield HistoryStore(h)


def test_the_saver_passes_the_kit(open_empty):
    @checkpointer_test(name="HistorySaver")
    async def factory():
        with open_empty() as h:
            yield HistorySaver(h)

    report = asyncio.run(validate(factory))
    failures = [line for result in report.results.values() for line in result.failures or []]
    assert not failures
    assert {name: result.passed for name, result in report.results.items()} == dict.fromkeys(report.results, True)


def test_the_saver_also_works_without_a_loop(opened):
    saver = HistorySaver(opened)
    config = {"configurable": {"thread_id": 7, "checkpoint_ns": ""}}
    state = {"v": 1, "id": "1", "ts": "", "channel_values": {"x": [1, {2}]}, "channel_versions": {}, "versions_seen": {}}
    for number in range(120):
        config = saver.put(config, {**state, "id": f"{number:03}"}, {"step": number}, {})
    saver.put_writes(config, [("x", b"\0"), ("__error__", "bad")], "task")
    saver.put_writes(config, [("x", "again"), ("__error__", "worse")], "task")
    found = saver.get_tuple({"configurable": {"thread_id": "7"}})
    assert found.checkpoint["channel_values"] == {"x": [1, {2}]}
    assert found.pending_writes == [("task", "__error__", "worse"), ("task", "x", b"\0")]
    assert found.parent_config["configurable"]["checkpoint_id"] == "118"
    assert len(list(saver.list(config | {"configurable": {"thread_id": "7"}}))) == 120
    assert [t.metadata["step"] for t in saver.list(None, filter={"step": {"$gte": 100}}, limit=3)] == [119, 118, 117]
    assert list(saver.list(None, limit=0)) == []
    saver.copy_thread("7", "8")
    saver.prune(["7"])
    assert len(list(saver.list(None))) == 121
    saver.delete_thread("8")
    assert len(list(saver.list(None))) == 1
    with pytest.raises(ValueError, match="strategy"):
        saver.prune(["7"], strategy="some")


def test_pruning_keeps_what_a_state_is_rebuilt_from(opened):
    saver = HistorySaver(opened)
    config = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    for number in range(6):
        values = {"log": ["snapshot"]} if number == 2 else {}
        state = {"v": 1, "id": str(number), "ts": "", "channel_values": values, "channel_versions": {}, "versions_seen": {}}
        config = saver.put(config, state, {"counters_since_delta_snapshot": {"log": [number, number]}}, {})
        saver.put_writes(config, [("log", f"w{number}")], "task")
    before = saver.get_delta_channel_history(config=config, channels=["log"])
    saver.prune(["t"])
    assert [t.checkpoint["id"] for t in saver.list(None)] == ["5", "4", "3", "2"]
    assert saver.get_delta_channel_history(config=config, channels=["log"]) == before


class State(TypedDict):
    seen: Annotated[list[str], operator.add]


def build(saver, store):
    def ask(state: State) -> State:
        return {"seen": [interrupt("may I?")]}

    builder = StateGraph(State)
    builder.add_node("look", lambda state: {"seen": ["looked"]})
    builder.add_node("ask", ask)
    builder.add_edge(START, "look")
    builder.add_edge("look", "ask")
    builder.add_edge("ask", END)
    return builder.compile(checkpointer=saver, store=store)


def test_a_graph_stops_and_goes_on_in_another_process_life(tmp_path):
    path = tmp_path / "agent.db"
    config = {"configurable": {"thread_id": "run"}}
    with actionhist.open(path) as h:
        answer = build(HistorySaver(h), HistoryStore(h)).invoke({"seen": []}, config)
        assert answer["__interrupt__"][0].value == "may I?"
    with actionhist.open(path) as h:
        graph = build(HistorySaver(h), HistoryStore(h))
        assert graph.invoke(Command(resume="yes"), config)["seen"] == ["looked", "yes"]
        assert [s.values["seen"] for s in graph.get_state_history(config)][:2] == [["looked", "yes"], ["looked"]]


def test_a_graph_runs_in_an_event_loop(opened):
    async def main():
        graph = build(HistorySaver(opened), HistoryStore(opened))
        configs = [{"configurable": {"thread_id": str(n)}} for n in range(10)]
        await asyncio.gather(*(graph.ainvoke({"seen": []}, config) for config in configs))
        done = await asyncio.gather(*(graph.ainvoke(Command(resume="yes"), config) for config in configs))
        return [state["seen"] for state in done]

    assert asyncio.run(main()) == [["looked", "yes"]] * 10


def test_the_store_puts_gets_searches_and_lists(store):
    store.put(("docs", "a"), "one", {"text": "alpha", "n": 1, "meta": {"team": "red"}})
    store.put(("docs", "b"), "two", {"text": "beta", "n": 2})
    item = store.get(("docs", "a"), "one")
    assert (item.namespace, item.key, item.value["n"]) == (("docs", "a"), "one", 1)
    assert store.get(("docs", "a"), "none") is None
    assert [i.key for i in store.search(("docs",), filter={"n": {"$gt": 1}})] == ["two"]
    assert [i.key for i in store.search(("docs",), filter={"meta": {"team": "red"}})] == ["one"]
    assert [i.key for i in store.search((), limit=1, offset=1)] == ["two"]
    assert store.list_namespaces(prefix=("docs",), max_depth=1) == [("docs",)]
    assert store.list_namespaces(suffix=("b",)) == [("docs", "b")]
    store.delete(("docs", "a"), "one")
    assert store.search(("docs", "a")) == []


def test_a_batch_reads_before_it_writes(store):
    store.put(("n",), "k", {"v": 1})
    results = store.batch(
        [
            PutOp(("n",), "k", {"v": 2}),
            GetOp(("n",), "k"),
            SearchOp(("n",)),
            ListNamespacesOp(),
            PutOp(("n",), "other", {"v": 3}),
            PutOp(("n",), "other", None),
        ]
    )
    assert results[0] is None
    assert results[1].value == {"v": 1}
    assert [item.value for item in results[2]] == [{"v": 1}]
    assert results[3] == [("n",)]
    assert store.get(("n",), "k").value == {"v": 2}
    assert store.get(("n",), "other") is None


def test_the_store_searches_by_meaning_without_further_settings(store):
    store.put(("m",), "food", {"text": "I love pizza with mushrooms"})
    store.put(("m",), "work", {"text": "Deployments restart at night"})
    store.put(("m",), "hidden", {"text": "pizza pizza"}, index=False)
    found = store.search(("m",), query="mushroom pizza")
    assert found[0].key == "food"
    assert found[0].score > (found[1].score or 0)
    assert found[-1].score is None


class Letters:
    """Embeds by counting letters."""

    def __call__(self, texts):
        return [[float(text.lower().count(letter)) for letter in "abcdefghij"] for text in texts]


def test_the_store_takes_langgraphs_embeddings(history):
    store = HistoryStore(history, index={"dims": 10, "embed": Letters(), "fields": ["title", "parts[*].text"]})
    store.put(("m",), "one", {"title": "abba", "parts": [{"text": "jjj"}, {"text": "ccc"}]})
    store.put(("m",), "two", {"title": "dee"})
    store.put(("m",), "three", {"other": "jjj"})
    assert [(i.key, i.score is None) for i in store.search(("m",), query="j")][0] == ("one", False)
    assert store.search(("m",), query="ddee")[0].key == "two"
    assert store.search(("m",), query="j")[-1].key == "three"

    async def main():
        await store.aput(("m",), "four", {"title": "hhh"}, index=["title"])
        return await store.asearch(("m",), query="h")

    assert asyncio.run(main())[0].key == "four"
    # Another model never sees these vectors.
    other = HistoryStore(history, index={"dims": 10, "embed": Letters()}, space_id="other")
    assert all(item.score is None for item in other.search(("m",), query="j"))


def test_items_of_the_store_expire_unless_they_are_read(history, clock):
    store = HistoryStore(history, ttl={"default_ttl": 1, "refresh_on_read": True})
    store.put(("t",), "brief", {"v": 1})
    store.put(("t",), "lasting", {"v": 2}, ttl=None)
    clock.advance(seconds=40)
    assert store.get(("t",), "brief") is not None
    clock.advance(seconds=40)
    assert store.get(("t",), "brief", refresh_ttl=False) is not None
    clock.advance(seconds=40)
    assert store.get(("t",), "brief") is None
    assert [item.key for item in store.search(("t",))] == ["lasting"]
    assert history.items.sweep() == 1


def test_lists_are_compared_as_a_whole(store):
    for number, tags in enumerate((["a", "b"], ["b", "a"], ["a"], "a", None)):
        store.put(("l",), str(number), {"meta": {"tags": tags}, "odd": number % 2 == 1})
    assert [item.key for item in store.search(("l",), filter={"meta": {"tags": ["a", "b"]}})] == ["0"]
    assert [item.key for item in store.search(("l",), filter={"meta": {"tags": ["a"]}, "odd": True})] == []
    assert store.search(("l",), filter={"tags": []}) == []
    store.batch([PutOp(("many",), f"{n:04}", {"tags": [n % 2]}, index=False) for n in range(1200)])
    page = store.search(("many",), filter={"tags": [1]}, limit=3, offset=550)
    assert [item.value for item in page] == [{"tags": [1]}] * 3
    assert len(store.search(("many",), filter={"tags": [1]}, limit=10_000)) == 600


def test_what_the_store_cannot_take_is_said(store):
    twice = [MatchCondition("prefix", ("a",)), MatchCondition("prefix", ("b",))]
    with pytest.raises(NotImplementedError, match="match_conditions"):
        store.batch([ListNamespacesOp(match_conditions=twice)])
    with pytest.raises(ValueError, match="period"):
        store.put(("a.b",), "k", {"v": 1})
    with pytest.raises(actionhist.InvalidArgument, match="limit"):
        store.search((), limit=100_000)
    with pytest.raises(TypeError, match="value"):
        store.put(("a",), "k", {"v": object()})
