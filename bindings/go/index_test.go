package actionhist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func threeRows(t *testing.T, options IndexOptions) *Index {
	t.Helper()
	index, err := NewIndex(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { index.Close() })
	err = index.Put(context.Background(),
		IndexRow{ID: "a", Text: "pod crashes at start", Fields: Object{"kind": "Pod"}, Vector: []float32{1, 0, 0},
			Version: math.MaxUint64},
		IndexRow{ID: "b", Text: "volume full", Fields: Object{"kind": "Volume"}, Vector: []float32{0, 1, 0}},
		IndexRow{ID: "c", Fields: Object{"kind": "Pod"}, Vector: []float32{0, 0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func TestAnIndexFindsByVectorTextAndFilter(t *testing.T) {
	ctx := context.Background()
	index := threeRows(t, IndexOptions{Dimension: 3})
	for name, query := range map[string]IndexQuery{
		"b": {Vector: []float32{0, 2, 0}},
		"a": {Text: "crashes"},
		"c": {Vector: []float32{0, 2, 1}, Where: Object{"kind": "Pod"}},
	} {
		hits, err := index.Search(ctx, query)
		if err != nil || len(hits) == 0 || hits[0].ID != name {
			t.Errorf("%s: %v, %v", name, hits, err)
		}
	}
	many, err := index.SearchMany(ctx, [][]float32{{0, 2, 0}, {3, 0, 0}}, IndexQuery{Limit: 1})
	if err != nil || len(many) != 2 || many[0][0].ID != "b" || many[1][0].ID != "a" {
		t.Fatal(many, err)
	}
	plan, err := index.Explain(ctx, IndexQuery{Vector: []float32{1, 0, 0}, Where: Object{"kind": "Pod"}})
	if err != nil || plan.Matching != 2 || plan.Route == "" {
		t.Fatal(plan, err)
	}
}

func TestAnIndexTellsHowAlikeItsVectorsAre(t *testing.T) {
	ctx := context.Background()
	index := threeRows(t, IndexOptions{Dimension: 3, Parts: []int{1, 2}})
	for id, vector := range map[string][]float32{"a": {1, 1, 0}, "b": {2, 0, 5}, "c": {-1, 0, 1}} {
		if ok, err := index.SetVector(ctx, id, vector); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	if vector, err := index.Vector(ctx, "b"); err != nil || !reflect.DeepEqual(vector, []float32{1, 0, 1}) {
		t.Error(vector, err)
	}
	if vector, err := index.Vector(ctx, "no"); err != nil || vector != nil {
		t.Error(vector, err)
	}
	for _, of := range []struct {
		percentile float64
		weights    []float64
		similarity float64
	}{{0, nil, -0.5}, {100, nil, 0.5}, {100, []float64{3, 1}, 0.75}} {
		similarity, err := index.SimilarityAt(ctx, of.percentile, of.weights...)
		if err != nil || math.Abs(similarity-of.similarity) > 1e-6 {
			t.Errorf("%v: %v, %v", of, similarity, err)
		}
	}
	if _, err := index.SimilarityAt(ctx, 101); !errors.Is(err, ErrInvalidArgument) {
		t.Error(err)
	}
	if err := index.Clear(ctx); err != nil {
		t.Fatal(err)
	}
	if similarity, err := index.SimilarityAt(ctx, 50); err != nil || !math.IsInf(similarity, -1) {
		t.Error(similarity, err)
	}
	whole, err := EstimatedBytes(1000, IndexOptions{Dimension: 384})
	if err != nil {
		t.Fatal(err)
	}
	codes, err := EstimatedBytes(1000, IndexOptions{Dimension: 384, Precision: "byte"})
	if err != nil || codes == 0 || codes >= whole {
		t.Error(codes, whole, err)
	}
	if _, err := EstimatedBytes(1, IndexOptions{}); !errors.Is(err, ErrInvalidArgument) {
		t.Error(err)
	}
}

func TestThePartsOfVectorsCountByWeight(t *testing.T) {
	ctx := context.Background()
	index := threeRows(t, IndexOptions{Dimension: 3, Parts: []int{1, 2}})
	for name, weights := range map[string][]float64{"a": {3, 1}, "b": {1, 3}} {
		hits, err := index.Search(ctx, IndexQuery{Vector: []float32{2, 3, 0}, Weights: weights})
		if err != nil || len(hits) != 3 || hits[0].ID != name || len(hits[0].Parts) != 2 {
			t.Errorf("%s: %v, %v", name, hits, err)
		}
	}
	_, err := index.Search(ctx, IndexQuery{Vector: []float32{2, 3, 0}, Weights: []float64{1}})
	if !errors.Is(err, ErrInvalidArgument) || !strings.Contains(err.Error(), "weights") {
		t.Error(err)
	}
}

func TestAnIndexIsChangedSavedAndOpened(t *testing.T) {
	ctx := context.Background()
	index := threeRows(t, IndexOptions{Dimension: 3, Metric: "inner_product", Precision: "half"})
	if version, err := index.Version(ctx, "a"); err != nil || version == nil || *version != math.MaxUint64 {
		t.Fatal(version, err)
	}
	if version, err := index.Version(ctx, "no"); err != nil || version != nil {
		t.Fatal(version, err)
	}
	if ok, err := index.SetFields(ctx, "b", Object{"kind": "Pod"}); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if ok, err := index.SetVector(ctx, "b", []float32{0, 3, 0}); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if ok, err := index.Remove(ctx, "a"); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if err := index.Optimize(ctx); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "index")
	if err := index.Save(ctx, folder, Object{"seq": 3}); err != nil {
		t.Fatal(err)
	}
	opened, err := OpenIndex(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	stats, err := opened.Stats(ctx)
	if err != nil || stats.Rows != 2 || stats.Note["seq"] != json.Number("3") || stats.Damage != "" {
		t.Fatal(stats, err)
	}
	if err := opened.Clear(ctx); err != nil {
		t.Fatal(err)
	}
	if stats, err = opened.Stats(ctx); err != nil || stats.Rows != 0 {
		t.Fatal(stats, err)
	}
	if _, err := OpenIndex(folder + "-none"); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
}

func TestAnIndexRefusesWhatDoesNotFit(t *testing.T) {
	ctx := context.Background()
	index := threeRows(t, IndexOptions{Dimension: 3})
	nan := float32(math.NaN())
	for name, work := range map[string]func() error{
		"dimension":    func() error { _, err := NewIndex(IndexOptions{}); return err },
		"metric":       func() error { _, err := NewIndex(IndexOptions{Dimension: 3, Metric: "manhattan"}); return err },
		"limit":        func() error { _, err := index.Search(ctx, IndexQuery{Text: "x", Limit: -1}); return err },
		"vector":       func() error { _, err := index.Search(ctx, IndexQuery{Vector: []float32{1}}); return err },
		"vectors":      func() error { _, err := index.SetVector(ctx, "a", nil); return err },
		"query.Vector": func() error { _, err := index.SearchMany(ctx, nil, IndexQuery{Vector: []float32{1}}); return err },
		"vectors: are 1": func() error {
			return index.Put(ctx, IndexRow{ID: "x", Vector: []float32{1, 0, 0}}, IndexRow{ID: "y"})
		},
		"vectors[1]": func() error {
			return index.Put(ctx, IndexRow{ID: "x", Vector: []float32{1, 0, 0}}, IndexRow{ID: "y", Vector: []float32{1}})
		},
		"finite": func() error { return index.Put(ctx, IndexRow{ID: "x", Vector: []float32{1, nan, 0}}) },
		"chan":   func() error { return index.Put(ctx, IndexRow{ID: "x", Fields: Object{"a": make(chan int)}}) },
	} {
		if err := work(); !errors.Is(err, ErrInvalidArgument) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if stats, err := index.Stats(ctx); err != nil || stats.Rows != 3 {
		t.Fatal(stats, err)
	}
	index.Close()
	index.Close()
	if _, err := index.Search(ctx, IndexQuery{Text: "x"}); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func TestGoroutinesShareAnIndex(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	index := threeRows(t, IndexOptions{Dimension: 3})
	var group sync.WaitGroup
	for w := 0; w < 4; w++ {
		group.Add(1)
		go func(w int) {
			defer group.Done()
			for i := 0; i < 50; i++ {
				row := IndexRow{ID: fmt.Sprintf("%d-%d", w, i), Vector: []float32{0, 0, 1}}
				if err := index.Put(ctx, row); err != nil {
					t.Error(err)
				}
				if hits, err := index.Search(ctx, IndexQuery{Vector: []float32{0, 2, 0}}); err != nil || hits[0].ID != "b" {
					t.Error(hits, err)
				}
			}
		}(w)
	}
	group.Wait()
	if stats, err := index.Stats(ctx); err != nil || stats.Rows != 203 {
		t.Fatal(stats, err)
	}
}
