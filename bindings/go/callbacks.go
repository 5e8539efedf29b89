package actionhist

// #include "callbacks.h"
import "C"

import (
	"errors"
	"log"
	"runtime/cgo"
	"unsafe"
)

// A panic must not unwind through C++. It is logged, since nobody is there to catch it.
func recovered(callback string) {
	if value := recover(); value != nil {
		log.Printf("actionhist: the %s callback panicked: %v", callback, value)
	}
}

// What callbacks reach.
type host struct {
	Options
	dimension int // of the model, as it was when the history was opened
}

func hostOf(handle C.uintptr_t) *host { return cgo.Handle(handle).Value().(*host) }

func textOf(data *C.char, length C.size_t) string {
	return string(unsafe.Slice((*byte)(unsafe.Pointer(data)), int(length)))
}

//export actionhistLog
func actionhistLog(handle C.uintptr_t, level C.int32_t, message *C.char, length C.size_t) {
	defer recovered("log")
	hostOf(handle).Log(Level(level), textOf(message, length))
}

//export actionhistClock
func actionhistClock(handle C.uintptr_t) (microseconds C.int64_t) {
	microseconds = -1 // which the library refuses
	defer recovered("clock")
	return C.int64_t(hostOf(handle).Clock().UnixMicro())
}

//export actionhistRefused
func actionhistRefused(handle C.uintptr_t, text *C.char, length C.size_t) {
	defer recovered("refused")
	var verdict Verdict
	if err := decode([]byte(textOf(text, length)), &verdict); err != nil {
		panic(err)
	}
	hostOf(handle).Refused(verdict)
}

//export actionhistDetected
func actionhistDetected(handle C.uintptr_t, text *C.char, length C.size_t) {
	defer recovered("detected")
	var notice DetectionNotice
	if err := decode([]byte(textOf(text, length)), &notice); err != nil {
		panic(err)
	}
	hostOf(handle).Detected(notice)
}

//export actionhistProgress
func actionhistProgress(handle C.uintptr_t, operation *C.char, done, left C.int64_t) (ends C.int32_t) {
	ends = 1
	defer recovered("progress")
	if hostOf(handle).Progress(C.GoString(operation), int64(done), int64(left)) {
		return 0
	}
	return 1
}

//export actionhistEmbed
func actionhistEmbed(handle C.uintptr_t, given *C.actionhist_string, count C.size_t, role C.int32_t,
	vectors *C.float) (status C.actionhist_status) {
	status = C.ACTIONHIST_UNAVAILABLE
	defer recovered("embed")
	host := hostOf(handle)
	dimension := host.dimension
	texts := make([]string, int(count))
	for i, text := range unsafe.Slice(given, int(count)) {
		texts[i] = textOf(text.data, text.length)
	}
	numbers := unsafe.Slice((*float32)(unsafe.Pointer(vectors)), len(texts)*dimension)
	rows := make([][]float32, len(texts))
	for i := range rows {
		rows[i] = numbers[i*dimension : (i+1)*dimension : (i+1)*dimension]
	}
	if err := host.Model.Embed(texts, Role(role), rows); errors.Is(err, ErrInvalidArgument) {
		return C.ACTIONHIST_INVALID_ARGUMENT
	} else if err != nil {
		return C.ACTIONHIST_UNAVAILABLE
	}
	for i, row := range rows {
		if len(row) != dimension {
			log.Printf("actionhist: the model gave a vector of %d numbers instead of %d", len(row), dimension)
			return C.ACTIONHIST_INVALID_ARGUMENT
		}
		// The model may have put a vector of its own in the place of the one to fill.
		copy(numbers[i*dimension:], row)
	}
	return C.ACTIONHIST_OK
}

//export actionhistDestroy
func actionhistDestroy(handle C.uintptr_t) { cgo.Handle(handle).Delete() }
