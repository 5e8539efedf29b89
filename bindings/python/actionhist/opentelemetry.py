"""Actions from the spans of this process: what executed a tool is recorded.

    provider.add_span_processor(actionhist.opentelemetry.span_processor(history))

What a tool was called on is read from the span's own attributes (k8s.deployment.name, …): those of the provider's resource
describe this process, so they name the actor and the environment, and of the rest only the cluster is taken.
Needs opentelemetry-sdk (`pip install actionhist[opentelemetry]`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode

from ._errors import Conflict, InvalidArgument
from ._genai import span_action

if TYPE_CHECKING:
    from ._history import History

__all__ = ["ActionExporter", "span_processor"]

_log = logging.getLogger("actionhist")

# What one action of a batch is to blame for; the others are stored without it.
_of_one_action = (InvalidArgument, Conflict, TypeError)


class ActionExporter(SpanExporter):
    """Records the spans that executed a tool. The History stays the caller's: shutdown does not close it."""

    def __init__(self, history: History) -> None:
        self._history = history

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        lost = 0
        actions = []
        for span in spans:
            try:
                action = _action(span)
            except Exception as error:
                lost += _lose([span.name], error)
            else:
                if action is not None:
                    actions.append(action)
        lost += self._record(actions)
        return SpanExportResult.FAILURE if lost else SpanExportResult.SUCCESS

    def _record(self, actions: list[dict[str, Any]]) -> int:
        """Stores what can be stored, and gives the number of the others. Raises nothing."""
        try:
            self._history.record_many(actions)
        except Exception as error:
            if isinstance(error, _of_one_action) and len(actions) > 1 and not self._history.closed:
                half = len(actions) // 2
                return self._record(actions[:half]) + self._record(actions[half:])
            return _lose([action["action_id"] for action in actions], error)
        return 0

    def shutdown(self) -> None:
        pass

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


def span_processor(history: History, **batch: Any) -> BatchSpanProcessor:
    """A processor that records in batches, off the caller's thread; `batch` goes to BatchSpanProcessor."""
    return BatchSpanProcessor(ActionExporter(history), **batch)


def _lose(names: list[str], error: Exception) -> int:
    """OpenTelemetry drops what an exporter refuses, so it is said where its users look."""
    if names:
        _log.error("%d actions of spans are lost (%s): %s", len(names), ", ".join(names), error)
    return len(names)


def _action(span: ReadableSpan) -> dict[str, Any] | None:
    if span.context is None or span.start_time is None:
        return None
    own = span.attributes or {}
    error = None
    if span.status.status_code is StatusCode.ERROR:
        error = span.status.description or str(own.get("error.type") or "error")
    return span_action(
        f"{span.context.trace_id:032x}",
        f"{span.context.span_id:016x}",
        own,
        span.resource.attributes if span.resource else {},
        span.start_time,
        span.end_time or span.start_time,
        error,
    )
