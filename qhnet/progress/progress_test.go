package progress

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"testing"
)

// The package is asked for its pipe once, so the test looks at both in turn.
func TestTasksReportAndEndWhenInterrupted(t *testing.T) {
	ctx, none := Begin(t.Context(), "nobody looks")
	if none.Report(0.5, "half"); none != nil || ctx != t.Context() {
		t.Error("a task where nobody looks")
	}
	none.Say("ready")
	none.End()

	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := pipe
	pipe = func() *os.File { return writer }
	defer func() { pipe = before; interrupted.Store(false) }()

	ctx, task := Begin(t.Context(), "walk")
	for i := range 100 {
		task.Report(float64(i)/99, "step %d", i)
	}
	lines := bufio.NewScanner(reader)
	next := func() (r Report) {
		t.Helper()
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &r) != nil {
			t.Fatalf("%q, %v", lines.Text(), lines.Err())
		}
		return r
	}
	if r := next(); r.Name != "walk" || r.Ended {
		t.Errorf("began with %+v", r)
	}
	last := next()
	for last.Fraction < 1 {
		last = next()
	}
	if last.State != "step 99" {
		t.Errorf("the last report is %+v", last)
	}
	if self, err := os.FindProcess(os.Getpid()); err != nil || self.Signal(os.Interrupt) != nil {
		t.Fatal("no interrupt:", err)
	}
	<-ctx.Done()
	if context.Cause(ctx) != ErrInterrupted {
		t.Errorf("ended by %v", context.Cause(ctx))
	}
	if later, second := Begin(t.Context(), "too late"); later.Err() == nil {
		t.Error("a task began after the interrupt")
	} else {
		second.End()
	}
	task.Say("ended at step %d", 99)
	task.End()
	for last = next(); !last.Ended || last.Name != "walk"; {
		last = next()
	}
	if last.State != "ended at step 99" {
		t.Errorf("the last words are %+v", last)
	}
}
