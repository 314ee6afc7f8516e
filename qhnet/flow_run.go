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
	"qhlab/qhnet/progress"
)

// flowRun is the state of one run of a flow.
type flowRun struct {
	*Flow
	field      *field
	time       timekeeper
	trajectory *Trajectory
	scale      float64   // of a parameter
	slopes     []float64 // of the margins at the start, by block
	huge       bool      // the loss at the start
	middle     []float64 // θ in the middle of a stretch
	news       bool      // a record that Stop has not been asked about
	steps      int       // accepted steps since the last look for a stall
	stallU     float64   // log(1/L) at that look
	ended      error     // why it has stalled
	kinks      bool      // the model has rectifiers

	rates func() []float64 // of the blocks, solved once a run; nil if there are none
	task  *progress.Task

	fingerprint string    // of the run, if it has a checkpoint
	latest      *snapshot // to go on from
	unsaved     bool      // latest is not written yet
	written     time.Time // when the last snapshot was
}

// newFlowRun takes a copy of the flow's margins with rounded kinks.
func newFlowRun(f *Flow) *flowRun {
	margins, kinks := f.Margins.rounded(cmp.Or(f.KinkWidth, 1e-3))
	r := &flowRun{
		Flow: f, kinks: kinks, field: newField(margins, f.Loss),
		middle:     make([]float64, len(f.Start)),
		trajectory: &Trajectory{margins: margins, Work: Work{Limited: make([]int, len(margins.Model().Blocks()))}},
	}
	r.rates = sync.OnceValue(func() []float64 {
		if rates, err := RatesOf(margins.Model()); err == nil {
			return rates.chosen()
		}
		return nil
	})
	return r
}

// run follows the flow from its checkpoint, if there is one.
func (r *flowRun) run(ctx context.Context) (*Trajectory, error) {
	if err := r.begin(); err != nil {
		return nil, err
	}
	if err := r.load(); err != nil {
		return nil, err
	}
	if r.complete() {
		return r.trajectory, nil
	}
	if err := r.follow(ctx); err != nil {
		return r.trajectory, errors.Join(err, r.flush())
	}
	return r.trajectory, r.finish()
}

// begin evaluates and records the start.
func (r *flowRun) begin() error {
	if err := r.field.at(r.Start); err != nil {
		return fmt.Errorf("qhnet: the flow cannot start: %w", err)
	}
	if r.field.g2 == 0 {
		return errors.New("qhnet: the gradient at the start is exactly zero, so the flow never moves; start at random parameters (θ = 0 is a saddle of every deep model)")
	}
	if u := -r.field.logLoss; u >= r.Until {
		return fmt.Errorf("qhnet: log(1/L) = %.6g at the start is not below Flow.Until = %.6g", u, r.Until)
	}
	// Where all parameters are zero, along g/‖g‖², which raises log(1/L) by about one.
	r.scale = cmp.Or(rms(r.Start), rms(r.field.g)/r.field.g2)
	r.slopes, r.huge = r.field.steepest(), r.field.logLoss > 1e4
	r.time, r.stallU = newTimekeeper(-r.field.logLoss, r.field.g2), -r.field.logLoss
	r.record(r.Start)
	r.news = false
	if r.field.separated() {
		start := r.trajectory.Last()
		r.trajectory.Separated = &start
	}
	r.latest = r.take(r.phases()[0], nil)
	return nil
}

// phases lists the clocks of the flow in order.
func (r *flowRun) phases() []Clock {
	if r.Clock != Automatic {
		return []Clock{r.Clock}
	}
	return []Clock{Scaled, LogLogLoss}
}

// follow walks the phases of the flow, from the latest snapshot.
func (r *flowRun) follow(ctx context.Context) error {
	phases, state := r.phases(), r.latest.State
	for _, phase := range phases[slices.Index(phases, r.latest.Phase):] {
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
	level := r.Until
	if phase == Scaled {
		level = r.switchLevel() * (1 - 1e-9) // the event is located up to rounding
	}
	return r.Clock == Automatic && r.trajectory.Last().LogInverse() >= level
}

// switchLevel is the log(1/L) at which Automatic changes clocks, or ends: separated, if the
// loss tells, and at least 1 so that log log(1/L) is not negative.
func (r *flowRun) switchLevel() float64 {
	u, _ := r.field.separation()
	return min(max(u, 1), r.Until)
}

// walk follows the flow in one clock, from the last recorded point or a state after it.
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
	if err != nil && ctx.Err() == nil && r.ended == nil {
		// Steps grow without bound at rest, until a few of them leave the numbers.
		r.ended = r.stalled(solution.Y, 1e-3, true)
		err = fmt.Errorf("%s: %w", r.slow(), err)
	}
	switch {
	case r.ended != nil:
		return r.ended
	case solution.Status == ode.StepLimit && tr.Separated == nil:
		return r.notSeparated(solution.Y, err)
	}
	if !floats.Equal(tr.Last().Theta, solution.Y) && r.field.at(solution.Y) == nil {
		r.record(solution.Y)
	}
	if solution.Status == ode.Interrupted {
		kept := "set a Checkpoint, or follow it by a store, to go on from there next time"
		if r.Checkpoint != "" {
			kept = "run it again to go on from there"
		}
		return fmt.Errorf("qhnet: the flow was interrupted at log(1/L) = %.4g of %.4g (%w); %s", tr.Last().LogInverse(), r.Until, context.Cause(ctx), kept)
	}
	if err != nil {
		return fmt.Errorf("qhnet: the flow ended at log(1/L) = %.6g of %.6g, where %w; what can be changed are MaxSteps, Tolerance and Method of the Flow", tr.Last().LogInverse(), r.Until, err)
	}
	return r.arrived(clock, solution.Status)
}

// arrived reports an end that is not where the clock or the event says, for the errors of large
// steps or of margins whose spacing is larger than the level.
func (r *flowRun) arrived(clock Clock, status ode.Status) error {
	level, where := r.Until, clock.String()
	if status == ode.EventReached {
		where = "event"
		if r.Clock == Automatic {
			level = r.switchLevel()
		}
	}
	u, allowed := r.trajectory.Last().LogInverse(), max(1e-4, 10*r.tolerance())
	if status == ode.Stopped || math.Abs(u-level) <= allowed*level {
		return nil
	}
	return fmt.Errorf("qhnet: the flow lost its way: it ended at log(1/L) = %.6g where the %s says %.6g; lower Flow.Tolerance = %.0e, leave Flow.Method to the flow, or shrink the start", u, where, level, r.tolerance())
}

func rms(v []float64) float64 { return floats.Norm(v, 2) / math.Sqrt(float64(len(v))) }

// level is the event log(1/L) = u.
func (r *flowRun) level(name string, u float64, terminal bool) ode.Event {
	return r.event(name, terminal, func() float64 { return -r.field.logLoss - u })
}

// separation is the event that the loss, or else the margins themselves, show all points
// classified correctly.
func (r *flowRun) separation() ode.Event {
	if u, known := r.field.separation(); known {
		return r.level("separated", u, false)
	}
	return r.event("separated", false, func() float64 { return floats.Min(r.field.q) })
}

// event is a zero of a function of the margins.
func (r *flowRun) event(name string, terminal bool, value func() float64) ode.Event {
	return ode.Event{
		Name: name, Direction: ode.Rising, Terminal: terminal,
		Value: func(_ float64, theta []float64) float64 {
			if err := r.field.marginsAt(theta); err != nil {
				return math.NaN()
			}
			return value()
		},
	}
}

// grid returns the readings at whole powers of 10^(1/PerDecade) of log(1/L), and the end.
func (r *flowRun) grid(clock Clock, p ode.Problem) []float64 {
	reading := func(i int) float64 {
		u := math.Pow(10, float64(i)/float64(r.PerDecade))
		return clock.reading(-u)
	}
	start := max(r.trajectory.Last().LogInverse(), 1e-3)
	var at []float64
	for i := int(math.Ceil(math.Log10(start) * float64(r.PerDecade))); reading(i) < p.End*(1-1e-12); i++ {
		if reading(i) > p.Start {
			at = append(at, reading(i))
		}
	}
	return append(at, p.End)
}

// onStretch keeps the time along a piece of the path and, in clocks that have no grid, records
// points.
func (r *flowRun) onStretch(clock Clock, s *ode.Stretch) error {
	if err := r.field.at(s.Y1); err != nil {
		return err
	}
	u, logH := -r.field.logLoss, -math.Log(r.field.g2)
	if !r.time.narrow(u) {
		s.At(r.middle, (s.T0+s.T1)/2)
		if err := r.field.at(r.middle); err != nil {
			return err
		}
		r.time.Third = [2]float64{-r.field.logLoss, -math.Log(r.field.g2)}
		if err := r.field.at(s.Y1); err != nil {
			return err
		}
	}
	r.time.advance(u, logH)
	switch {
	case r.trajectory.Separated == nil && r.field.separated():
		r.record(s.Y1)
		point := r.trajectory.Last()
		r.trajectory.Separated = &point
	case clock != LogLoss && clock != LogLogLoss && r.due():
		r.record(s.Y1)
	}
	return nil
}

// due reports whether log t or log(1/L) has moved by a grid's width since the last record.
func (r *flowRun) due() bool {
	width := math.Ln10 / float64(r.PerDecade)
	last := r.trajectory.Last()
	u := last.LogInverse()
	return math.Abs(r.time.U-u) >= width*max(1, math.Abs(u)) || r.time.LogTime-last.LogTime >= width
}

// stopped asks Stop about records that it has not seen.
func (r *flowRun) stopped() bool {
	news := r.news
	r.news = false
	if !news || r.Stop == nil {
		return false
	}
	r.field.moved = false // the caller may move the trajectory's margins
	return r.Stop(r.trajectory)
}

// record appends the field's current point.
func (r *flowRun) record(theta []float64) {
	r.news = true
	p := r.field.point(theta)
	p.LogTime, p.Scaled = r.time.LogTime, r.time.Scaled
	r.trajectory.Points = append(r.trajectory.Points, p)
}
