"""Actions from the spans of this process: what executed a tool is recorded.

    provider.add_span_processor(actionhist.opentelemetry.span_processor(history))

Needs opentelemetry-sdk (`pip install actionhist[opentelemetry]`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode

from ._errors import Error
from ._genai import span_action

if TYPE_CHECKING:
    from ._history import History

__all__ = ["ActionExporter", "span_processor"]

_log = logging.getLogger("actionhist")


class ActionExporter(SpanExporter):
    """Records the spans that executed a tool. The History stays the caller's: shutdown does not close it."""

    def __init__(self, history: History) -> None:
        self._history = history

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        actions = [action for action in map(_action, spans) if action is not None]
        try:
            self._history.record_many(actions)
        except Error as error:
            # OpenTelemetry drops what an exporter refuses, so it is said where its users look.
            _log.error("%d actions of spans are lost: %s", len(actions), error)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        pass

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


def span_processor(history: History, **batch: Any) -> BatchSpanProcessor:
    """A processor that records in batches, off the caller's thread; `batch` goes to BatchSpanProcessor."""
    return BatchSpanProcessor(ActionExporter(history), **batch)


def _action(span: ReadableSpan) -> dict[str, Any] | None:
    if span.context is None or span.start_time is None:
        return None
    attributes = {**(span.resource.attributes if span.resource else {}), **(span.attributes or {})}
    error = None
    if span.status.status_code is StatusCode.ERROR:
        error = span.status.description or str(attributes.get("error.type") or "error")
    return span_action(
        f"{span.context.trace_id:032x}",
        f"{span.context.span_id:016x}",
        attributes,
        span.start_time,
        span.end_time or span.start_time,
        error,
    )
