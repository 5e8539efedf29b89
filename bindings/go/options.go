package actionhist

import (
	"encoding/json"
	"math"
	"time"
)

// Level of a log message.
type Level int32

const (
	Debug Level = iota
	Info
	Warning
	LogError
)

// Role says whether a text to embed is stored or asked for.
type Role int32

const (
	Document Role = iota
	QueryRole
)

// Model turns text into vectors, instead of the built-in model. Embed may be called from several goroutines at
// once and gives one row of Dimension() numbers a text, which it fills or replaces. An error that is ErrInvalidArgument refuses the texts
// for ever; after any other they are tried again.
type Model interface {
	SpaceID() string // names the model and its version: vectors of two spaces are never compared
	Dimension() int  // asked once, by Open
	Embed(texts []string, role Role, vectors [][]float32) error
}

// DetectionNotice is what Options.Detected is told.
type DetectionNotice struct {
	Text          string    `json:"text"` // the notice in one sentence
	Detection     Detection `json:"detection"`
	ActionID      string    `json:"action_id"`  // that was proposed
	Fresh         bool      `json:"fresh"`      // found now, not in force already
	Overridden    bool      `json:"overridden"` // the action was stored all the same
	AlertSeverity string    `json:"alert_severity"`
	AlertChannels []string  `json:"alert_channels"`
}

// Options of Open; the zero value is the default. Functions may be called from any goroutine and must not close
// the History that calls them. One that panics is logged and counts as having failed.
type Options struct {
	Tenant           string // "default" if empty; PostgreSQL needs one
	NoMigrations     bool   // a database of another schema version is refused
	ReadOnly         bool
	NoSemantic       bool // Similar uses the text search of the database
	NoWorker         bool // another process makes actions searchable
	AllowUnavailable bool // Propose allows what cannot be stored (ErrUnavailable), without a trace
	Redact           []string
	Postgres         Object        // {"schema": "actionhist", "pool_max": 20, "statement_timeout_ms": 30000, …}
	BusyTimeout      time.Duration // how long a write waits for another process; 10 s if 0
	ModelURI         string        // a model of the library instead of Model: "static:FOLDER", "https://HOST/v1#MODEL", …
	UpkeepInterval   time.Duration // how often a thread does Upkeep, in whole seconds; never here if 0
	ModelOptions     Object        // {"query_prefix": "query: "}
	IndexFolder      string        // where the index keeps its files; beside the database if empty
	NoIndexFiles     bool          // it keeps none

	Model   Model
	Clock   func() time.Time
	Log     func(level Level, message string)
	Refused func(verdict Verdict) // called for every proposal that is refused
	// Called after each batch of SwitchSpace and Backfill ("switch_space", "backfill") with what is done and about what
	// is left, after each pass of FitSpace ("fit_space") over the texts, and after each transaction of ApplyRetention ("apply_retention") with the actions removed and the
	// resources left. False ends the work with ErrCancelled; another call goes on from there.
	Progress func(operation string, done, left int64) bool
	// Called for each detection of a pattern with alerting enabled: those that refuse a proposal, or would have, and
	// those that Analyse and Upkeep find.
	Detected func(notice DetectionNotice)
}

func (o *Options) settings() ([]byte, error) {
	settings := Object{
		"run_migrations": !o.NoMigrations,
		"read_only":      o.ReadOnly,
		"semantic":       !o.NoSemantic,
		"worker":         !o.NoWorker,
	}
	if o.Tenant != "" {
		settings["tenant"] = o.Tenant
	}
	if o.AllowUnavailable {
		settings["on_unavailable"] = "allow"
	}
	if len(o.Redact) > 0 {
		settings["redact"] = o.Redact
	}
	if len(o.Postgres) > 0 {
		settings["postgres"] = o.Postgres
	}
	if o.ModelURI != "" {
		settings["model"] = o.ModelURI
	}
	if len(o.ModelOptions) > 0 {
		settings["model_options"] = o.ModelOptions
	}
	if o.BusyTimeout != 0 {
		settings["busy_timeout_ms"] = o.BusyTimeout.Milliseconds()
	}
	if o.IndexFolder != "" || o.NoIndexFiles {
		settings["index_folder"] = o.IndexFolder
	}
	if o.UpkeepInterval != 0 {
		settings["upkeep_seconds"] = int(math.Ceil(o.UpkeepInterval.Seconds()))
	}
	return json.Marshal(settings)
}
