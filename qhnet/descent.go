package qhnet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"time"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/dataset"
	"qhlab/qhnet/internal/vector"
	"qhlab/qhnet/ode"
	"qhlab/qhnet/progress"
)

// Descent trains by a discrete optimizer and records the same points as a
// [Flow], at steps that grow by a constant factor.
type Descent struct {
	Margins   *Margins
	Start     []float64 // θ before the first step, not changed
	Optimizer Optimizer // a pointer such as &LossScaled{Step: 0.1}; every run empties its memory first
	Steps     int       // to take
	Until     float64   // log(1/L) that ends the training earlier, if positive

	Loss        Loss    // nil means Exponential
	WeightDecay float64 // κ of the penalty κ‖θ‖²/2 added to L
	PerDecade   int     // recorded points in a decade of steps; 0 means 20

	// Batches, if not nil, are taken one a step, in an order drawn anew for every pass from
	// Seed.
	Batches []*Margins
	Seed    uint64

	// Checkpoint, if not empty, is a file that the training is saved to about once a
	// second, atomically, and resumed from, to the same bits, also with other Steps and Until.
	// A run that these end before what the file holds starts anew and leaves it alone.
	Checkpoint string

	// Stop, if not nil, is asked after every record and ends the training if true; before an
	// ended one goes on, it is asked again.
	Stop func(*Trajectory) bool
}

// Run trains. If it is interrupted or fails, it returns what was recorded so far with the
// error; with a Checkpoint the next call goes on from there.
func (d Descent) Run(ctx context.Context) (*Trajectory, error) {
	checkContext(ctx)
	if err := d.validate(); err != nil {
		return nil, err
	}
	defer d.Margins.run()()
	r, err := newDescentRun(&d)
	if err != nil {
		return nil, err
	}
	ctx, r.task = progress.Begin(ctx, "training")
	defer r.task.End()
	path, err := r.run(ctx)
	r.task.Say("%s", r.state())
	return path, err
}

// Forget deletes the training's checkpoint, if there is one.
func (d Descent) Forget() error { return forget(d.Checkpoint) }

// forget deletes a file unless it is missing.
func forget(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (d *Descent) validate() error {
	if o := reflect.ValueOf(d.Optimizer); d.Margins == nil || !o.IsValid() || o.Kind() == reflect.Pointer && o.IsNil() {
		panic("qhnet: Descent needs Margins and an Optimizer")
	}
	blocks := d.Margins.Model().Blocks()
	for i, b := range d.Batches {
		if !slices.EqualFunc(b.Model().Blocks(), blocks, sameBlock) {
			panic(fmt.Sprintf("qhnet: Descent.Batches[%d] are margins of another model; make them by Batches of the same", i))
		}
	}
	vector.CheckLength("Descent.Start", len(d.Start), NumParameters(d.Margins.Model()))
	if d.Loss == nil {
		d.Loss = Exponential{}
	}
	_, keeps := d.Optimizer.(keeper)
	switch {
	case d.Steps < 1:
		return fmt.Errorf("qhnet: Descent.Steps = %d; take at least one step", d.Steps)
	case !(d.WeightDecay >= 0) || math.IsInf(d.WeightDecay, 0):
		return fmt.Errorf("qhnet: Descent.WeightDecay = %v; it must be finite and not negative", d.WeightDecay)
	case math.IsNaN(d.Until):
		return errors.New("qhnet: Descent.Until is NaN; it is a log(1/L), or 0 for none")
	case d.Batches != nil && len(d.Batches) == 0:
		return errors.New("qhnet: Descent.Batches holds no batch; leave it nil for full gradients")
	case keeps && d.WeightDecay > 0:
		return fmt.Errorf("qhnet: %T takes back steps that raise the loss, which a penalty does on purpose; use no WeightDecay or another optimizer", d.Optimizer)
	case keeps && d.Batches != nil:
		return fmt.Errorf("qhnet: %T compares losses from step to step, which differ from batch to batch; use no Batches or another optimizer", d.Optimizer)
	}
	if o, ok := d.Optimizer.(interface{ Validate() error }); ok {
		if err := o.Validate(); err != nil {
			return err
		}
	}
	return checkPerDecade("Descent", &d.PerDecade)
}

// Batches cuts a set, shuffled, into parts of the given size, or less at the end, and
// binds the model to each.
func Batches(m Model, set dataset.Set, size int, rng *rand.Rand) ([]*Margins, error) {
	if err := set.Check(); err != nil {
		return nil, fmt.Errorf("qhnet: batches: %w", err)
	}
	if size < 1 {
		return nil, fmt.Errorf("qhnet: batches of size %d; use at least 1", size)
	}
	checkRandom(rng)
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

// batch returns the field of the next batch. The order of a pass depends only on Seed and its
// number, so that a resumed run repeats it.
func (r *descentRun) batch() *field {
	pass, i := r.Step/len(r.batches), r.Step%len(r.batches)
	if i == 0 || r.order == nil {
		r.order = rand.New(rand.NewPCG(r.Seed, uint64(pass))).Perm(len(r.batches))
	}
	return r.batches[r.order[i]]
}

// descentRun is the state of one training.
type descentRun struct {
	*Descent
	descentState
	full       *field
	batches    []*field
	trajectory *Trajectory
	order      []int     // of the batches in this pass
	written    time.Time // when the last checkpoint was
	reported   time.Time // when the last progress was
	task       *progress.Task
}

// newDescentRun empties the optimizer's memory and evaluates the start.
func newDescentRun(d *Descent) (*descentRun, error) {
	r := &descentRun{Descent: d, full: newField(d.Margins, d.Loss), trajectory: &Trajectory{margins: d.Margins}}
	for _, b := range d.Batches {
		r.batches = append(r.batches, newField(b, d.Loss))
	}
	for _, slot := range r.memory() {
		*slot = nil
	}
	r.Theta, r.LogTime = slices.Clone(d.Start), math.Inf(-1)
	if err := r.full.at(r.Theta); err != nil {
		return nil, fmt.Errorf("qhnet: the descent cannot start: %w", err)
	}
	return r, nil
}

// run trains from the checkpoint, if there is one.
func (r *descentRun) run(ctx context.Context) (*Trajectory, error) {
	if err := r.resume(); err != nil {
		return r.trajectory, err
	}
	if r.complete() {
		return r.trajectory, nil
	}
	err := r.train(ctx)
	return r.trajectory, errors.Join(err, r.save())
}

func (r *descentRun) train(ctx context.Context) error {
	tr := r.trajectory
	tr.Status = ode.Reached
	if len(tr.Points) == 0 {
		r.record(r.Theta)
	}
	next := r.nextRecord(tr.Last().Step)
	for r.Step < r.Steps {
		if ctx.Err() != nil {
			tr.Status = ode.Interrupted
			return fmt.Errorf("qhnet: the descent was interrupted after %d of %d steps: %w", r.Step, r.Steps, context.Cause(ctx))
		}
		if err := r.step(); err != nil {
			return r.diverged(err)
		}
		if r.Step >= next || r.Step == r.Steps {
			theta, err := r.settled()
			if err != nil {
				return r.diverged(err)
			}
			r.record(theta)
			next = r.nextRecord(r.Step)
			r.report()
			if r.ends() {
				return nil
			}
		}
		if err := r.between(); err != nil {
			return err
		}
	}
	return nil
}

func (r *descentRun) diverged(err error) error {
	r.trajectory.Status = ode.NonFinite
	return fmt.Errorf("qhnet: the descent ended at step %d: %w; use a smaller step size", r.Step, err)
}

// ends asks after a record whether to stop before the last step.
func (r *descentRun) ends() bool {
	tr := r.trajectory
	if r.reaches(tr.Last()) {
		tr.Status = ode.EventReached
	} else if r.Stop != nil && r.Stop(tr) {
		tr.Status = ode.Stopped
	}
	return tr.Status != ode.Reached
}

// reaches reports whether a recorded point ends the training early.
func (r *descentRun) reaches(p Point) bool {
	return r.Until > 0 && p.Step > 0 && p.LogInverse() >= r.Until
}

// between reports and saves a training about once a second.
func (r *descentRun) between() error {
	now := time.Now()
	if now.Sub(r.reported) >= time.Second {
		r.report()
	}
	if now.Sub(r.written) >= checkpointInterval {
		return r.save()
	}
	return nil
}

func (r *descentRun) report() {
	r.reported = time.Now()
	r.task.Report(float64(r.Step)/float64(r.Steps), "%s", r.state())
}

// state says how far the training is.
func (r *descentRun) state() string {
	s := fmt.Sprintf("step %d of %d", r.Step, r.Steps)
	if n := len(r.batches); n > 0 {
		s = fmt.Sprintf("epoch %d of %d", r.Step/n, (r.Steps+n-1)/n)
	}
	if points := r.trajectory.Points; len(points) > 0 {
		s += fmt.Sprintf(", log(1/L) = %.4g", points[len(points)-1].LogInverse())
	}
	return s
}

// evaluate moves a field to θ, or to where the optimizer retreats if that fails.
func (r *descentRun) evaluate(f *field) error {
	err := f.at(r.Theta)
	if back, ok := r.Optimizer.(keeper); err != nil && ok && back.Retreat(r.Theta) {
		return f.at(r.Theta)
	}
	return err
}

// settled moves the full field to the point to record and returns it: θ, or the last that the
// optimizer kept if it is about to take back its step to θ.
func (r *descentRun) settled() ([]float64, error) {
	if err := r.evaluate(r.full); err != nil {
		return nil, err
	}
	o, ok := r.Optimizer.(keeper)
	if !ok {
		return r.Theta, nil
	}
	theta, logLoss := o.lastKept()
	if theta == nil || r.full.logLoss <= logLoss {
		return r.Theta, nil
	}
	return theta, r.full.at(theta)
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
	r.LogTime = floats.LogSumExp([]float64{r.LogTime, r.Optimizer.Update(r.Theta, f.g, f.logLoss)})
	r.Step++
	return nil
}

func (r *descentRun) nextRecord(step int) int {
	return max(step+1, int(math.Round(float64(step)*math.Pow(10, 1/float64(r.PerDecade)))))
}

// record appends the point θ, where the full field is.
func (r *descentRun) record(theta []float64) {
	p := r.full.point(theta)
	p.Step, p.LogTime, p.Scaled = r.Step, r.LogTime, math.NaN()
	tr := r.trajectory
	tr.Points = append(tr.Points, p)
	if tr.Separated == nil && r.full.separated() {
		tr.Separated = &p
	}
}
