package actionhist

// #include "callbacks.h"
import "C"

import (
	"context"
	"time"
)

// Policy says how long actions are kept. The zero value of a field is its default: everything is kept.
type Policy struct {
	MaxActions        int64    `json:"max_actions,omitempty"` // of one resource
	MaxAgeDays        int64    `json:"max_age_days,omitempty"`
	Strategy          string   `json:"compaction_strategy,omitempty"` // oldest-first, effectiveness-based, pattern-aware
	MinEffectiveness  *float64 `json:"min_effectiveness,omitempty"`
	PatternExamples   *int     `json:"pattern_examples,omitempty"`
	HighEffectiveness *int     `json:"high_effectiveness,omitempty"`
	LegalHold         bool     `json:"legal_hold,omitempty"`
	Compact           bool     `json:"compact,omitempty"` // what goes leaves its sums behind
}

// PolicyRule is a policy that was set: for one resource, or the default.
type PolicyRule struct {
	ResourceID string   `json:"resource_id,omitempty"`
	Resource   Resource `json:"resource_reference"`
	Policy     Policy   `json:"policy"`
}

// RetentionRequest chooses a resource, or all; Policy stands for those that were set.
type RetentionRequest struct {
	Resource *Resource `json:"resource,omitempty"`
	Policy   *Policy   `json:"policy,omitempty"`
	Batch    int       `json:"batch,omitempty"` // actions a transaction, 500 if 0; not for plans
}

// RetentionOperation is what a run did to one resource.
type RetentionOperation struct {
	OperationID    string     `json:"operation_id"`
	RunID          string     `json:"run_id"`
	ResourceID     string     `json:"resource_id"`
	Type           string     `json:"operation_type"`
	Strategy       string     `json:"strategy_used"`
	RecordsBefore  int64      `json:"records_before"`
	RecordsAfter   int64      `json:"records_after"`
	RecordsDeleted int64      `json:"records_deleted"`
	Start          time.Time  `json:"operation_start"`
	End            *time.Time `json:"operation_end"`
	Status         string     `json:"operation_status"` // running, completed, failed
	Error          string     `json:"error_message"`
}

// RetentionRun is what ApplyRetention did.
type RetentionRun struct {
	RunID      string               `json:"run_id"`
	Removed    int64                `json:"removed"`
	Alerts     int64                `json:"alerts"` // firings of alerts that went
	Operations []RetentionOperation `json:"operations"`
}

// RetentionPolicy returns the policy that a resource follows; the default for nil.
func (h *History) RetentionPolicy(ctx context.Context, resource *Resource) (Policy, error) {
	return ask[Policy](ctx, h, operation(&C.actionhist_history_retention_policy), Object{"resource": resource})
}

// RetentionPolicies returns the policies that were set, the default first.
func (h *History) RetentionPolicies(ctx context.Context) ([]PolicyRule, error) {
	return ask[[]PolicyRule](ctx, h, operation(&C.actionhist_history_retention_policies), Object{})
}

// SetRetentionPolicy sets the policy of a resource, or the default for nil; a nil policy takes it away.
func (h *History) SetRetentionPolicy(ctx context.Context, policy *Policy, resource *Resource) error {
	request := Object{"policy": policy, "resource": resource}
	return h.call(ctx, operation(&C.actionhist_history_set_retention_policy), request, nil)
}

// RetentionPlan says what would go now and why, by the names of docs/c-abi.md.
func (h *History) RetentionPlan(ctx context.Context, request RetentionRequest) ([]Object, error) {
	return ask[[]Object](ctx, h, operation(&C.actionhist_history_retention_plan), request)
}

// ApplyRetention removes what the plan says. What is done when the context ends stays done.
func (h *History) ApplyRetention(ctx context.Context, request RetentionRequest) (RetentionRun, error) {
	return ask[RetentionRun](ctx, h, operation(&C.actionhist_history_apply_retention), request)
}

// RetentionOperations returns what runs did, the newest first; at most 100 if limit is 0.
func (h *History) RetentionOperations(ctx context.Context, limit int) ([]RetentionOperation, error) {
	run := operation(&C.actionhist_history_retention_operations)
	return ask[[]RetentionOperation](ctx, h, run, Object{"limit": orDefault(limit)})
}

// Compacted returns the monthly sums that policies with Compact have left of a resource.
func (h *History) Compacted(ctx context.Context, resource *Resource) ([]Object, error) {
	return ask[[]Object](ctx, h, operation(&C.actionhist_history_compacted), Object{"resource": resource})
}
