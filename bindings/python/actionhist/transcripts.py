"""Actions from the transcript of a chat with tool calls, as OpenAI's and Anthropic's interfaces write it.

    history.record_many(actionhist.transcripts.actions(messages, session_id="run-7", at=started))

Each tool call is an action: its reasoning is what the model said before it, its outcome what the tool answered.
The same transcript again stores nothing twice.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Iterable, Iterator, Mapping

from ._genai import digest, parameters

__all__ = ["actions"]

_max_error = 2000


def actions(
    messages: Iterable[Mapping[str, Any]],
    *,
    session_id: str,
    at: datetime | None = None,
    actor: str | None = None,
    model: str | None = None,
) -> list[dict[str, Any]]:
    """The tool calls of a transcript, in order.

    Messages carry their time as `timestamp`, `created_at` or `created`: RFC 3339, a datetime, or seconds since
    1970. Those without follow the one before, or `at`, by a millisecond. Raises ValueError when there is no time.
    """
    found: dict[str, dict[str, Any]] = {}
    now = at
    for position, message in enumerate(messages):
        if not isinstance(message, Mapping):
            raise ValueError(f"messages[{position}]: is no object")
        given = _time(message, position)
        now = given if given is not None else now + timedelta(milliseconds=1) if now is not None else None
        for call_id, name, arguments in _calls(message):
            if now is None:
                raise ValueError(f"messages[{position}]: has no time; give `at`")
            action_id = f"{session_id}:{call_id or f'{position}.{len(found)}'}"
            action = {
                "action_id": action_id,
                "session_id": session_id,
                "correlation_id": session_id,
                "actor": actor,
                "model_used": message.get("model") or model,
                "action_timestamp": now,
                "action_type": name,
                "action_parameters": parameters(arguments),
                "model_reasoning": _text(message.get("content")) or None,
            }
            found[call_id or action_id] = {k: v for k, v in action.items() if v is not None}
        for call_id, result, failed in _results(message):
            answered = found.get(call_id)
            if answered is None or "execution_status" in answered:
                continue
            answered["execution_status"] = "failed" if failed else "completed"
            if failed:
                answered["execution_error"] = _text(result)[:_max_error]
            answered["result_hash"] = digest(result)
            if now is not None:
                answered["execution_end_time"] = max(now, answered["action_timestamp"])
    return list(found.values())


def _calls(message: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for call in message.get("tool_calls") or []:
        function = call.get("function") or {}
        if function.get("name"):
            yield str(call.get("id") or ""), str(function["name"]), function.get("arguments")
    for block in _blocks(message):
        if block.get("type") == "tool_use" and block.get("name"):
            yield str(block.get("id") or ""), str(block["name"]), block.get("input")


def _results(message: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    if message.get("role") == "tool":
        yield str(message.get("tool_call_id") or ""), message.get("content"), bool(message.get("is_error"))
    for block in _blocks(message):
        if block.get("type") == "tool_result":
            yield str(block.get("tool_use_id") or ""), block.get("content"), bool(block.get("is_error"))


def _blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content")
    return [block for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = (b if isinstance(b, str) else b.get("text", "") for b in content if isinstance(b, (str, Mapping)))
        return "\n".join(text for text in texts if text)
    return "" if content is None else json.dumps(content, default=str)


def _time(message: Mapping[str, Any], position: int) -> datetime | None:
    for name in ("timestamp", "created_at", "created"):
        value = message.get(name)
        if value is None:
            continue
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, timezone.utc)
        if isinstance(value, str):
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value
        raise ValueError(f"messages[{position}].{name}: is no time with a zone")
    return None
