package actionhist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// A clock that stands still until it is moved.
type fixedClock struct {
	mutex sync.Mutex
	time  time.Time
}

func newFixedClock(at time.Time) *fixedClock { return &fixedClock{time: at} }

func (c *fixedClock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.time
}

func (c *fixedClock) Advance(by time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.time = c.time.Add(by)
}

func open(t *testing.T, options *Options) *History {
	t.Helper()
	h, err := Open("memory:", options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func restart(id string) Action {
	return Action{
		ActionID:   id,
		Time:       Ptr(noon),
		ActionType: "restart_deployment",
		AlertName:  "KubePodCrashLooping",
		Reasoning:  "The pod crashes after each start.",
		Resource:   &Resource{Kind: "Deployment", Namespace: "prod", Name: "web"},
	}
}

func TestAnActionSurvivesInItsFile(t *testing.T) {
	ctx := context.Background()
	uri := "sqlite:" + filepath.Join(t.TempDir(), "history.db")
	h, err := Open(uri, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Record(ctx, restart("a-1")); err != nil {
		t.Fatal(err)
	}
	h.Close()
	h, err = Open(uri, &Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	trace, err := h.Get(ctx, "a-1")
	if err != nil || trace == nil || trace.Resource.Name != "web" || !trace.Time.Equal(noon) {
		t.Fatalf("got %+v, %v", trace, err)
	}
	if _, err := h.Record(ctx, restart("a-2")); !errors.Is(err, ErrDenied) {
		t.Fatalf("a read-only history stored: %v", err)
	}
	if troubles, err := h.Verify(ctx); err != nil || len(troubles) > 0 {
		t.Fatal(troubles, err)
	}
}

func TestAnOutcomeThatIsImportedLaterCompletesItsAction(t *testing.T) {
	ctx := context.Background()
	h := open(t, nil)
	pending := restart("pending")
	if _, err := h.Record(ctx, pending); err != nil {
		t.Fatal(err)
	}
	pending.Status = "completed"
	done, err := h.ImportActions(ctx, []Action{pending, restart("new")})
	if err != nil || done != (ImportResult{Stored: 1, Completed: 1}) {
		t.Fatal(done, err)
	}
	done, err = h.ImportActions(ctx, []Action{pending, restart("new")})
	if err != nil || done != (ImportResult{Present: 2}) {
		t.Fatal(done, err)
	}
}

func TestIntegersKeepAllTheirDigits(t *testing.T) {
	ctx := context.Background()
	h := open(t, nil)
	action := restart("large")
	action.Parameters = Object{"generation": int64(math.MaxInt64), "ratio": 0.1}
	action.StateBefore = Object{"uid": uint64(math.MaxUint64)}
	if _, err := h.Record(ctx, action); err != nil {
		t.Fatal(err)
	}
	trace, err := h.Get(ctx, "large")
	if err != nil || trace == nil {
		t.Fatal(trace, err)
	}
	if got := trace.Parameters["generation"]; got != json.Number("9223372036854775807") {
		t.Errorf("generation: %v", got)
	}
	if ratio, err := trace.Parameters["ratio"].(json.Number).Float64(); err != nil || ratio != 0.1 {
		t.Errorf("ratio: %v %v", ratio, err)
	}
	if got := trace.StateBefore.(Object)["uid"]; got != json.Number("18446744073709551615") {
		t.Errorf("uid: %v", got)
	}
	// What was read may be recorded again.
	again := trace.Action
	again.ActionID = "again"
	if _, err := h.Record(ctx, again); err != nil {
		t.Fatal(err)
	}
	copied, err := h.Get(ctx, "again")
	if err != nil || copied.Parameters["generation"] != trace.Parameters["generation"] {
		t.Error(copied, err)
	}
}

func TestErrorsAreFoundByTheirCode(t *testing.T) {
	h := open(t, nil)
	_, err := h.Complete(context.Background(), "nobody", Outcome{Status: Completed})
	if !errors.Is(err, ErrNotFound) || errors.Is(err, ErrConflict) {
		t.Fatal(err)
	}
	var failure *Error
	if !errors.As(err, &failure) || failure.Code != ErrNotFound || !strings.Contains(err.Error(), "nobody") {
		t.Fatal(err)
	}
	if ErrUnavailable.Error() != "unavailable" {
		t.Fatal(ErrUnavailable.Error())
	}
}

func TestAClosedHistoryRefusesEverything(t *testing.T) {
	h := open(t, nil)
	h.Close()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := h.Record(ctx, restart("a-1")); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	if _, err := h.Health(ctx); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	if _, err := new(History).Health(ctx); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func TestMisuseIsAnErrorThatNamesTheField(t *testing.T) {
	ctx := context.Background()
	h := open(t, nil)
	if ok, err := h.WaitIndexed(ctx, 2*time.Minute); !ok || err != nil {
		t.Fatal(ok, err)
	}
	for name, work := range map[string]func() error{
		"action_type": func() error { _, err := h.Record(ctx, Action{Time: Ptr(noon)}); return err },
		"unsupported value: NaN": func() error {
			action := restart("a-1")
			action.Confidence = Ptr(math.NaN())
			_, err := h.Record(ctx, action)
			return err
		},
		"unsupported type": func() error {
			action := restart("a-1")
			action.Parameters = Object{"callback": func() {}}
			_, err := h.Record(ctx, action)
			return err
		},
		"action_id: is not UTF-8": func() error { _, err := h.Record(ctx, restart("a-\xff")); return err },
		"action_parameters.args[1]: is not UTF-8": func() error {
			action := restart("a-1")
			action.Parameters = Object{"args": []any{"fine", "\xfe"}}
			_, err := h.Record(ctx, action)
			return err
		},
		"1024":      func() error { _, err := h.Similar(ctx, SimilarQuery{Vector: []float32{1}}); return err },
		"limit":     func() error { _, err := h.Find(ctx, Query{Limit: math.MaxInt64}); return err },
		"action_id": func() error { _, err := h.Get(ctx, ""); return err },
		"timeout_ms": func() error {
			_, err := h.WaitIndexed(ctx, -time.Second)
			return err
		},
		"uri":    func() error { _, err := Open("", nil); return err },
		"redact": func() error { _, err := Open("memory:", &Options{Redact: []string{"("}}); return err },
		"no engine": func() error {
			_, err := Open("nosuch://user:secret@host", nil)
			if err != nil && strings.Contains(err.Error(), "secret") {
				return errors.New("the message holds the password")
			}
			return err
		},
	} {
		err := work()
		if !errors.Is(err, ErrInvalidArgument) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if page, err := h.Find(ctx, Query{}); err != nil || len(page.Traces) > 0 {
		t.Error("something was stored", page, err)
	}
}

func TestAContextThatEndedStopsTheCall(t *testing.T) {
	h := open(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.Record(ctx, restart("a-1")); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if trace, err := h.Get(context.Background(), "a-1"); err != nil || trace != nil {
		t.Fatal("a call with an ended context stored something", err)
	}
}

func TestACallReturnsWhenItsContextEnds(t *testing.T) {
	inside := make(chan struct{})
	leave := make(chan struct{})
	var once sync.Once
	armed := make(chan struct{})
	h := open(t, &Options{NoSemantic: true, Clock: func() time.Time {
		select {
		case <-armed:
			once.Do(func() { close(inside) })
			<-leave
		default:
		}
		return noon
	}})
	close(armed)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { _, err := h.Record(ctx, restart("a-1")); done <- err }()
	<-inside
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	// The call is still under way: closing now must wait for it by itself, without blocking us.
	h.Close()
	close(leave)
}

func TestManyGoroutinesShareOneHistory(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	h := open(t, nil)
	const workers, each = 8, 25
	var group sync.WaitGroup
	for w := 0; w < workers; w++ {
		group.Add(1)
		go func(w int) {
			defer group.Done()
			for i := 0; i < each; i++ {
				if _, err := h.Record(ctx, restart(fmt.Sprintf("w-%d-%d", w, i))); err != nil {
					t.Error(err)
				}
				if _, err := h.Similar(ctx, SimilarQuery{Text: "pod crashes", Limit: 2}); err != nil {
					t.Error(err)
				}
			}
		}(w)
	}
	group.Wait()
	page, err := h.Find(ctx, Query{Limit: 10_000})
	if err != nil || len(page.Traces) != workers*each {
		t.Fatal(len(page.Traces), err)
	}
}

func TestClosingWhileOthersCall(t *testing.T) {
	for round := 0; round < 5; round++ {
		h := open(t, &Options{NoSemantic: true})
		var group sync.WaitGroup
		for w := 0; w < 4; w++ {
			group.Add(1)
			go func(w int) {
				defer group.Done()
				for i := 0; ; i++ {
					_, err := h.Record(context.Background(), restart(fmt.Sprintf("%d-%d", w, i)))
					if errors.Is(err, ErrClosed) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			}(w)
		}
		time.Sleep(2 * time.Millisecond)
		h.Close()
		group.Wait()
	}
}
