package actionhist

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestTheRemovalOfOldActionsIsSeenAndEnded(t *testing.T) {
	ctx := context.Background()
	var removed []int64
	stops := true
	h := open(t, &Options{NoSemantic: true, Clock: newFixedClock(noon).Now, Progress: func(operation string, done, left int64) bool {
		if operation != "apply_retention" || left > 1 {
			t.Error(operation, left)
		}
		removed = append(removed, done)
		return !stops
	}})
	for i := 0; i < 10; i++ {
		action := restart(fmt.Sprint("a-", i))
		action.Time = Ptr(noon.Add(time.Duration(i-48) * time.Hour))
		action.Outcome = Outcome{Status: Completed}
		if _, err := h.Record(ctx, action); err != nil {
			t.Fatal(err)
		}
	}
	request := RetentionRequest{Policy: &Policy{MaxActions: 2, Strategy: "oldest-first"}, Batch: 3}
	if _, err := h.ApplyRetention(ctx, request); !errors.Is(err, ErrCancelled) || len(removed) != 1 || removed[0] != 3 {
		t.Fatal(removed, err)
	}
	stops = false
	if run, err := h.ApplyRetention(ctx, request); err != nil || run.Removed != 5 {
		t.Fatal(run, err)
	}
}
