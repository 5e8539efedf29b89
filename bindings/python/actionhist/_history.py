"""History, made of its parts, and open(). Names and defaults of arguments are here; the extension does the rest."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any, Callable, Iterable, Mapping, Protocol, Sequence, TypeVar, Union, overload

from . import _actionhist
from ._actionhist import OpenedModel
from ._arguments import Fields, laid_over
from ._checkpoints import Checkpoints
from ._guard import Guard
from ._items import Items
from ._learning import Learning
from ._recording import Recording
from ._retention import Retention
from ._search import Search
from ._spaces import Spaces
from ._tracking import TrackedAction, tracked
from ._twins import Threads

F = TypeVar("F", bound=Callable[..., Any])


class Model(Protocol):
    """Turns text into vectors. Called from any thread.

    When it raises InvalidArgument for stored texts they are refused, and found by their words alone; after anything
    else it is asked again later. While it raises, searches answer by words alone, as `explain["fallback"]` says.
    """

    @property
    def space_id(self) -> str:
        """Names the model and its version: vectors of two spaces are never compared."""
        ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: list[str], role: str) -> Iterable[Iterable[float]]:
        """One vector a text, as lists or numpy arrays. `role` is "document" or "query"."""
        ...


def open_model(uri: str, **options: Any) -> OpenedModel:
    """Opens "static:FOLDER" (model2vec), "sentence:FOLDER" (MiniLM, bge-small), "https://HOST/v1#MODEL", or
    "hashed-lexical", the built-in model; "aspects:" before one of them gives an action three vectors.

    Options are those of C++'s ModelOptions: query_prefix, document_prefix, dimension, timeout_ms, … The model has `space_id`,
    `dimension` and embed(texts, role="document"), which gives a memoryview of float32 for each text.
    """
    return _actionhist.open_model(uri, options)


class History(Recording, Guard, Search, Learning, Retention, Spaces):
    """The memory of one tenant. actionhist.open() gives one; it may be used from any thread at once.

    Actions, alerts and patterns are dicts, keyword arguments, or both, and then the keywords win. Times are
    aware datetimes or RFC 3339 text. After fork() the parent goes on; in the child every call raises
    Unsupported. Each call has an async twin: arecord(), asimilar(), …
    """

    __slots__ = ()

    @property
    def items(self) -> Items:
        """JSON objects under keys in namespaces, which agents keep beside their actions."""
        return Items(self)

    @property
    def checkpoints(self) -> Checkpoints:
        """The states of agents' runs."""
        return Checkpoints(self)

    def action(self, action: Fields | None = None, /, **fields: Any) -> TrackedAction:
        """An action around a block: proposed before, started, and completed with what became of it.

            with history.action(action_type="scale_deployment", kind="Deployment", name="web") as a:
                scale()
                a.outcome(effectiveness_score=0.8)

        Raises Refused when the guard does not allow it, and Conflict when another agent does, or did, the action of
        this action_id. Without a resource, correlation or session it is of a session that this object has for all of
        them, so that it is guarded too. A block that raises is stored as failed, with what it
        raised. What outcome() gave and cannot be stored is raised in the end; the action is completed without it.
        Works with `async with` too.
        """
        return TrackedAction(self, laid_over(action, fields))

    @overload
    def tracked(self, function: F, /) -> F: ...

    @overload
    def tracked(
        self, /, *, describe: Callable[..., Fields] | None = None, **fields: Any
    ) -> Callable[[F], F]: ...

    def tracked(
        self, function: F | None = None, /, *, describe: Callable[..., Fields] | None = None, **fields: Any
    ) -> F | Callable[[F], F]:
        """A decorator: each call of the function, async or not, is an action.

        Its type is the function's name and its parameters are the arguments, unless `fields` say otherwise;
        `describe` gets the arguments and returns further fields. That of a generator begins when its first item is
        asked for and ends with it; one that is not read to its end was cancelled.
        """
        if function is not None:
            return tracked(self, function, fields, describe)
        return lambda function: tracked(self, function, fields, describe)


def open(
    uri: Union[str, os.PathLike[str]],
    *,
    tenant: str | None = None,
    run_migrations: bool = True,
    read_only: bool = False,
    semantic: bool = True,
    worker: bool = True,
    on_unavailable: str = "deny",
    redact: Sequence[str] = (),
    model: Model | OpenedModel | str | None = None,
    clock: Callable[[], datetime] | None = None,
    log: Callable[[str, str], object] | None = None,
    busy_timeout_ms: int = 10_000,
    upkeep_seconds: int = 0,
    postgres: Mapping[str, object] | None = None,
    on_detection: Callable[[Fields], object] | None = None,
    index_folder: str | os.PathLike[str] | None = None,
) -> History:
    """Opens "memory:", "sqlite:PATH" or a path, or "postgresql://USER@HOST,HOST/DATABASE".

    tenant           whose memory it is; "default" if not given, but PostgreSQL needs one
    run_migrations   False: a database of another schema version is refused
    semantic         False: similar() uses the text search of the database
    worker           False: another process makes recorded actions searchable
    on_unavailable   what propose() does when the database cannot be reached or cannot store: "deny" (it raises) or
                     "allow" (without a trace); a time-out raises either way
    redact           RE2 expressions; what they match is replaced, beside the built-in rules
    model            turns text into vectors instead of the built-in model: what open_model() gave or takes, or a
                     Model of your own
    clock            returns an aware datetime; the server's clock (PostgreSQL) or the system's if None
    log              called with level ("debug", "info", "warning", "error") and message, from any thread
    busy_timeout_ms  how long a write waits for another process, with SQLite
    upkeep_seconds   how often a thread does upkeep(), in one process of all that share the memory; 0: never here
    postgres         {"schema": "actionhist", "pool_max": 20, "statement_timeout_ms": 30000, "pooler": "detect", …}
    on_detection     called with a dict for each detection that refuses a proposal, or would
    index_folder     where the index keeps its files; "" for nowhere, None for beside the database
    """
    options = {
        "tenant": tenant,
        "run_migrations": run_migrations,
        "read_only": read_only,
        "semantic": semantic,
        "worker": worker,
        "on_unavailable": on_unavailable,
        "redact": redact,
        "model": model,
        "clock": clock,
        "log": log,
        "busy_timeout_ms": busy_timeout_ms,
        "upkeep_seconds": upkeep_seconds,
        "postgres": postgres,
        "on_detection": on_detection,
        "index_folder": os.fspath(index_folder) if index_folder is not None else None,
    }
    location = os.fspath(uri)
    embedded = not str(location).startswith(("postgresql://", "postgres://"))
    return History(_actionhist.open(location, options), Threads(computing=embedded))
