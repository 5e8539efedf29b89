package actionhist

// #include "callbacks.h"
import "C"

import (
	"context"
	"time"
)

// Override says who lets a refused action pass, and why. Both are required.
type Override struct {
	Actor  string `json:"actor"`
	Reason string `json:"reason"`
}

// OverrideRecord is an override as stored.
type OverrideRecord struct {
	OverrideID   string    `json:"override_id"`
	ActionID     string    `json:"action_id"`
	Actor        string    `json:"actor"`
	Reason       string    `json:"reason"`
	OverriddenAt time.Time `json:"overridden_at"`
	DetectionIDs []string  `json:"detection_ids"`
}

// DetectionQuery chooses what the guard found.
type DetectionQuery struct {
	PatternID  string     `json:"pattern_id,omitempty"`
	Scope      string     `json:"scope,omitempty"`
	Resource   *Resource  `json:"resource,omitempty"` // in place of a scope: kind and name at least
	Since      *time.Time `json:"since,omitempty"`
	Until      *time.Time `json:"until,omitempty"`
	Unresolved bool       `json:"unresolved,omitempty"`
	Limit      int        `json:"limit,omitempty"` // 50 if 0
}

// Resolution ends a detection.
type Resolution struct {
	Method        string `json:"method,omitempty"` // timeout, manual-intervention, automatic
	Notes         string `json:"notes,omitempty"`
	FalsePositive bool   `json:"false_positive,omitempty"`
}

// ProposeOverriding is Propose, but stores the action even if it would be refused.
func (h *History) ProposeOverriding(ctx context.Context, action Action, override Override) (Verdict, error) {
	request := Object{"action": action, "override": override}
	return ask[Verdict](ctx, h, operation(&C.actionhist_history_override), request)
}

// Overrides returns who let refused actions pass, newest first; at most 100 if limit is 0.
func (h *History) Overrides(ctx context.Context, since *time.Time, limit int) ([]OverrideRecord, error) {
	request := Object{"since": since, "limit": orDefault(limit)}
	return ask[[]OverrideRecord](ctx, h, operation(&C.actionhist_history_overrides), request)
}

// Detection returns what the guard found, or nil.
func (h *History) Detection(ctx context.Context, detectionID string) (*Detection, error) {
	request := Object{"detection_id": detectionID}
	return ask[*Detection](ctx, h, operation(&C.actionhist_history_detection), request)
}

// Detections returns what the guard found, newest first.
func (h *History) Detections(ctx context.Context, query DetectionQuery) ([]Detection, error) {
	return ask[[]Detection](ctx, h, operation(&C.actionhist_history_detections), query)
}

// Resolve ends a detection, so that it refuses nothing any more.
func (h *History) Resolve(ctx context.Context, detectionID string, resolution Resolution) (Detection, error) {
	request := Object{"detection_id": detectionID, "resolution": resolution}
	return ask[Detection](ctx, h, operation(&C.actionhist_history_resolve), request)
}

// Settle ends the detections that are over and judges older preventions, at most 1,000 at once.
func (h *History) Settle(ctx context.Context) (Object, error) {
	return ask[Object](ctx, h, operation(&C.actionhist_history_settle), Object{})
}

// GuardPolicy returns what the guard takes for one resource instead of the patterns' own.
func (h *History) GuardPolicy(ctx context.Context, resource Resource) (Object, error) {
	return ask[Object](ctx, h, operation(&C.actionhist_history_guard_policy), Object{"resource": resource})
}

// SetGuardPolicy sets it, by the names that GuardPolicy returns.
func (h *History) SetGuardPolicy(ctx context.Context, resource Resource, policy Object) error {
	request := Object{"resource": resource, "policy": policy}
	return h.call(ctx, operation(&C.actionhist_history_set_guard_policy), request, nil)
}

// RemovePattern forgets a pattern; its detections stay. False if there is none.
func (h *History) RemovePattern(ctx context.Context, patternID string) (bool, error) {
	return ask[bool](ctx, h, operation(&C.actionhist_history_remove_pattern), Object{"pattern_id": patternID})
}
