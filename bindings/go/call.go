package actionhist

// #include "callbacks.h"
import "C"

import (
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

// operation is a work of one function of the C interface.
func operation(function *C.actionhist_operation) work {
	return func(pointer unsafe.Pointer, request []byte) ([]byte, error) {
		var answer *C.actionhist_text
		var failure *C.actionhist_error
		data, length := bytesOf(request)
		status := C.actionhist_go_run(function, (*C.actionhist_history)(pointer), data, length, &answer, &failure)
		return takeAnswer(status, answer, failure)
	}
}

// similarTo searches with the vector as it is now: the caller may change it once a context has ended the wait.
func similarTo(vector []float32) work {
	vector = append([]float32(nil), vector...)
	return func(pointer unsafe.Pointer, request []byte) ([]byte, error) {
		var answer *C.actionhist_text
		var failure *C.actionhist_error
		data, length := bytesOf(request)
		status := C.actionhist_history_similar_to((*C.actionhist_history)(pointer), data, length, floatsOf(vector),
			C.size_t(len(vector)), &answer, &failure)
		return takeAnswer(status, answer, failure)
	}
}

func takeAnswer(status C.actionhist_status, answer *C.actionhist_text, failure *C.actionhist_error) ([]byte, error) {
	if err := takeError(status, failure); err != nil {
		return nil, err
	}
	defer C.actionhist_text_free(answer)
	// GoBytes counts in 32 bits.
	text := unsafe.Slice((*byte)(unsafe.Pointer(C.actionhist_text_data(answer))), C.actionhist_text_length(answer))
	return append([]byte(nil), text...), nil
}
