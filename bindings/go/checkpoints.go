package actionhist

// #include "callbacks.h"
import "C"

import (
	"context"
	"time"
)

// Checkpoints are the states of agents' runs, so that one can be resumed, replayed and branched: those of a History,
// and usable as long as it.
type Checkpoints struct{ history *History }

// Checkpoints returns the checkpoints of the history.
func (h *History) Checkpoints() Checkpoints { return Checkpoints{h} }

// CheckpointKey names a checkpoint. Namespace is that of a graph within the graph, empty at the top.
type CheckpointKey struct {
	ThreadID     string `json:"thread_id"`
	Namespace    string `json:"checkpoint_ns"`
	CheckpointID string `json:"checkpoint_id"`
}

// CheckpointWrite is what a task wrote after a checkpoint. Place counts its writes; special ones have negative places.
type CheckpointWrite struct {
	TaskID   string `json:"task_id"`
	TaskPath string `json:"task_path,omitempty"`
	Place    int64  `json:"place"`
	Channel  string `json:"channel"`
	Format   string `json:"format,omitempty"`
	Value    []byte `json:"value"`
}

// Checkpoint is a state in a run. Format says how its bytes are to be read.
type Checkpoint struct {
	CheckpointKey
	ParentID  string            `json:"parent_id,omitempty"`
	Format    string            `json:"format,omitempty"`
	State     []byte            `json:"state"`
	Metadata  Object            `json:"metadata,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
	Writes    []CheckpointWrite `json:"writes,omitempty"`
}

// CheckpointQuery chooses checkpoints. What is empty does not count.
type CheckpointQuery struct {
	ThreadID     string         `json:"thread_id,omitempty"`
	Namespace    *string        `json:"checkpoint_ns,omitempty"`
	CheckpointID string         `json:"checkpoint_id,omitempty"`
	Before       string         `json:"before,omitempty"` // only ids before this one
	Where        Object         `json:"where,omitempty"`  // a filter of the metadata, as in Query
	NoStates     bool           `json:"-"`                // neither states nor writes are read
	Limit        int            `json:"limit,omitempty"`  // 100 if 0
	After        *CheckpointKey `json:"after,omitempty"`  // the last one of the page before
}

// Put stores a checkpoint without its writes, or replaces it. The time is that of the history.
func (c Checkpoints) Put(ctx context.Context, checkpoint Checkpoint) error {
	request := Object{
		"thread_id":     checkpoint.ThreadID,
		"checkpoint_ns": checkpoint.Namespace,
		"checkpoint_id": checkpoint.CheckpointID,
		"parent_id":     checkpoint.ParentID,
		"format":        checkpoint.Format,
		"state":         checkpoint.State,
		"metadata":      checkpoint.Metadata,
	}
	return c.history.call(ctx, operation(&C.actionhist_history_put_checkpoint), request, nil)
}

// PutWrites stores what tasks wrote, in one transaction. A write with the place of a stored one replaces it if the
// place is negative, and is passed over if not.
func (c Checkpoints) PutWrites(ctx context.Context, key CheckpointKey, writes ...CheckpointWrite) error {
	if writes == nil {
		writes = []CheckpointWrite{}
	}
	request := struct {
		CheckpointKey
		Writes []CheckpointWrite `json:"writes"`
	}{key, writes}
	return c.history.call(ctx, operation(&C.actionhist_history_put_checkpoint_writes), request, nil)
}

// Find returns checkpoints with their writes, newest ids first.
func (c Checkpoints) Find(ctx context.Context, query CheckpointQuery) ([]Checkpoint, error) {
	request := struct {
		CheckpointQuery
		States bool `json:"states"`
	}{query, !query.NoStates}
	return ask[[]Checkpoint](ctx, c.history, operation(&C.actionhist_history_find_checkpoints), request)
}

// Remove removes checkpoints with their writes, in one transaction, and says how many there were.
func (c Checkpoints) Remove(ctx context.Context, keys ...CheckpointKey) (int64, error) {
	if keys == nil {
		keys = []CheckpointKey{}
	}
	request := Object{"keys": keys}
	return ask[int64](ctx, c.history, operation(&C.actionhist_history_remove_checkpoints), request)
}

// RemoveThread removes all of a thread.
func (c Checkpoints) RemoveThread(ctx context.Context, threadID string) error {
	request := Object{"thread_id": threadID}
	return c.history.call(ctx, operation(&C.actionhist_history_remove_checkpoint_thread), request, nil)
}

// CopyThread copies all of a thread; what the target had under the same keys is replaced.
func (c Checkpoints) CopyThread(ctx context.Context, source, target string) error {
	request := Object{"source": source, "target": target}
	return c.history.call(ctx, operation(&C.actionhist_history_copy_checkpoint_thread), request, nil)
}
