"""Actions from traces that an OpenTelemetry collector wrote as JSON.

    history.import_actions(actionhist.otlp.actions(pathlib.Path("traces.json").read_text()))

Spans that executed a tool become actions; the same file again stores nothing twice. What a tool was called on is read
from the span's own attributes (k8s.deployment.name, …): those of the OpenTelemetry resource describe the agent's process.
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
            resource = group.get("resource")
            emitter = _attributes(resource) if isinstance(resource, dict) else {}
            for scope in _list(group, "scopeSpans", "scope_spans"):
                for span in _list(scope, "spans"):
                    action = _action(emitter, span)
                    if action is not None:
                        found.append(action)
    return found


def _exports(document: Union[str, bytes, Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    if isinstance(document, Mapping):
        yield document
        return
    text = document.decode("utf-8-sig") if isinstance(document, bytes) else document
    try:
        parsed = [(1, json.loads(text))]
    except ValueError:
        # Not splitlines(): a text within a line may hold what Unicode takes for the end of one.
        parsed = [(number, _line(number, line)) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    for number, export in parsed:
        if not isinstance(export, dict):
            raise ValueError(f"otlp: line {number}: is no object with resourceSpans")
        yield export


def _line(number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise ValueError(f"otlp: line {number}: {error}") from None


def _action(emitter: dict[str, Any], span: Mapping[str, Any]) -> dict[str, Any] | None:
    status = span.get("status")
    error = None
    trace_id = str(span.get("traceId", span.get("trace_id", "")))
    span_id = str(span.get("spanId", span.get("span_id", "")))
    try:
        own = _attributes(span)
        if isinstance(status, dict) and status.get("code") in (2, "STATUS_CODE_ERROR"):
            error = str(status.get("message") or own.get("error.type") or "error")
        start = int(span.get("startTimeUnixNano", span.get("start_time_unix_nano", 0)))
        end = int(span.get("endTimeUnixNano", span.get("end_time_unix_nano", 0)))
        action = span_action(trace_id, span_id, own, emitter, start, end, error)
    except (TypeError, ValueError) as failure:
        raise ValueError(f"otlp: span {span_id}: {failure}") from None
    if action is not None and not (trace_id and span_id):
        raise ValueError("otlp: a span that executed a tool has no traceId or no spanId")
    return action


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
        values = content if isinstance(content, dict) else {}
        if kind in ("arrayValue", "array_value"):
            return [_value(item) for item in _list(values, "values")]
        if kind in ("kvlistValue", "kvlist_value"):
            return {str(pair.get("key", "")): _value(pair.get("value")) for pair in _list(values, "values")}
    return None
