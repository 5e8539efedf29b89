package actionhist

// #include <actionhist.h>
import "C"

import "errors"

// Code says what to do about an error. Its values are errors themselves, for errors.Is:
//
//	if errors.Is(err, actionhist.ErrConflict) { … }
type Code int32

const (
	ErrInvalidArgument Code = C.ACTIONHIST_INVALID_ARGUMENT // fix the call; the message names the field
	ErrNotFound        Code = C.ACTIONHIST_NOT_FOUND        // the id is not stored
	ErrConflict        Code = C.ACTIONHIST_CONFLICT         // stored otherwise already: reload and decide
	ErrDenied          Code = C.ACTIONHIST_DENIED           // fix rights
	ErrUnavailable     Code = C.ACTIONHIST_UNAVAILABLE      // retry later
	ErrTimeout         Code = C.ACTIONHIST_TIMEOUT          // a deadline passed; the work may go on
	ErrUnsupported     Code = C.ACTIONHIST_UNSUPPORTED      // not offered here
	ErrCorrupt         Code = C.ACTIONHIST_CORRUPT          // stop and restore or rebuild
	ErrCancelled       Code = C.ACTIONHIST_CANCELLED        // the History was closed
	ErrInternal        Code = C.ACTIONHIST_INTERNAL         // a bug: please report
)

// ErrClosed is returned by every call after Close.
var ErrClosed = errors.New("history: is closed")

// Error returns the name of the code, such as "not_found".
func (c Code) Error() string { return C.GoString(C.actionhist_status_name(C.actionhist_status(c))) }

// Error is what the library reports: a code, and one line for people without secrets.
type Error struct {
	Code    Code
	Message string
}

func (e *Error) Error() string { return e.Code.Error() + ": " + e.Message }

// Is makes errors.Is(err, ErrNotFound) true for an Error of that code.
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// takeError turns an error of C into one of Go and frees it.
func takeError(status C.actionhist_status, failure *C.actionhist_error) error {
	if status == C.ACTIONHIST_OK {
		return nil
	}
	message := C.GoString(C.actionhist_error_message(failure))
	C.actionhist_error_free(failure)
	return &Error{Code: Code(status), Message: message}
}
