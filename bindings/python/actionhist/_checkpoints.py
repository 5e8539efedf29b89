"""The states of an agent's runs, so that one can be resumed, replayed and branched."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Iterable, NamedTuple

from ._arguments import Fields
from ._twins import twin

if TYPE_CHECKING:
    from ._opened import Opened


class CheckpointKey(NamedTuple):
    """Names a checkpoint. `checkpoint_ns` is that of a graph within the graph, empty at the top."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str


class CheckpointWrite(NamedTuple):
    """What a task wrote after a checkpoint. `place` counts its writes; special ones have negative places."""

    task_id: str
    task_path: str
    place: int
    channel: str
    format: str
    value: bytes


@dataclass(frozen=True)
class Checkpoint:
    """A state in a run, with what tasks wrote after it. `format` says how its bytes are to be read."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    parent_id: str | None
    format: str
    state: bytes = field(repr=False)
    metadata: dict[str, Any]
    created_at: datetime
    writes: list[CheckpointWrite]

    @property
    def key(self) -> CheckpointKey:
        return CheckpointKey(self.thread_id, self.checkpoint_ns, self.checkpoint_id)


class Checkpoints:
    """The checkpoints of a History, as History.checkpoints gives them. Each call has an async twin: aput(), …"""

    __slots__ = ("_handle", "_threads")

    def __init__(self, opened: Opened) -> None:
        self._handle = opened._handle
        self._threads = opened._threads

    def put(
        self,
        key: CheckpointKey,
        state: bytes,
        *,
        format: str = "",
        parent_id: str | None = None,
        metadata: Fields | None = None,
    ) -> None:
        """Stores a checkpoint without its writes, or replaces it."""
        self._handle.put_checkpoint(key, parent_id, format, state, metadata)

    aput = twin(put)

    def put_writes(self, key: CheckpointKey, writes: Iterable[CheckpointWrite]) -> None:
        """Stores what tasks wrote, in one transaction.

        A write with the place of a stored one replaces it if the place is negative, and is passed over if not.
        """
        self._handle.put_checkpoint_writes(key, list(writes))

    aput_writes = twin(put_writes)

    def find(
        self,
        *,
        thread_id: str | None = None,
        checkpoint_ns: str | None = None,
        checkpoint_id: str | None = None,
        before: str | None = None,
        where: Fields | None = None,
        states: bool = True,
        limit: int = 100,
        after: CheckpointKey | None = None,
    ) -> list[Checkpoint]:
        """Checkpoints, newest ids first. `before` is an id, `where` a filter of the metadata, `after` the last key
        of the page before. Without `states` neither states nor writes are read.
        """
        rows = self._handle.find_checkpoints(
            thread_id, checkpoint_ns, checkpoint_id, before, where, states, limit, after
        )
        return [_checkpoint(*row) for row in rows]

    afind = twin(find)

    def remove(self, keys: Iterable[CheckpointKey]) -> int:
        """Removes checkpoints with their writes, in one transaction, and says how many there were."""
        return self._handle.remove_checkpoints(list(keys))

    aremove = twin(remove)

    def remove_thread(self, thread_id: str) -> None:
        """Removes all of a thread."""
        self._handle.remove_checkpoint_thread(thread_id)

    aremove_thread = twin(remove_thread)

    def copy_thread(self, source: str, target: str) -> None:
        """Copies all of a thread; what `target` had under the same keys is replaced."""
        self._handle.copy_checkpoint_thread(source, target)

    acopy_thread = twin(copy_thread)


def _checkpoint(*row: Any) -> Checkpoint:
    values: tuple[Any, ...] = (*row[:-1], [CheckpointWrite(*write) for write in row[-1]])
    return Checkpoint(*values)
