package qhnet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/dataset"
	"qhlab/qhnet/ode"
)

// Descent trains by a discrete optimizer and records the same points as a
// [Flow], at steps that grow by a constant factor.
type Descent struct {
	Margins   *Margins
	Start     []float64 // θ before the first step, not changed
	Optimizer Optimizer // a pointer such as &LossScaled{Step: 0.1}; its memory starts empty
	Steps     int       // to take
	Until     float64   // log(1/L) that ends the training earlier, if positive

	Loss        Loss    // nil means Exponential
	WeightDecay float64 // κ of the penalty κ‖θ‖²/2 added to L
	PerDecade   int     // recorded points in a decade of steps; 0 means 20

	// Batches, if not nil, makes the gradients stochastic: one batch a step, in
	// an order drawn anew for every pass from Seed.
	Batches []*Margins
	Seed    uint64

	// Checkpoint, Stop and Progress are as in Flow.
	Checkpoint string
	Stop       func(*Trajectory) bool
	Progress   func(step int, logInverse float64)
}

// Batches cuts a set, shuffled, into parts of the given size (the last may be
// smaller) and binds the model to each.
func Batches(m Model, set dataset.Set, size int, rng *rand.Rand) ([]*Margins, error) {
	if err := set.Check(); err != nil {
		return nil, fmt.Errorf("qhnet: batches: %w", err)
	}
	if size < 1 {
		return nil, fmt.Errorf("qhnet: batches of size %d; use at least 1", size)
	}
	var batches []*Margins
	for part := range slices.Chunk(rng.Perm(set.Len()), size) {
		b, err := bindMargins(m, set.Subset(part))
		if err != nil {
			return nil, err
		}
		batches = append(batches, b)
	}
	return batches, nil
}

// Run trains. If it is interrupted or fails, it returns what was recorded so far
// together with the error.
func (d Descent) Run(ctx context.Context) (*Trajectory, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	r := &descentRun{Descent: &d, logPoints: math.Log(float64(d.Margins.Points()))}
	r.full = newField(d.Margins, d.Loss)
	for _, b := range d.Batches {
		r.batches = append(r.batches, newField(b, d.Loss))
	}
	r.trajectory = &Trajectory{samples: d.Margins.Points(), model: d.Margins.Model()}
	r.Theta, r.LogTime = append([]float64(nil), d.Start...), math.Inf(-1)
	if err := r.full.at(r.Theta); err != nil {
		return nil, fmt.Errorf("qhnet: the descent cannot start: %w", err)
	}
	if err := r.resume(); err != nil || r.Finished {
		return r.trajectory, err
	}
	err := r.train(ctx)
	return r.trajectory, errors.Join(err, r.save(err == nil))
}

func (d *Descent) validate() error {
	if d.Margins == nil || d.Optimizer == nil {
		panic("qhnet: Descent needs Margins and an Optimizer")
	}
	checkLength("Descent.Start", len(d.Start), NumParameters(d.Margins.Model()))
	if d.Steps < 1 {
		return fmt.Errorf("qhnet: Descent.Steps = %d; take at least one step", d.Steps)
	}
	if d.Loss == nil {
		d.Loss = Exponential{}
	}
	if d.PerDecade <= 0 {
		d.PerDecade = 20
	}
	return nil
}

// descentRun is the state of one training.
type descentRun struct {
	*Descent
	descentState
	full       *field
	batches    []*field
	trajectory *Trajectory
	logPoints  float64
	order      []int
	written    time.Time
}

// descentState is what a checkpoint holds besides the optimizer's memory.
type descentState struct {
	Fingerprint string
	Finished    bool
	Step        int
	Theta       []float64
	LogTime     float64
	Points      []Point
	Separated   *Point
	Status      ode.Status
	Memory      [][]float64
}

func (r *descentRun) train(ctx context.Context) error {
	if r.Step == 0 {
		r.record(r.Theta)
	}
	next := r.nextRecord(r.Step)
	for r.Step < r.Steps {
		if ctx.Err() != nil {
			r.trajectory.Status = ode.Interrupted
			return fmt.Errorf("qhnet: the descent was interrupted after %d of %d steps: %w", r.Step, r.Steps, context.Cause(ctx))
		}
		if err := r.step(); err != nil {
			r.trajectory.Status = ode.NonFinite
			return fmt.Errorf("qhnet: the descent ended at step %d: %w; use a smaller step size", r.Step, err)
		}
		if r.Step < next && r.Step < r.Steps {
			continue
		}
		theta, err := r.settled()
		if err != nil {
			r.trajectory.Status = ode.NonFinite
			return fmt.Errorf("qhnet: the descent ended at step %d: %w; use a smaller step size", r.Step, err)
		}
		r.record(theta)
		next = r.nextRecord(r.Step)
		if r.ends() {
			break
		}
		if err := r.saveSometimes(); err != nil {
			return err
		}
	}
	return nil
}

// ends asks after a record whether to stop before the last step.
func (r *descentRun) ends() bool {
	if r.Progress != nil {
		r.Progress(r.Step, r.trajectory.Last().LogInverse())
	}
	if r.Until > 0 && r.trajectory.Last().LogInverse() >= r.Until {
		r.trajectory.Status = ode.EventReached
		return true
	}
	if r.Stop != nil && r.Stop(r.trajectory) {
		r.trajectory.Status = ode.Stopped
		return true
	}
	return false
}

// evaluate moves a field to θ, or to where the optimizer takes it back if there
// is no finite gradient at θ.
func (r *descentRun) evaluate(f *field) error {
	err := f.at(r.Theta)
	if err != nil && r.retreat() {
		err = f.at(r.Theta)
	}
	return err
}

// settled moves the full field to the point to record and returns it: θ, or the
// last point that the optimizer kept if it is about to take back its step to θ.
func (r *descentRun) settled() ([]float64, error) {
	if err := r.evaluate(r.full); err != nil {
		return nil, err
	}
	o, ok := r.Optimizer.(keeper)
	if !ok || r.batches != nil {
		return r.Theta, nil
	}
	theta, logLoss := o.lastKept()
	if theta == nil || r.full.logLoss <= logLoss {
		return r.Theta, nil
	}
	return theta, r.full.at(theta)
}

// keeper is an optimizer that takes back steps which raise the loss.
type keeper interface {
	lastKept() (theta []float64, logLoss float64)
}

// step takes one step of the optimizer.
func (r *descentRun) step() error {
	f := r.full
	if r.batches != nil {
		f = r.batch()
	}
	if err := r.evaluate(f); err != nil {
		return err
	}
	if r.WeightDecay > 0 { // -∇(L + κ‖θ‖²/2) = L (g - κ θ/L)
		floats.AddScaled(f.g, -r.WeightDecay*math.Exp(-f.logLoss), r.Theta)
	}
	r.LogTime = logAdd(r.LogTime, r.Optimizer.Update(r.Theta, f.g, f.logLoss))
	r.Step++
	return nil
}

func (r *descentRun) retreat() bool {
	back, ok := r.Optimizer.(Retreater)
	return ok && back.Retreat(r.Theta)
}

// batch returns the field of the next batch. The order of a pass depends only on
// Seed and the number of the pass, so that a resumed run repeats it.
func (r *descentRun) batch() *field {
	pass, i := r.Step/len(r.batches), r.Step%len(r.batches)
	if i == 0 || r.order == nil {
		r.order = rand.New(rand.NewPCG(r.Seed, uint64(pass))).Perm(len(r.batches))
	}
	return r.batches[r.order[i]]
}

func (r *descentRun) nextRecord(step int) int {
	return max(step+1, int(math.Round(float64(step)*math.Pow(10, 1/float64(r.PerDecade)))))
}

// record appends the point θ, where the full field is.
func (r *descentRun) record(theta []float64) {
	p := Point{
		Step: r.Step, LogLoss: r.full.logLoss, LogTime: r.LogTime, Scaled: math.NaN(),
		Slope: math.Sqrt(r.full.g2), Margin: floats.Min(r.full.q),
		Theta: append([]float64(nil), theta...),
	}
	tr := r.trajectory
	tr.Points = append(tr.Points, p)
	if tr.Separated == nil && p.LogLoss+r.logPoints < 0 {
		tr.Separated = &p
	}
}

// resume takes the run to its checkpoint, if there is one.
func (r *descentRun) resume() error {
	if r.Checkpoint == "" {
		return nil
	}
	fingerprint := r.identify()
	var s descentState
	if err := readFile(r.Checkpoint, &s); errors.Is(err, fs.ErrNotExist) {
		r.Fingerprint = fingerprint
		return nil
	} else if err != nil {
		return err
	}
	if s.Fingerprint != fingerprint {
		return fmt.Errorf("qhnet: the checkpoint %s belongs to another training (other model, data, start or settings); delete it or name another file", r.Checkpoint)
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

func (r *descentRun) identify() string {
	text := fmt.Sprintf("%T%+v %v %v %v %v %v %v %v", r.Optimizer, r.Optimizer, r.Loss, r.Steps, r.Until, r.WeightDecay, r.PerDecade, r.Seed, len(r.Batches))
	return fingerprint(text, r.Margins.Model(), r.Start, r.full.q, r.full.g)
}

func (r *descentRun) saveSometimes() error {
	if time.Since(r.written) < checkpointInterval {
		return nil
	}
	return r.save(false)
}

func (r *descentRun) save(finished bool) error {
	if r.Checkpoint == "" {
		return nil
	}
	tr := r.trajectory
	r.Finished, r.Points, r.Separated, r.Status = finished, tr.Points, tr.Separated, tr.Status
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
