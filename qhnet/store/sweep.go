package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/renameio/v2/maybe"

	"qhlab/qhnet/internal/file"
	"qhlab/qhnet/progress"
)

// Sweep is an experiment at many independent points (seeds, widths, gaps). Every result is kept in
// the store under its own point, so that a point can be computed alone, in any process. A notebook
// declares its sweeps in cells, and calls [Sweep.Compute] in one cell each, tagged "sweep". Then it
// is an array job: go run ./notebooks run NAME -shard 2/5 computes the third of five parts.
type Sweep[P, R any] struct {
	Name   string
	Points []P // each determines its result and has a JSON form, as results have
	Run    func(ctx context.Context, point P) (R, error)

	// Kept, if not empty, is a file of all results, such as results/widths.jsonl, that comes
	// with the notebook: they need not be computed while they are those of this code.
	Kept string

	Store   Store // the zero value means [Default]
	Workers int   // at a time; 0 means one a processor
}

// Mode is the environment variable that tells [Sweep.Compute] what to do besides what
// it does for a reader: "save" writes the file Kept, "check" refuses to compute what the
// file lacks, and "2/5" computes the third of five parts of the points and no more. After
// a colon it may name the notebook.
const Mode = "QHLAB_SWEEP"

// Compute computes the points that Kept and the store lack, and says on w how many points there are.
func (s Sweep[P, R]) Compute(ctx context.Context, w io.Writer) error {
	if w == nil {
		panic(fmt.Sprintf("qhnet: sweep %q: computed for a nil writer; give os.Stdout, or io.Discard", s.Name))
	}
	mode, notebook, _ := strings.Cut(os.Getenv(Mode), ":")
	if part, parts, err := ParseShard(mode); err == nil {
		points, err := s.Shard(ctx, part, parts)
		fmt.Fprintf(w, "%s, shard %d of %d: %d of %d points\n", s.Name, part, parts, points, len(s.Points))
		return err
	}
	kept, stale := s.kept()
	if mode == "check" && stale != nil {
		return fmt.Errorf("qhnet: sweep %q: %w; to compute it again: go run ./notebooks run %s", s.Name, stale, notebook)
	}
	results, err := s.all(ctx, kept)
	if err != nil {
		return err
	}
	if mode == "save" && s.Kept != "" {
		if stale = s.keep(results); stale != nil {
			return stale
		}
	}
	if fmt.Fprintf(w, "%s: %d points", s.Name, len(results)); s.Kept != "" && stale == nil {
		fmt.Fprintf(w, ", kept in %s", s.Kept)
	}
	fmt.Fprintln(w)
	return nil
}

// ParseShard reads "2/5", the third of five parts.
func ParseShard(text string) (part, parts int, err error) {
	var rest string
	if n, _ := fmt.Sscanf(text, "%d/%d%s", &part, &parts, &rest); n != 2 || part < 0 || part >= parts {
		return 0, 0, fmt.Errorf("%q is no shard; want I/N with 0 ≤ I < N, such as 0/5 for the first of five", text)
	}
	return part, parts, nil
}

// All computes the points that neither the file Kept nor the store has, and returns the
// results in order. If ctx is cancelled or a point fails, it returns what is there, as
// [Sweep.Collect] does, with all the errors.
func (s Sweep[P, R]) All(ctx context.Context) ([]R, error) {
	kept, _ := s.kept()
	return s.all(ctx, kept)
}

func (s Sweep[P, R]) all(ctx context.Context, kept []*R) ([]R, error) {
	failed := s.compute(ctx, kept, 0, 1)
	results, missing := s.collect(kept)
	return results, errors.Join(failed, missing)
}

// Shard computes the points shard, shard+shards, shard+2·shards, … and returns their number. Shards
// can run in different processes, such as the tasks of a cluster's array job, on a shared folder.
func (s Sweep[P, R]) Shard(ctx context.Context, shard, shards int) (points int, err error) {
	if shards < 1 || shard < 0 || shard >= shards {
		return 0, fmt.Errorf("qhnet: sweep %q: there is no shard %d of %d; count from 0", s.Name, shard, shards)
	}
	kept, _ := s.kept()
	if shard < len(s.Points) {
		points = (len(s.Points)-1-shard)/shards + 1
	}
	return points, s.compute(ctx, kept, shard, shards)
}

// compute computes the points of a shard that are not kept and not in the store.
func (s Sweep[P, R]) compute(ctx context.Context, kept []*R, shard, shards int) error {
	if ctx == nil || s.Run == nil {
		panic(fmt.Sprintf("qhnet: sweep %q: it needs a context, such as context.Background(), and a function Run", s.Name))
	}
	if s.Workers < 0 {
		return fmt.Errorf("qhnet: sweep %q: Workers = %d; use at least 1, or 0 for one a processor", s.Name, s.Workers)
	}
	var mine []P
	for i := shard; i < len(s.Points); i += shards {
		if kept[i] == nil {
			mine = append(mine, s.Points[i])
		}
	}
	ctx, task := progress.Begin(ctx, "sweep "+s.Name)
	defer task.End()
	var failed []*pointError
	done := 0
	for err := range s.start(ctx, mine) {
		if err != nil {
			if ctx.Err() == nil || !errors.Is(err, ctx.Err()) && !errors.Is(err, context.Cause(ctx)) {
				failed = append(failed, err)
			}
			continue
		}
		done++
		task.Report(float64(done)/float64(len(mine)), "%d of %d", done, len(mine))
	}
	task.Say("%d of %d", done, len(mine))
	all := join(failed)
	if ctx.Err() != nil && done < len(mine) {
		all = errors.Join(all, fmt.Errorf("qhnet: sweep %q: %d of %d points are stored: %w", s.Name, done, len(mine), context.Cause(ctx)))
	}
	return all
}

// pointError says what went wrong at a point of a sweep.
type pointError struct {
	sweep, point string
	index        int // of the point
	others       int // points of which the same is to be said
	cause        error
	stack        []byte // of a panic
}

func (e *pointError) Error() string {
	others := ""
	if e.others > 0 {
		others = fmt.Sprintf(" and %d other points", e.others)
	}
	return fmt.Sprintf("qhnet: sweep %q at %s%s: %v", e.sweep, e.point, others, e.cause)
}

func (e *pointError) Unwrap() error { return e.cause }

// join makes one error of those at the points. What is wrong at many is said once, of
// the first, and the first panic shows its stack.
func join(failed []*pointError) (all error) {
	slices.SortFunc(failed, func(a, b *pointError) int { return cmp.Compare(a.index, b.index) })
	first, stack := map[string]*pointError{}, []byte(nil)
	for _, e := range failed {
		if same := first[e.cause.Error()]; same != nil {
			same.others++
			continue
		}
		first[e.cause.Error()] = e
		all = errors.Join(all, e)
		if stack == nil {
			stack = e.stack
		}
	}
	if stack != nil {
		all = fmt.Errorf("%w\n%s", all, stack)
	}
	return all
}

// start sets workers to the points until ctx is cancelled. They send an error or nil for each.
func (s Sweep[P, R]) start(ctx context.Context, points []P) <-chan *pointError {
	results, code := make(chan *pointError), codeOf(s.Run)
	var workers sync.WaitGroup
	var next atomic.Int64
	for range max(1, min(cmp.Or(s.Workers, runtime.GOMAXPROCS(0)), len(points))) {
		workers.Go(func() {
			for i := int(next.Add(1) - 1); i < len(points) && ctx.Err() == nil; i = int(next.Add(1) - 1) {
				results <- s.point(ctx, i, points[i], code)
			}
		})
	}
	go func() {
		workers.Wait()
		close(results)
	}()
	return results
}

// MissingError is the error of a sweep of which some results are not in the store.
type MissingError struct {
	Indices []int // of the points without a result
	message string
}

func (e *MissingError) Error() string { return e.message }

// Collect returns the results in order. Where some are missing it returns the others,
// with zero values in their places and a [*MissingError].
func (s Sweep[P, R]) Collect() ([]R, error) {
	kept, _ := s.kept()
	return s.collect(kept)
}

func (s Sweep[P, R]) collect(kept []*R) ([]R, error) {
	results, code := make([]R, len(s.Points)), codeOf(s.Run)
	var missing []int
	for i, p := range s.Points {
		if kept[i] != nil {
			results[i] = *kept[i]
			continue
		}
		result, _, err := recall[R](s.store(), s.Name, p, code)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, file.ErrDamaged):
			missing = append(missing, i)
		case err != nil:
			return nil, err
		default:
			results[i] = result
		}
	}
	if missing == nil {
		return results, nil
	}
	return results, &MissingError{missing, fmt.Sprintf("qhnet: sweep %q: %d of %d points are not in the store, the first of them point %d, %+v; All computes them, or the shards that hold them",
		s.Name, len(missing), len(s.Points), missing[0], s.Points[missing[0]])}
}

func (s Sweep[P, R]) store() Store {
	if s.Store == (Store{}) {
		return Default()
	}
	return s.Store
}

// point computes one point unless the store has it. A panic becomes an error with
// its stack, so that one point does not take the others with it.
func (s Sweep[P, R]) point(ctx context.Context, index int, p P, code string) (failed *pointError) {
	e := pointError{sweep: s.Name, point: fmt.Sprintf("%+v", p), index: index}
	defer func() {
		if r := recover(); r != nil {
			e.cause, e.stack = fmt.Errorf("panic: %v", r), debug.Stack()
			failed = &e
		}
	}()
	if _, e.cause = remember(s.store(), s.Name, p, code, func() (R, error) { return s.Run(ctx, p) }); e.cause != nil {
		return &e
	}
	return nil
}

// heading is the first line of a file of results.
type heading struct {
	Sweep string `json:"sweep"`
	Code  string `json:"code"` // that made them
}

type line[R any] struct {
	Point  json.RawMessage `json:"point"`
	Types  string          `json:"types,omitempty"` // of what its interfaces hold
	Result R               `json:"result"`
}

// line writes a point.
func (s Sweep[P, R]) line(p P) (l line[R], err error) {
	var types layout
	types.dynamic(reflect.ValueOf(&p).Elem())
	l.Types = types.String()
	l.Point, err = json.Marshal(p)
	return l, err
}

// write writes the results as JSON, one object a line: the sweep and the hash of its code, then
// {"point", "result"} in order. They are the same bytes however the points were computed.
func (s Sweep[P, R]) write(w io.Writer, results []R) error {
	encoder := json.NewEncoder(w)
	if err := encoder.Encode(heading{s.Name, codeOf(s.Run)}); err != nil {
		return err
	}
	for i, p := range s.Points {
		l, err := s.line(p)
		if l.Result = results[i]; err == nil {
			err = encoder.Encode(l)
		}
		if err != nil {
			return fmt.Errorf("qhnet: sweep %q: the result of point %d, %+v: %w", s.Name, i, p, err)
		}
	}
	return nil
}

func (s Sweep[P, R]) keep(results []R) error {
	var text bytes.Buffer
	if err := s.write(&text, results); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.Kept), 0o755); err != nil {
		return err
	}
	return maybe.WriteFile(s.Kept, text.Bytes(), 0o644)
}

// kept reads the file of results, one for each point or nil. The error says why it lacks some.
func (s Sweep[P, R]) kept() ([]*R, error) {
	found := make([]*R, len(s.Points))
	text, err := os.ReadFile(s.Kept)
	if s.Kept == "" || err != nil {
		return found, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	var head heading
	if err := decoder.Decode(&head); err != nil {
		return found, fmt.Errorf("%s is damaged: %w", s.Kept, err)
	}
	if code := codeOf(s.Run); head.Code != code {
		return found, fmt.Errorf("%s holds the results of other code, %s and not %s", s.Kept, head.Code, code)
	}
	of := map[string]*R{}
	for decoder.More() {
		var l line[R]
		if err := decoder.Decode(&l); err != nil {
			return found, fmt.Errorf("%s is damaged: %w", s.Kept, err)
		}
		of[string(l.Point)+l.Types] = &l.Result
	}
	lacks := 0
	for i, p := range s.Points {
		l, err := s.line(p)
		if found[i] = of[string(l.Point)+l.Types]; err != nil || found[i] == nil {
			lacks++
		}
	}
	if lacks > 0 {
		return found, fmt.Errorf("%s lacks %d of %d points", s.Kept, lacks, len(s.Points))
	}
	return found, nil
}
