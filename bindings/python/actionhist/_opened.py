"""What was opened and will be closed: the ground on which the parts of History stand."""

from __future__ import annotations

import asyncio
import atexit
import uuid
import weakref
from typing import Any, Callable, TypeVar

from . import _actionhist
from ._arguments import Fields
from ._twins import Threads, on_thread, twin

T = TypeVar("T")
Self = TypeVar("Self", bound="Opened")


class Opened:
    """A database and the threads of its async calls, until close()."""

    __slots__ = ("__weakref__", "_handle", "_session", "_threads")

    def __init__(self, handle: _actionhist.Handle, threads: Threads) -> None:
        self._handle = handle
        self._threads = threads
        self._session = str(uuid.uuid4())  # of the actions that have nothing else to be guarded by
        _open_ones.add(self)

    def close(self) -> None:
        """Ends the use; more than once does nothing. Calls under way in other threads end by themselves, and so does the
        one that it is called from: a model, a clock, log or on_detection does not wait for the library's threads."""
        self._threads.close()
        self._handle.close()

    async def aclose(self) -> None:
        """close() on another thread: the last call under way may hold it up."""
        await asyncio.get_running_loop().run_in_executor(None, self.close)

    @property
    def closed(self) -> bool:
        """True after close(); every other call then raises InvalidArgument."""
        return self._handle.closed

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<actionhist.History {'closed' if self.closed else 'open'}>"

    def __reduce__(self) -> Any:
        raise TypeError("History: cannot be pickled; open another in the other process")

    async def run(self, call: Callable[[], T]) -> T:
        """Runs a blocking call on one of this History's threads, so that the event loop goes on."""
        return await on_thread(self._threads, call)

    def health(self) -> Fields:
        """How database, feed and index are. An unreachable database is said, not raised."""
        return self._handle.health()

    ahealth = twin(health)

    def verify(self) -> list[str]:
        """What is wrong with the stored data, a sentence each; nothing when all is well. Reads all of it."""
        return self._handle.verify()

    averify = twin(verify)


# Those that are still open when Python ends are closed while its threads and callbacks still work.
_open_ones: weakref.WeakSet[Opened] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for opened in list(_open_ones):
        opened.close()
    _actionhist.wait_destroyed()
    _actionhist.leave_statics_to_threads()
