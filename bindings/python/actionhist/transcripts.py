"""Actions from the transcript of a chat with tool calls: of OpenAI's interfaces (chat completions and responses), of
Anthropic's, Gemini's and Bedrock's, and of LangChain's messages.

    history.import_actions(actionhist.transcripts.actions(messages, session_id="run-7", at=started))

Each tool call is an action: its reasoning is what the model said before it, its outcome what the tool answered.
The same transcript again stores nothing twice; one that has grown completes the calls that were answered since.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Iterable, Iterator, Mapping, NamedTuple

from ._genai import digest, parameters

__all__ = ["actions"]

_max_error = 2000
# Seconds since 1970 that are more than this are milliseconds, as JavaScript counts.
_milliseconds = 100_000_000_000


class _Call(NamedTuple):
    call_id: str
    name: str
    arguments: Any


class _Result(NamedTuple):
    call_id: str
    name: str
    content: Any
    failed: bool


def actions(
    messages: Iterable[Mapping[str, Any]],
    *,
    session_id: str,
    at: datetime | None = None,
    actor: str | None = None,
    model: str | None = None,
) -> list[dict[str, Any]]:
    """The tool calls of a transcript, in order.

    Messages carry their time as `timestamp`, `created_at` or `created`: RFC 3339, a datetime, or seconds or
    milliseconds since 1970. Those without follow the one before, or `at`, by a millisecond. Raises ValueError when
    there is no time.
    """
    found: list[dict[str, Any]] = []
    waiting: dict[str, dict[str, Any]] = {}  # calls without an answer by their ids, in order
    taken: set[str] = set()
    said = ""  # by the model, since somebody else spoke
    now = at
    for position, message in enumerate(messages):
        if not isinstance(message, Mapping):
            raise ValueError(f"messages[{position}]: is no object")
        given = _time(message, position)
        now = given if given is not None else now + timedelta(milliseconds=1) if now is not None else None
        # LangChain's message_to_dict() keeps the message within.
        if isinstance(message.get("data"), Mapping):
            message = {"type": message.get("type"), **message["data"]}
        said = _said(message, said)
        here: set[str] = set()  # a message may tell of one call in two places
        for part in _parts(message):
            call, result = _call(part), _result(part)
            if call is not None and (not call.call_id or call.call_id not in here):
                if now is None:
                    raise ValueError(f"messages[{position}]: has no time; give `at`")
                here.add(call.call_id)
                call_id = call.call_id or f"{position}.{len(found)}"
                # Some models count their calls anew in each message.
                unique = f"{call_id}.{position}" if call_id in taken else call_id
                taken.add(unique)
                action = {
                    "action_id": f"{session_id}:{unique}",
                    "session_id": session_id,
                    "correlation_id": session_id,
                    "actor": actor,
                    "model_used": message.get("model") or model,
                    "action_timestamp": now,
                    "action_type": call.name,
                    "action_parameters": parameters(call.arguments),
                    "model_reasoning": said or None,
                }
                found.append({k: v for k, v in action.items() if v is not None})
                waiting[call_id] = found[-1]
            elif result is not None:
                answered = _answered(waiting, result)
                if answered is None:
                    continue
                answered["execution_status"] = "failed" if result.failed else "completed"
                if result.failed:
                    answered["execution_error"] = _text(result.content)[:_max_error]
                answered["result_hash"] = digest(result.content)
                if now is not None:
                    answered["execution_end_time"] = max(now, answered["action_timestamp"])
    return found


def _parts(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Where calls and results stand: the message itself, or a list in it."""
    yield message
    for name in ("tool_calls", "content", "parts"):
        parts = message.get(name)
        if isinstance(parts, list):
            yield from (part for part in parts if isinstance(part, Mapping))


def _call(part: Mapping[str, Any]) -> _Call | None:
    inner: Any = part
    if part.get("type") not in ("tool_use", "tool_call", "function_call"):
        names = ("function", "function_call", "functionCall", "toolUse")
        inner = next((part[name] for name in names if isinstance(part.get(name), Mapping)), None)
    if inner is None or not inner.get("name"):
        return None
    call_id = _first(part, "call_id") or _first(inner, "id", "toolUseId") or _first(part, "id")
    return _Call(str(call_id or ""), str(inner["name"]), _first(inner, "arguments", "args", "input"))


def _result(part: Mapping[str, Any]) -> _Result | None:
    names = ("functionResponse", "function_response", "toolResult")
    inner = next((part[name] for name in names if isinstance(part.get(name), Mapping)), part)
    kinds = ("tool", "tool_result", "function_call_output", "function")
    if inner is part and part.get("role") not in ("tool", "function") and part.get("type") not in kinds:
        return None
    content = _first(inner, "content", "output", "response")
    failed = bool(inner.get("is_error")) or inner.get("status") == "error"
    # Gemini's manual: the answer of a function that failed is under "error".
    failed = failed or (isinstance(content, Mapping) and "error" in content and "response" in inner)
    call_id = _first(inner, "tool_call_id", "tool_use_id", "call_id", "toolUseId", "id")
    return _Result(str(call_id or ""), str(inner.get("name") or ""), content, failed)


def _answered(waiting: dict[str, dict[str, Any]], result: _Result) -> dict[str, Any] | None:
    """The call that a result answers: that of its id or, where there are no ids, the first of its name."""
    if result.call_id:
        return waiting.pop(result.call_id, None)
    named = (key for key, action in waiting.items() if result.name and action["action_type"] == result.name)
    key = next(named, None)
    return waiting.pop(key) if key is not None else None


def _said(message: Mapping[str, Any], before: str) -> str:
    """What the model said when it called: in the message of the call, or in one before it."""
    if not {message.get("role"), message.get("type")} & {"assistant", "model", "ai", "reasoning", "function_call"}:
        return ""
    content = _first(message, "content", "parts", "summary")
    return (_text(content) if isinstance(content, (str, list)) else "") or before


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = (b if isinstance(b, str) else b.get("text") for b in content if isinstance(b, (str, Mapping)))
        return "\n".join(text for text in texts if isinstance(text, str) and text)
    return "" if content is None else json.dumps(content, default=str)


def _first(owner: Mapping[str, Any], *names: str) -> Any:
    return next((owner[name] for name in names if owner.get(name) is not None), None)


def _time(message: Mapping[str, Any], position: int) -> datetime | None:
    for name in ("timestamp", "created_at", "created"):
        value = message.get(name)
        if value is None:
            continue
        try:
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return datetime.fromtimestamp(value / 1000 if value > _milliseconds else value, timezone.utc)
            if isinstance(value, str):
                value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except (ValueError, OverflowError, OSError):
            pass
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value
        raise ValueError(f"messages[{position}].{name}: is no time with a zone")
    return None
