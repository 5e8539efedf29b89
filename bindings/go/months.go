package actionhist

// #include "callbacks.h"
import "C"

import (
	"context"
	"encoding/json"
	"runtime/cgo"
	"time"
	"unsafe"
)

// Months are the months of a memory in PostgreSQL: made ahead, taken out into files, and put back. A month, such as
// "2026-03", holds the actions of all tenants, so this is apart from a History, and needs the schema's owner. Whatever
// interrupts a call, no action is lost, and the same call again goes on. May be used from any goroutine; calls wait for
// each other.
type Months struct{ handle }

// MonthsOptions of OpenMonths; the zero value is the default.
type MonthsOptions struct {
	Postgres Object // as in Options
	// Called with the name of each step and the actions dealt with. False ends the call with ErrCancelled. It must not
	// call the Months.
	Progress func(step string, actions int64) bool
}

// Month is a month and where it is.
type Month struct {
	Month   string `json:"month"`
	State   string `json:"state"`   // present, detaching, detached, archived, restoring
	Actions int64  `json:"actions"` // what the server estimates, -1 if it does not know; of an archived month exact
	Bytes   int64  `json:"bytes"`   // in the database, with indexes
	Archive string `json:"archive"` // of an archived month, the path of its manifest at that time
}

// MonthArchive is what the manifest beside an archive says.
type MonthArchive struct {
	Month         string    `json:"month"`
	File          string    `json:"file"` // in the manifest's folder
	Columns       []string  `json:"columns"`
	Actions       int64     `json:"actions"`
	Bytes         int64     `json:"bytes"`  // of the file
	SHA256        string    `json:"sha256"` // of the rows, before compression
	Departure     string    `json:"departure"`
	Schema        string    `json:"schema"`
	SchemaVersion int64     `json:"schema_version"`
	Version       string    `json:"actionhist_version"`
	ArchivedAt    time.Time `json:"archived_at"`
}

// OpenMonths opens the months of the memory at "postgresql://OWNER@HOST/DATABASE". Options may be nil.
func OpenMonths(uri string, options *MonthsOptions) (*Months, error) {
	host := host{}
	settings := []byte(nil)
	if options != nil {
		if tell := options.Progress; tell != nil {
			host.Progress = func(step string, actions, _ int64) bool { return tell(step, actions) }
		}
		if len(options.Postgres) > 0 {
			var err error
			if settings, err = json.Marshal(Object{"postgres": options.Postgres}); err != nil {
				return nil, &Error{Code: ErrInvalidArgument, Message: err.Error()}
			}
		}
	}
	location := C.CString(uri)
	defer C.free(unsafe.Pointer(location))
	data, length := bytesOf(settings)
	var opened *C.actionhist_months
	var failure *C.actionhist_error
	status := C.actionhist_go_open_months(location, C.size_t(len(uri)), data, length,
		C.uintptr_t(cgo.NewHandle(&host)), C.bool(host.Progress != nil), &opened, &failure)
	if err := takeError(status, failure); err != nil {
		return nil, err
	}
	return &Months{handle{pointer: unsafe.Pointer(opened), free: freeMonths}}, nil
}

func freeMonths(pointer unsafe.Pointer) { C.actionhist_months_free((*C.actionhist_months)(pointer)) }

// Close ends the use; more than once does nothing. It never fails, and returns an error only to be an io.Closer.
func (m *Months) Close() error {
	m.close()
	return nil
}

// List returns the months, the oldest first.
func (m *Months) List(ctx context.Context) ([]Month, error) {
	return ask[[]Month](ctx, m, monthsOperation(&C.actionhist_months_list), Object{})
}

// Ensure makes this month and `ahead` more, and returns those that were missing.
func (m *Months) Ensure(ctx context.Context, ahead int) ([]string, error) {
	return ask[[]string](ctx, m, monthsOperation(&C.actionhist_months_ensure), Object{"ahead": ahead})
}

// Detach takes a month out of what is searched and counted, into a table of its own, while agents write on.
func (m *Months) Detach(ctx context.Context, month string) error {
	return m.call(ctx, monthsOperation(&C.actionhist_months_detach), Object{"month": month}, nil)
}

// Archive moves a month into a verified file.
func (m *Months) Archive(ctx context.Context, month, folder string) (MonthArchive, error) {
	request := Object{"month": month, "folder": folder}
	return ask[MonthArchive](ctx, m, monthsOperation(&C.actionhist_months_archive), request)
}

// Restore puts a month back as it was; one that is only detached needs no folder.
func (m *Months) Restore(ctx context.Context, month, folder string) error {
	request := Object{"month": month, "folder": folder}
	return m.call(ctx, monthsOperation(&C.actionhist_months_restore), request, nil)
}

// monthsOperation is a work of one function of the C interface.
func monthsOperation(function *C.actionhist_months_operation) work {
	return func(pointer unsafe.Pointer, request []byte) ([]byte, error) {
		var answer *C.actionhist_text
		var failure *C.actionhist_error
		data, length := bytesOf(request)
		status := C.actionhist_go_months_run(function, (*C.actionhist_months)(pointer), data, length, &answer, &failure)
		return takeAnswer(status, answer, failure)
	}
}
