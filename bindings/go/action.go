package actionhist

import "time"

// Object is a JSON object. The numbers of one that is read are json.Number, so that integers of 64 bits keep all digits.
type Object = map[string]any

// Ptr returns a pointer to a value, for optional fields: Score: actionhist.Ptr(0.9).
func Ptr[T any](value T) *T { return &value }

// orDefault leaves a zero to the library: null and missing are the same in requests.
func orDefault[T comparable](value T) any {
	var zero T
	if value == zero {
		return nil
	}
	return value
}

// Status is where an action stands.
type Status string

const (
	Pending    Status = "pending"
	Executing  Status = "executing"
	Completed  Status = "completed"
	Failed     Status = "failed"
	RolledBack Status = "rolled-back"
	Cancelled  Status = "cancelled"
	Escalated  Status = "escalated"
)

// Effect says whether an action changes anything; if empty, a table of verbs decides.
type Effect string

const (
	Mutating Effect = "mutating"
	ReadOnly Effect = "read_only"
)

// Action is what an agent wants to do or did, with its cause. ActionType is required, and Time to record it.
type Action struct {
	ActionID      string     `json:"action_id,omitempty"` // at most 255 bytes; made if empty
	CorrelationID string     `json:"correlation_id,omitempty"`
	SessionID     string     `json:"session_id,omitempty"`
	Actor         string     `json:"actor,omitempty"`
	Environment   string     `json:"environment,omitempty"`
	Time          *time.Time `json:"action_timestamp,omitempty"`

	AlertName        string     `json:"alert_name,omitempty"`
	AlertSeverity    string     `json:"alert_severity,omitempty"`
	AlertLabels      Object     `json:"alert_labels,omitempty"`
	AlertAnnotations Object     `json:"alert_annotations,omitempty"`
	AlertFiringTime  *time.Time `json:"alert_firing_time,omitempty"`
	AlertFingerprint string     `json:"alert_fingerprint,omitempty"`

	Model        string   `json:"model_used,omitempty"`
	RoutingTier  string   `json:"routing_tier,omitempty"`
	Confidence   *float64 `json:"model_confidence,omitempty"` // 0 to 1
	Reasoning    string   `json:"model_reasoning,omitempty"`
	Alternatives any      `json:"alternative_actions,omitempty"`

	ActionType  string    `json:"action_type,omitempty"`
	Effect      Effect    `json:"effect,omitempty"`
	Parameters  Object    `json:"action_parameters,omitempty"`
	Resource    *Resource `json:"resource_reference,omitempty"`
	Owner       string    `json:"owner,omitempty"` // "Deployment/web": the guarded resource, if another
	StateBefore any       `json:"resource_state_before,omitempty"`
	PreSpecHash string    `json:"pre_spec_hash,omitempty"`
	FollowUps   any       `json:"follow_up_actions,omitempty"`
	Metadata    Object    `json:"metadata,omitempty"` // fields of your own

	Outcome
}

// Outcome is what became of an action. In Complete a field that is empty keeps its value.
type Outcome struct {
	Status               Status     `json:"execution_status,omitempty"`
	StartTime            *time.Time `json:"execution_start_time,omitempty"`
	EndTime              *time.Time `json:"execution_end_time,omitempty"`
	DurationMS           *int64     `json:"execution_duration_ms,omitempty"`
	ExecutionError       string     `json:"execution_error,omitempty"`
	KubernetesOperations any        `json:"kubernetes_operations,omitempty"`
	StateAfter           any        `json:"resource_state_after,omitempty"`
	PostSpecHash         string     `json:"post_spec_hash,omitempty"`
	ResultHash           string     `json:"result_hash,omitempty"` // the same twice means no progress
	Score                *float64   `json:"effectiveness_score,omitempty"`
	Criteria             Object     `json:"effectiveness_criteria,omitempty"`
	AssessedAt           *time.Time `json:"effectiveness_assessed_at,omitempty"`
	AssessmentMethod     string     `json:"effectiveness_assessment_method,omitempty"`
	Notes                string     `json:"effectiveness_notes,omitempty"`
	DueAt                *time.Time `json:"effectiveness_due_at,omitempty"`
}

// Trace is an action as stored.
type Trace struct {
	Action
	ResourceID string    `json:"resource_id,omitempty"` // empty when the resource is not known well enough
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
	Stored     bool      `json:"stored"` // false when this call found it there already
}

// Assessment says how well an action worked, by its parts or as a whole; each is 0 to 1.
type Assessment struct {
	Health     *float64   `json:"health,omitempty"`  // weight .40: is the resource healthy?
	Alert      *float64   `json:"alert,omitempty"`   // weight .35: did the alert end?
	Metrics    *float64   `json:"metrics,omitempty"` // weight .25: did the target metric improve?
	Score      *float64   `json:"score,omitempty"`
	Criteria   Object     `json:"criteria,omitempty"`
	Method     string     `json:"method,omitempty"` // automated, manual, ml-derived
	Notes      string     `json:"notes,omitempty"`
	AssessedAt *time.Time `json:"assessed_at,omitempty"`
}

// Alert fired or ended. Name and StartsAt are required.
type Alert struct {
	Name        string     `json:"alert_name,omitempty"`
	Fingerprint string     `json:"alert_fingerprint,omitempty"`
	Severity    string     `json:"alert_severity,omitempty"`
	Labels      Object     `json:"alert_labels,omitempty"`
	Resource    *Resource  `json:"resource_reference,omitempty"`
	StartsAt    time.Time  `json:"starts_at"`
	EndsAt      *time.Time `json:"ends_at,omitempty"`
}
