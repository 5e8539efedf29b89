"""The months of a memory in PostgreSQL."""

from __future__ import annotations

import os
from typing import Any, Callable, Union

from . import _actionhist
from ._arguments import Fields, Text
from ._twins import Threads, twin

# Within the class, list is one of its calls.
_Months = list[Fields]
_Names = list[str]
Folder = Union[str, os.PathLike[str]]


class PostgresMonths:
    """The months of a memory in PostgreSQL: made ahead, taken out into files, and put back.

    A month, such as "2026-03", holds the actions of all tenants, so this is apart from History, and needs the
    schema's owner. Whatever interrupts a call, no action is lost, and the same call again goes on. May be used from
    any thread; calls wait for each other. Each has an async twin.
    """

    __slots__ = ("_handle", "_threads")

    def __init__(
        self,
        uri: str,
        *,
        postgres: Fields | None = None,
        progress: Callable[[str, int], object] | None = None,
    ) -> None:
        """`postgres` as in open(). `progress` is called with the name of a step and the actions dealt with; what it
        raises ends the call there."""
        self._handle = _actionhist.Months(uri, postgres, progress)
        self._threads = Threads()

    def list(self) -> _Months:
        """Each month as {"month", "state", "actions", "bytes", "archive"}, the oldest first."""
        return self._handle.list()

    alist = twin(list)

    def ensure(self, ahead: int = 3) -> _Names:
        """Makes this month and `ahead` more, and returns those that were missing."""
        return self._handle.ensure(ahead)

    aensure = twin(ensure)

    def detach(self, month: Text) -> None:
        """Takes a month out of what is searched and counted, into a table of its own, while agents write on."""
        self._handle.detach(month)

    adetach = twin(detach)

    def archive(self, month: Text, folder: Folder) -> Fields:
        """Moves a month into a verified file, and returns what the manifest beside it says."""
        return self._handle.archive(month, os.fspath(folder))

    aarchive = twin(archive)

    def restore(self, month: Text, folder: Folder | None = None) -> None:
        """Puts a month back as it was; one that is only detached needs no folder."""
        self._handle.restore(month, None if folder is None else os.fspath(folder))

    arestore = twin(restore)

    def __reduce__(self) -> Any:
        raise TypeError("PostgresMonths: cannot be pickled; make another in the other process")
