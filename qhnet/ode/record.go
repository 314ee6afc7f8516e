package ode

import (
	"fmt"
	"math"
)

// Recording says at which times the solution is kept. Values between steps come
// from the method's dense output; recording does not change the steps. The
// memory of a run is that of its records.
type Recording struct {
	// At lists times, strictly monotone in the direction of integration, within
	// the interval.
	At []float64

	// Steps records the start and the end of every accepted step as well.
	Steps bool

	// Visit, if not nil, is called with every record, and records are not
	// collected in the Solution unless Keep is set. It must copy y to keep it. An
	// error ends the run with status [CallbackFailed].
	Visit func(t float64, y []float64) error
	Keep  bool
}

func (r *Recording) validate(p *Problem) error {
	sign := math.Copysign(1, p.End-p.Start)
	for i, t := range r.At {
		if math.IsNaN(t) || sign*(t-p.Start) < 0 || sign*(p.End-t) < 0 {
			return fmt.Errorf("ode: Recording.At[%d] = %v lies outside the interval from %v to %v", i, t, p.Start, p.End)
		}
		if i > 0 && sign*(t-r.At[i-1]) <= 0 {
			return fmt.Errorf("ode: Recording.At[%d] = %v does not come after At[%d] = %v", i, t, i-1, r.At[i-1])
		}
	}
	return nil
}

// recorder hands records to the caller and collects them.
type recorder struct {
	Recording
	next     int // index of the next time in At
	sign     float64
	solution *Solution
	storage  []float64 // what is left of the block that records are cut from
}

func newRecorder(r Recording, sign float64, sol *Solution) *recorder {
	return &recorder{Recording: r, sign: sign, solution: sol}
}

// skip passes the times before t, and t itself if inclusive.
func (r *recorder) skip(t float64, inclusive bool) {
	for r.next < len(r.At) && (r.sign*(t-r.At[r.next]) > 0 || inclusive && t == r.At[r.next]) {
		r.next++
	}
}

// due returns the next listed time if it is not after t.
func (r *recorder) due(t float64) (float64, bool) {
	if r.next < len(r.At) && r.sign*(t-r.At[r.next]) >= 0 {
		return r.At[r.next], true
	}
	return 0, false
}

// record makes one record.
func (r *recorder) record(t float64, y []float64) error {
	if r.Visit != nil {
		if err := r.Visit(t, y); err != nil {
			return fmt.Errorf("record at t = %.10g: %w", t, err)
		}
		if !r.Keep {
			return nil
		}
	}
	r.solution.Times = append(r.solution.Times, t)
	r.solution.Values = append(r.solution.Values, r.copy(y))
	return nil
}

// copy cuts a copy of y from blocks that hold many records.
func (r *recorder) copy(y []float64) []float64 {
	m := len(y)
	if len(r.storage) < m {
		count := max(len(r.At)-r.next, 1)
		if r.Steps {
			count = max(count, min(len(r.solution.Times)+1, 1024))
		}
		r.storage = make([]float64, m*min(count, 1+1<<20/m))
	}
	c := r.storage[:m:m]
	r.storage = r.storage[m:]
	copy(c, y)
	return c
}
