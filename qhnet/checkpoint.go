package qhnet

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"qhlab/qhnet/internal/file"
	"qhlab/qhnet/ode"
)

// checkpointSteps is the cadence at which a flow's solver forgets what a file cannot hold.
const checkpointSteps = 50

// checkpointInterval bounds the time spent on writing, without influence on the result.
var checkpointInterval = time.Second

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
	Work        Work // of the phases before this one, or of all
	Steps       int
	StallU      float64

	Before *snapshot // where a flow that Stop ended goes on from
}

// take saves the state of a run at an accepted step.
func (r *flowRun) take(phase Clock, state *ode.State) *snapshot {
	tr := r.trajectory
	s := &snapshot{
		Fingerprint: r.fingerprint, Phase: phase, State: state, Time: r.time, Steps: r.steps, StallU: r.stallU,
		Points: tr.Points, Separated: tr.Separated, Status: tr.Status, Work: tr.Work,
	}
	s.Work.Limited = slices.Clone(tr.Work.Limited)
	return s
}

// restore takes a run back to a snapshot, from which it can go on.
func (r *flowRun) restore(s *snapshot) {
	tr := r.trajectory
	r.time, r.steps, r.stallU, r.latest = s.Time, s.Steps, s.StallU, s
	tr.Points, tr.Separated, tr.Status, tr.Work = s.Points, s.Separated, s.Status, s.Work
	tr.Work.Limited = slices.Clone(s.Work.Limited)
}

// load takes the run to its checkpoint, if there is one.
func (r *flowRun) load() error {
	if r.Checkpoint == "" {
		return nil
	}
	var err error
	if r.fingerprint, err = r.identify(); err != nil {
		return err
	}
	r.latest.Fingerprint = r.fingerprint
	var s snapshot
	found, err := readCheckpoint(r.Checkpoint, &s, &s.Fingerprint, r.fingerprint, func() bool { return r.fits(&s) })
	if found {
		r.restore(&s)
	}
	return err
}

// readCheckpoint fills the state of a run from a file, and reports whether there is one.
func readCheckpoint(path string, state any, have *string, fingerprint string, fits func() bool) (found bool, err error) {
	switch err := file.Read(path, state); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case *have != fingerprint:
		return false, fmt.Errorf("qhnet: the checkpoint %s belongs to another run (other model, data, start or settings); delete it or name another file", path)
	case !fits():
		return false, fmt.Errorf("qhnet: the checkpoint %s: %w", path, file.ErrDamaged)
	}
	return true, nil
}

func writeCheckpoint(path string, state any) error {
	if err := file.Write(path, state); err != nil {
		return fmt.Errorf("qhnet: the checkpoint %s cannot be written: %w", path, err)
	}
	return nil
}

// fits tells whether a run can go on from a snapshot, whatever program wrote it.
func (r *flowRun) fits(s *snapshot) bool {
	switch {
	case !pointsFit(s.Points, len(r.Start)) || len(s.Work.Limited) != len(r.trajectory.Work.Limited):
		return false
	case !s.Finished:
		return slices.Contains(r.phases(), s.Phase) && (s.State == nil || len(s.State.Y) == len(r.Start))
	}
	return s.Status != ode.Stopped || s.Before != nil && !s.Before.Finished && r.fits(s.Before)
}

// pointsFit tells whether there are records, each of so many parameters.
func pointsFit(points []Point, m int) bool {
	return len(points) > 0 && !slices.ContainsFunc(points, func(p Point) bool { return len(p.Theta) != m })
}

// complete reports whether the run was loaded at its end. One that Stop ended, and would not
// end now, goes back to where it can go on.
func (r *flowRun) complete() bool {
	s := r.latest
	if !s.Finished || s.Status != ode.Stopped || r.Stop != nil && r.Stop(r.trajectory) {
		return s.Finished
	}
	r.restore(s.Before)
	return false
}

// identify names everything that determines the bits of the run, model and data by the
// margins at the start, where the field is.
func (r *flowRun) identify() (string, error) {
	text := fmt.Sprintf("%#v %v %#v %v %v %v %d %d", r.Loss, r.Clock, r.method(), r.Until, r.Tolerance, r.KinkWidth, r.PerDecade, r.MaxSteps)
	return fingerprint(text, r.Margins.Model(), r.Start, r.field.q, r.field.g)
}

// Key names everything that determines the bits of the flow: model and data at the start,
// the start and the settings. Equal keys, equal trajectories, by the same code.
func (f Flow) Key() (string, error) {
	if err := f.validate(); err != nil {
		return "", err
	}
	r := newFlowRun(&f)
	if err := r.field.at(f.Start); err != nil {
		return "", fmt.Errorf("qhnet: the flow cannot start: %w", err)
	}
	return r.identify()
}

// fingerprint hashes settings, the layout of a model, and numbers. It is an error if an address
// stands in the settings: that of a function says nothing about what it captures.
func fingerprint(settings string, m Model, numbers ...[]float64) (string, error) {
	if strings.Contains(settings, ")(0x") {
		return "", fmt.Errorf("qhnet: the settings %s hold a function or a pointer, which does not tell one run from another; give its type a method GoString that does, or run without a checkpoint and a store", settings)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%+v\n", settings, m.Blocks())
	for _, v := range numbers {
		binary.Write(h, binary.LittleEndian, v) // a hash takes anything
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
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
	if err := writeCheckpoint(r.Checkpoint, r.latest); err != nil {
		return err
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

// resume takes the run to its checkpoint, if there is one that is not past its end.
func (r *descentRun) resume() error {
	if r.Checkpoint == "" {
		return nil
	}
	var err error
	if r.Fingerprint, err = r.identify(); err != nil {
		return err
	}
	var s descentState
	memory := r.memory()
	found, err := readCheckpoint(r.Checkpoint, &s, &s.Fingerprint, r.Fingerprint, func() bool {
		return len(s.Theta) == len(r.Start) && pointsFit(s.Points, len(r.Start)) && len(s.Memory) == len(memory)
	})
	if !found {
		return err
	}
	if r.past(&s) {
		r.Checkpoint = ""
		return nil
	}
	r.descentState = s
	tr := r.trajectory
	tr.Points, tr.Separated, tr.Status = s.Points, s.Separated, s.Status
	for i, slot := range memory {
		*slot = s.Memory[i]
	}
	return nil
}

// memory returns the slots of the optimizer's memory.
func (r *descentRun) memory() []*[]float64 {
	if o, ok := r.Optimizer.(Rememberer); ok {
		return o.Memory()
	}
	return nil
}

// past reports whether a state lies after the record with which this run ends.
func (r *descentRun) past(s *descentState) bool {
	end := r.Steps
	if i := slices.IndexFunc(s.Points, r.reaches); i >= 0 {
		end = min(end, s.Points[i].Step)
	}
	recorded := s.Points[len(s.Points)-1].Step == s.Step
	return s.Step > end || s.Step == end && !recorded
}

// complete reports whether a resumed run is at its end, or drops the record of an end that is
// none any more.
func (r *descentRun) complete() bool {
	tr := r.trajectory
	n := len(tr.Points)
	switch {
	case n == 0 || tr.Last().Step < r.Step:
		return false
	case n > 1 && r.Step < r.Steps && r.Step < r.nextRecord(tr.Points[n-2].Step):
		tr.Points = tr.Points[:n-1]
		if tr.Separated != nil && tr.Separated.Step == r.Step {
			tr.Separated = nil
		}
		return false
	case r.reaches(tr.Last()):
		tr.Status = ode.EventReached
		return true
	case tr.Status == ode.Stopped && r.Stop != nil && r.Stop(tr):
		return true
	case r.Step == r.Steps:
		tr.Status = ode.Reached
		return true
	}
	return false
}

// identify names what determines the bits of the run, model and data by the margins at the
// start.
func (r *descentRun) identify() (string, error) {
	text := fmt.Sprintf("%#v %#v %v %v %v", r.Optimizer, r.Loss, r.WeightDecay, r.PerDecade, r.Seed)
	numbers := [][]float64{r.Start, r.full.q, r.full.g}
	for i, b := range r.batches {
		if err := b.at(r.Start); err != nil {
			return "", fmt.Errorf("qhnet: the descent cannot start: batch %d: %w", i, err)
		}
		numbers = append(numbers, b.q, b.g)
	}
	return fingerprint(text, r.Margins.Model(), numbers...)
}

// Key names what determines the bits of the descent, as [Flow.Key] does for a flow. Steps and
// Until do not count: with more of them it is the same descent, which goes on.
func (d Descent) Key() (string, error) {
	if err := d.validate(); err != nil {
		return "", err
	}
	r, err := newDescentRun(&d)
	if err != nil {
		return "", err
	}
	return r.identify()
}

func (r *descentRun) save() error {
	if r.Checkpoint == "" {
		return nil
	}
	tr := r.trajectory
	r.Points, r.Separated, r.Status = tr.Points, tr.Separated, tr.Status
	r.Memory = nil
	for _, slot := range r.memory() {
		r.Memory = append(r.Memory, *slot)
	}
	r.written = time.Now()
	return writeCheckpoint(r.Checkpoint, &r.descentState)
}
