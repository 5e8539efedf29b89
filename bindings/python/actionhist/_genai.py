"""Tool calls of agents as actions. The names of OpenTelemetry are in one table here, because they change."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from typing import Any, Mapping

# Semantic conventions for generative AI, 1.37 and 1.38; still a draft. Earlier names come second, then those of
# OpenInference (Phoenix, Arize) and OpenLLMetry (Traceloop).
SEMANTIC_CONVENTIONS = "1.38"
EXECUTED_TOOL = {
    "gen_ai.operation.name": "execute_tool",
    "openinference.span.kind": "TOOL",
    "traceloop.span.kind": "tool",
}
ATTRIBUTES = {
    "action_type": ("gen_ai.tool.name", "tool.name", "traceloop.entity.name"),
    "session_id": ("gen_ai.conversation.id", "session.id"),
    "actor": ("gen_ai.agent.name", "gen_ai.agent.id", "service.name"),
    "model_used": ("gen_ai.response.model", "gen_ai.request.model"),
    "environment": ("deployment.environment.name", "deployment.environment"),
}
ARGUMENTS = ("gen_ai.tool.call.arguments", "gen_ai.tool.arguments", "input.value", "traceloop.entity.input")
RESULT = ("gen_ai.tool.call.result", "gen_ai.tool.result", "output.value", "traceloop.entity.output")
CALL_ID = ("gen_ai.tool.call.id",)
# The resource: the most special kind that is named.
KINDS = {
    "Pod": "k8s.pod.name",
    "Deployment": "k8s.deployment.name",
    "StatefulSet": "k8s.statefulset.name",
    "DaemonSet": "k8s.daemonset.name",
    "Job": "k8s.job.name",
    "CronJob": "k8s.cronjob.name",
    "Node": "k8s.node.name",
}

_cluster = "k8s.cluster.name"
_max_error = 2000


def span_action(
    trace_id: str,
    span_id: str,
    own: Mapping[str, Any],
    emitter: Mapping[str, Any],
    start_ns: int,
    end_ns: int,
    error: str | None,
) -> dict[str, Any] | None:
    """The action of a span that executed a tool, None for any other span. `error` is set when it failed.

    `own` are the span's attributes. `emitter` are those of its OpenTelemetry resource, which describe the process that
    wrote the span: they name the actor and the environment, but never what the tool was called on, except its cluster.
    """
    attributes = {**emitter, **own}
    executed = any(attributes.get(name) == kind for name, kind in EXECUTED_TOOL.items())
    if not executed or not _first(attributes, ATTRIBUTES["action_type"]):
        return None
    action: dict[str, Any] = {
        "action_id": f"otel:{trace_id}:{span_id}",
        "correlation_id": trace_id,
        "action_timestamp": _time(start_ns),
        "action_parameters": parameters(_first(attributes, ARGUMENTS)),
        "execution_status": "completed" if error is None else "failed",
        "execution_start_time": _time(start_ns),
        "execution_end_time": _time(max(start_ns, end_ns)),
        "execution_error": error[:_max_error] if error else None,
        "result_hash": digest(_first(attributes, RESULT)),
        "resource_reference": _resource(own, emitter.get(_cluster)),
        "metadata": {"tool_call_id": _first(attributes, CALL_ID)} if _first(attributes, CALL_ID) else None,
    }
    for field, names in ATTRIBUTES.items():
        value = _first(attributes, names)
        action[field] = None if value is None else str(value)
    return {field: value for field, value in action.items() if value is not None}


def parameters(arguments: Any) -> dict[str, Any] | None:
    """Arguments as an object: they may come as one, or as its text."""
    if arguments is None or arguments == "":
        return None
    if isinstance(arguments, str):
        try:
            # NaN and Infinity are no JSON, though many write them.
            arguments = json.loads(arguments, parse_constant=str)
        except (ValueError, RecursionError):
            return {"arguments": arguments}
    return dict(arguments) if isinstance(arguments, Mapping) else {"arguments": arguments}


def digest(result: Any) -> str | None:
    """The same result twice means no progress; the result itself is not kept."""
    if result is None:
        return None
    text = result if isinstance(result, str) else json.dumps(result, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _first(attributes: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((attributes[name] for name in names if attributes.get(name) not in (None, "")), None)


def _time(ns: int) -> datetime:
    try:
        seconds = datetime.fromtimestamp(ns // 1_000_000_000, timezone.utc)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{ns} nanoseconds since 1970 are no time") from None
    return seconds.replace(microsecond=ns % 1_000_000_000 // 1000)


def _resource(attributes: Mapping[str, Any], usual_cluster: Any) -> dict[str, str] | None:
    for kind, name in KINDS.items():
        if attributes.get(name):
            resource = {"kind": kind, "name": str(attributes[name])}
            if kind != "Node" and attributes.get("k8s.namespace.name"):
                resource["namespace"] = str(attributes["k8s.namespace.name"])
            cluster = attributes.get(_cluster) or usual_cluster
            if cluster:
                resource["cluster"] = str(cluster)
            return resource
    return None
