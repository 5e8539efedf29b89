package actionhist

// #include "callbacks.h"
import "C"

import (
	"context"
	"fmt"
	"time"
	"unsafe"
)

// Space is an embedding space: what one model makes of the texts, at one version.
type Space struct {
	SpaceID     string     `json:"space_id"`
	Dimension   int        `json:"dimension"`
	Active      bool       `json:"active"` // the one that searches use
	Fitted      bool       `json:"fitted"` // its model was made by FitSpace
	CreatedAt   *time.Time `json:"created_at"`
	ActivatedAt *time.Time `json:"activated_at"`
	Vectors     int64      `json:"vectors"`
	Missing     int64      `json:"missing"` // subjects without a vector
}

// SpaceSwitch is what SwitchSpace did.
type SpaceSwitch struct {
	Switched bool   `json:"switched"`
	SpaceID  string `json:"space_id"`
	Previous string `json:"previous"`
	Embedded int64  `json:"embedded"` // vectors that were missing
	Why      string `json:"why"`      // what the comparison of both said
}

// FitOptions of FitSpace; the zero value is the default.
type FitOptions struct {
	Dimension int   `json:"dimension,omitempty"` // at most, 256 if 0
	Documents int   `json:"documents,omitempty"` // the newest ones, 10,000 if 0
	Seed      int64 `json:"seed,omitempty"`      // 1 if 0
}

// VectorImport is what ImportVectors did.
type VectorImport struct {
	Stored  int64 `json:"stored"`
	Present int64 `json:"present"` // had a vector of their text already, which stays
	Unknown int64 `json:"unknown"` // no such action
}

// FailedSubject is an action whose text the model refuses.
type FailedSubject struct {
	SubjectID string    `json:"subject_id"`
	Attempts  int       `json:"attempts"`
	Error     string    `json:"error"` // of the last one
	QueuedAt  time.Time `json:"queued_at"`
}

// EvaluationOptions of Evaluate; the zero value is the default.
type EvaluationOptions struct {
	Spaces    []string `json:"spaces,omitempty"`    // all that this process has a model of, if empty
	Queries   int      `json:"queries,omitempty"`   // at most, 200 if 0
	Documents int      `json:"documents,omitempty"` // the newest ones, 20,000 if 0
}

// SearchQuality has means over the queries of an Evaluation, each from 0 to 1.
type SearchQuality struct {
	NDCG   float64 `json:"ndcg"`
	Recall float64 `json:"recall"`
	MRR    float64 `json:"mrr"`
}

// SpaceQuality says how well searches find in a space.
type SpaceQuality struct {
	SpaceID      string        `json:"space_id"`
	Vectors      int64         `json:"vectors"`
	VectorsAlone SearchQuality `json:"vectors_alone"`
	WithWords    SearchQuality `json:"with_words"` // as Similar searches
}

// Evaluation says how well searches find what belongs together in this memory.
type Evaluation struct {
	Documents int64          `json:"documents"`
	Queries   int64          `json:"queries"`
	Words     SearchQuality  `json:"words"` // alone, the baseline
	Spaces    []SpaceQuality `json:"spaces"`
}

// Spaces returns the embedding spaces by id.
func (h *History) Spaces(ctx context.Context) ([]Space, error) {
	return ask[[]Space](ctx, h, operation(&C.actionhist_history_spaces), Object{})
}

// SwitchSpace embeds what a space lacks, compares how well it finds, and has all searches use it in one step; with
// force, although it finds less. An empty id is the space of the model in the options.
func (h *History) SwitchSpace(ctx context.Context, spaceID string, force bool) (SpaceSwitch, error) {
	request := Object{"space_id": spaceID, "force": force}
	return ask[SpaceSwitch](ctx, h, operation(&C.actionhist_history_switch_space), request)
}

// FitSpace fits a model on the newest texts and keeps it as a space, which nothing searches before SwitchSpace.
func (h *History) FitSpace(ctx context.Context, options FitOptions) (Space, error) {
	return ask[Space](ctx, h, operation(&C.actionhist_history_fit_space), options)
}

// DropSpace forgets a space with its vectors. False if there is none; ErrConflict for the one that is searched.
func (h *History) DropSpace(ctx context.Context, spaceID string) (bool, error) {
	return ask[bool](ctx, h, operation(&C.actionhist_history_drop_space), Object{"space_id": spaceID})
}

// Backfill embeds what was recorded without an index, and says how many actions were dealt with.
func (h *History) Backfill(ctx context.Context) (int64, error) {
	return ask[int64](ctx, h, operation(&C.actionhist_history_backfill), Object{})
}

// ImportVectors stores vectors that were computed elsewhere, one for each id of an action.
func (h *History) ImportVectors(ctx context.Context, spaceID string, ids []string,
	vectors [][]float32) (VectorImport, error) {
	if len(ids) != len(vectors) {
		message := fmt.Sprintf("vectors: are %d, ids are %d", len(vectors), len(ids))
		return VectorImport{}, &Error{Code: ErrInvalidArgument, Message: message}
	}
	numbers, dimension, err := flat(vectors)
	if err != nil {
		return VectorImport{}, err
	}
	run := func(pointer unsafe.Pointer, request []byte) ([]byte, error) {
		var answer *C.actionhist_text
		var failure *C.actionhist_error
		data, length := bytesOf(request)
		status := C.actionhist_history_import_vectors((*C.actionhist_history)(pointer), data, length, floatsOf(numbers),
			C.size_t(len(vectors)), C.size_t(dimension), &answer, &failure)
		return takeAnswer(status, answer, failure)
	}
	return ask[VectorImport](ctx, h, run, Object{"space_id": spaceID, "ids": ids})
}

// FailedSubjects returns what the model refuses, the oldest first; at most 100 if limit is 0.
func (h *History) FailedSubjects(ctx context.Context, limit int) ([]FailedSubject, error) {
	return ask[[]FailedSubject](ctx, h, operation(&C.actionhist_history_failed_subjects), Object{"limit": orDefault(limit)})
}

// RetryFailed has these embedded again, or all without ids, and says how many they were.
func (h *History) RetryFailed(ctx context.Context, ids ...string) (int64, error) {
	return ask[int64](ctx, h, operation(&C.actionhist_history_retry_failed), Object{"ids": ids})
}

// Evaluate says how well searches find what belongs together in this memory: by words, by vectors and by both.
func (h *History) Evaluate(ctx context.Context, options EvaluationOptions) (Evaluation, error) {
	return ask[Evaluation](ctx, h, operation(&C.actionhist_history_evaluate), options)
}
