"""What agents did and what became of it, and what they saw."""

from __future__ import annotations

from typing import Any, Iterable, Sequence

from ._actionhist import Trace
from ._arguments import Fields, Text, Time, laid_over, resource_of
from ._opened import Opened
from ._twins import twin


class Recording(Opened):
    """What is stored: actions with their outcomes, alerts, and the resources that exist."""

    __slots__ = ()

    def record(self, action: Fields | None = None, /, **fields: Any) -> Trace:
        """Stores an action as it happened, without asking the guard.

        An action whose id is already stored is returned as it stands, with `stored` False. Fields that the
        library does not know go to `metadata`; what is a part of the resource, misspelt, is refused.
        """
        return self._handle.record(laid_over(action, fields))

    arecord = twin(record)

    def record_many(self, actions: Iterable[Fields]) -> list[Trace]:
        """Stores all in one transaction and returns their traces in order. On error nothing is stored."""
        return self._handle.record_many(actions)

    arecord_many = twin(record_many)

    def import_actions(self, actions: Iterable[Fields]) -> Fields:
        """Stores what another source tells, a transcript or traces, in one transaction.

        Unlike with record_many(), an action that is stored and has not ended is completed once it is told of as ended.
        Returns how many were `stored`, `completed`, and `present` already.
        """
        return self._handle.import_actions(actions)

    aimport_actions = twin(import_actions)

    def start(self, action_id: Text, at: Time | None = None) -> Trace:
        """pending → executing, at the clock's time if `at` is not given.

        Of an action that is executing already the trace has `stored` False: somebody else is doing it.
        """
        return self._handle.start(action_id, at)

    astart = twin(start)

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

        The same outcome again returns the stored trace; other fields of the same status replace what they name, and
        what is not given keeps its value. After another status that ended it Conflict is raised unless `correction`,
        or what was completed is rolled back.
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

    acomplete = twin(complete)

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

    aassess = twin(assess)

    def lease_assessments(self, worker: Text, *, limit: int = 10, lease_seconds: int = 60) -> list[Trace]:
        """Ended actions whose assessment is due, each to one worker at a time."""
        return self._handle.lease_assessments(worker, limit, lease_seconds)

    alease_assessments = twin(lease_assessments)

    def observe(self, alert: Fields | None = None, /, **fields: Any) -> None:
        """Notes that an alert fired or ended: alert_name and starts_at are required."""
        self._handle.observe(laid_over(alert, fields))

    aobserve = twin(observe)

    def link(self, action_id: Text, follow_up: Text, relation: Text) -> Trace:
        """Adds a follow-up to an action, with its relation, such as "correction"."""
        return self._handle.link(action_id, follow_up, relation)

    alink = twin(link)

    def delete(self, action_id: Text) -> bool:
        """Forgets an action; its id stays taken. False if there is none."""
        return self._handle.delete(action_id)

    adelete = twin(delete)

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
        resource = resource_of(cluster, kind, namespace, name, api_group, api_version, uid)
        self._handle.resource_seen(resource, at)

    aresource_seen = twin(resource_seen)

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
        resource = resource_of(cluster, kind, namespace, name, api_group, api_version)
        return self._handle.resource_deleted(resource, at)

    aresource_deleted = twin(resource_deleted)
