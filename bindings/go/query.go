package actionhist

import "time"

// Query chooses actions. Every part that is given must match.
type Query struct {
	Resource      *Resource  `json:"resource,omitempty"`
	CorrelationID string     `json:"correlation_id,omitempty"`
	Since         *time.Time `json:"since,omitempty"` // inclusive
	Until         *time.Time `json:"until,omitempty"` // exclusive
	// Where is a filter: Object{"alert_severity": "critical", "action_parameters.replicas": Object{"$gt": 3}},
	// with $eq $ne $in $nin $gt $gte $lt $lte $exists $and $or $not. Values compare by type.
	Where  Object `json:"where,omitempty"`
	Limit  int    `json:"limit,omitempty"`  // 50 if 0
	Cursor string `json:"cursor,omitempty"` // Next of the page before
}

// Page is a part of the actions, newest first. Next is empty on the last page.
type Page struct {
	Traces []Trace `json:"traces"`
	Next   string  `json:"next"`
}

// SimilarQuery names one of Text, ActionID and Vector.
type SimilarQuery struct {
	Text      string    `json:"text,omitempty"`
	ActionID  string    `json:"action_id,omitempty"` // like this action, without itself
	Vector    []float32 `json:"-"`                   // of the model's dimension
	Limit     int       `json:"limit,omitempty"`     // 10 if 0
	Where     Object    `json:"where,omitempty"`     // as in Query
	Threshold *float64  `json:"threshold,omitempty"` // the least score

	// From 0 to 100: no hit is less like the query than so many percent of the pairs of stored texts are like
	// each other. Unlike a threshold it means the same for every model.
	Percentile *float64 `json:"percentile,omitempty"`
	// From 0 to 1: hits that differ from those before them come earlier (maximal marginal relevance).
	MMRLambda *float64 `json:"mmr_lambda,omitempty"`
	// Above 0: of actions that are so much alike (cosine) only the best, and none like ActionID.
	Distinct *float64 `json:"distinct,omitempty"`
	// By how much each aspect counts, in a space that keeps a vector of each (a model "aspects:…").
	Weights *Aspects `json:"weights,omitempty"`

	Fresh bool `json:"fresh,omitempty"` // first wait until all that was recorded is searchable
}

// Aspects has a number for each vector of an action, where it has three: as a weight, or as a cosine.
type Aspects struct {
	Context float64 `json:"context"` // its alert, the kind of its resource, its reasoning
	Action  float64 `json:"action"`  // its type and parameters
	Outcome float64 `json:"outcome"` // its error and the notes of its assessment
}

// Hit is a past action that is similar, with the reasons for its place.
type Hit struct {
	Score   float64     `json:"score"`
	Explain Explanation `json:"explain"`
	Trace   Trace       `json:"trace"`
}

// Explanation says why a hit is where it is.
type Explanation struct {
	Route        string   `json:"route"`    // "index" or "text"
	Fallback     string   `json:"fallback"` // why not the index, empty if it was
	Similarity   float64  `json:"similarity"`
	BM25         float64  `json:"bm25"`
	MatchedTerms []string `json:"matched_terms"`
	SpaceID      string   `json:"space_id"`
	Seq          int64    `json:"seq"`
	FeedSeq      int64    `json:"feed_seq"`
	Aspects      *Aspects `json:"aspects"` // the cosine of each, where an action has three vectors
}

// DetectQuery names a resource, a correlation or a session.
type DetectQuery struct {
	Resource      *Resource  `json:"resource,omitempty"`
	CorrelationID string     `json:"correlation_id,omitempty"`
	SessionID     string     `json:"session_id,omitempty"`
	AsOf          *time.Time `json:"as_of,omitempty"`          // the clock if nil
	WindowMinutes int        `json:"window_minutes,omitempty"` // each pattern's own if 0
}

// Summary is a resource at a glance.
type Summary struct {
	ResourceID          string          `json:"resource_id"`
	Resource            Resource        `json:"resource_reference"`
	TotalActions        int64           `json:"total_actions"`
	LastActionAt        *time.Time      `json:"last_action_at"`
	Last24h             int64           `json:"last_24h"`
	Last7d              int64           `json:"last_7d"`
	SuccessRate         *float64        `json:"success_rate"`
	RecentEffectiveness *float64        `json:"recent_effectiveness"`
	ActivePatterns      []ActivePattern `json:"active_patterns"`
}

// ActivePattern is a pattern in force on a resource.
type ActivePattern struct {
	PatternType  string    `json:"pattern_type"`
	Severity     string    `json:"severity"`
	LastDetected time.Time `json:"last_detected"`
}

// Health says how database, feed and index are. More holds everything, by the names of docs/c-abi.md.
type Health struct {
	Live       bool    `json:"live"`
	Ready      bool    `json:"ready"` // the database answers
	Error      string  `json:"error"` // why it is not ready
	LagSeconds float64 `json:"lag_seconds"`
	IndexOn    bool    `json:"index_on"`
	IndexError string  `json:"index_error"`
	More       Object  `json:"-"`
}
