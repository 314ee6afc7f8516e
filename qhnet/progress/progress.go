// Package progress tells the reader of a notebook how far a long computation has come,
// and the computation that the reader has interrupted it. Elsewhere it does nothing.
package progress

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"
)

// Variable is the environment variable with the name of the pipe that reports are
// written to, a line of JSON each. The kernel of the notebooks sets it and draws a bar.
const Variable = "QHLAB_PROGRESS"

// Report says how far a task is.
type Report struct {
	Task     int64   `json:"task"`
	Name     string  `json:"name"`
	Fraction float64 `json:"fraction"` // done, in [0, 1]; 0 if nobody knows
	State    string  `json:"state"`
	Ended    bool    `json:"ended"`
}

// ErrInterrupted is the cause that ends the context of a task.
var ErrInterrupted = errors.New("the cell was interrupted")

// Task is a running computation. Its methods are safe for several goroutines and for a nil Task.
type Task struct {
	mu      sync.Mutex
	report  Report
	waiting bool // a report is going to be sent
	end     func()
}

var (
	tasks       atomic.Int64
	interrupted atomic.Bool

	// pipe is nil where nobody reads.
	pipe = sync.OnceValue(func() *os.File {
		name := os.Getenv(Variable)
		if name == "" {
			return nil
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return nil
		}
		return f
	})
)

// Begin announces a task. In a cell, the context that it returns ends when the cell is
// interrupted, so that the task can return what it has before [Task.End]; the context
// of a task that begins after that has ended already.
//
//	ctx, task := progress.Begin(ctx, "my training")
//	defer task.End()
//	for step := range steps {
//		task.Report(float64(step)/float64(steps), "step %d of %d", step, steps)
//		…
//	}
func Begin(ctx context.Context, name string) (context.Context, *Task) {
	t := Announce(name)
	if t == nil {
		return ctx, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	t.end = func() {
		signal.Stop(signals)
		cancel(nil)
	}
	go func() {
		select {
		case <-signals:
			interrupted.Store(true)
			cancel(ErrInterrupted)
		case <-ctx.Done():
		}
	}()
	if interrupted.Load() {
		cancel(ErrInterrupted)
	}
	return ctx, t
}

// Announce begins a task that an interrupt ends with the whole program.
func Announce(name string) *Task {
	if pipe() == nil {
		return nil
	}
	t := &Task{report: Report{Task: tasks.Add(1), Name: name}, end: func() {}}
	t.send()
	return t
}

// interval is the time between two reports of a task that are sent.
const interval = 100 * time.Millisecond

// Report says which fraction of the task is done, 0 if that is not known, and how far
// it is in words. Of reports that come faster than one can read, the last is sent.
func (t *Task) Report(fraction float64, format string, args ...any) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(fraction, format, args)
	if !t.waiting {
		t.waiting = true
		time.AfterFunc(interval, t.flush)
	}
}

func (t *Task) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting = false; !t.report.Ended {
		t.send()
	}
}

// Say says in words how the task ends.
func (t *Task) Say(format string, args ...any) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(1, format, args)
}

// End ends the task.
func (t *Task) End() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Ended = true
	t.send()
	t.end()
}

func (t *Task) set(fraction float64, format string, args []any) {
	if !(fraction >= 0) {
		fraction = 0
	}
	t.report.Fraction, t.report.State = min(fraction, 1), fmt.Sprintf(format, args...)
}

// send writes the report in one piece, which a pipe keeps together. One that cannot
// be written is lost: nothing depends on it.
func (t *Task) send() {
	if line, err := json.Marshal(t.report); err == nil {
		pipe().Write(append(line, '\n'))
	}
}
