package actionhist

// #include "callbacks.h"
import "C"

import (
	"context"
	"encoding/json"
	"fmt"
	"unsafe"
)

// bytesOf gives C the bytes of Go for the time of a call.
func bytesOf(text []byte) (*C.char, C.size_t) {
	if len(text) == 0 {
		return nil, 0
	}
	return (*C.char)(unsafe.Pointer(&text[0])), C.size_t(len(text))
}

// floatsOf gives C the numbers of Go for the time of a call.
func floatsOf(numbers []float32) *C.float {
	if len(numbers) == 0 {
		return nil
	}
	return (*C.float)(unsafe.Pointer(&numbers[0]))
}

// flat lays rows of one length behind each other, as C takes them.
func flat(rows [][]float32) (numbers []float32, dimension int, err error) {
	for i, row := range rows {
		if i == 0 {
			dimension = len(row)
			numbers = make([]float32, 0, len(rows)*dimension)
		}
		if len(row) != dimension {
			message := fmt.Sprintf("vectors[%d]: has %d numbers, the first has %d", i, len(row), dimension)
			return nil, 0, &Error{Code: ErrInvalidArgument, Message: message}
		}
		numbers = append(numbers, row...)
	}
	return numbers, dimension, nil
}

// A work runs on an open history of C, and gives its answer.
type work func(handle *C.actionhist_history, request []byte) ([]byte, error)

// operation is a work of one function of the C interface.
func operation(function *C.actionhist_operation) work {
	return func(handle *C.actionhist_history, request []byte) ([]byte, error) {
		var answer *C.actionhist_text
		var failure *C.actionhist_error
		data, length := bytesOf(request)
		status := C.actionhist_go_run(function, handle, data, length, &answer, &failure)
		return takeAnswer(status, answer, failure)
	}
}

func similarTo(vector []float32) work {
	return func(handle *C.actionhist_history, request []byte) ([]byte, error) {
		var answer *C.actionhist_text
		var failure *C.actionhist_error
		data, length := bytesOf(request)
		status := C.actionhist_history_similar_to(handle, data, length, floatsOf(vector), C.size_t(len(vector)),
			&answer, &failure)
		return takeAnswer(status, answer, failure)
	}
}

func takeAnswer(status C.actionhist_status, answer *C.actionhist_text, failure *C.actionhist_error) ([]byte, error) {
	if err := takeError(status, failure); err != nil {
		return nil, err
	}
	defer C.actionhist_text_free(answer)
	length := C.int(C.actionhist_text_length(answer))
	return C.GoBytes(unsafe.Pointer(C.actionhist_text_data(answer)), length), nil
}

// call runs `run` with the request and reads the answer into `answer`, unless that is nil. It returns early when
// the context ends; the work goes on by itself then, and holds the history until it is done.
func (h *History) call(ctx context.Context, run work, request, answer any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	text, err := json.Marshal(request)
	if err != nil {
		return &Error{Code: ErrInvalidArgument, Message: err.Error()}
	}
	handle, err := h.acquire()
	if err != nil {
		return err
	}
	given, err := await(ctx, func() ([]byte, error) {
		defer h.release()
		return run(handle, text)
	})
	if err != nil || answer == nil {
		return err
	}
	if err := json.Unmarshal(given, answer); err != nil {
		return &Error{Code: ErrInternal, Message: fmt.Sprintf("answer: %v", err)}
	}
	return nil
}

// ask is call with the answer as value; the zero value beside an error.
func ask[T any](ctx context.Context, h *History, run work, request any) (T, error) {
	var answer T
	if err := h.call(ctx, run, request, &answer); err != nil {
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
