"""One exception class for each error code of the library. The class tells what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._actionhist import Verdict


class Error(Exception):
    """Base of everything that the library raises. `code` is the name of its error code."""

    code: str = "internal"


class InvalidArgument(Error, ValueError):
    """Fix the call; the message names the field."""

    code = "invalid_argument"


class NotFound(Error, LookupError):
    """The id is not stored."""

    code = "not_found"


class Conflict(Error):
    """Stored otherwise already: reload and decide."""

    code = "conflict"


class Denied(Error):
    """Fix rights: read-only file, missing permission."""

    code = "denied"


class Unavailable(Error):
    """Retry later: disk full, database unreachable."""

    code = "unavailable"


class Timeout(Error, TimeoutError):
    """A deadline passed; the work may or may not go on."""

    code = "timeout"


class Unsupported(Error):
    """Not offered here: another engine, after fork(), a newer schema."""

    code = "unsupported"


class Corrupt(Error):
    """Stop, and restore or rebuild."""

    code = "corrupt"


class Cancelled(Error):
    """The History is closing."""

    code = "cancelled"


class Internal(Error):
    """A bug: please report it."""

    code = "internal"


class Refused(Exception):
    """The guard did not allow an action. `verdict` says why, and when to ask again."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


by_code = {error.code: error for error in Error.__subclasses__()}

# Users know them by the name under which they import them.
for _error in (Error, Refused, *by_code.values()):
    _error.__module__ = "actionhist"
