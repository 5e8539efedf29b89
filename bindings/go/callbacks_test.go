package actionhist

import (
	"context"
	"errors"
	"log"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

// One dimension a letter: enough to see that this model was asked.
type letters struct{ fail error }

func (letters) SpaceID() string { return "letters/26/1" }
func (letters) Dimension() int  { return 26 }

func (l letters) Embed(texts []string, _ Role, vectors [][]float32) error {
	for i, text := range texts {
		for _, letter := range strings.ToLower(text) {
			if letter >= 'a' && letter <= 'z' {
				vectors[i][letter-'a']++
			}
		}
	}
	return l.fail
}

func TestAModelOfTheHostPlacesTexts(t *testing.T) {
	ctx := context.Background()
	h := open(t, &Options{Model: letters{}})
	if _, err := h.Record(ctx, restart("a-1")); err != nil {
		t.Fatal(err)
	}
	hits, err := h.Similar(ctx, SimilarQuery{Text: "crashes", Fresh: true})
	if err != nil || len(hits) != 1 || hits[0].Explain.SpaceID != "letters/26/1" {
		t.Fatal(hits, err)
	}
	vector := make([]float32, 26)
	vector[2] = 1
	if hits, err = h.Similar(ctx, SimilarQuery{Vector: vector}); err != nil || len(hits) != 1 {
		t.Fatal(hits, err)
	}
}

// A model that changes its mind about the dimension, and whose vectors are its own.
type stranger struct {
	asked *atomic.Int32
	given int
}

func (stranger) SpaceID() string { return "stranger/3/1" }

func (s stranger) Dimension() int {
	if s.asked.Add(1) > 1 {
		return 1 << 20
	}
	return 3
}

func (s stranger) Embed(_ []string, _ Role, vectors [][]float32) error {
	for i := range vectors {
		vectors[i] = make([]float32, s.given)
		vectors[i][0] = 1
	}
	return nil
}

func TestAModelMayGiveVectorsOfItsOwn(t *testing.T) {
	ctx := context.Background()
	h := open(t, &Options{Model: stranger{new(atomic.Int32), 3}})
	if _, err := h.Record(ctx, restart("a-1")); err != nil {
		t.Fatal(err)
	}
	hits, err := h.Similar(ctx, SimilarQuery{Text: "nothing alike", Fresh: true})
	if err != nil || len(hits) != 1 || hits[0].Explain.Similarity < 0.99 {
		t.Fatal(hits, err)
	}
}

func TestAModelThatGivesVectorsOfAnotherLengthIsRefused(t *testing.T) {
	log.SetOutput(new(lockedBuilder))
	defer log.SetOutput(os.Stderr)
	ctx := context.Background()
	h := open(t, &Options{Model: stranger{new(atomic.Int32), 2}})
	if ok, err := h.WaitIndexed(ctx, 2*time.Minute); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := h.Similar(ctx, SimilarQuery{Text: "x"}); !errors.Is(err, ErrInvalidArgument) {
		t.Fatal(err)
	}
}

func TestAVectorMayChangeOnceItIsGiven(t *testing.T) {
	h := open(t, &Options{Model: letters{}})
	if ok, err := h.WaitIndexed(context.Background(), 2*time.Minute); !ok || err != nil {
		t.Fatal(ok, err)
	}
	vector := make([]float32, 26)
	vector[2] = 1
	search := similarTo(vector)
	vector[2] = float32(math.NaN())
	pointer, err := h.acquire()
	if err != nil {
		t.Fatal(err)
	}
	defer h.release()
	if _, err := search(pointer, nil); err != nil {
		t.Fatal(err)
	}
}

func TestAModelThatFailsIsSaid(t *testing.T) {
	ctx := context.Background()
	h := open(t, &Options{Model: letters{fail: ErrInvalidArgument}})
	if ok, err := h.WaitIndexed(ctx, 2*time.Minute); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := h.Similar(ctx, SimilarQuery{Text: "x"}); !errors.Is(err, ErrInvalidArgument) {
		t.Fatal(err)
	}
}

// The first query lasts until it is told to end; texts of actions always fail.
type lingering struct {
	letters
	once  *sync.Once
	asked chan struct{}
	goOn  chan struct{}
}

func (l lingering) Embed(_ []string, role Role, _ [][]float32) error {
	if role == QueryRole {
		l.once.Do(func() {
			close(l.asked)
			<-l.goOn
		})
	}
	return ErrUnavailable
}

func TestAHistoryMayBeClosedWhileACallbackIsInsideACall(t *testing.T) {
	ctx := context.Background()
	model := lingering{once: new(sync.Once), asked: make(chan struct{}), goOn: make(chan struct{})}
	var h *History
	opened, freed := make(chan struct{}), make(chan struct{})
	h = open(t, &Options{Model: model, Log: func(Level, string) {
		<-opened
		h.Similar(ctx, SimilarQuery{Text: "crashes"})
	}})
	h.free = func(pointer unsafe.Pointer) {
		freeHistory(pointer)
		close(freed)
	}
	close(opened)
	if _, err := h.Record(ctx, restart("a-1")); err != nil {
		t.Fatal(err)
	}
	<-model.asked
	h.Close()
	close(model.goOn)
	<-freed
}

func TestRefusalsAreHeard(t *testing.T) {
	ctx := context.Background()
	clock := newFixedClock(noon)
	var heard []Verdict
	var noticed []DetectionNotice
	h := open(t, &Options{
		Clock:    clock.Now,
		Refused:  func(v Verdict) { heard = append(heard, v) },
		Detected: func(n DetectionNotice) { noticed = append(noticed, n) },
	})
	flip := func(before, after int) Verdict {
		action := restart("")
		action.Time = nil
		action.ActionType = "scale_deployment"
		action.StateBefore = Object{"replicas": before}
		action.Parameters = Object{"replicas": after}
		verdict, err := h.Propose(ctx, action)
		if err != nil {
			t.Fatal(err)
		}
		clock.Advance(5 * time.Minute)
		return verdict
	}
	for i := 0; i < 8 && len(heard) == 0; i++ {
		flip(3+i%2*2, 5-i%2*2)
	}
	found, err := h.Detections(ctx, DetectionQuery{Unresolved: true})
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	ended, err := h.Resolve(ctx, found[0].DetectionID, Resolution{Notes: "seen", FalsePositive: true})
	if err != nil || !ended.FalsePositive || ended.ResolutionNotes != "seen" {
		t.Fatal(ended, err)
	}
	if len(heard) != 1 || heard[0].Allowed || len(heard[0].Detections) == 0 {
		t.Fatal(heard)
	}
	if len(noticed) != 1 || !noticed[0].Fresh || noticed[0].Detection.DetectionID != found[0].DetectionID {
		t.Fatal(noticed)
	}
}

func TestAPanickingCallbackIsAnError(t *testing.T) {
	var text lockedBuilder
	log.SetOutput(&text)
	defer log.SetOutput(os.Stderr)
	var armed atomic.Value
	armed.Store(false)
	h := open(t, &Options{NoSemantic: true, Clock: func() time.Time {
		if armed.Load().(bool) {
			panic("no clock today")
		}
		return noon
	}})
	armed.Store(true)
	_, err := h.Propose(context.Background(), Action{ActionType: "restart"})
	if !errors.Is(err, ErrInvalidArgument) || !strings.Contains(err.Error(), "clock") {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "no clock today") {
		t.Fatal("the panic was swallowed: " + text.String())
	}
}

type lockedBuilder struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (b *lockedBuilder) Write(data []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(data)
}

func (b *lockedBuilder) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}

func TestAFailedOpenLeavesNothingBehind(t *testing.T) {
	for i := 0; i < 100; i++ {
		if h, err := Open("nosuch://", &Options{Log: func(Level, string) {}, Model: letters{}}); err == nil {
			h.Close()
			t.Fatal("opened")
		}
	}
}
