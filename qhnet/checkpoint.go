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

// restore takes a run back to a snapshot.
func (r *flowRun) restore(s *snapshot) {
	tr := r.trajectory
	r.time, r.steps, r.stallU = s.Time, s.Steps, s.StallU
	tr.Points, tr.Separated, tr.Status, tr.Work = s.Points, s.Separated, s.Status, s.Work
}

// load reads the checkpoint of this run, nil if there is none yet.
func (r *flowRun) load() (*snapshot, error) {
	if r.Checkpoint == "" {
		return nil, nil
	}
	r.fingerprint = r.identify()
	var s snapshot
	err := readFile(r.Checkpoint, &s)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case s.Fingerprint != r.fingerprint:
		return nil, fmt.Errorf("qhnet: the checkpoint %s belongs to another run (other model, data, start or settings); delete it or name another file", r.Checkpoint)
	}
	return &s, nil
}

// identify names everything that determines the bits of the run. The field is
// at the start, so that model and data enter through the margins there.
func (r *flowRun) identify() string {
	text := fmt.Sprintf("%T%+v %v %v %v %v %v %d %d", r.Loss, r.Loss, r.Clock, r.method(LogLogLoss), r.Until, r.Tolerance, r.KinkWidth, r.PerDecade, r.MaxSteps)
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
		r.pending = r.take(phase, state.Clone())
		if time.Since(r.written) < checkpointInterval {
			return nil
		}
		return r.flush()
	}}
}

// flush writes the pending snapshot, if any.
func (r *flowRun) flush() error {
	if r.pending == nil {
		return nil
	}
	if err := writeFile(r.Checkpoint, r.pending); err != nil {
		return fmt.Errorf("qhnet: the checkpoint %s cannot be written: %w", r.Checkpoint, err)
	}
	r.pending, r.written = nil, time.Now()
	return nil
}

// finish writes the whole run, so that repeating it costs nothing.
func (r *flowRun) finish() error {
	if r.Checkpoint == "" {
		return nil
	}
	r.pending = r.take(r.Clock, nil)
	r.pending.Finished = true
	return r.flush()
}

// Forget deletes the flow's checkpoint, if there is one.
func (f Flow) Forget() error { return forget(f.Checkpoint) }
