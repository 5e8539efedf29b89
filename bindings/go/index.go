package actionhist

// #include "callbacks.h"
import "C"

import (
	"context"
	"encoding/json"
	"math"
	"unsafe"
)

// Index finds rows by meaning among those that pass a filter, without a database. It may be used from any goroutine
// at once. It holds memory that Go does not know: Close it.
type Index struct{ handle }

// IndexOptions of NewIndex. Only Dimension is required; what is 0 is chosen by the index.
type IndexOptions struct {
	Dimension      int    `json:"dimension,omitempty"`
	Metric         string `json:"metric,omitempty"`    // cosine (the default), inner_product, l2
	Precision      string `json:"precision,omitempty"` // full (the default), half, byte
	M              int    `json:"m,omitempty"`
	EfConstruction int    `json:"ef_construction,omitempty"`
	EfSearch       int    `json:"ef_search,omitempty"`
	SealedRows     int    `json:"sealed_rows,omitempty"` // vectors that are scanned before a graph is built, 4,096 if 0
	// The dimensions of the parts that a vector consists of, each compared by its cosine; nil: it is one.
	Parts []int `json:"parts,omitempty"`
}

// IndexRow is what an Index finds.
type IndexRow struct {
	ID      string    `json:"id"`
	Text    string    `json:"text,omitempty"`
	Fields  Object    `json:"fields,omitempty"`  // what filters see
	Version uint64    `json:"version,omitempty"` // your own, such as a hash of the content
	Vector  []float32 `json:"-"`                 // of the index's dimension; all rows of a Put have one or none
}

// IndexQuery has a Vector, a Text or both.
type IndexQuery struct {
	Vector       []float32 `json:"-"`
	Text         string    `json:"text,omitempty"`
	Where        Object    `json:"where,omitempty"` // as in Query
	ExcludeID    string    `json:"exclude_id,omitempty"`
	Limit        int       `json:"limit,omitempty"`         // 10 if 0
	Threshold    *float64  `json:"threshold,omitempty"`     // the least score
	Percentile   *float64  `json:"percentile,omitempty"`    // as in SimilarQuery, of the vectors
	MMRLambda    *float64  `json:"mmr_lambda,omitempty"`    // as in SimilarQuery
	Distinct     *float64  `json:"distinct,omitempty"`      // of rows with at least this similarity only the best
	VectorWeight *float64  `json:"vector_weight,omitempty"` // the words have the rest; 0.5 if nil
	Weights      []float64 `json:"weights,omitempty"`       // of the parts of the vectors; all the same if nil
	EfSearch     int       `json:"ef_search,omitempty"`
}

// IndexHit is a row with the reasons for its place.
type IndexHit struct {
	ID           string    `json:"id"`
	Score        float64   `json:"score"`
	Similarity   float64   `json:"similarity"`
	Distance     float64   `json:"distance"`
	BM25         float64   `json:"bm25"`
	MatchedTerms []string  `json:"matched_terms"`
	Parts        []float64 `json:"parts"` // the cosine of each part, where vectors have parts
}

// SearchPlan says how a search was answered.
type SearchPlan struct {
	Route     string `json:"route"`
	Why       string `json:"why"`
	Rows      int64  `json:"rows"`
	Matching  int64  `json:"matching"` // rows that pass the filter
	Linked    int64  `json:"linked"`   // vectors in the graph
	Distances int64  `json:"distances"`
	EfSearch  int    `json:"ef_search"`
}

// IndexStats says what an Index holds.
type IndexStats struct {
	Rows     int64  `json:"rows"`
	Vectors  int64  `json:"vectors"`
	Linked   int64  `json:"linked"`  // vectors in the graph; equal ones count once
	Deleted  int64  `json:"deleted"` // rows that wait for a rebuild
	Terms    int64  `json:"terms"`
	Bytes    int64  `json:"bytes"` // estimate of the memory held
	EfSearch int    `json:"ef_search"`
	Error    string `json:"error"`    // why the last build failed
	Verified bool   `json:"verified"` // the files that it was opened from have been read completely
	Damage   string `json:"damage"`   // what is wrong with them
	Note     Object `json:"note"`     // that was saved with them
}

// NewIndex makes an empty index.
func NewIndex(options IndexOptions) (*Index, error) {
	settings, err := json.Marshal(options)
	if err != nil {
		return nil, &Error{Code: ErrInvalidArgument, Message: err.Error()}
	}
	data, length := bytesOf(settings)
	var index *C.actionhist_index
	var failure *C.actionhist_error
	if err := takeError(C.actionhist_index_create(data, length, &index, &failure), failure); err != nil {
		return nil, err
	}
	return ownIndex(index), nil
}

// EstimatedBytes is about the memory that an index of so many vectors takes, without their texts and fields.
func EstimatedBytes(vectors uint64, options IndexOptions) (uint64, error) {
	settings, err := json.Marshal(options)
	if err != nil {
		return 0, &Error{Code: ErrInvalidArgument, Message: err.Error()}
	}
	data, length := bytesOf(settings)
	var bytes C.uint64_t
	var failure *C.actionhist_error
	status := C.actionhist_index_estimated_bytes(data, length, C.uint64_t(vectors), &bytes, &failure)
	return uint64(bytes), takeError(status, failure)
}

// OpenIndex opens what Save wrote.
func OpenIndex(folder string) (*Index, error) {
	data, length := bytesOf([]byte(folder))
	var index *C.actionhist_index
	var failure *C.actionhist_error
	if err := takeError(C.actionhist_index_open(data, length, &index, &failure), failure); err != nil {
		return nil, err
	}
	return ownIndex(index), nil
}

func ownIndex(index *C.actionhist_index) *Index {
	return &Index{handle{pointer: unsafe.Pointer(index), free: freeIndex}}
}

func freeIndex(pointer unsafe.Pointer) { C.actionhist_index_free((*C.actionhist_index)(pointer)) }

// Close ends the use as History.Close does.
func (x *Index) Close() error {
	x.close()
	return nil
}

// Put adds rows and replaces those of the same id, all or nothing.
func (x *Index) Put(ctx context.Context, rows ...IndexRow) error {
	if len(rows) == 0 {
		return ctx.Err()
	}
	vectors := make([][]float32, 0, len(rows))
	for _, row := range rows {
		if row.Vector != nil {
			vectors = append(vectors, row.Vector)
		}
	}
	run, err := indexVectors(&C.actionhist_index_put, vectors)
	if err != nil {
		return err
	}
	return x.call(ctx, run, Object{"rows": rows}, nil)
}

// SetVector gives a row its vector. False if there is no such row.
func (x *Index) SetVector(ctx context.Context, id string, vector []float32) (bool, error) {
	run, err := indexVectors(&C.actionhist_index_set_vector, [][]float32{vector})
	if err != nil {
		return false, err
	}
	return ask[bool](ctx, x, run, Object{"id": id})
}

// SetFields replaces what filters see of a row. False if there is no such row.
func (x *Index) SetFields(ctx context.Context, id string, fields Object) (bool, error) {
	request := Object{"id": id, "fields": fields}
	return ask[bool](ctx, x, indexOperation(&C.actionhist_index_set_fields), request)
}

// Remove forgets a row. False if there is no such row.
func (x *Index) Remove(ctx context.Context, id string) (bool, error) {
	return ask[bool](ctx, x, indexOperation(&C.actionhist_index_remove), Object{"id": id})
}

// Version of the row as it was put; nil if there is no such row.
func (x *Index) Version(ctx context.Context, id string) (*uint64, error) {
	return ask[*uint64](ctx, x, indexOperation(&C.actionhist_index_version), Object{"id": id})
}

// Vector of the row as it is kept, for cosine of length 1; nil if there is no such row or it has none.
func (x *Index) Vector(ctx context.Context, id string) ([]float32, error) {
	return ask[[]float32](ctx, x, indexOperation(&C.actionhist_index_vector), Object{"id": id})
}

// SimilarityAt is the similarity that so many percent (0 to 100) of the pairs of different vectors do not exceed, by the
// weights of their parts; −Inf while there are fewer than two.
func (x *Index) SimilarityAt(ctx context.Context, percentile float64, weights ...float64) (float64, error) {
	request := Object{"percentile": percentile, "weights": append([]float64{}, weights...)}
	similarity, err := ask[*float64](ctx, x, indexOperation(&C.actionhist_index_similarity_at), request)
	if err != nil {
		return 0, err
	}
	if similarity == nil {
		return math.Inf(-1), nil
	}
	return *similarity, nil
}

// Search returns rows like the query, best first.
func (x *Index) Search(ctx context.Context, query IndexQuery) ([]IndexHit, error) {
	run, err := indexVectors(&C.actionhist_index_search, query.vectors())
	if err != nil {
		return nil, err
	}
	return ask[[]IndexHit](ctx, x, run, query)
}

// SearchMany searches for each of several vectors; that of the query must be nil.
func (x *Index) SearchMany(ctx context.Context, vectors [][]float32, query IndexQuery) ([][]IndexHit, error) {
	if query.Vector != nil {
		return nil, &Error{Code: ErrInvalidArgument, Message: "query.Vector: is given beside vectors"}
	}
	run, err := indexVectors(&C.actionhist_index_search_many, vectors)
	if err != nil {
		return nil, err
	}
	return ask[[][]IndexHit](ctx, x, run, query)
}

// Explain runs the query and says how it was answered.
func (x *Index) Explain(ctx context.Context, query IndexQuery) (SearchPlan, error) {
	run, err := indexVectors(&C.actionhist_index_explain, query.vectors())
	if err != nil {
		return SearchPlan{}, err
	}
	return ask[SearchPlan](ctx, x, run, query)
}

// Optimize builds now what is otherwise built in the background.
func (x *Index) Optimize(ctx context.Context) error {
	return x.call(ctx, indexOperation(&C.actionhist_index_optimize), Object{}, nil)
}

// Clear empties the index.
func (x *Index) Clear(ctx context.Context) error {
	return x.call(ctx, indexOperation(&C.actionhist_index_clear), Object{}, nil)
}

// Stats says what the index holds.
func (x *Index) Stats(ctx context.Context) (IndexStats, error) {
	return ask[IndexStats](ctx, x, indexOperation(&C.actionhist_index_stats), Object{})
}

// Save writes the index into a folder and replaces what was saved there in one step. The note may be nil.
func (x *Index) Save(ctx context.Context, folder string, note Object) error {
	return x.call(ctx, indexOperation(&C.actionhist_index_save), Object{"folder": folder, "note": note}, nil)
}

func (q IndexQuery) vectors() [][]float32 {
	if q.Vector == nil {
		return nil
	}
	return [][]float32{q.Vector}
}

func indexOperation(function *C.actionhist_index_operation) work {
	return func(pointer unsafe.Pointer, request []byte) ([]byte, error) {
		var answer *C.actionhist_text
		var failure *C.actionhist_error
		data, length := bytesOf(request)
		status := C.actionhist_go_index_run(function, (*C.actionhist_index)(pointer), data, length, &answer, &failure)
		return takeAnswer(status, answer, failure)
	}
}

func indexVectors(function *C.actionhist_index_vectors, vectors [][]float32) (work, error) {
	numbers, dimension, err := flat(vectors)
	if err != nil {
		return nil, err
	}
	return func(pointer unsafe.Pointer, request []byte) ([]byte, error) {
		var answer *C.actionhist_text
		var failure *C.actionhist_error
		data, length := bytesOf(request)
		status := C.actionhist_go_index_vectors_run(function, (*C.actionhist_index)(pointer), data, length,
			floatsOf(numbers), C.size_t(len(vectors)), C.size_t(dimension), &answer, &failure)
		return takeAnswer(status, answer, failure)
	}, nil
}
