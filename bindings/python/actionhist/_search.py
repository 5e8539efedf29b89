"""Reading what is stored, by field and by meaning."""

from __future__ import annotations

from typing import Iterable, Mapping

from ._actionhist import Hit, Trace
from ._arguments import Fields, Text, Time, resource_of
from ._opened import Opened
from ._page import Page
from ._twins import twin


class Search(Opened):
    """What is stored, found by field and by meaning."""

    __slots__ = ()

    def get(self, action_id: Text) -> Trace | None:
        """The action, or None if it is not stored."""
        return self._handle.get(action_id)

    aget = twin(get)

    def history(
        self,
        *,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
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
        resource = resource_of(cluster, kind, namespace, name, api_group)
        return Page(*self._handle.history(resource, correlation_id, since, until, where, limit, cursor))

    ahistory = twin(history)

    def similar(
        self,
        text: str | None = None,
        *,
        action_id: Text | None = None,
        vector: Iterable[float] | None = None,
        limit: int = 10,
        where: Fields | None = None,
        threshold: float | None = None,
        percentile: float | None = None,
        mmr_lambda: float | None = None,
        distinct: float | None = None,
        weights: Mapping[str, float] | None = None,
        fresh: bool = False,
    ) -> list[Hit]:
        """Past actions like a text, an action or a vector, best first, that pass the filter `where`.

        threshold    the least score, from 0 to 1
        percentile   from 0 to 100: no hit is less like the query than so many percent of the pairs of stored texts
                     are like each other; unlike a threshold it means the same for every model
        mmr_lambda   from 0 to 1: hits that differ from those before them come earlier (maximal marginal relevance)
        distinct     above 0: of actions that are so much alike (cosine) only the best, and none like `action_id`
        weights      of context, action and outcome, where an action has a vector of each (a model "aspects:…");
                     what is not named counts for nothing
        fresh        first waits until all that was recorded is searchable
        """
        return self._handle.similar(
            text, action_id, vector, limit, where, threshold, percentile, mmr_lambda, distinct, weights, fresh
        )

    asimilar = twin(similar)

    def summaries(self, changed_since: Time | None = None, *, limit: int = 1000) -> list[Fields]:
        """Resources at a glance, the last touched first. Times are RFC 3339; what is absent is left out."""
        return self._handle.summaries(changed_since, limit)

    asummaries = twin(summaries)

    def wait_indexed(self, timeout: float = 30) -> bool:
        """Waits until all that was recorded before is searchable here. False after `timeout` seconds."""
        return self._handle.wait_indexed(timeout)

    await_indexed = twin(wait_indexed)
