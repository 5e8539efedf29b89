"""The durable, searchable memory of what AI agents did, with brakes.

    import actionhist

    with actionhist.open("agent.db") as h:
        verdict = h.propose(action_type="scale_deployment", kind="Deployment", namespace="prod", name="web",
                            action_parameters={"replicas": 5})
        if verdict.allowed:
            ...  # do it
            h.complete(verdict.trace.action_id, status="completed", effectiveness_score=0.9)

        with h.action(action_type="restart_pod", kind="Pod", name="web-1"):
            ...  # the same: asked before, completed or failed after; Refused is raised when it is not allowed

Actions are dicts in the names of the table resource_action_traces, or keyword arguments.
"""

from ._actionhist import Detection, Hit, IndexHit, OpenedModel, SemanticIndex, Trace, Verdict, __version__
from ._errors import (
    Cancelled,
    Conflict,
    Corrupt,
    Denied,
    Error,
    Internal,
    InvalidArgument,
    NotFound,
    Refused,
    Timeout,
    Unavailable,
    Unsupported,
)
from . import _actionhist, otlp, tables, transcripts
from ._checkpoints import Checkpoint, CheckpointKey, Checkpoints, CheckpointWrite
from ._history import History, Model, open, open_model
from ._items import Item, Items
from ._months import PostgresMonths
from ._page import Page
from ._tracking import TrackedAction

_actionhist.require_main_interpreter()

__all__ = [
    "Cancelled",
    "Checkpoint",
    "CheckpointKey",
    "CheckpointWrite",
    "Checkpoints",
    "Conflict",
    "Corrupt",
    "Denied",
    "Detection",
    "Error",
    "History",
    "Hit",
    "IndexHit",
    "Internal",
    "InvalidArgument",
    "Item",
    "Items",
    "Model",
    "NotFound",
    "OpenedModel",
    "Page",
    "PostgresMonths",
    "Refused",
    "SemanticIndex",
    "Timeout",
    "Trace",
    "TrackedAction",
    "Unavailable",
    "Unsupported",
    "Verdict",
    "__version__",
    "open",
    "open_model",
    "otlp",
    "tables",
    "transcripts",
]
