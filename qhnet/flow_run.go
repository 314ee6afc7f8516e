package qhnet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

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

	fingerprint string    // of the run, if it has a checkpoint
	pending     *snapshot // not written yet
	written     time.Time // when the last snapshot was
}

func newFlowRun(f *Flow) *flowRun {
	f.Margins.RoundKinks(orDefault(f.KinkWidth, 1e-3))
	return &flowRun{
		Flow: f, field: newField(f.Margins, f.Loss),
		logPoints:  math.Log(float64(f.Margins.Points())),
		middle:     make([]float64, len(f.Start)),
		trajectory: &Trajectory{samples: f.Margins.Points(), model: f.Margins.Model()},
	}
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

// problem is the flow as an initial value problem in one clock.
func (r *flowRun) problem(clock Clock) (ode.Problem, error) {
	last := r.trajectory.Last()
	p := ode.Problem{
		Start: clock.reading(last.LogLoss), End: math.Inf(1), Initial: last.Theta,
		Derivative: func(dst []float64, c float64, theta []float64) error {
			return r.field.derivative(dst, clock, c, theta)
		},
		Jacobian: func(dst *mat.Dense, c float64, theta []float64) error {
			return r.field.jacobian(dst, clock, c, theta)
		},
		Linearization: r.linearization(clock),
	}
	switch clock {
	case LogLoss:
		p.End = r.Until
	case LogLogLoss:
		if last.LogLoss >= 0 {
			return p, fmt.Errorf("qhnet: the clock %v needs L < 1, but log L = %.6g at the start; use the clock Automatic, which begins with %v", clock, last.LogLoss, Scaled)
		}
		p.End = math.Log(r.Until)
	}
	if p.End <= p.Start {
		return p, fmt.Errorf("qhnet: log(1/L) = %.6g at the start is not below Flow.Until = %.6g", last.LogInverse(), r.Until)
	}
	return p, nil
}

// options says how to walk the problem.
func (r *flowRun) options(clock Clock, p ode.Problem) ode.Options {
	method := r.method(clock)
	tolerance := r.tolerance(method)
	o := ode.Options{
		Method:  method,
		Control: &ode.Control{Relative: tolerance, Absolute: tolerance * 1e-3 * rms(r.Start)},
		OnStep:  func(s *ode.Stretch) error { return r.onStretch(clock, s) },
		Stop:    ode.Stopping{MaxSteps: r.MaxSteps, AfterStep: r.afterStep},

		Checkpoint: r.checkpointing(clock),
	}
	if clock == LogLoss || clock == LogLogLoss {
		o.Record = ode.Recording{At: r.grid(clock, p), Visit: r.visit}
	} else {
		o.Events = append(o.Events, r.level("log(1/L) reached", r.Until, true))
		if r.Clock == Automatic {
			o.Events[0] = r.level("clocks switch", min(r.switchLevel(), r.Until), true)
		}
	}
	if r.trajectory.Separated == nil {
		o.Events = append(o.Events, r.level("separated", r.logPoints, false))
	}
	if r.Stop != nil {
		o.Stop.AfterRecord = func(float64, []float64) bool { return r.Stop(r.trajectory) }
	}
	if r.Progress != nil {
		o.Progress.Report = func(report ode.Report) {
			r.Progress(FlowProgress{LogInverse: r.time.U, Until: r.Until, Report: report})
		}
	}
	return o
}

// method is the caller's, or the default for the problem. Before separability
// the flow in s is not stiff.
func (r *flowRun) method(clock Clock) ode.Method {
	switch {
	case clock == Scaled && r.Clock == Automatic:
		return ode.DormandPrince{}
	case r.Method != nil:
		return r.Method
	case r.implicit():
		return ode.RadauIIA{Iterations: 20}
	}
	return ode.RKC{}
}

// implicit reports whether Radau's method is the default: with few parameters,
// for balls, and for directions.
func (r *flowRun) implicit() bool {
	return len(r.Start) <= denseParameters || r.balls() || r.directions()
}

// directions reports whether a model of moderate size has a block of rate 0, as
// below a normalization, where only directions matter. They relax faster than
// anything else, by the curvature of the outputs, which a linearization of the
// outputs leaves out: the exact Jacobian is needed.
func (r *flowRun) directions() bool {
	const moderate = 512 // parameters; the dense factorization takes some 0.1 s
	if len(r.Start) > moderate {
		return false
	}
	rates, err := RatesOf(r.Margins.Model())
	return err == nil && slices.Contains(rates.Canonical(), 0)
}

// denseParameters bounds the problems whose exact Jacobians are cheaper than the
// stages that a stabilized method needs late in the flow.
const denseParameters = 128

func (r *flowRun) balls() bool {
	_, ok := r.Margins.mapping.(*ballMap)
	return ok
}

// tolerance is the caller's, or a default that suits the order of the method.
// Several margins of size u compete by differences of order one, which an
// implicit method must resolve: with a looser tolerance it takes more steps, not
// fewer, because its Newton iterations start too far from the solution.
func (r *flowRun) tolerance(m ode.Method) float64 {
	_, second := m.(ode.RKC)
	switch {
	case r.Tolerance > 0:
		return r.Tolerance
	case second:
		return 1e-6
	case r.balls():
		return 1e-8
	}
	return min(1e-8, max(1e-4/r.Until, 1e-12))
}

// linearization is that of the outputs where the caller asks for an implicit
// method with many parameters, and for balls, where a dense matrix would lose the
// neutral directions beside stiff ones: their ratio grows like log(1/L).
func (r *flowRun) linearization(clock Clock) ode.Linearization {
	m, rank := len(r.Start), r.Margins.rank()
	if rank > m || m <= denseParameters && !r.balls() || r.directions() {
		return nil
	}
	return ode.NewLowRank(rank, m, func(u, c *mat.Dense, value float64, theta []float64) error {
		return r.field.lowRank(u, c, clock, value, theta)
	})
}

// level is the event log(1/L) = u.
func (r *flowRun) level(name string, u float64, terminal bool) ode.Event {
	return ode.Event{
		Name: name, Direction: ode.Rising, Terminal: terminal,
		Value: func(_ float64, theta []float64) float64 {
			if err := r.field.marginsAt(theta); err != nil {
				return math.NaN()
			}
			return -r.field.logLoss - u
		},
	}
}

// grid returns the values of the clock at which log(1/L) is a whole power of
// 10^(1/PerDecade), up to the end.
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

// onStretch keeps the time along a piece of the path and, in clocks that have
// no grid, records points as time or loss progress.
func (r *flowRun) onStretch(clock Clock, s *ode.Stretch) error {
	s.At(r.middle, (s.T0+s.T1)/2)
	if err := r.field.at(r.middle); err != nil {
		return err
	}
	um, logHm := -r.field.logLoss, -math.Log(r.field.g2)
	if err := r.field.at(s.Y1); err != nil {
		return err
	}
	r.time.advance(um, logHm, -r.field.logLoss, -math.Log(r.field.g2))
	switch {
	case r.trajectory.Separated == nil && r.separated():
		r.record(s.Y1)
		point := r.trajectory.Last()
		r.trajectory.Separated = &point
	case clock != LogLoss && clock != LogLogLoss && r.due():
		r.record(s.Y1)
	}
	return nil
}

// due reports whether log t or log(1/L) has moved by a grid's width since the
// last record.
func (r *flowRun) due() bool {
	width := math.Ln10 / float64(r.PerDecade)
	last := r.trajectory.Last()
	u := last.LogInverse()
	return math.Abs(r.time.U-u) >= width*max(1, math.Abs(u)) || r.time.LogTime-last.LogTime >= width
}

// visit records a grid point, where onStretch has just left the field.
func (r *flowRun) visit(_ float64, theta []float64) error {
	r.record(theta)
	return nil
}

// record appends the field's current point.
func (r *flowRun) record(theta []float64) {
	r.trajectory.Points = append(r.trajectory.Points, Point{
		LogLoss: r.field.logLoss, LogTime: r.time.LogTime, Scaled: r.time.Scaled,
		Slope: math.Sqrt(r.field.g2), Margin: floats.Min(r.field.q),
		Theta: append([]float64(nil), theta...),
	})
}

// stallSteps is how often an unseparated flow is checked for rest.
const stallSteps = 64

// afterStep ends a flow that has come to rest before separation: log L has not
// moved, and the gradients of the margins cancel each other or vanish where they
// are needed.
func (r *flowRun) afterStep(_ float64, theta []float64) bool {
	if r.trajectory.Separated != nil {
		return false
	}
	if r.steps++; r.steps < stallSteps {
		return false
	}
	moved := math.Abs(r.time.U - r.stallU)
	r.steps, r.stallU = 0, r.time.U
	if moved > 1e-7*max(1, math.Abs(r.time.U)) || r.field.at(theta) != nil {
		return false
	}
	// With all margins positive, Euler's identity keeps the gradient away from zero.
	r.rested = floats.Min(r.field.q) <= 0 && math.Sqrt(r.field.g2) <= 1e-5*r.field.steepest()
	return r.rested
}

// steepest returns the largest ‖∇q_j‖, what ‖g‖ could be if the gradients did not
// cancel and those of the violated margins did not vanish.
func (f *field) steepest() float64 {
	unit := make([]float64, len(f.weights))
	largest := 0.0
	for j := range unit {
		unit[j] = 1
		f.margins.Gradient(f.hg, unit)
		unit[j] = 0
		largest = max(largest, floats.Norm(f.hg, 2))
	}
	return largest
}

func (r *flowRun) notSeparated(theta []float64) error {
	if err := r.field.at(theta); err != nil {
		return err
	}
	r.record(theta)
	e := &NotSeparatedError{SmallestNL: math.Inf(1)}
	for _, p := range r.trajectory.Points {
		e.SmallestNL = min(e.SmallestNL, math.Exp(p.LogLoss+r.logPoints))
	}
	for j, q := range r.field.q {
		k := j / r.Margins.PerPoint()
		if q <= 0 && (len(e.Violated) == 0 || e.Violated[len(e.Violated)-1] != k) {
			e.Violated = append(e.Violated, k)
		}
	}
	return e
}

func rms(v []float64) float64 { return floats.Norm(v, 2) / math.Sqrt(float64(len(v))) }
