"""The guard: its verdicts, the patterns that it watches for, and what it found."""

from __future__ import annotations

from typing import Any

from ._actionhist import Detection, Verdict
from ._arguments import Fields, Text, Time, laid_over, resource_of
from ._errors import InvalidArgument
from ._opened import Opened
from ._twins import twin


class Guard(Opened):
    """What is allowed, what oscillates, and what to do about it."""

    __slots__ = ()

    def propose(
        self, action: Fields | None = None, /, *, override: Fields | None = None, **fields: Any
    ) -> Verdict:
        """Asks the guard and, if it allows, stores the action as pending, in one transaction.

        The same action_id again gets the same verdict, `repeated`, until the action has ended; then Conflict is raised.
        Of several that were allowed to, start() tells who does it.

        With override={"actor": …, "reason": …} it is stored even if it would be refused, and both are kept.
        """
        return self._handle.propose(laid_over(action, fields), override)

    apropose = twin(propose)

    def check(self, action: Fields | None = None, /, **fields: Any) -> Verdict:
        """The decision of propose(), without writing anything and without an override."""
        if "override" in fields:
            raise InvalidArgument("override: check() takes none; give it to propose()")
        return self._handle.check(laid_over(action, fields))

    acheck = twin(check)

    def detect(
        self,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
        correlation_id: Text | None = None,
        session_id: Text | None = None,
        as_of: Time | None = None,
        window_minutes: int | None = None,
    ) -> list[Detection]:
        """Oscillations as of a moment, strongest first, without writing anything.

        Name a resource, a correlation or a session. Without a window each pattern has its own.
        """
        resource = resource_of(cluster, kind, namespace, name, api_group)
        return self._handle.detect(resource, correlation_id, session_id, as_of, window_minutes)

    adetect = twin(detect)

    def patterns(self) -> list[Fields]:
        """The kinds of oscillation that are watched for, as put_pattern() takes them."""
        return self._handle.patterns()

    apatterns = twin(patterns)

    def put_pattern(self, pattern: Fields | None = None, /, **fields: Any) -> None:
        """Adds a pattern or replaces the one with its pattern_id."""
        self._handle.put_pattern(laid_over(pattern, fields))

    aput_pattern = twin(put_pattern)

    def remove_pattern(self, pattern_id: Text) -> bool:
        """Forgets a pattern; its detections stay. False if there is none."""
        return self._handle.remove_pattern(pattern_id)

    aremove_pattern = twin(remove_pattern)

    def detection(self, detection_id: Text) -> Detection | None:
        """What the guard found, or None."""
        return self._handle.detection(detection_id)

    adetection = twin(detection)

    def detections(
        self,
        *,
        pattern_id: Text | None = None,
        scope: Text | None = None,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
        since: Time | None = None,
        until: Time | None = None,
        unresolved: bool = False,
        limit: int = 50,
    ) -> list[Detection]:
        """What the guard found, newest first; on one resource by its kind and name, in place of a scope."""
        resource = resource_of(cluster, kind, namespace, name, api_group)
        return self._handle.detections(pattern_id, scope, resource, since, until, unresolved, limit)

    adetections = twin(detections)

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

    aresolve = twin(resolve)

    def settle(self, limit: int = 1000) -> Fields:
        """Ends the detections that are over, judges preventions of more than a day ago, counts the rates."""
        return self._handle.settle(limit)

    asettle = twin(settle)

    def overrides(self, since: Time | None = None, *, limit: int = 100) -> list[Fields]:
        """Who let refused actions pass, and why, newest first."""
        return self._handle.overrides(since, limit)

    aoverrides = twin(overrides)

    def guard_policy(
        self,
        *,
        kind: Text,
        name: Text,
        namespace: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
    ) -> Fields:
        """What the guard takes for one resource instead of the patterns' own."""
        return self._handle.guard_policy(resource_of(cluster, kind, namespace, name, api_group))

    aguard_policy = twin(guard_policy)

    def set_guard_policy(
        self,
        policy: Fields,
        *,
        kind: Text,
        name: Text,
        namespace: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
    ) -> None:
        """Sets oscillation_window_minutes, effectiveness_threshold and pattern_min_occurrences of a resource."""
        self._handle.set_guard_policy(resource_of(cluster, kind, namespace, name, api_group), policy)

    aset_guard_policy = twin(set_guard_policy)
