package actionhist

import (
	"bytes"
	"context"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"
)

func TestItemsArePutFoundAndRemoved(t *testing.T) {
	ctx := context.Background()
	clock := newFixedClock(noon)
	h := open(t, &Options{Clock: clock.Now})
	items := h.Items()
	theme := ItemKey{[]string{"users", "u-1"}, "theme"}
	err := items.Put(ctx,
		ItemChange{ItemKey: theme, Value: Object{"colour": "dark"}, TTL: time.Hour},
		ItemChange{ItemKey: ItemKey{[]string{"users", "u-2"}, "food"}, Value: Object{"text": "pizza with mushrooms"}},
		ItemChange{ItemKey: ItemKey{[]string{"users", "u-2"}, "v"}, Value: Object{}, SpaceID: "mine",
			Vectors: [][]float32{{1, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	found, err := items.Get(ctx, theme, ItemKey{[]string{"users"}, "no"})
	if err != nil || len(found) != 2 || found[1] != nil || found[0].Value["colour"] != "dark" ||
		!found[0].ExpiresAt.Equal(noon.Add(time.Hour)) || *found[0].TTLSeconds != 3600 {
		t.Fatal(found, err)
	}
	clock.Advance(time.Minute)
	for _, step := range []struct {
		read    func(context.Context, ...ItemKey) ([]*Item, error)
		expires time.Time
	}{{items.Peek, noon.Add(time.Hour)}, {items.Get, noon.Add(time.Hour + time.Minute)}} {
		if found, err := step.read(ctx, theme); err != nil || !found[0].ExpiresAt.Equal(step.expires) {
			t.Error(found, err)
		}
	}
	for key, query := range map[string]ItemQuery{
		"theme": {Namespace: []string{"users"}, Where: Object{"colour": "dark"}, NoRenew: true},
		"food":  {Text: "pizza", Limit: 1},
		"v":     {Vector: []float32{2, 0}, SpaceID: "mine", Limit: 1},
	} {
		hits, err := items.Search(ctx, query)
		if err != nil || len(hits) != 1 || hits[0].Key != key {
			t.Errorf("%s: %v, %v", key, hits, err)
		}
	}
	if err := items.Delete(ctx, theme); err != nil {
		t.Fatal(err)
	}
	namespaces, err := items.Namespaces(ctx, NamespaceQuery{Prefix: []string{"*"}})
	if err != nil || !reflect.DeepEqual(namespaces, [][]string{{"users", "u-2"}}) {
		t.Fatal(namespaces, err)
	}
	if swept, err := items.Sweep(ctx, 10); err != nil || swept != 0 {
		t.Fatal(swept, err)
	}
}

func TestItemsThatMeanNothingAreRefusedAndNoneIsWritten(t *testing.T) {
	ctx := context.Background()
	h := open(t, nil)
	good := ItemChange{ItemKey: ItemKey{[]string{"a"}, "k"}, Value: Object{}}
	for name, wrong := range map[string]ItemChange{
		"no namespace":   {ItemKey: ItemKey{nil, "k"}, Value: Object{}},
		"no key":         {ItemKey: ItemKey{[]string{"a"}, ""}, Value: Object{}},
		"a negative ttl": {ItemKey: ItemKey{[]string{"a"}, "x"}, Value: Object{}, TTL: -time.Second},
		"no space":       {ItemKey: ItemKey{[]string{"a"}, "x"}, Value: Object{}, Vectors: [][]float32{{1}}},
		"no number": {ItemKey: ItemKey{[]string{"a"}, "x"}, Value: Object{}, SpaceID: "s",
			Vectors: [][]float32{{float32(math.NaN())}}},
	} {
		if err := h.Items().Put(ctx, good, wrong); !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if found, err := h.Items().Search(ctx, ItemQuery{}); err != nil || len(found) != 0 {
		t.Fatal(found, err)
	}
	h.Close()
	if _, err := h.Items().Get(ctx, good.ItemKey); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func TestACheckpointKeepsItsBytesAndWrites(t *testing.T) {
	ctx := context.Background()
	h := open(t, &Options{Clock: newFixedClock(noon).Now})
	checkpoints := h.Checkpoints()
	key := CheckpointKey{ThreadID: "t", CheckpointID: "1"}
	state := []byte("\x00state\xff")
	checkpoint := Checkpoint{CheckpointKey: key, Format: "raw", State: state, Metadata: Object{"step": 1}}
	if err := checkpoints.Put(ctx, checkpoint); err != nil {
		t.Fatal(err)
	}
	write := CheckpointWrite{TaskID: "a", Channel: "c", Format: "raw", Value: []byte{0, 1}}
	if err := checkpoints.PutWrites(ctx, key, write, CheckpointWrite{TaskID: "a", Place: -1, Channel: "e"}); err != nil {
		t.Fatal(err)
	}
	found, err := checkpoints.Find(ctx, CheckpointQuery{ThreadID: "t", Namespace: Ptr(""), Where: Object{"step": 1}})
	if err != nil || len(found) != 1 || !bytes.Equal(found[0].State, state) || !found[0].CreatedAt.Equal(noon) ||
		len(found[0].Writes) != 2 || !reflect.DeepEqual(found[0].Writes[1], write) {
		t.Fatalf("%+v, %v", found, err)
	}
	light, err := checkpoints.Find(ctx, CheckpointQuery{NoStates: true})
	if err != nil || len(light) != 1 || light[0].State != nil || light[0].Writes != nil {
		t.Fatalf("%+v, %v", light, err)
	}
	if err := checkpoints.CopyThread(ctx, "t", "u"); err != nil {
		t.Fatal(err)
	}
	if removed, err := checkpoints.Remove(ctx, key); err != nil || removed != 1 {
		t.Fatal(removed, err)
	}
	if err := checkpoints.RemoveThread(ctx, "u"); err != nil {
		t.Fatal(err)
	}
	if left, err := checkpoints.Find(ctx, CheckpointQuery{}); err != nil || len(left) != 0 {
		t.Fatal(left, err)
	}
	if err := checkpoints.Put(ctx, Checkpoint{}); !errors.Is(err, ErrInvalidArgument) {
		t.Fatal(err)
	}
}
