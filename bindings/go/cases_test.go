package actionhist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The scenarios that every language runs: tests/cases of the project.

type scenario struct {
	Name  string
	Clock time.Time
	Steps []step
}

type step struct {
	AdvanceMinutes int `json:"advance_minutes"`
	Call           string
	Request        json.RawMessage
	Answer         any
	Error          string
	Message        string
}

// read turns the request into the value that a user of Go would give.
func read[T any](request json.RawMessage) T {
	var value T
	decoder := json.NewDecoder(strings.NewReader(string(request)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		panic(fmt.Sprintf("%s: %v", request, err))
	}
	return value
}

type arguments struct {
	ActionID     string     `json:"action_id"`
	At           *time.Time `json:"at"`
	Outcome      Outcome    `json:"outcome"`
	Correction   bool       `json:"correction"`
	Assessment   Assessment `json:"assessment"`
	FollowUp     string     `json:"follow_up"`
	Relation     string     `json:"relation"`
	Resource     *Resource  `json:"resource"`
	Policy       *Policy    `json:"policy"`
	Limit        int        `json:"limit"`
	ChangedSince *time.Time `json:"changed_since"`
	TimeoutMS    int64      `json:"timeout_ms"`
	SpaceID      string     `json:"space_id"`
	Force        bool       `json:"force"`
	Renew        bool       `json:"renew"`
	Source       string     `json:"source"`
	Target       string     `json:"target"`
	ThreadID     string     `json:"thread_id"`
	CheckpointNS string     `json:"checkpoint_ns"`
	CheckpointID string     `json:"checkpoint_id"`

	Keys   []json.RawMessage `json:"keys"`
	Writes []CheckpointWrite `json:"writes"`
	Items  []struct {
		ItemChange
		TTLSeconds float64 `json:"ttl_seconds"`
	} `json:"items"`
}

func keysOf[K any](keys []json.RawMessage) []K {
	values := make([]K, len(keys))
	for i, key := range keys {
		values[i] = read[K](key)
	}
	return values
}

func perform(h *History, s step) (any, error) {
	ctx := context.Background()
	switch s.Call {
	case "record":
		return h.Record(ctx, read[Action](s.Request))
	case "record_many":
		return h.RecordMany(ctx, read[[]Action](s.Request))
	case "propose":
		return h.Propose(ctx, read[Action](s.Request))
	case "check":
		return h.Check(ctx, read[Action](s.Request))
	case "find":
		return h.Find(ctx, read[Query](s.Request))
	case "similar":
		query := read[struct {
			SimilarQuery
			Vector []float32 `json:"vector"`
		}](s.Request)
		query.SimilarQuery.Vector = query.Vector
		return h.Similar(ctx, query.SimilarQuery)
	case "detect":
		return h.Detect(ctx, read[DetectQuery](s.Request))
	case "observe":
		// Go's time is never absent, and then the year 1.
		return nil, h.Observe(ctx, read[Alert](s.Request))
	case "detections":
		return h.Detections(ctx, read[DetectionQuery](s.Request))
	case "put_pattern":
		return nil, h.PutPattern(ctx, read[Pattern](s.Request))
	case "health":
		return h.Health(ctx)
	}
	switch s.Call {
	case "recommend":
		return h.Recommend(ctx, read[RecommendQuery](s.Request))
	case "retention_plan":
		return h.RetentionPlan(ctx, read[RetentionRequest](s.Request))
	case "apply_retention":
		return h.ApplyRetention(ctx, read[RetentionRequest](s.Request))
	case "fit_space":
		return h.FitSpace(ctx, read[FitOptions](s.Request))
	case "evaluate":
		return h.Evaluate(ctx, read[EvaluationOptions](s.Request))
	case "item_namespaces":
		return h.Items().Namespaces(ctx, read[NamespaceQuery](s.Request))
	case "search_items":
		query := read[struct {
			ItemQuery
			Renew *bool `json:"renew"`
		}](s.Request)
		query.NoRenew = query.Renew != nil && !*query.Renew
		return h.Items().Search(ctx, query.ItemQuery)
	case "put_checkpoint":
		return nil, h.Checkpoints().Put(ctx, read[Checkpoint](s.Request))
	case "find_checkpoints":
		return h.Checkpoints().Find(ctx, read[CheckpointQuery](s.Request))
	case "spaces":
		return h.Spaces(ctx)
	case "backfill":
		return h.Backfill(ctx)
	}
	a := read[arguments](s.Request)
	switch s.Call {
	case "get":
		return h.Get(ctx, a.ActionID)
	case "start":
		return h.Start(ctx, a.ActionID, a.At)
	case "complete":
		if a.Correction {
			return h.Correct(ctx, a.ActionID, a.Outcome)
		}
		return h.Complete(ctx, a.ActionID, a.Outcome)
	case "assess":
		return h.Assess(ctx, a.ActionID, a.Assessment)
	case "link":
		return h.Link(ctx, a.ActionID, a.FollowUp, a.Relation)
	case "erase":
		return h.Delete(ctx, a.ActionID)
	case "resource_seen":
		return nil, h.ResourceSeen(ctx, *a.Resource, a.At)
	case "resource_deleted":
		return h.ResourceDeleted(ctx, *a.Resource, a.At)
	case "summaries":
		return h.Summaries(ctx, a.ChangedSince, a.Limit)
	case "retention_policy":
		return h.RetentionPolicy(ctx, a.Resource)
	case "retention_policies":
		return h.RetentionPolicies(ctx)
	case "set_retention_policy":
		return nil, h.SetRetentionPolicy(ctx, a.Policy, a.Resource)
	case "analyse":
		return h.Analyse(ctx, a.Limit)
	case "retention_operations":
		return h.RetentionOperations(ctx, a.Limit)
	case "put_items":
		changes := make([]ItemChange, len(a.Items))
		for i, item := range a.Items {
			changes[i] = item.ItemChange
			changes[i].TTL = time.Duration(item.TTLSeconds * float64(time.Second))
		}
		return nil, h.Items().Put(ctx, changes...)
	case "get_items":
		return h.Items().Get(ctx, keysOf[ItemKey](a.Keys)...)
	case "sweep_items":
		return h.Items().Sweep(ctx, a.Limit)
	case "put_checkpoint_writes":
		key := CheckpointKey{a.ThreadID, a.CheckpointNS, a.CheckpointID}
		return nil, h.Checkpoints().PutWrites(ctx, key, a.Writes...)
	case "remove_checkpoints":
		return h.Checkpoints().Remove(ctx, keysOf[CheckpointKey](a.Keys)...)
	case "remove_checkpoint_thread":
		return nil, h.Checkpoints().RemoveThread(ctx, a.ThreadID)
	case "copy_checkpoint_thread":
		return nil, h.Checkpoints().CopyThread(ctx, a.Source, a.Target)
	case "switch_space":
		return h.SwitchSpace(ctx, a.SpaceID, a.Force)
	case "drop_space":
		return h.DropSpace(ctx, a.SpaceID)
	case "failed_subjects":
		return h.FailedSubjects(ctx, a.Limit)
	case "retry_failed":
		return h.RetryFailed(ctx)
	case "wait_indexed":
		return h.WaitIndexed(ctx, time.Duration(a.TimeoutMS)*time.Millisecond)
	}
	panic("no call " + s.Call)
}

// matches compares by the rules of tests/cases/README.md. What Go shows as a zero value is missing too.
func matches(expected, found any) bool {
	switch wanted := expected.(type) {
	case nil:
		return found == nil || found == "" || found == float64(0)
	case map[string]any:
		given, ok := found.(map[string]any)
		if !ok {
			return false
		}
		for name, part := range wanted {
			if !matches(part, given[name]) {
				return false
			}
		}
		return true
	case []any:
		given, _ := found.([]any)
		if len(wanted) != len(given) {
			return false
		}
		for i := range wanted {
			if !matches(wanted[i], given[i]) {
				return false
			}
		}
		return true
	case float64:
		given, ok := found.(float64)
		return ok && math.Abs(wanted-given) <= 1e-9
	}
	return expected == found
}

func asJSON(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestSharedScenarios(t *testing.T) {
	files, err := filepath.Glob("../../tests/cases/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios found", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var scenarios []scenario
		if err := json.Unmarshal(text, &scenarios); err != nil {
			t.Fatal(file, err)
		}
		for _, s := range scenarios {
			t.Run(s.Name, func(t *testing.T) { runScenario(t, s) })
		}
	}
}

func runScenario(t *testing.T, s scenario) {
	clock := newFixedClock(s.Clock)
	h := open(t, &Options{Clock: clock.Now})
	for i, step := range s.Steps {
		if step.AdvanceMinutes > 0 {
			clock.Advance(time.Duration(step.AdvanceMinutes) * time.Minute)
			continue
		}
		answer, err := perform(h, step)
		if step.Error != "" {
			var failure *Error
			if !errors.As(err, &failure) || failure.Code.Error() != step.Error ||
				!strings.Contains(failure.Message, step.Message) {
				t.Errorf("step %d, %s: got %v, wanted %s with %q", i, step.Call, err, step.Error, step.Message)
			}
			continue
		}
		if err != nil {
			t.Fatalf("step %d, %s: %v", i, step.Call, err)
		}
		if !matches(step.Answer, asJSON(t, answer)) {
			t.Errorf("step %d, %s: got %+v, wanted %v", i, step.Call, answer, step.Answer)
		}
	}
}
