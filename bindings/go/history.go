package actionhist

// #cgo pkg-config: actionhist-c
// #include "callbacks.h"
import "C"

import (
	"context"
	"encoding/json"
	"runtime/cgo"
	"time"
	"unsafe"
)

// History is the memory of one tenant. It may be used from any goroutine at once.
type History struct{ handle }

// Version of the library that runs, such as "0.1.0".
func Version() string { return C.GoString(C.actionhist_version()) }

// Open opens "memory:", "sqlite:PATH" or a path, or "postgresql://USER@HOST/DATABASE". Options may be nil.
func Open(uri string, options *Options) (*History, error) {
	host := host{}
	if options != nil {
		host.Options = *options
	}
	settings, err := host.settings()
	if err != nil {
		return nil, &Error{Code: ErrInvalidArgument, Message: err.Error()}
	}
	wants := C.actionhist_go_wants{
		log:      C.bool(host.Log != nil),
		clock:    C.bool(host.Clock != nil),
		refused:  C.bool(host.Refused != nil),
		progress: C.bool(host.Progress != nil),
		detected: C.bool(host.Detected != nil),
		model:    C.bool(host.Model != nil),
	}
	if host.Model != nil {
		space := C.CString(host.Model.SpaceID())
		defer C.free(unsafe.Pointer(space))
		wants.space_id, wants.space_id_length = space, C.strlen(space)
		host.dimension = host.Model.Dimension()
		wants.dimension = C.size_t(host.dimension)
	}
	location := C.CString(uri)
	defer C.free(unsafe.Pointer(location))
	data, length := bytesOf(settings)
	var opened *C.actionhist_history
	var failure *C.actionhist_error
	status := C.actionhist_go_open(location, C.size_t(len(uri)), data, length,
		C.uintptr_t(cgo.NewHandle(&host)), &wants, &opened, &failure)
	if err := takeError(status, failure); err != nil {
		return nil, err
	}
	return &History{handle{pointer: unsafe.Pointer(opened), free: freeHistory}}, nil
}

func freeHistory(pointer unsafe.Pointer) { C.actionhist_history_free((*C.actionhist_history)(pointer)) }

// Close ends the use; more than once does nothing. Calls under way end by themselves. It never fails, and
// returns an error only to be an io.Closer.
func (h *History) Close() error {
	h.close()
	return nil
}

// Record stores an action as it happened, without asking the guard. One whose id is already stored is returned as
// it stands, with Stored false.
func (h *History) Record(ctx context.Context, action Action) (Trace, error) {
	return ask[Trace](ctx, h, operation(&C.actionhist_history_record), action)
}

// RecordMany stores all in one transaction and returns their traces in order. On error nothing is stored.
func (h *History) RecordMany(ctx context.Context, actions []Action) ([]Trace, error) {
	if len(actions) == 0 {
		return nil, ctx.Err()
	}
	return ask[[]Trace](ctx, h, operation(&C.actionhist_history_record_many), actions)
}

// ImportResult says what became of actions that ImportActions was given.
type ImportResult struct {
	Stored    int64 `json:"stored"`    // were new
	Completed int64 `json:"completed"` // were stored already, without the outcome that they have now
	Present   int64 `json:"present"`   // were stored already, and stay as they are
}

// ImportActions stores what another source tells, which may tell of an action again once it has ended: as RecordMany, and
// where an action is stored that has not ended and is told of as ended, its outcome completes it.
func (h *History) ImportActions(ctx context.Context, actions []Action) (ImportResult, error) {
	if len(actions) == 0 {
		return ImportResult{}, ctx.Err()
	}
	return ask[ImportResult](ctx, h, operation(&C.actionhist_history_import_actions), actions)
}

// Propose asks the guard and, if it allows, stores the action as pending, in one transaction.
func (h *History) Propose(ctx context.Context, action Action) (Verdict, error) {
	return ask[Verdict](ctx, h, operation(&C.actionhist_history_propose), action)
}

// Check gives the decision of Propose, without writing anything.
func (h *History) Check(ctx context.Context, action Action) (Verdict, error) {
	return ask[Verdict](ctx, h, operation(&C.actionhist_history_check), action)
}

// Start makes a pending action executing, at the clock's time if `at` is nil. Of an action that is executing already
// the trace is not Stored: somebody else is doing it.
func (h *History) Start(ctx context.Context, actionID string, at *time.Time) (Trace, error) {
	request := Object{"action_id": actionID, "at": at}
	return ask[Trace](ctx, h, operation(&C.actionhist_history_start), request)
}

// Complete adds what became of the action. The same outcome again returns the stored trace; other fields of the same
// status replace what they name, and what is left empty keeps its value. After another status that ended it is
// ErrConflict, for which there is Correct, unless what was completed is rolled back.
func (h *History) Complete(ctx context.Context, actionID string, outcome Outcome) (Trace, error) {
	return h.complete(ctx, actionID, outcome, false)
}

// Correct replaces the outcome of an action that has ended.
func (h *History) Correct(ctx context.Context, actionID string, outcome Outcome) (Trace, error) {
	return h.complete(ctx, actionID, outcome, true)
}

func (h *History) complete(ctx context.Context, actionID string, outcome Outcome, correction bool) (Trace, error) {
	request := Object{"action_id": actionID, "outcome": outcome, "correction": correction}
	return ask[Trace](ctx, h, operation(&C.actionhist_history_complete), request)
}

// Assess adds or replaces the effectiveness.
func (h *History) Assess(ctx context.Context, actionID string, assessment Assessment) (Trace, error) {
	request := Object{"action_id": actionID, "assessment": assessment}
	return ask[Trace](ctx, h, operation(&C.actionhist_history_assess), request)
}

// Observe notes that an alert fired or ended.
func (h *History) Observe(ctx context.Context, alert Alert) error {
	return h.call(ctx, operation(&C.actionhist_history_observe), alert, nil)
}

// Link adds a follow-up to an action, with its relation, such as "correction".
func (h *History) Link(ctx context.Context, actionID, followUp, relation string) (Trace, error) {
	request := Object{"action_id": actionID, "follow_up": followUp, "relation": relation}
	return ask[Trace](ctx, h, operation(&C.actionhist_history_link), request)
}

// Delete forgets an action; its id stays taken. False if there is none.
func (h *History) Delete(ctx context.Context, actionID string) (bool, error) {
	return ask[bool](ctx, h, operation(&C.actionhist_history_erase), Object{"action_id": actionID})
}

// ResourceSeen notes that a resource exists; a new uid begins a new incarnation.
func (h *History) ResourceSeen(ctx context.Context, resource Resource, at *time.Time) error {
	return h.call(ctx, operation(&C.actionhist_history_resource_seen), Object{"resource": resource, "at": at}, nil)
}

// ResourceDeleted ends the present incarnation. False if the resource is not known.
func (h *History) ResourceDeleted(ctx context.Context, resource Resource, at *time.Time) (bool, error) {
	request := Object{"resource": resource, "at": at}
	return ask[bool](ctx, h, operation(&C.actionhist_history_resource_deleted), request)
}

// Get returns the action, or nil if it is not stored.
func (h *History) Get(ctx context.Context, actionID string) (*Trace, error) {
	return ask[*Trace](ctx, h, operation(&C.actionhist_history_get), Object{"action_id": actionID})
}

// Find returns actions, newest first.
func (h *History) Find(ctx context.Context, query Query) (Page, error) {
	return ask[Page](ctx, h, operation(&C.actionhist_history_find), query)
}

// Similar returns past actions like a text, an action or a vector, best first.
func (h *History) Similar(ctx context.Context, query SimilarQuery) ([]Hit, error) {
	run := operation(&C.actionhist_history_similar)
	if len(query.Vector) > 0 {
		run = similarTo(query.Vector)
	}
	return ask[[]Hit](ctx, h, run, query)
}

// Detect looks for oscillations as of a moment, strongest first, without writing anything.
func (h *History) Detect(ctx context.Context, query DetectQuery) ([]Detection, error) {
	return ask[[]Detection](ctx, h, operation(&C.actionhist_history_detect), query)
}

// Summaries returns resources at a glance, the last touched first; of those that changed since a time, if it is not
// nil. At most 1,000 if limit is 0.
func (h *History) Summaries(ctx context.Context, changedSince *time.Time, limit int) ([]Summary, error) {
	request := Object{"changed_since": changedSince, "limit": orDefault(limit)}
	return ask[[]Summary](ctx, h, operation(&C.actionhist_history_summaries), request)
}

// WaitIndexed waits until all that was recorded before is searchable here. False after the timeout.
func (h *History) WaitIndexed(ctx context.Context, timeout time.Duration) (bool, error) {
	request := Object{"timeout_ms": timeout.Milliseconds()}
	return ask[bool](ctx, h, operation(&C.actionhist_history_wait_indexed), request)
}

// Patterns returns the kinds of oscillation that are watched for.
func (h *History) Patterns(ctx context.Context) ([]Pattern, error) {
	return ask[[]Pattern](ctx, h, operation(&C.actionhist_history_patterns), Object{})
}

// PutPattern adds a pattern or replaces the one with its PatternID.
func (h *History) PutPattern(ctx context.Context, pattern Pattern) error {
	return h.call(ctx, operation(&C.actionhist_history_put_pattern), pattern, nil)
}

// Health says how database, feed and index are. An unreachable database is said, not an error.
func (h *History) Health(ctx context.Context) (Health, error) {
	var health Health
	var text json.RawMessage
	if err := h.call(ctx, operation(&C.actionhist_history_health), Object{}, &text); err != nil {
		return health, err
	}
	if err := decode(text, &health); err != nil {
		return health, err
	}
	return health, decode(text, &health.More)
}

// Verify lists what is wrong with the stored data; nothing when all is well.
func (h *History) Verify(ctx context.Context) ([]string, error) {
	return ask[[]string](ctx, h, operation(&C.actionhist_history_verify), Object{})
}
