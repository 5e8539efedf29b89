"""The memory of LangGraph agents in a History: a BaseStore over its items, a BaseCheckpointSaver over its checkpoints.

    with actionhist.open("agent.db") as history:
        graph = builder.compile(
            checkpointer=actionhist.langgraph.HistorySaver(history),
            store=actionhist.langgraph.HistoryStore(history),
        )

Needs langgraph-checkpoint (pip install actionhist[langgraph]). Both may be used from any thread and event loop.
"""

from __future__ import annotations

from ._langgraph_saver import HistorySaver
from ._langgraph_store import HistoryStore

__all__ = ["HistorySaver", "HistoryStore"]
