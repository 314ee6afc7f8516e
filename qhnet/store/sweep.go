package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"runtime/debug"
	"sync"

	"qhlab/qhnet/internal/file"
	"qhlab/qhnet/progress"
)

// Sweep is an experiment at many independent points (seeds, widths, gaps). Every
// result is kept in the store under its own point, so that a point can be
// computed alone, in any process, and repeating one changes nothing.
type Sweep[P, R any] struct {
	Name   string
	Points []P // each determines its result and has a JSON form
	Run    func(ctx context.Context, point P) (R, error)

	Store    Store
	Workers  int                   // at a time; 0 means one a processor
	Progress func(done, total int) // of the points asked for; may be nil
}

// All computes the points that the store lacks and returns the results in order.
// If ctx is cancelled or a point fails, it returns what is there, as [Sweep.Collect]
// does, with all the errors.
func (s Sweep[P, R]) All(ctx context.Context) ([]R, error) {
	failed := s.Shard(ctx, 0, 1)
	results, missing := s.Collect()
	return results, errors.Join(failed, missing)
}

// Shard computes the points shard, shard+shards, shard+2·shards, … that the store
// lacks. Shards can run in different processes, such as the tasks of a
// cluster's array job, on a shared folder.
func (s Sweep[P, R]) Shard(ctx context.Context, shard, shards int) error {
	if ctx == nil || s.Run == nil {
		panic(fmt.Sprintf("qhnet: sweep %q: it needs a context, such as context.Background(), and a function Run", s.Name))
	}
	if shards < 1 || shard < 0 || shard >= shards {
		return fmt.Errorf("qhnet: sweep %q: there is no shard %d of %d; count from 0", s.Name, shard, shards)
	}
	if s.Workers < 0 {
		return fmt.Errorf("qhnet: sweep %q: Workers = %d; use at least 1, or 0 for one a processor", s.Name, s.Workers)
	}
	var mine []P
	for i := shard; i < len(s.Points); i += shards {
		mine = append(mine, s.Points[i])
	}
	ctx, task := progress.Begin(ctx, "sweep "+s.Name)
	defer task.End()
	var failed []error
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
		if s.Progress != nil {
			s.Progress(done, len(mine))
		}
	}
	task.Say("%d of %d", done, len(mine))
	if ctx.Err() != nil && done < len(mine) {
		failed = append(failed, fmt.Errorf("qhnet: sweep %q: %d of %d points are stored: %w", s.Name, done, len(mine), context.Cause(ctx)))
	}
	return errors.Join(failed...)
}

// start sets workers to the points, and to no further ones once ctx is cancelled.
// They send an error or nil for each.
func (s Sweep[P, R]) start(ctx context.Context, points []P) <-chan error {
	work, results := make(chan P), make(chan error)
	var crew sync.WaitGroup
	for range max(1, min(cmp.Or(s.Workers, runtime.GOMAXPROCS(0)), len(points))) {
		crew.Go(func() {
			for p := range work {
				results <- s.compute(ctx, p)
			}
		})
	}
	go func() {
		defer close(results)
		defer crew.Wait()
		defer close(work)
		for _, p := range points {
			select {
			case work <- p:
			case <-ctx.Done():
				return
			}
		}
	}()
	return results
}

// MissingError is the error of a sweep of which some results are not in the store.
type MissingError struct {
	Sweep   string // its name
	Points  int    // of the sweep
	Indices []int  // of the points without a result
	First   string // the first of those points
}

// Error names the first of them.
func (e *MissingError) Error() string {
	if len(e.Indices) == 0 {
		return fmt.Sprintf("qhnet: sweep %q: points are not in the store; run the shards that hold them", e.Sweep)
	}
	return fmt.Sprintf("qhnet: sweep %q: %d of %d points are not in the store, the first of them point %d, %s; run the shards that hold them",
		e.Sweep, len(e.Indices), e.Points, e.Indices[0], e.First)
}

// Collect returns the stored results in order. Where some are missing it returns
// the others, with zero values in their places and a [*MissingError].
func (s Sweep[P, R]) Collect() ([]R, error) {
	results := make([]R, len(s.Points))
	var missing []int
	for i, p := range s.Points {
		result, err := Recall[R](s.Store, s.Name, p)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, file.ErrDamaged):
			missing = append(missing, i)
		case err != nil:
			return nil, err
		default:
			results[i] = result
		}
	}
	if missing != nil {
		return results, &MissingError{s.Name, len(s.Points), missing, fmt.Sprintf("%+v", s.Points[missing[0]])}
	}
	return results, nil
}

// Merge writes the stored results to w, one JSON object {"point", "result"} a
// line, in order: the same bytes however the points were computed.
func (s Sweep[P, R]) Merge(w io.Writer) error {
	results, err := s.Collect()
	if err != nil {
		return err
	}
	if w == nil {
		panic(fmt.Sprintf("qhnet: sweep %q: merged to a nil writer; give a file, or io.Discard", s.Name))
	}
	encoder := json.NewEncoder(w)
	for i, p := range s.Points {
		err := encoder.Encode(struct {
			Point  P `json:"point"`
			Result R `json:"result"`
		}{p, results[i]})
		if err != nil {
			return fmt.Errorf("qhnet: sweep %q: the result of point %d, %+v: %w", s.Name, i, p, err)
		}
	}
	return nil
}

// compute computes one point unless the store has it. A panic becomes an error with
// its stack, so that one point does not take the others with it.
func (s Sweep[P, R]) compute(ctx context.Context, p P) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("qhnet: sweep %q at %+v: panic: %v\n%s", s.Name, p, r, debug.Stack())
		}
	}()
	_, err = Remember(s.Store, s.Name, p, func() (R, error) { return s.Run(ctx, p) })
	if err != nil {
		return fmt.Errorf("qhnet: sweep %q at %+v: %w", s.Name, p, err)
	}
	return nil
}
