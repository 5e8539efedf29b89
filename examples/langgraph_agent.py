"""A LangGraph agent whose whole memory is one database: its state, what it knows, and what it did.

    python langgraph_agent.py agent.db

Needs langgraph (pip install actionhist[langgraph]). The agent scales a deployment, asks a human first, and can go on
after a restart; the guard refuses when it would go on for ever. Run it twice: it remembers.
"""

import sys
from typing import Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

import actionhist
from actionhist.langgraph import HistorySaver, HistoryStore


class State(TypedDict, total=False):
    load: float
    replicas: int
    said: str


def build(history: actionhist.History):
    store = HistoryStore(history)

    def decide(state: State) -> Command[Literal["act", "__end__"]]:
        known = store.search(("teams", "web"), query="how many replicas at high load", limit=1)
        replicas = known[0].value["replicas"] if known else 4
        if interrupt(f"scale web to {replicas}?") != "yes":
            return Command(goto=END, update={"said": "left alone"})
        return Command(goto="act", update={"replicas": replicas})

    def act(state: State) -> State:
        try:
            with history.action(
                action_type="scale_deployment",
                kind="Deployment",
                namespace="prod",
                name="web",
                action_parameters={"replicas": state["replicas"]},
            ) as action:
                action.outcome(effectiveness_score=0.9)  # the call to the cluster would stand here
        except actionhist.Refused as refused:
            return {"said": f"refused: {refused.verdict.reason}"}
        store.put(("teams", "web"), "load", {"text": "replicas at high load", "replicas": state["replicas"] + 1})
        return {"said": f"scaled web to {state['replicas']}"}

    builder = StateGraph(State)
    builder.add_node("decide", decide)
    builder.add_node("act", act)
    builder.add_edge(START, "decide")
    return builder.compile(checkpointer=HistorySaver(history), store=store)


def main(path: str) -> None:
    with actionhist.open(path) as history:
        run = {"configurable": {"thread_id": f"alert-{len(history.history())}"}}
        asked = build(history).invoke({"load": 0.97}, run)
        print("agent asks:", asked["__interrupt__"][0].value)
    # The process may end here. Another one answers and the run goes on.
    with actionhist.open(path) as history:
        print("agent:", build(history).invoke(Command(resume="yes"), run)["said"])
        for trace in history.history(limit=3):
            print("stored:", trace.action_type, trace.action_parameters, trace.execution_status)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "agent.db")
