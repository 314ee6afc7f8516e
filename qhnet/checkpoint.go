package qhnet

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"qhlab/qhnet/ode"
)

// checkpointSteps is the cadence of accepted steps at which a flow with a
// checkpoint lets its solver forget what a file cannot hold.
const checkpointSteps = 50

// checkpointInterval bounds the time spent on writing, and reportInterval that on
// telling how far a descent is; they have no influence on the result.
var checkpointInterval, reportInterval = time.Second, time.Second

// snapshot is all that a flow needs to go on with the same bits.
type snapshot struct {
	Fingerprint string
	Finished    bool
	Phase       Clock
	State       *ode.State // nil at the beginning of a phase
	Time        timekeeper
	Points      []Point
	Separated   *Point
	Status      ode.Status
	Work        ode.Statistics // of the phases before this one, or of all
	Steps       int
	StallU      float64

	Before *snapshot // where a flow that Stop ended goes on from
}

// take saves the state of a run at an accepted step.
func (r *flowRun) take(phase Clock, state *ode.State) *snapshot {
	tr := r.trajectory
	return &snapshot{
		Fingerprint: r.fingerprint, Phase: phase, State: state, Time: r.time,
		Points: tr.Points, Separated: tr.Separated, Status: tr.Status, Work: tr.Work,
		Steps: r.steps, StallU: r.stallU,
	}
}

// restore takes a run back to a snapshot, from which it can go on.
func (r *flowRun) restore(s *snapshot) {
	tr := r.trajectory
	r.time, r.steps, r.stallU, r.latest = s.Time, s.Steps, s.StallU, s
	tr.Points, tr.Separated, tr.Status, tr.Work = s.Points, s.Separated, s.Status, s.Work
}

// load takes the run to its checkpoint, if there is one yet.
func (r *flowRun) load() error {
	if r.Checkpoint == "" {
		return nil
	}
	r.fingerprint = r.identify()
	r.latest.Fingerprint = r.fingerprint
	var s snapshot
	err := readFile(r.Checkpoint, &s)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case s.Fingerprint != r.fingerprint:
		return fmt.Errorf("qhnet: the checkpoint %s belongs to another run (other model, data, start or settings); delete it or name another file", r.Checkpoint)
	}
	r.restore(&s)
	return nil
}

// complete reports whether the run was loaded at its end. One that Stop ended, and
// would not end now, goes back to where it can go on.
func (r *flowRun) complete() bool {
	s := r.latest
	if !s.Finished || s.Status != ode.Stopped || r.Stop != nil && r.Stop(r.trajectory) {
		return s.Finished
	}
	r.restore(s.Before)
	return false
}

// identify names everything that determines the bits of the run. The field is
// at the start, so that model and data enter through the margins there.
func (r *flowRun) identify() string {
	text := fmt.Sprintf("%#v %v %#v %v %v %v %d %d", r.Loss, r.Clock, r.method(LogLogLoss), r.Until, r.Tolerance, r.KinkWidth, r.PerDecade, r.MaxSteps)
	return fingerprint(text, r.Margins.Model(), r.Start, r.field.q, r.field.g)
}

// fingerprint hashes settings, the layout of a model, and numbers.
func fingerprint(settings string, m Model, numbers ...[]float64) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%+v\n", settings, m.Blocks())
	for _, v := range numbers {
		if err := binary.Write(h, binary.LittleEndian, v); err != nil {
			panic("qhnet: hashing: " + err.Error())
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// checkpointing makes the solver hand over its state and writes it now and then.
func (r *flowRun) checkpointing(phase Clock) ode.Checkpoint {
	if r.Checkpoint == "" {
		return ode.Checkpoint{}
	}
	return ode.Checkpoint{Every: checkpointSteps, Save: func(state *ode.State) error {
		r.latest, r.unsaved = r.take(phase, state.Clone()), true
		if time.Since(r.written) < checkpointInterval {
			return nil
		}
		return r.flush()
	}}
}

// flush writes the latest snapshot, unless it is written.
func (r *flowRun) flush() error {
	if !r.unsaved {
		return nil
	}
	if err := writeFile(r.Checkpoint, r.latest); err != nil {
		return fmt.Errorf("qhnet: the checkpoint %s cannot be written: %w", r.Checkpoint, err)
	}
	r.unsaved, r.written = false, time.Now()
	return nil
}

// finish writes the whole run, so that repeating it costs nothing.
func (r *flowRun) finish() error {
	if r.Checkpoint == "" {
		return nil
	}
	end := r.take(r.Clock, nil)
	end.Finished = true
	if end.Status == ode.Stopped {
		end.Before = r.latest
	}
	r.latest, r.unsaved = end, true
	return r.flush()
}

// Forget deletes the flow's checkpoint, if there is one.
func (f Flow) Forget() error { return forget(f.Checkpoint) }
