"""The async twin of a blocking call: the same call on a thread, so that the event loop goes on meanwhile.

A task that is cancelled leaves its call to end by itself: give an action_id to whatever is sent again.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable, Coroutine, Protocol, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")

T = TypeVar("T")

# Of one History, that waits for a server; more would only queue up before it.
_max_threads = 8


class Threads:
    """The threads of one History, started by the first async call. Works with any number of event loops."""

    def __init__(self, *, computing: bool = False) -> None:
        """`computing` where the calls seldom wait: more threads than processors would then only keep the event loop
        from its turn. Few are enough for one that waits long not to hold up the others."""
        self._size = max(4, min(_max_threads, os.cpu_count() or 1)) if computing else _max_threads
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._pid = os.getpid()
        self._closed = False

    def pool(self) -> ThreadPoolExecutor | None:
        """None when the calls that it would run can only fail: after close(), and in a child after fork()."""
        if self._pid != os.getpid():
            return None
        with self._lock:
            if self._pool is None and not self._closed:
                self._pool = ThreadPoolExecutor(self._size, thread_name_prefix="actionhist")
            return self._pool

    def close(self) -> None:
        if self._pid != os.getpid():
            return
        with self._lock:
            pool, self._pool = self._pool, None
            self._closed = True
        if pool is not None:
            pool.shutdown(wait=False)


class Threaded(Protocol):
    @property
    def _threads(self) -> Threads: ...


H = TypeVar("H", bound=Threaded)


async def on_thread(threads: Threads, call: Callable[[], T]) -> T:
    """Runs a blocking call on one of the threads. What can only fail fails here and now."""
    pool = threads.pool()
    if pool is None:
        return call()
    try:
        future = asyncio.get_running_loop().run_in_executor(pool, call)
    except RuntimeError:
        # Closed between the two lines; the call says so better than the pool.
        if threads.pool() is None:
            return call()
        raise
    return await future


def twin(method: Callable[Concatenate[H, P], T]) -> Callable[Concatenate[H, P], Coroutine[Any, Any, T]]:
    """Makes `arecord` of `record`."""

    async def call(self: H, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await on_thread(self._threads, functools.partial(method, self, *args, **kwargs))

    functools.update_wrapper(call, method)
    call.__name__ = "a" + method.__name__
    call.__qualname__ = f"{method.__qualname__.rpartition('.')[0]}.{call.__name__}"
    call.__doc__ = f"{method.__name__}() on another thread, so that the event loop goes on."
    return call
