package actionhist

// #include "callbacks.h"
import "C"

import (
	"context"
	"time"
)

// ContextQuery describes the situation that a language model is to act in: at least one of its first four.
type ContextQuery struct {
	Text         string    `json:"text,omitempty"`
	AlertName    string    `json:"alert_name,omitempty"`
	Resource     *Resource `json:"resource,omitempty"`
	SpecHash     string    `json:"spec_hash,omitempty"`
	BudgetTokens int       `json:"budget_tokens,omitempty"` // 2,000 if 0
	JSON         bool      `json:"json,omitempty"`          // content as JSON text instead of sentences
}

// Briefing is what a language model should know before it acts.
type Briefing struct {
	Content string `json:"content"`
	Tokens  int64  `json:"tokens"`  // of the content, at most the budget
	Omitted int64  `json:"omitted"` // sentences for which the budget did not suffice
}

// MetricQuery chooses metrics. The zero value takes all but those of single resources.
type MetricQuery struct {
	Scope      string     `json:"scope_type,omitempty"` // global, namespace, resource-type, alert-type, model, resource
	ScopeValue string     `json:"scope_value,omitempty"`
	Resource   *Resource  `json:"resource,omitempty"`      // for the scope resource
	Period     string     `json:"metric_period,omitempty"` // 1h, 24h, 7d, 30d
	ActionType string     `json:"action_type,omitempty"`
	Since      *time.Time `json:"since,omitempty"`
	Until      *time.Time `json:"until,omitempty"`
	Limit      int        `json:"limit,omitempty"` // 1,000 if 0
}

// Metric is how effective the assessed actions of a type were, in one scope and period.
type Metric struct {
	Scope            string    `json:"scope_type"`
	ScopeValue       string    `json:"scope_value"`
	Period           string    `json:"metric_period"`
	Start            time.Time `json:"period_start"`
	End              time.Time `json:"period_end"`
	ActionType       string    `json:"action_type"`
	SampleSize       int64     `json:"sample_size"`
	Average          float64   `json:"average_score"`
	Median           float64   `json:"median_score"`
	Deviation        float64   `json:"std_deviation"`
	Lower            float64   `json:"confidence_interval_lower"` // of 95 %
	Upper            float64   `json:"confidence_interval_upper"`
	Trend            string    `json:"trend_direction"` // improving, stable, declining, unknown
	TrendConfidence  *float64  `json:"trend_confidence"`
	TrendSlope       *float64  `json:"trend_slope"`
	MinSampleSizeMet bool      `json:"min_sample_size_met"`
	Significance     *float64  `json:"statistical_significance"` // p against the period before
	Adjusted         *float64  `json:"adjusted_significance"`    // over all metrics of the answer
	Alarm            bool      `json:"alarm"`
}

// MetricRefresh is what RefreshMetrics did.
type MetricRefresh struct {
	Hours   int64 `json:"hours"` // with new or changed scores
	Periods int64 `json:"periods"`
	Metrics int64 `json:"metrics"`
}

// Context says what a language model should know before it acts, within a budget of tokens.
func (h *History) Context(ctx context.Context, query ContextQuery) (Briefing, error) {
	return ask[Briefing](ctx, h, operation(&C.actionhist_history_context), query)
}

// Metrics returns effectiveness as of the last RefreshMetrics, newest period first.
func (h *History) Metrics(ctx context.Context, query MetricQuery) ([]Metric, error) {
	return ask[[]Metric](ctx, h, operation(&C.actionhist_history_metrics), query)
}

// RefreshMetrics computes the metrics of the periods whose scores changed, or all of them. Both give the same.
func (h *History) RefreshMetrics(ctx context.Context, full bool) (MetricRefresh, error) {
	return ask[MetricRefresh](ctx, h, operation(&C.actionhist_history_refresh_metrics), Object{"full": full})
}

// LeaseAssessments returns ended actions whose assessment is due, each to one worker at a time. What is not assessed
// before the lease ends is given out again. At most 10 if limit is 0, for a minute if lease is.
func (h *History) LeaseAssessments(ctx context.Context, worker string, limit int, lease time.Duration) ([]Trace, error) {
	seconds := orDefault(int64(lease / time.Second))
	request := Object{"worker": worker, "limit": orDefault(limit), "lease_seconds": seconds}
	return ask[[]Trace](ctx, h, operation(&C.actionhist_history_lease_assessments), request)
}
