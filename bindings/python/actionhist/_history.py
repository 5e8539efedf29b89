"""History: record, guard, search. Names and defaults of arguments are here; the extension does the rest."""

from __future__ import annotations

import asyncio
import atexit
import os
import weakref
from datetime import datetime
from enum import Enum
from typing import Any, Callable, Iterable, Mapping, Protocol, Sequence, TypeVar, Union, overload
from uuid import UUID

from . import _actionhist
from ._actionhist import Detection, Hit, Trace, Verdict
from ._tracking import TrackedAction, tracked
from ._twins import Threads, on_thread, twin

Text = Union[str, UUID, Enum]
Time = Union[datetime, str]
Fields = dict[str, Any]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class Model(Protocol):
    """Turns text into vectors. Called from any thread; one that raises for stored texts is asked again later."""

    @property
    def space_id(self) -> str:
        """Names the model and its version: vectors of two spaces are never compared."""
        ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: list[str], role: str) -> Iterable[Iterable[float]]:
        """One vector a text, as lists or numpy arrays. `role` is "document" or "query"."""
        ...


class Page(list[Trace]):
    """Traces, newest first. `next` is the cursor of the page after this one, None on the last."""

    def __init__(self, traces: Iterable[Trace] = (), next: str | None = None) -> None:
        super().__init__(traces)
        self.next = next


class History:
    """The memory of one tenant. actionhist.open() gives one; it may be used from any thread at once.

    Actions, alerts and patterns are dicts, keyword arguments, or both, and then the keywords win. Times are
    aware datetimes or RFC 3339 text. After fork() the parent goes on; in the child every call raises
    Unsupported. Each call has an async twin: arecord(), asimilar(), …
    """

    __slots__ = ("__weakref__", "_handle", "_threads")

    def __init__(self, handle: _actionhist.Handle) -> None:
        self._handle = handle
        self._threads = Threads()
        _open_ones.add(self)

    def close(self) -> None:
        """Ends the use; more than once does nothing. Calls under way in other threads end by themselves."""
        self._threads.close()
        self._handle.close()

    async def aclose(self) -> None:
        """close() on another thread: the last call under way may hold it up."""
        await asyncio.get_running_loop().run_in_executor(None, self.close)

    @property
    def closed(self) -> bool:
        return self._handle.closed

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> History:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<actionhist.History {'closed' if self.closed else 'open'}>"

    def __reduce__(self) -> Any:
        raise TypeError("History: cannot be pickled; open another in the other process")

    # Recording and guarding

    def record(self, action: Fields | None = None, /, **fields: Any) -> Trace:
        """Stores an action as it happened, without asking the guard.

        An action whose id is already stored is returned as it stands, with `stored` False. Fields that the
        library does not know go to `metadata`.
        """
        return self._handle.record(_laid_over(action, fields))

    def record_many(self, actions: Iterable[Fields]) -> list[Trace]:
        """Stores all in one transaction and returns their traces in order. On error nothing is stored."""
        return self._handle.record_many(actions)

    def propose(
        self, action: Fields | None = None, /, *, override: Fields | None = None, **fields: Any
    ) -> Verdict:
        """Asks the guard and, if it allows, stores the action as pending, in one transaction.

        With override={"actor": …, "reason": …} it is stored even if it would be refused, and both are kept.
        """
        return self._handle.propose(_laid_over(action, fields), override)

    def check(self, action: Fields | None = None, /, **fields: Any) -> Verdict:
        """The decision of propose(), without writing anything."""
        return self._handle.check(_laid_over(action, fields))

    def start(self, action_id: Text, at: Time | None = None) -> Trace:
        """pending → executing, at the clock's time if `at` is not given."""
        return self._handle.start(action_id, at)

    def complete(
        self,
        action_id: Text,
        status: Text = "completed",
        *,
        execution_start_time: Time | None = None,
        execution_end_time: Time | None = None,
        execution_duration_ms: int | None = None,
        execution_error: str | None = None,
        kubernetes_operations: Sequence[Fields] | None = None,
        resource_state_after: Fields | None = None,
        post_spec_hash: str | None = None,
        result_hash: str | None = None,
        effectiveness_score: float | None = None,
        effectiveness_criteria: Fields | None = None,
        effectiveness_assessed_at: Time | None = None,
        effectiveness_assessment_method: Text | None = None,
        effectiveness_notes: str | None = None,
        effectiveness_due_at: Time | None = None,
        correction: bool = False,
    ) -> Trace:
        """Adds what became of the action: completed, failed, rolled-back, cancelled or escalated.

        The same outcome again returns the stored trace; another one raises Conflict unless `correction`.
        What is not given keeps its value.
        """
        outcome = {
            "status": status,
            "execution_start_time": execution_start_time,
            "execution_end_time": execution_end_time,
            "execution_duration_ms": execution_duration_ms,
            "execution_error": execution_error,
            "kubernetes_operations": kubernetes_operations,
            "resource_state_after": resource_state_after,
            "post_spec_hash": post_spec_hash,
            "result_hash": result_hash,
            "effectiveness_score": effectiveness_score,
            "effectiveness_criteria": effectiveness_criteria,
            "effectiveness_assessed_at": effectiveness_assessed_at,
            "effectiveness_assessment_method": effectiveness_assessment_method,
            "effectiveness_notes": effectiveness_notes,
            "effectiveness_due_at": effectiveness_due_at,
        }
        return self._handle.complete(action_id, outcome, correction)

    def assess(
        self,
        action_id: Text,
        *,
        health: float | None = None,
        alert: float | None = None,
        metrics: float | None = None,
        score: float | None = None,
        criteria: Fields | None = None,
        method: Text | None = None,
        notes: str | None = None,
        assessed_at: Time | None = None,
    ) -> Trace:
        """Adds or replaces the effectiveness, from its parts or as a whole. Each is between 0 and 1.

        The parts weigh .40, .35 and .25; the weight of one that is not given goes to the others.
        """
        assessment = {
            "health": health,
            "alert": alert,
            "metrics": metrics,
            "score": score,
            "criteria": criteria,
            "method": method,
            "notes": notes,
            "assessed_at": assessed_at,
        }
        return self._handle.assess(action_id, assessment)

    def observe(self, alert: Fields | None = None, /, **fields: Any) -> None:
        """Notes that an alert fired or ended: alert_name and starts_at are required."""
        self._handle.observe(_laid_over(alert, fields))

    def link(self, action_id: Text, follow_up: Text, relation: Text) -> Trace:
        """Adds a follow-up to an action, with its relation, such as "correction"."""
        return self._handle.link(action_id, follow_up, relation)

    def delete(self, action_id: Text) -> bool:
        """Forgets an action; its id stays taken. False if there is none."""
        return self._handle.delete(action_id)

    def resource_seen(
        self,
        *,
        kind: Text,
        name: Text,
        namespace: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
        api_version: Text | None = None,
        uid: Text | None = None,
        at: Time | None = None,
    ) -> None:
        """Notes that the resource exists; a new uid begins a new incarnation."""
        resource = _resource(cluster, kind, namespace, name, api_group, api_version, uid)
        self._handle.resource_seen(resource, at)

    def resource_deleted(
        self,
        *,
        kind: Text,
        name: Text,
        namespace: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
        api_version: Text | None = None,
        at: Time | None = None,
    ) -> bool:
        """Ends the present incarnation. False if the resource is not known."""
        resource = _resource(cluster, kind, namespace, name, api_group, api_version)
        return self._handle.resource_deleted(resource, at)

    # Actions around code

    def action(self, action: Fields | None = None, /, **fields: Any) -> TrackedAction:
        """An action around a block: proposed before, started, and completed with what became of it.

            with history.action(action_type="scale_deployment", kind="Deployment", name="web") as a:
                scale()
                a.outcome(effectiveness_score=0.8)

        Raises Refused when the guard does not allow it. A block that raises is stored as failed, with what it
        raised. Works with `async with` too.
        """
        return TrackedAction(self, _laid_over(action, fields))

    @overload
    def tracked(self, function: F, /) -> F: ...

    @overload
    def tracked(
        self, /, *, describe: Callable[..., Fields] | None = None, **fields: Any
    ) -> Callable[[F], F]: ...

    def tracked(
        self, function: F | None = None, /, *, describe: Callable[..., Fields] | None = None, **fields: Any
    ) -> F | Callable[[F], F]:
        """A decorator: each call of the function, async or not, is an action.

        Its type is the function's name and its parameters are the arguments, unless `fields` say otherwise;
        `describe` gets the arguments and returns further fields.
        """
        if function is not None:
            return tracked(self, function, fields, describe)
        return lambda function: tracked(self, function, fields, describe)

    async def run(self, call: Callable[[], T]) -> T:
        """Runs a blocking call on one of this History's threads, so that the event loop goes on."""
        return await on_thread(self._threads, call)

    # Reading and searching

    def get(self, action_id: Text) -> Trace | None:
        """The action, or None if it is not stored."""
        return self._handle.get(action_id)

    def history(
        self,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        correlation_id: Text | None = None,
        since: Time | None = None,
        until: Time | None = None,
        where: Fields | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Actions, newest first, from `since` to before `until`. `cursor` is Page.next of the page before.

        `where` is a filter: {"alert_severity": "critical", "action_parameters.replicas": {"$gt": 3}}, with
        $eq $ne $in $nin $gt $gte $lt $lte $exists $and $or $not. Values compare by type: 5 is never "5".
        """
        resource = _resource(cluster, kind, namespace, name)
        return Page(*self._handle.history(resource, correlation_id, since, until, where, limit, cursor))

    def similar(
        self,
        text: str | None = None,
        *,
        action_id: Text | None = None,
        vector: Iterable[float] | None = None,
        limit: int = 10,
        where: Fields | None = None,
        threshold: float | None = None,
        fresh: bool = False,
    ) -> list[Hit]:
        """Past actions like a text, an action or a vector, best first, that pass the filter `where`.

        `threshold` is the least score, from 0 to 1; `fresh` first waits until all that was recorded is
        searchable.
        """
        return self._handle.similar(text, action_id, vector, limit, where, threshold, fresh)

    def context(
        self,
        text: str | None = None,
        *,
        alert_name: Text | None = None,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        spec_hash: Text | None = None,
        budget_tokens: int = 2000,
        json: bool = False,
    ) -> Fields:
        """What a language model should know before it acts, as {"content", "tokens", "omitted"}.

        `content` is text, or with `json` the JSON text of lists of sentences, of at most `budget_tokens`.
        """
        query = {
            "text": text,
            "alert_name": alert_name,
            "resource": _resource(cluster, kind, namespace, name),
            "spec_hash": spec_hash,
            "budget_tokens": budget_tokens,
            "json": json,
        }
        return self._handle.context(query)

    def metrics(
        self,
        *,
        scope_type: Text | None = None,
        scope_value: Text | None = None,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        metric_period: Text | None = None,
        action_type: Text | None = None,
        since: Time | None = None,
        until: Time | None = None,
        limit: int = 1000,
    ) -> list[Fields]:
        """Effectiveness by scope, action type and period (1h, 24h, 7d, 30d), as of the last refresh_metrics().

        The scope is global, namespace, resource-type, alert-type, model or resource, which kind and name tell.
        """
        query = {
            "scope_type": scope_type,
            "scope_value": scope_value,
            "resource": _resource(cluster, kind, namespace, name),
            "metric_period": metric_period,
            "action_type": action_type,
            "since": since,
            "until": until,
            "limit": limit,
        }
        return self._handle.metrics(query)

    def refresh_metrics(self, full: bool = False) -> Fields:
        """Computes the metrics of the periods whose scores changed, or all of them. Both give the same."""
        return self._handle.refresh_metrics(full)

    def lease_assessments(self, worker: Text, *, limit: int = 10, lease_seconds: int = 60) -> list[Trace]:
        """Ended actions whose assessment is due, each to one worker at a time."""
        return self._handle.lease_assessments(worker, limit, lease_seconds)

    def recommend(
        self,
        text: str | None = None,
        *,
        alert_name: Text | None = None,
        alert_severity: Text | None = None,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        action_id: Text | None = None,
        where: Fields | None = None,
        limit: int = 5,
        neighbours: int = 20,
        explore: bool = False,
        fresh: bool = False,
    ) -> Fields:
        """What worked in situations like this one, as {"actions": […], "avoid": […]}, best and worst first.

        Each has its expected success with a lower and an upper quantile, the share of the similar cases that
        it solved, the effective sample size, examples and a reason. `explore` ranks by the upper quantile.
        """
        query = {
            "text": text,
            "alert_name": alert_name,
            "alert_severity": alert_severity,
            "resource": _resource(cluster, kind, namespace, name),
            "action_id": action_id,
            "where": where,
            "limit": limit,
            "neighbours": neighbours,
            "explore": explore,
            "fresh": fresh,
        }
        return self._handle.recommend(query)

    def detect(
        self,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        correlation_id: Text | None = None,
        session_id: Text | None = None,
        as_of: Time | None = None,
        window_minutes: int | None = None,
    ) -> list[Detection]:
        """Oscillations as of a moment, strongest first, without writing anything.

        Name a resource, a correlation or a session. Without a window each pattern has its own.
        """
        resource = _resource(cluster, kind, namespace, name)
        return self._handle.detect(resource, correlation_id, session_id, as_of, window_minutes)

    def summaries(self, changed_since: Time | None = None) -> list[Fields]:
        """Resources at a glance. Times are RFC 3339; what is absent is left out."""
        return self._handle.summaries(changed_since)

    def wait_indexed(self, timeout: float = 30) -> bool:
        """Waits until all that was recorded before is searchable here. False after `timeout` seconds."""
        return self._handle.wait_indexed(timeout)

    # Retention

    def retention_policy(
        self,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
    ) -> Fields:
        """The policy that a resource follows; the default without kind and name."""
        return self._handle.retention_policy(_resource(cluster, kind, namespace, name))

    def retention_policies(self) -> list[Fields]:
        """All policies that were set, the default first."""
        return self._handle.retention_policies()

    def set_retention_policy(
        self,
        policy: Fields | None,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
    ) -> None:
        """Sets the policy of one resource, or of all others without kind and name; None takes it away.

        {"max_actions": 1000, "max_age_days": 30, "compaction_strategy": "pattern-aware"}
        """
        self._handle.set_retention_policy(policy, _resource(cluster, kind, namespace, name))

    def retention_plan(
        self,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        policy: Fields | None = None,
    ) -> list[Fields]:
        """What would go now and why, a dict for each resource. `policy` stands for those that were set."""
        return self._handle.retention_plan(_resource(cluster, kind, namespace, name), policy)

    def apply_retention(
        self,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        policy: Fields | None = None,
        batch: int = 500,
        progress: Callable[[int, int, int], object] | None = None,
    ) -> Fields:
        """Removes what the plan says, `batch` actions a transaction, and returns what was done.

        `progress` is called with the actions removed, the resources done and the resources known so far.
        """
        resource = _resource(cluster, kind, namespace, name)
        return self._handle.apply_retention(resource, policy, batch, progress)

    def retention_operations(self, limit: int = 100) -> list[Fields]:
        """What runs did, the newest first."""
        return self._handle.retention_operations(limit)

    def compacted(
        self,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
    ) -> list[Fields]:
        """The monthly sums that policies with `compact` have left of a resource."""
        return self._handle.compacted(_resource(cluster, kind, namespace, name))

    # Patterns and health

    def patterns(self) -> list[Fields]:
        """The kinds of oscillation that are watched for, as put_pattern() takes them."""
        return self._handle.patterns()

    def put_pattern(self, pattern: Fields | None = None, /, **fields: Any) -> None:
        """Adds a pattern or replaces the one with its pattern_id."""
        self._handle.put_pattern(_laid_over(pattern, fields))

    def remove_pattern(self, pattern_id: Text) -> bool:
        """Forgets a pattern; its detections stay. False if there is none."""
        return self._handle.remove_pattern(pattern_id)

    def detection(self, detection_id: Text) -> Detection | None:
        """What the guard found, or None."""
        return self._handle.detection(detection_id)

    def detections(
        self,
        *,
        pattern_id: Text | None = None,
        scope: Text | None = None,
        since: Time | None = None,
        until: Time | None = None,
        unresolved: bool = False,
        limit: int = 50,
    ) -> list[Detection]:
        """What the guard found, newest first."""
        return self._handle.detections(pattern_id, scope, since, until, unresolved, limit)

    def resolve(
        self,
        detection_id: Text,
        *,
        method: str = "manual-intervention",
        notes: str | None = None,
        false_positive: bool = False,
    ) -> Detection:
        """Ends a detection, so that it refuses nothing any more."""
        resolution = {"method": method, "notes": notes, "false_positive": false_positive}
        return self._handle.resolve(detection_id, resolution)

    def settle(self, limit: int = 1000) -> Fields:
        """Ends the detections that are over, judges preventions of more than a day ago, counts the rates."""
        return self._handle.settle(limit)

    def overrides(self, since: Time | None = None, *, limit: int = 100) -> list[Fields]:
        """Who let refused actions pass, and why, newest first."""
        return self._handle.overrides(since, limit)

    def guard_policy(
        self,
        *,
        kind: Text,
        name: Text,
        namespace: Text | None = None,
        cluster: Text | None = None,
    ) -> Fields:
        """What the guard takes for one resource instead of the patterns' own."""
        return self._handle.guard_policy(_resource(cluster, kind, namespace, name))

    def set_guard_policy(
        self,
        policy: Fields,
        *,
        kind: Text,
        name: Text,
        namespace: Text | None = None,
        cluster: Text | None = None,
    ) -> None:
        """Sets oscillation_window_minutes, effectiveness_threshold and pattern_min_occurrences of a resource."""
        self._handle.set_guard_policy(_resource(cluster, kind, namespace, name), policy)

    def health(self) -> Fields:
        """How database, feed and index are. An unreachable database is said, not raised."""
        return self._handle.health()

    # Async twins: the same calls on other threads.

    arecord = twin(record)
    arecord_many = twin(record_many)
    apropose = twin(propose)
    acheck = twin(check)
    astart = twin(start)
    acomplete = twin(complete)
    aassess = twin(assess)
    aobserve = twin(observe)
    alink = twin(link)
    adelete = twin(delete)
    aresource_seen = twin(resource_seen)
    aresource_deleted = twin(resource_deleted)
    aget = twin(get)
    ahistory = twin(history)
    asimilar = twin(similar)
    arecommend = twin(recommend)
    adetect = twin(detect)
    asummaries = twin(summaries)
    await_indexed = twin(wait_indexed)
    aretention_policy = twin(retention_policy)
    aretention_policies = twin(retention_policies)
    aset_retention_policy = twin(set_retention_policy)
    aretention_plan = twin(retention_plan)
    aapply_retention = twin(apply_retention)
    aretention_operations = twin(retention_operations)
    acompacted = twin(compacted)
    apatterns = twin(patterns)
    aput_pattern = twin(put_pattern)
    aremove_pattern = twin(remove_pattern)
    adetection = twin(detection)
    adetections = twin(detections)
    aresolve = twin(resolve)
    asettle = twin(settle)
    aoverrides = twin(overrides)
    aguard_policy = twin(guard_policy)
    aset_guard_policy = twin(set_guard_policy)
    ahealth = twin(health)


def open(
    uri: Union[str, os.PathLike[str]],
    *,
    tenant: str | None = None,
    run_migrations: bool = True,
    read_only: bool = False,
    semantic: bool = True,
    worker: bool = True,
    on_unavailable: str = "deny",
    redact: Sequence[str] = (),
    model: Model | None = None,
    clock: Callable[[], datetime] | None = None,
    log: Callable[[str, str], object] | None = None,
    busy_timeout_ms: int = 10_000,
    postgres: Mapping[str, object] | None = None,
    on_detection: Callable[[Fields], object] | None = None,
) -> History:
    """Opens "memory:", "sqlite:PATH" or a path, or "postgresql://USER@HOST,HOST/DATABASE".

    tenant           whose memory it is; "default" if not given, but PostgreSQL needs one
    run_migrations   False: a database of another schema version is refused
    semantic         False: similar() uses the text search of the database
    worker           False: another process makes recorded actions searchable
    on_unavailable   what propose() answers when the database cannot be reached: "deny" (it raises) or "allow"
    redact           RE2 expressions; what they match is replaced, beside the built-in rules
    model            turns text into vectors instead of the built-in model
    clock            returns an aware datetime; the system's clock if None
    log              called with level ("debug", "info", "warning", "error") and message, from any thread
    busy_timeout_ms  how long a write waits for another process, with SQLite
    postgres         {"schema": "actionhist", "pool_max": 20, "statement_timeout_ms": 30000, "pooler": "detect", …}
    on_detection     called with a dict for each detection that refuses a proposal, or would
    """
    options = {
        "tenant": tenant,
        "run_migrations": run_migrations,
        "read_only": read_only,
        "semantic": semantic,
        "worker": worker,
        "on_unavailable": on_unavailable,
        "redact": redact,
        "model": model,
        "clock": clock,
        "log": log,
        "busy_timeout_ms": busy_timeout_ms,
        "postgres": postgres,
        "on_detection": on_detection,
    }
    return History(_actionhist.open(os.fspath(uri), options))


# Those that are still open when Python ends are closed while its threads and callbacks still work.
_open_ones: weakref.WeakSet[History] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for history in list(_open_ones):
        history.close()


def _laid_over(given: Fields | None, fields: Fields) -> Fields:
    """The dict with the keyword arguments laid over it; what is no dict is refused by the extension."""
    if given is None:
        return fields
    return {**given, **fields} if fields and isinstance(given, dict) else given


def _resource(
    cluster: Text | None,
    kind: Text | None,
    namespace: Text | None,
    name: Text | None,
    api_group: Text | None = None,
    api_version: Text | None = None,
    uid: Text | None = None,
) -> dict[str, Text | None]:
    return {
        "cluster": cluster,
        "api_group": api_group,
        "api_version": api_version,
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "uid": uid,
    }
