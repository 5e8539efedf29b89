package actionhist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestEffectivenessIsMeasuredAndTold(t *testing.T) {
	ctx := context.Background()
	h := open(t, &Options{Clock: newFixedClock(noon).Now})
	action := restart("a-1")
	if _, err := h.Record(ctx, action); err != nil {
		t.Fatal(err)
	}
	outcome := Outcome{Status: "completed", DueAt: Ptr(noon.Add(-time.Minute))}
	if _, err := h.Complete(ctx, "a-1", outcome); err != nil {
		t.Fatal(err)
	}
	due, err := h.LeaseAssessments(ctx, "w", 10, time.Minute)
	if err != nil || len(due) != 1 || due[0].ActionID != "a-1" {
		t.Fatalf("due: %v, %v", due, err)
	}
	if again, err := h.LeaseAssessments(ctx, "v", 10, time.Minute); err != nil || len(again) != 0 {
		t.Fatalf("leased twice: %v, %v", again, err)
	}
	if _, err := h.Assess(ctx, "a-1", Assessment{Score: Ptr(0.7)}); err != nil {
		t.Fatal(err)
	}
	if done, err := h.RefreshMetrics(ctx, false); err != nil || done.Hours != 1 {
		t.Fatalf("refresh: %+v, %v", done, err)
	}
	days, err := h.Metrics(ctx, MetricQuery{Scope: "global", Period: "24h"})
	if err != nil || len(days) != 1 || days[0].Average != 0.7 || days[0].SampleSize != 1 || days[0].Alarm {
		t.Fatalf("metrics: %+v, %v", days, err)
	}
	told, err := h.Context(ctx, ContextQuery{Resource: action.Resource, BudgetTokens: 500})
	if err != nil || told.Tokens > 500 || !strings.Contains(told.Content, "restart_deployment") {
		t.Fatalf("context: %+v, %v", told, err)
	}
	if _, err := h.Context(ctx, ContextQuery{}); !errors.Is(err, ErrInvalidArgument) {
		t.Fatalf("an empty situation: %v", err)
	}
}

func TestTheIndexKeepsItsFilesWhereItIsTold(t *testing.T) {
	folder := t.TempDir()
	for _, options := range []Options{{IndexFolder: filepath.Join(folder, "index")}, {NoIndexFiles: true}} {
		h, err := Open(filepath.Join(folder, "a.db"), &options)
		if err != nil {
			t.Fatal(err)
		}
		// Fewer than some hundred are read from the feed again rather than kept in files.
		actions := make([]Action, 400)
		for i := range actions {
			actions[i] = restart(fmt.Sprintf("%v-%d", options.NoIndexFiles, i))
		}
		if _, err := h.RecordMany(context.Background(), actions); err != nil {
			t.Fatal(err)
		}
		if done, err := h.WaitIndexed(context.Background(), time.Minute); err != nil || !done {
			t.Fatalf("not indexed: %v", err)
		}
		h.Close()
		_, err = os.Stat(filepath.Join(folder, "index"))
		if (err == nil) != (options.IndexFolder != "") {
			t.Fatalf("files in the folder: %v", err)
		}
		if _, err := os.Stat(filepath.Join(folder, "a.db.index")); err == nil {
			t.Fatal("files beside the database")
		}
		os.RemoveAll(filepath.Join(folder, "index"))
	}
}
