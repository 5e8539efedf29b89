"""What is kept, and for how long."""

from __future__ import annotations

from typing import Callable

from ._arguments import Fields, Text, resource_of
from ._opened import Opened
from ._twins import twin


class Retention(Opened):
    """What goes when, and what stays."""

    __slots__ = ()

    def retention_policy(
        self,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
    ) -> Fields:
        """The policy that a resource follows; the default without kind and name."""
        return self._handle.retention_policy(resource_of(cluster, kind, namespace, name, api_group))

    aretention_policy = twin(retention_policy)

    def retention_policies(self) -> list[Fields]:
        """All policies that were set, the default first."""
        return self._handle.retention_policies()

    aretention_policies = twin(retention_policies)

    def set_retention_policy(
        self,
        policy: Fields | None,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
    ) -> None:
        """Sets the policy of one resource, or of all others without kind and name; None takes it away.

        {"max_actions": 1000, "max_age_days": 30, "compaction_strategy": "pattern-aware"}
        """
        self._handle.set_retention_policy(policy, resource_of(cluster, kind, namespace, name, api_group))

    aset_retention_policy = twin(set_retention_policy)

    def retention_plan(
        self,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
        policy: Fields | None = None,
    ) -> list[Fields]:
        """What would go now and why, a dict for each resource. `policy` stands for those that were set."""
        return self._handle.retention_plan(resource_of(cluster, kind, namespace, name, api_group), policy)

    aretention_plan = twin(retention_plan)

    def apply_retention(
        self,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
        policy: Fields | None = None,
        batch: int = 500,
        progress: Callable[[int, int, int], object] | None = None,
    ) -> Fields:
        """Removes what the plan says, `batch` actions a transaction, and returns what was done.

        `progress` is called with the actions removed, the resources done and the resources known so far.
        """
        resource = resource_of(cluster, kind, namespace, name, api_group)
        return self._handle.apply_retention(resource, policy, batch, progress)

    aapply_retention = twin(apply_retention)

    def retention_operations(self, limit: int = 100) -> list[Fields]:
        """What runs did, the newest first."""
        return self._handle.retention_operations(limit)

    aretention_operations = twin(retention_operations)

    def compacted(
        self,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
    ) -> list[Fields]:
        """The monthly sums that policies with `compact` have left of a resource."""
        return self._handle.compacted(resource_of(cluster, kind, namespace, name, api_group))

    acompacted = twin(compacted)
