"""What worked: recommendations, metrics, and the context of a language model."""

from __future__ import annotations


from ._arguments import Fields, Text, Time, resource_of
from ._opened import Opened
from ._twins import twin


class Learning(Opened):
    """What worked and what did not."""

    __slots__ = ()

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
        api_group: Text | None = None,
        action_id: Text | None = None,
        where: Fields | None = None,
        limit: int = 5,
        neighbours: int = 20,
        explore: bool = False,
        fresh: bool = False,
    ) -> Fields:
        """What worked in situations like this one, as {"actions": […], "avoid": […]}, best and worst first.

        Each has its expected success with a lower and an upper quantile, the share of the similar cases that
        it was chosen for, the effective sample size, examples and a reason. `explore` ranks by the upper
        quantile and how like the best case is.
        """
        query = {
            "text": text,
            "alert_name": alert_name,
            "alert_severity": alert_severity,
            "resource": resource_of(cluster, kind, namespace, name, api_group),
            "action_id": action_id,
            "where": where,
            "limit": limit,
            "neighbours": neighbours,
            "explore": explore,
            "fresh": fresh,
        }
        return self._handle.recommend(query)

    arecommend = twin(recommend)

    def context(
        self,
        text: str | None = None,
        *,
        alert_name: Text | None = None,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
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
            "resource": resource_of(cluster, kind, namespace, name, api_group),
            "spec_hash": spec_hash,
            "budget_tokens": budget_tokens,
            "json": json,
        }
        return self._handle.context(query)

    acontext = twin(context)

    def metrics(
        self,
        *,
        scope_type: Text | None = None,
        scope_value: Text | None = None,
        kind: Text | None = None,
        namespace: Text | None = None,
        name: Text | None = None,
        cluster: Text | None = None,
        api_group: Text | None = None,
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
            "resource": resource_of(cluster, kind, namespace, name, api_group),
            "metric_period": metric_period,
            "action_type": action_type,
            "since": since,
            "until": until,
            "limit": limit,
        }
        return self._handle.metrics(query)

    ametrics = twin(metrics)

    def refresh_metrics(self, full: bool = False) -> Fields:
        """Computes the metrics of the periods whose scores changed, or all of them. Both give the same."""
        return self._handle.refresh_metrics(full)

    arefresh_metrics = twin(refresh_metrics)

    def anomalies(
        self,
        *,
        as_of: Time | None = None,
        since: Time | None = None,
        history_days: int = 30,
        where: Fields | None = None,
        quantile: float = 0.99,
        limit: int = 50,
    ) -> Fields:
        """Runs of actions that did not go as usual, as {"runs", "judged", "history", "enough", "threshold", …}.

        A run is all actions of one correlation or session. What is usual is learned from the `history_days`
        before `since`, which is the last 24 hours if not given.
        """
        query = {
            "as_of": as_of,
            "since": since,
            "history_days": history_days,
            "where": where,
            "quantile": quantile,
            "limit": limit,
        }
        return self._handle.anomalies(query)

    aanomalies = twin(anomalies)

    def clusters(
        self,
        clusters: int = 0,
        *,
        where: Fields | None = None,
        since: Time | None = None,
        until: Time | None = None,
        actions: int = 2000,
        seed: int = 1,
    ) -> Fields:
        """Groups of similar actions with names, as {"clusters", "actions", "complete", "silhouette"}.

        0 clusters are as many as separate best. The newest `actions` that match are looked at.
        """
        query = {"where": where, "since": since, "until": until, "actions": actions, "seed": seed}
        return self._handle.clusters({**query, "clusters": clusters})

    aclusters = twin(clusters)

    def duplicates(
        self,
        threshold: float = 0.95,
        *,
        where: Fields | None = None,
        since: Time | None = None,
        until: Time | None = None,
        actions: int = 2000,
    ) -> list[Fields]:
        """Actions that say nearly the same, as {"action_ids", "similarity"}, the largest group first."""
        query = {"where": where, "since": since, "until": until, "actions": actions}
        return self._handle.duplicates({**query, "threshold": threshold})

    aduplicates = twin(duplicates)

    def projection(
        self,
        dimensions: int = 2,
        *,
        where: Fields | None = None,
        since: Time | None = None,
        until: Time | None = None,
        actions: int = 2000,
    ) -> Fields:
        """The actions as points of a picture, as {"points": [{"action_id", "action_type", "at"}], "explained", …}."""
        query = {"where": where, "since": since, "until": until, "actions": actions}
        return self._handle.projection({**query, "dimensions": dimensions})

    aprojection = twin(projection)

    def analyse(self, limit: int = 100) -> Fields:
        """Looks for patterns in resources of which something changed, as {"resources", "detections"}.

        Also in what was recorded without asking. What it finds is noted and refuses nothing.
        """
        return self._handle.analyse(limit)

    aanalyse = twin(analyse)

    def upkeep(self) -> Fields:
        """Does what is due from time to time: analyses resources, settles detections, refreshes the metrics."""
        return self._handle.upkeep()

    aupkeep = twin(upkeep)
