package actionhist

// #include "callbacks.h"
import "C"

import (
	"context"
	"time"
)

// RecommendQuery describes a situation: in words, by its alert, by its resource, or as that of a stored action.
type RecommendQuery struct {
	Text          string    `json:"text,omitempty"`
	AlertName     string    `json:"alert_name,omitempty"`
	AlertSeverity string    `json:"alert_severity,omitempty"`
	Resource      *Resource `json:"resource,omitempty"`
	ActionID      string    `json:"action_id,omitempty"`
	Where         Object    `json:"where,omitempty"`      // which past actions may speak
	Limit         int       `json:"limit,omitempty"`      // of each list, 5 if 0
	Neighbours    int       `json:"neighbours,omitempty"` // similar actions that are heard, 20 if 0
	Explore       bool      `json:"explore,omitempty"`    // so that what is little known is tried
	Fresh         bool      `json:"fresh,omitempty"`
}

// Recommendations are what worked in such situations, best first, and what did not, worst first.
type Recommendations struct {
	Actions  []Recommendation `json:"actions"`
	Avoid    []Recommendation `json:"avoid"`
	Likeness float64          `json:"likeness"` // of the best case there is, 0 to 1
	// Supported says whether any of them is; if not, nothing like the situation is known.
	Supported bool   `json:"supported"`
	Fallback  string `json:"fallback"` // why the words of the database were searched, empty for the index
}

// Recommendation is a type of action with what speaks for it. An association, not a proof.
type Recommendation struct {
	ActionType          string            `json:"action_type"`
	ExpectedSuccess     float64           `json:"expected_success"`
	Lower               float64           `json:"lower"`     // its 10 % quantile
	Upper               float64           `json:"upper"`     // its 90 % quantile
	Likeness            float64           `json:"likeness"`  // how like the situation its best case is, by itself
	Supported           bool              `json:"supported"` // by a case like this; else it is what usually holds
	Share               float64           `json:"share"`
	UsualSuccess        float64           `json:"usual_success"`
	EffectiveSampleSize float64           `json:"effective_sample_size"`
	SimilarCases        int64             `json:"similar_cases"`
	AllCases            int64             `json:"all_cases"`
	Parameters          Object            `json:"action_parameters"`
	Reason              string            `json:"reason"`
	Examples            []RecommendedCase `json:"examples"`
}

// RecommendedCase is a past action that speaks for or against.
type RecommendedCase struct {
	ActionID   string    `json:"action_id"`
	Time       time.Time `json:"action_timestamp"`
	Resource   string    `json:"resource"`
	AlertName  string    `json:"alert_name"`
	Similarity float64   `json:"similarity"`
	Outcome    *float64  `json:"outcome"` // nil when nobody knows
}

// Recommend says what worked in situations like this one, and what to avoid.
func (h *History) Recommend(ctx context.Context, query RecommendQuery) (Recommendations, error) {
	return ask[Recommendations](ctx, h, operation(&C.actionhist_history_recommend), query)
}
