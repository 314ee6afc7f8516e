package ode

import "fmt"

// Stretch is a piece of the solution within one accepted step. It and its slices
// are valid only during the callback that gets it.
type Stretch struct {
	T0, T1 float64   // its ends
	Y0, Y1 []float64 // the solution at its ends; not to be modified
	run    *run
}

// At sets dst, of length m, to the solution at a time within the stretch, by the
// dense output of the method.
func (s *Stretch) At(dst []float64, t float64) {
	if len(dst) != len(s.Y0) {
		panic(fmt.Sprintf("ode: Stretch.At: dst has length %d, want %d", len(dst), len(s.Y0)))
	}
	s.run.interpolate(dst, t)
}

// Method returns the name of the method that took the step.
func (s *Stretch) Method() string { return s.run.stepper.active() }

// interpolate sets dst to the solution at t in the current step.
func (r *run) interpolate(dst []float64, t float64) {
	switch t {
	case r.system.t:
		copy(dst, r.system.y)
	case r.system.tNew:
		copy(dst, r.system.yNew)
	default:
		r.stepper.interpolate(dst, t)
	}
}

// deliver hands an accepted step to the caller: stretches, records and events in order. If
// the run ends within the step, it cuts the step there.
func (r *run) deliver() (Status, error) {
	s := r.system
	piece := &r.piece
	*piece = Stretch{T0: s.t, T1: s.t, Y0: s.y, Y1: s.y, run: r}
	if err := r.events.evaluate(r.events.end, s.tNew, s.yNew); err != nil {
		s.tNew = s.t
		copy(s.yNew, s.y)
		copy(s.fNew, s.f)
		return EventNonFinite, err
	}
	status, cause := r.deliverEvents(piece)
	if status == running {
		status, cause = r.deliverTo(piece, s.tNew, r.recorder.Steps)
	}
	r.events.next()
	if status != running && piece.T1 != s.tNew {
		copy(s.yNew, piece.Y1)
		s.tNew = piece.T1
	}
	return status, cause
}

// deliverEvents delivers the step up to its last event.
func (r *run) deliverEvents(piece *Stretch) (Status, error) {
	r.whole = Stretch{T0: r.system.t, T1: r.system.tNew, Y0: r.system.y, Y1: r.system.yNew, run: r}
	for len(r.events.events) > 0 {
		i, t, err := r.events.first(&r.whole)
		if err != nil {
			return EventNonFinite, err
		}
		if i < 0 {
			break
		}
		e := &r.options.Events[i]
		if status, cause := r.deliverTo(piece, t, e.Terminal && r.recorder.Steps); status != running {
			return status, cause
		}
		r.solution.Events = append(r.solution.Events,
			Occurrence{Event: i, Name: e.Name, T: t, Y: append([]float64(nil), piece.Y1...)})
		if e.Terminal {
			return EventReached, nil
		}
		r.events.value[i] = r.events.end[i] // not to be found again in this step
	}
	return running, nil
}

// deliverTo delivers the rest of the step up to time t, with the records due on
// the way and, if asked, one at t.
func (r *run) deliverTo(piece *Stretch, t float64, record bool) (Status, error) {
	for {
		due, ok := r.recorder.due(t)
		if !ok {
			break
		}
		if status, cause := r.extend(piece, due); status != running {
			return status, cause
		}
		if status, cause := r.record(due, piece.Y1); status != running {
			return status, cause
		}
		record = record && due != t
	}
	if status, cause := r.extend(piece, t); status != running || !record {
		return status, cause
	}
	return r.record(t, piece.Y1)
}

// extend makes the piece the stretch from its old end to t and shows it to the caller.
func (r *run) extend(piece *Stretch, t float64) (Status, error) {
	if t == piece.T1 {
		return running, nil
	}
	piece.T0, piece.Y0 = piece.T1, piece.Y1
	piece.T1, piece.Y1 = t, r.system.yNew
	if t != r.system.tNew {
		r.cut[0], r.cut[1] = r.cut[1], r.cut[0]
		piece.Y1 = r.cut[0]
		r.stepper.interpolate(piece.Y1, t)
	}
	if r.options.OnStep != nil {
		if err := r.options.OnStep(piece); err != nil {
			return CallbackFailed, fmt.Errorf("OnStep from t = %.10g to %.10g: %w", piece.T0, piece.T1, err)
		}
	}
	return running, nil
}

// record makes a record and asks whether to stop there.
func (r *run) record(t float64, y []float64) (Status, error) {
	if err := r.recorder.record(t, y); err != nil {
		return CallbackFailed, err
	}
	r.recorder.skip(t)
	if stop := r.options.Stop.AfterRecord; stop != nil && stop(t, y) {
		return Stopped, nil
	}
	return running, nil
}

// recorder hands records to the caller or collects them.
type recorder struct {
	Recording
	next     int // index of the next time in At
	sign     float64
	solution *Solution
	storage  []float64 // what is left of the block that records are cut from
}

// due returns the next listed time if it is not after t.
func (r *recorder) due(t float64) (float64, bool) {
	if r.next < len(r.At) && r.sign*(t-r.At[r.next]) >= 0 {
		return r.At[r.next], true
	}
	return 0, false
}

// skip passes the times up to t.
func (r *recorder) skip(t float64) {
	for _, ok := r.due(t); ok; _, ok = r.due(t) {
		r.next++
	}
}

// record makes one record.
func (r *recorder) record(t float64, y []float64) error {
	if r.Visit != nil {
		if err := r.Visit(t, y); err != nil {
			return fmt.Errorf("record at t = %.10g: %w", t, err)
		}
		return nil
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
