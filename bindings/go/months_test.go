package actionhist

import (
	"bufio"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A PostgreSQL server of the test's own, which ends with it.
func postgres(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("/usr/lib/postgresql/15/bin/postgres"); err != nil {
		t.Skip("needs PostgreSQL 15")
	}
	command := exec.Command("python3", "../../tests/python/postgres.py")
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	command.Stderr = &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		input.Close()
		if err := command.Wait(); err != nil {
			t.Error(err, said.String())
		}
	})
	uri, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err, said.String())
	}
	return strings.TrimSpace(uri)
}

func TestAMonthGoesIntoAFileAndComesBack(t *testing.T) {
	ctx := context.Background()
	uri := postgres(t)
	h, err := Open(uri, &Options{Tenant: "t", NoSemantic: true})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	old := restart("old")
	old.Time = Ptr(time.Date(2024, 3, 5, 0, 0, 0, 0, time.UTC))
	if _, err := h.Record(ctx, old); err != nil {
		t.Fatal(err)
	}
	stops := true
	months, err := OpenMonths(uri, &MonthsOptions{
		Postgres: Object{"schema": "actionhist"},
		Progress: func(step string, _ int64) bool { return step != "" && !stops },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer months.Close()
	if made, err := months.Ensure(ctx, 5); err != nil || len(made) == 0 {
		t.Fatal(made, err)
	}
	folder := t.TempDir()
	if _, err := months.Archive(ctx, "2024-03", folder); !errors.Is(err, ErrCancelled) {
		t.Fatal(err)
	}
	stops = false
	archive, err := months.Archive(ctx, "2024-03", folder)
	if err != nil || archive.Actions != 1 || archive.SHA256 == "" || archive.ArchivedAt.IsZero() {
		t.Fatal(archive, err)
	}
	listed, err := months.List(ctx)
	if err != nil || listed[0].Month != "2024-03" || listed[0].State != "archived" || listed[0].Archive == "" {
		t.Fatal(listed, err)
	}
	if trace, err := h.Get(ctx, "old"); err != nil || trace != nil {
		t.Fatal(trace, err)
	}
	if err := months.Restore(ctx, "2024-03", folder); err != nil {
		t.Fatal(err)
	}
	if trace, err := h.Get(ctx, "old"); err != nil || trace == nil {
		t.Fatal(trace, err)
	}
	if err := months.Detach(ctx, "2024-03"); err != nil {
		t.Fatal(err)
	}
	if err := months.Restore(ctx, "2024-03", ""); err != nil {
		t.Fatal(err)
	}
}

func TestMisuseOfMonthsIsAnError(t *testing.T) {
	ctx := context.Background()
	if _, err := OpenMonths("memory:", nil); !errors.Is(err, ErrUnsupported) {
		t.Fatal(err)
	}
	months, err := OpenMonths("postgresql://nobody@/none?host=/nowhere", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := months.Detach(ctx, "2024-13"); !errors.Is(err, ErrInvalidArgument) {
		t.Fatal(err)
	}
	if _, err := months.List(ctx); !errors.Is(err, ErrUnavailable) {
		t.Fatal(err)
	}
	months.Close()
	if _, err := months.List(ctx); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}
