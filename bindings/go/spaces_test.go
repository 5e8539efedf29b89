package actionhist

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

func recordTroubles(t *testing.T, h *History, count int) {
	t.Helper()
	kinds := []struct{ actionType, reasoning string }{
		{"increase_memory", "the container was killed because its memory limit is too low"},
		{"expand_volume", "the volume has no free space left and writes fail"},
	}
	actions := make([]Action, count)
	for i := range actions {
		action := restart(fmt.Sprintf("a-%d", i))
		action.ActionType = kinds[i%2].actionType
		action.Reasoning = fmt.Sprintf("%s, case %d", kinds[i%2].reasoning, i*7919%1000)
		actions[i] = action
	}
	if _, err := h.RecordMany(context.Background(), actions); err != nil {
		t.Fatal(err)
	}
}

func TestAFittedModelBecomesTheSpaceThatIsSearched(t *testing.T) {
	ctx := context.Background()
	h := open(t, &Options{Clock: newFixedClock(noon).Now})
	recordTroubles(t, h, 40)
	if ok, err := h.WaitIndexed(ctx, time.Minute); err != nil || !ok {
		t.Fatal(ok, err)
	}
	spaces, err := h.Spaces(ctx)
	if err != nil || len(spaces) != 1 || !spaces[0].Active || spaces[0].Vectors != 40 {
		t.Fatal(spaces, err)
	}
	fitted, err := h.FitSpace(ctx, FitOptions{Dimension: 8})
	if err != nil || !fitted.Fitted || fitted.Dimension > 8 {
		t.Fatal(fitted, err)
	}
	changed, err := h.SwitchSpace(ctx, fitted.SpaceID, true)
	if err != nil || !changed.Switched || changed.Previous != spaces[0].SpaceID || changed.Embedded != 40 {
		t.Fatal(changed, err)
	}
	if _, err := h.DropSpace(ctx, fitted.SpaceID); !errors.Is(err, ErrConflict) {
		t.Fatal(err)
	}
	if dropped, err := h.DropSpace(ctx, spaces[0].SpaceID); err != nil || !dropped {
		t.Fatal(dropped, err)
	}
	if _, err := h.SwitchSpace(ctx, "nosuch", false); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	quality, err := h.Evaluate(ctx, EvaluationOptions{Queries: 10})
	if err != nil || quality.Documents != 40 || len(quality.Spaces) != 1 {
		t.Fatal(quality, err)
	}
}

func TestABackfillTellsHowFarItIsAndCanBeEnded(t *testing.T) {
	ctx := context.Background()
	var left []int64
	goOn := false
	h := open(t, &Options{NoSemantic: true, Progress: func(operation string, _, rest int64) bool {
		if operation != "backfill" {
			t.Error(operation)
		}
		left = append(left, rest)
		return goOn
	}})
	recordTroubles(t, h, 10)
	if _, err := h.Backfill(ctx); !errors.Is(err, ErrCancelled) {
		t.Fatal(err)
	}
	goOn = true
	if _, err := h.Backfill(ctx); err != nil || left[len(left)-1] != 0 {
		t.Fatal(left, err)
	}
	if done, err := h.Backfill(ctx); err != nil || done != 0 {
		t.Fatal(done, err)
	}
	if failed, err := h.FailedSubjects(ctx, 10); err != nil || len(failed) != 0 {
		t.Fatal(failed, err)
	}
	if queued, err := h.RetryFailed(ctx); err != nil || queued != 0 {
		t.Fatal(queued, err)
	}
}

func TestAProgressThatPanicsEndsTheWork(t *testing.T) {
	var text lockedBuilder
	log.SetOutput(&text)
	defer log.SetOutput(os.Stderr)
	h := open(t, &Options{NoSemantic: true, Progress: func(string, int64, int64) bool { panic("no bar today") }})
	recordTroubles(t, h, 2)
	if _, err := h.Backfill(context.Background()); !errors.Is(err, ErrCancelled) {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "no bar today") {
		t.Fatal("the panic was swallowed: " + text.String())
	}
}

func TestVectorsFromElsewhereAreImported(t *testing.T) {
	ctx := context.Background()
	h := open(t, nil)
	recordTroubles(t, h, 3)
	done, err := h.ImportVectors(ctx, "mine/2", []string{"a-0", "nobody"}, [][]float32{{1, 2}, {3, 4}})
	if err != nil || done != (VectorImport{Stored: 1, Unknown: 1}) {
		t.Fatal(done, err)
	}
	nan := float32(math.NaN())
	for _, wrong := range []struct {
		vectors [][]float32
		message string
	}{
		{[][]float32{{1, 2}, {3, 4}}, "vectors: are 2, ids are 1"},
		{[][]float32{{}}, "vectors"},
		{[][]float32{{1, nan}}, "vectors[0]"},
	} {
		_, err := h.ImportVectors(ctx, "mine/2", []string{"a-1"}, wrong.vectors)
		if !errors.Is(err, ErrInvalidArgument) || !strings.Contains(err.Error(), wrong.message) {
			t.Errorf("%s: got %v", wrong.message, err)
		}
	}
	_, err = h.ImportVectors(ctx, "mine/2", []string{"a-1", "a-2"}, [][]float32{{1, 2}, {3}})
	if !errors.Is(err, ErrInvalidArgument) || !strings.Contains(err.Error(), "vectors[1]") {
		t.Fatal(err)
	}
	if _, err := h.ImportVectors(ctx, "mine/2", []string{"a-1"}, [][]float32{{1, 2, 3}}); !errors.Is(err, ErrConflict) {
		t.Fatal(err)
	}
}
