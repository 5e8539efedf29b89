package actionhist

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"unsafe"
)

// A handle is an object of C that goroutines share and one of them closes.
type handle struct {
	mutex   sync.Mutex
	pointer unsafe.Pointer
	free    func(pointer unsafe.Pointer)
	calls   int  // under way
	closed  bool // freed after the last call, or by close if there is none
}

func (h *handle) held() *handle { return h }

// close ends the use; more than once does nothing. Calls under way end by themselves.
func (h *handle) close() {
	h.mutex.Lock()
	last := !h.closed && h.calls == 0 && h.pointer != nil
	h.closed = true
	h.mutex.Unlock()
	if last {
		h.free(h.pointer)
	}
}

func (h *handle) acquire() (unsafe.Pointer, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.closed || h.pointer == nil {
		return nil, ErrClosed
	}
	h.calls++
	return h.pointer, nil
}

func (h *handle) release() {
	h.mutex.Lock()
	h.calls--
	last := h.closed && h.calls == 0
	h.mutex.Unlock()
	if last {
		// Not here: this may be a callback on a thread that the object waits for before it ends.
		go h.free(h.pointer)
	}
}

// A work runs on an object of C, and gives its answer.
type work func(pointer unsafe.Pointer, request []byte) ([]byte, error)

// call runs `run` with the request and reads the answer into `answer`, unless that is nil. It returns early when
// the context ends; the work goes on by itself then, and holds the object until it is done.
func (h *handle) call(ctx context.Context, run work, request, answer any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	text, err := json.Marshal(request)
	if err != nil {
		return &Error{Code: ErrInvalidArgument, Message: err.Error()}
	}
	if place := replacedText(text, request); place != "" {
		return &Error{Code: ErrInvalidArgument, Message: place + ": is not UTF-8"}
	}
	pointer, err := h.acquire()
	if err != nil {
		return err
	}
	given, err := await(ctx, func() ([]byte, error) {
		defer h.release()
		return run(pointer, text)
	})
	if err != nil || answer == nil {
		return err
	}
	if err := decode(given, answer); err != nil {
		return &Error{Code: ErrInternal, Message: fmt.Sprintf("answer: %v", err)}
	}
	return nil
}

// owner has a handle: a History or an Index.
type owner interface{ held() *handle }

// ask is call with the answer as value; the zero value beside an error.
func ask[T any](ctx context.Context, o owner, run work, request any) (T, error) {
	var answer T
	if err := o.held().call(ctx, run, request, &answer); err != nil {
		var none T
		return none, err
	}
	return answer, nil
}

// await runs `work` here when the context never ends, and elsewhere otherwise.
func await(ctx context.Context, work func() ([]byte, error)) ([]byte, error) {
	if ctx.Done() == nil {
		return work()
	}
	type result struct {
		answer []byte
		err    error
	}
	done := make(chan result, 1)
	go func() {
		answer, err := work()
		done <- result{answer, err}
	}()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
