package actionhist

// #include "callbacks.h"
import "C"

import "context"

// Analysis is what Analyse did.
type Analysis struct {
	Resources  int64 `json:"resources"`  // looked at
	Detections int64 `json:"detections"` // new ones
}

// Anomalies finds runs of actions that did not go as usual. The query is {"as_of", "since", "history_days", "where",
// "quantile", "limit"}.
func (h *History) Anomalies(ctx context.Context, query Object) (Object, error) {
	return ask[Object](ctx, h, operation(&C.actionhist_history_anomalies), named(query))
}

// Clusters groups similar actions and names the groups. The query is {"where", "since", "until", "actions", "seed",
// "clusters"}.
func (h *History) Clusters(ctx context.Context, query Object) (Object, error) {
	return ask[Object](ctx, h, operation(&C.actionhist_history_clusters), named(query))
}

// Duplicates finds actions that say nearly the same; the query has a "threshold" beside what Clusters has.
func (h *History) Duplicates(ctx context.Context, query Object) ([]Object, error) {
	return ask[[]Object](ctx, h, operation(&C.actionhist_history_duplicates), named(query))
}

// Projection gives the actions as points of a picture; the query has "dimensions" beside what Clusters has.
func (h *History) Projection(ctx context.Context, query Object) (Object, error) {
	return ask[Object](ctx, h, operation(&C.actionhist_history_projection), named(query))
}

// Analyse looks for patterns in at most `limit` resources of which something changed, 100 if it is 0; also in what was
// recorded without asking. What it finds is noted and refuses nothing.
func (h *History) Analyse(ctx context.Context, limit int) (Analysis, error) {
	return ask[Analysis](ctx, h, operation(&C.actionhist_history_analyse), Object{"limit": orDefault(limit)})
}

// Upkeep does what is due from time to time: analyses resources, settles detections, refreshes the metrics.
func (h *History) Upkeep(ctx context.Context) (Object, error) {
	return ask[Object](ctx, h, operation(&C.actionhist_history_upkeep), Object{})
}

// An absent query is one without wishes.
func named(query Object) Object {
	if query == nil {
		return Object{}
	}
	return query
}
