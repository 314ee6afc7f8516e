package qhnet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/ode"
)

// flowRun is the state of one run of a flow.
type flowRun struct {
	*Flow
	field      *field
	time       timekeeper
	trajectory *Trajectory
	logPoints  float64   // log n
	middle     []float64 // θ in the middle of a stretch
	steps      int       // accepted steps since the last look for a stall
	stallU     float64   // log(1/L) at that look
	rested     bool      // the flow came to rest unseparated
	kinks      bool      // the model has rectifiers

	directions func() bool // findDirections, solved once a run

	fingerprint string    // of the run, if it has a checkpoint
	pending     *snapshot // not written yet
	written     time.Time // when the last snapshot was
}

func newFlowRun(f *Flow) *flowRun {
	kinks := f.Margins.RoundKinks(cmp.Or(f.KinkWidth, 1e-3))
	r := &flowRun{
		Flow: f, kinks: kinks, field: newField(f.Margins, f.Loss),
		logPoints:  math.Log(float64(f.Margins.Points())),
		middle:     make([]float64, len(f.Start)),
		trajectory: &Trajectory{samples: f.Margins.Points(), model: f.Margins.Model()},
	}
	r.directions = sync.OnceValue(r.findDirections)
	return r
}

// begin evaluates and records the start.
func (r *flowRun) begin() error {
	if err := r.field.at(r.Start); err != nil {
		return fmt.Errorf("qhnet: the flow cannot start: %w", err)
	}
	if r.field.g2 == 0 {
		return errors.New("qhnet: the gradient at the start is exactly zero, so the flow never moves; start at random parameters (θ = 0 is a saddle of every deep model)")
	}
	r.time = newTimekeeper(-r.field.logLoss, r.field.g2)
	r.stallU = -r.field.logLoss
	r.record(r.Start)
	if r.separated() {
		start := r.trajectory.Last()
		r.trajectory.Separated = &start
	}
	return nil
}

// separated reports whether nL ≤ 1 at the field's point, up to the rounding of
// a located event.
func (r *flowRun) separated() bool {
	return -r.field.logLoss-r.logPoints >= -1e-9*max(1, r.logPoints)
}

// phases lists the clocks of the flow in order.
func (r *flowRun) phases() []Clock {
	if r.Clock != Automatic {
		return []Clock{r.Clock}
	}
	return []Clock{Scaled, LogLogLoss}
}

// follow walks the phases of the flow, from a snapshot if there is one.
func (r *flowRun) follow(ctx context.Context, saved *snapshot) error {
	phases := r.phases()
	var state *ode.State
	if saved != nil {
		phases, state = phases[slices.Index(phases, saved.Phase):], saved.State
	}
	for _, phase := range phases {
		if state == nil && r.passed(phase) {
			continue
		}
		if err := r.walk(ctx, phase, state); err != nil || r.trajectory.Status == ode.Stopped {
			return err
		}
		state = nil
	}
	return nil
}

// passed reports whether the automatic clocks leave nothing to do in a phase.
func (r *flowRun) passed(phase Clock) bool {
	u := r.trajectory.Last().LogInverse()
	switch {
	case r.Clock != Automatic:
		return false
	case phase == Scaled:
		return u >= r.switchLevel()*(1-1e-9) // the event is located up to rounding
	}
	return u >= r.Until
}

// switchLevel is the log(1/L) at which Automatic changes clocks: separated, and
// at least 1 so that log log(1/L) is not negative.
func (r *flowRun) switchLevel() float64 { return max(r.logPoints, 1) }

// walk follows the flow in one clock, from the last recorded point or a state
// after it.
func (r *flowRun) walk(ctx context.Context, clock Clock, state *ode.State) error {
	problem, err := r.problem(clock)
	if err != nil {
		return err
	}
	options := r.options(clock, problem)
	options.Resume = state
	solution, err := ode.Solve(ctx, problem, options)
	if solution == nil {
		return fmt.Errorf("qhnet: the flow in the clock %v: %w", clock, err)
	}
	tr := r.trajectory
	tr.Status = solution.Status
	tr.Work.Add(solution.Statistics)
	if r.rested || solution.Status == ode.StepLimit && tr.Separated == nil {
		return r.notSeparated(solution.Y)
	}
	if last := tr.Last(); !floats.Equal(last.Theta, solution.Y) {
		if r.field.at(solution.Y) == nil {
			r.record(solution.Y)
		}
	}
	if err != nil {
		return fmt.Errorf("qhnet: the flow ended at log(1/L) = %.6g of %.6g: %w", tr.Last().LogInverse(), r.Until, err)
	}
	return nil
}

func rms(v []float64) float64 { return floats.Norm(v, 2) / math.Sqrt(float64(len(v))) }
