package qhnet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/ode"
)

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
}

// newDescentRun empties the optimizer's memory and evaluates the start.
func newDescentRun(d *Descent) (*descentRun, error) {
	if o, ok := d.Optimizer.(Rememberer); ok {
		for _, slot := range o.Memory() {
			*slot = nil
		}
	}
	r := &descentRun{Descent: d, full: newField(d.Margins, d.Loss)}
	for _, b := range d.Batches {
		r.batches = append(r.batches, newField(b, d.Loss))
	}
	r.trajectory = &Trajectory{margins: d.Margins}
	r.Theta, r.LogTime = append([]float64(nil), d.Start...), math.Inf(-1)
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
	if r.reaches(r.trajectory.Last()) {
		r.trajectory.Status = ode.EventReached
		return true
	}
	if r.Stop != nil && r.Stop(r.trajectory) {
		r.trajectory.Status = ode.Stopped
		return true
	}
	return false
}

// reaches reports whether a recorded point ends the training early.
func (r *descentRun) reaches(p Point) bool {
	return r.Until > 0 && p.Step > 0 && p.LogInverse() >= r.Until
}

// between reports and saves a training about once a second.
func (r *descentRun) between() error {
	now := time.Now()
	if now.Sub(r.reported) >= reportInterval {
		r.report()
	}
	if now.Sub(r.written) >= checkpointInterval {
		return r.save()
	}
	return nil
}

func (r *descentRun) report() {
	r.reported = time.Now()
	if r.Progress != nil {
		r.Progress(r.Step, r.trajectory.Last().LogInverse())
	}
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

func (r *descentRun) retreat() bool {
	back, ok := r.Optimizer.(Retreater)
	return ok && back.Retreat(r.Theta)
}

// settled moves the full field to the point to record and returns it: θ, or the
// last point that the optimizer kept if it is about to take back its step to θ.
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
	r.LogTime = logAdd(r.LogTime, r.Optimizer.Update(r.Theta, f.g, f.logLoss))
	r.Step++
	return nil
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
	if tr.Separated == nil && r.full.separated() {
		tr.Separated = &p
	}
}
