package actionhist

import "time"

// Verdict is the answer to a proposed action. A refusal is an answer, not an error.
type Verdict struct {
	Allowed      bool        `json:"allowed"`
	Decision     string      `json:"decision"` // allowed, blocked, cooling, escalate, alternative
	Repeated     bool        `json:"repeated"` // the same id was decided before, in the same way
	Reason       string      `json:"reason"`   // one sentence for people
	RetryAfter   *time.Time  `json:"retry_after"`
	Trace        *Trace      `json:"trace"` // what was stored; nil when refused, and always for Check
	Detections   []Detection `json:"detections"`
	Shadowed     []Detection `json:"shadowed"` // of patterns that only watch
	NotEvaluated []string    `json:"not_evaluated"`
	Overridden   bool        `json:"overridden"` // it would have been refused

	Alternative *Recommendation `json:"alternative"` // what to do instead, when the decision is so
}

// Detection is one instance of a pattern, with the evidence to redraw it.
type Detection struct {
	DetectionID      string     `json:"detection_id"`
	PatternID        string     `json:"pattern_id"`
	PatternType      string     `json:"pattern_type"` // "scale-oscillation"
	Scope            string     `json:"scope"`        // "resource:…", "correlation:…", "session:…"
	Resources        []string   `json:"resources"`
	ActionIDs        []string   `json:"action_ids"` // oldest first
	Confidence       float64    `json:"confidence"`
	Severity         string     `json:"severity"`
	SubKind          string     `json:"sub_kind"`
	Evidence         Object     `json:"evidence"`
	AsOf             time.Time  `json:"as_of"`
	FirstAt          time.Time  `json:"first_at"`
	LastAt           time.Time  `json:"last_at"`
	Prevention       string     `json:"prevention"`
	InForceUntil     *time.Time `json:"in_force_until"`
	Refusals         int64      `json:"refusals"`
	Overrides        int64      `json:"overrides"` // actions that somebody let pass all the same
	RefusedIDs       []string   `json:"refused_ids"`
	ResolvedAt       *time.Time `json:"resolved_at"`
	ResolutionMethod string     `json:"resolution_method"`
	ResolutionNotes  string     `json:"resolution_notes"`
	FalsePositive    bool       `json:"false_positive"`
	Shadow           bool       `json:"shadow"` // it refuses nothing

	// Whether the prevention helped, and more about it. Nil as long as nobody knows.
	PreventionSuccessful *bool  `json:"prevention_successful"`
	PreventionDetails    Object `json:"prevention_details"`
}

// Pattern is a kind of oscillation to watch for. What is left empty takes the shipped value of its type.
type Pattern struct {
	PatternID            string     `json:"pattern_id,omitempty"`
	PatternType          string     `json:"pattern_type,omitempty"`
	Name                 string     `json:"pattern_name,omitempty"`
	Description          string     `json:"description,omitempty"`
	MinOccurrences       int        `json:"min_occurrences,omitempty"`
	TimeWindowMinutes    int64      `json:"time_window_minutes,omitempty"`
	Thresholds           Object     `json:"threshold_config,omitempty"`
	ActionSequence       []string   `json:"action_sequence,omitempty"` // instead of the rule of the type
	ResourceTypes        []string   `json:"resource_types,omitempty"`
	Namespaces           []string   `json:"namespaces,omitempty"`
	LabelSelectors       Object     `json:"label_selectors,omitempty"`
	Prevention           string     `json:"prevention_strategy,omitempty"`
	PreventionParameters Object     `json:"prevention_parameters,omitempty"`
	AlertingEnabled      *bool      `json:"alerting_enabled,omitempty"`
	AlertSeverity        string     `json:"alert_severity,omitempty"`
	AlertChannels        []string   `json:"alert_channels,omitempty"`
	AlertWebhook         Object     `json:"alert_webhook,omitempty"` // {"url": "https://…"}
	TotalDetections      int64      `json:"total_detections,omitempty"`
	LastDetectionAt      *time.Time `json:"last_detection_at,omitempty"`
	SuccessRate          *float64   `json:"prevention_success_rate,omitempty"`
	FalsePositiveRate    *float64   `json:"false_positive_rate,omitempty"`
	CreatedAt            *time.Time `json:"created_at,omitempty"`
	UpdatedAt            *time.Time `json:"updated_at,omitempty"`
	Shadow               bool       `json:"shadow,omitempty"` // it watches and refuses nothing
	Active               *bool      `json:"active,omitempty"`
}
