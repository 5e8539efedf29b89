"""Actions from traces that an OpenTelemetry collector wrote as JSON.

    history.record_many(actionhist.otlp.actions(pathlib.Path("traces.json").read_text()))

Spans that executed a tool become actions; the same file again stores nothing twice.
"""

from __future__ import annotations

import json
from typing import Any, Iterator, Mapping, Union

from ._genai import span_action

__all__ = ["actions"]


def actions(document: Union[str, bytes, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The actions of an export: a JSON document, JSON Lines, or the parsed document. Raises ValueError."""
    found = []
    for export in _exports(document):
        for group in _list(export, "resourceSpans", "resource_spans"):
            shared = _attributes(group.get("resource", {}))
            for scope in _list(group, "scopeSpans", "scope_spans"):
                for span in _list(scope, "spans"):
                    action = _action(shared, span)
                    if action is not None:
                        found.append(action)
    return found


def _exports(document: Union[str, bytes, Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    if isinstance(document, Mapping):
        yield document
        return
    text = document.decode("utf-8") if isinstance(document, bytes) else document
    try:
        parsed = [json.loads(text)]
    except ValueError:
        parsed = [json.loads(line) for line in text.splitlines() if line.strip()]
    for number, export in enumerate(parsed):
        if not isinstance(export, dict):
            raise ValueError(f"otlp: document {number} is no object with resourceSpans")
        yield export


def _action(shared: dict[str, Any], span: Mapping[str, Any]) -> dict[str, Any] | None:
    attributes = {**shared, **_attributes(span)}
    status = span.get("status") or {}
    error = None
    if status.get("code") in (2, "STATUS_CODE_ERROR"):
        error = str(status.get("message") or attributes.get("error.type") or "error")
    trace_id = str(span.get("traceId", span.get("trace_id", "")))
    span_id = str(span.get("spanId", span.get("span_id", "")))
    start = int(span.get("startTimeUnixNano", span.get("start_time_unix_nano", 0)))
    end = int(span.get("endTimeUnixNano", span.get("end_time_unix_nano", 0)))
    return span_action(trace_id, span_id, attributes, start, end, error)


def _list(parent: Mapping[str, Any], *names: str) -> list[Any]:
    items: Any = next((parent[name] for name in names if parent.get(name)), [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError(f"otlp: {names[0]} is no array of objects")
    return items


def _attributes(owner: Mapping[str, Any]) -> dict[str, Any]:
    return {str(pair.get("key", "")): _value(pair.get("value")) for pair in _list(owner, "attributes")}


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return None
    for kind, content in value.items():
        if kind in ("stringValue", "string_value", "boolValue", "bool_value"):
            return content
        if kind in ("intValue", "int_value"):
            return int(content)
        if kind in ("doubleValue", "double_value"):
            return float(content)
        if kind in ("arrayValue", "array_value"):
            return [_value(item) for item in content.get("values", [])]
        if kind in ("kvlistValue", "kvlist_value"):
            return {pair["key"]: _value(pair.get("value")) for pair in content.get("values", [])}
    return None
