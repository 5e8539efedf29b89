"""One page of what was found."""

from __future__ import annotations

from typing import Iterable

from ._actionhist import Trace


class Page(list[Trace]):
    """Traces, newest first. `next` is the cursor of the page after this one, None on the last."""

    def __init__(self, traces: Iterable[Trace] = (), next: str | None = None) -> None:
        super().__init__(traces)
        self.next = next
