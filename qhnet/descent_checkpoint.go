package qhnet

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"qhlab/qhnet/ode"
)

// descentState is what a checkpoint holds besides the optimizer's memory.
type descentState struct {
	Fingerprint string
	Step        int
	Theta       []float64
	LogTime     float64
	Points      []Point
	Separated   *Point
	Status      ode.Status
	Memory      [][]float64
}

// resume takes the run to its checkpoint, if there is one. A checkpoint that is
// past the end of this run is of no use and stays as it is.
func (r *descentRun) resume() error {
	if r.Checkpoint == "" {
		return nil
	}
	var err error
	if r.Fingerprint, err = r.identify(); err != nil {
		return err
	}
	var s descentState
	if err := readFile(r.Checkpoint, &s); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if s.Fingerprint != r.Fingerprint {
		return fmt.Errorf("qhnet: the checkpoint %s belongs to another training (other model, data, start or settings); delete it or name another file", r.Checkpoint)
	}
	if r.past(&s) {
		r.Checkpoint = ""
		return nil
	}
	r.descentState = s
	tr := r.trajectory
	tr.Points, tr.Separated, tr.Status = s.Points, s.Separated, s.Status
	if o, ok := r.Optimizer.(Rememberer); ok {
		for i, slot := range o.Memory() {
			*slot = s.Memory[i]
		}
	}
	return nil
}

// past reports whether a state lies after the record with which this run ends.
func (r *descentRun) past(s *descentState) bool {
	for _, p := range s.Points {
		if r.reaches(p) {
			return p.Step < s.Step
		}
	}
	recorded := len(s.Points) > 0 && s.Points[len(s.Points)-1].Step == s.Step
	return s.Step > r.Steps || s.Step == r.Steps && !recorded
}

// complete reports whether a resumed run is at its end. Otherwise it drops the
// record of an end that is none any more.
func (r *descentRun) complete() bool {
	tr := r.trajectory
	n := len(tr.Points)
	switch {
	case n == 0 || tr.Last().Step < r.Step:
		return false
	case r.reaches(tr.Last()):
		tr.Status = ode.EventReached
	case tr.Status == ode.Stopped && r.Stop != nil && r.Stop(tr):
	case r.Step == r.Steps:
		tr.Status = ode.Reached
	default:
		if n > 1 && r.Step < r.nextRecord(tr.Points[n-2].Step) {
			tr.Points = tr.Points[:n-1]
			if tr.Separated != nil && tr.Separated.Step == r.Step {
				tr.Separated = nil
			}
		}
		return false
	}
	return true
}

// identify names what determines the bits of the run, up to its end. Model and
// data enter through the margins at the start.
func (r *descentRun) identify() (string, error) {
	text := fmt.Sprintf("%#v %#v %v %v %v", r.Optimizer, r.Loss, r.WeightDecay, r.PerDecade, r.Seed)
	numbers := [][]float64{r.Start, r.full.q, r.full.g}
	for i, b := range r.batches {
		if err := b.at(r.Start); err != nil {
			return "", fmt.Errorf("qhnet: the descent cannot start: batch %d: %w", i, err)
		}
		numbers = append(numbers, b.q, b.g)
	}
	return fingerprint(text, r.Margins.Model(), numbers...), nil
}

func (r *descentRun) save() error {
	if r.Checkpoint == "" {
		return nil
	}
	tr := r.trajectory
	r.Points, r.Separated, r.Status = tr.Points, tr.Separated, tr.Status
	r.Memory = nil
	if o, ok := r.Optimizer.(Rememberer); ok {
		for _, slot := range o.Memory() {
			r.Memory = append(r.Memory, *slot)
		}
	}
	r.written = time.Now()
	if err := writeFile(r.Checkpoint, &r.descentState); err != nil {
		return fmt.Errorf("qhnet: the checkpoint %s cannot be written: %w", r.Checkpoint, err)
	}
	return nil
}
