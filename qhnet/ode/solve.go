package ode

import (
	"cmp"
	"context"
	"errors"
	"math"
	"time"
)

// Solution is what a run returns, complete or not.
type Solution struct {
	Status Status

	// T is the last time reached and Y the solution there.
	T float64
	Y []float64

	// Times and Values are the collected records, Values[i] = y(Times[i]).
	Times  []float64
	Values [][]float64

	Events     []Occurrence // located events in the order of the integration
	Statistics Statistics
}

// Solve integrates the problem over its interval. It returns a nil Solution only
// if the run could not be started because of its input. If the run ends
// otherwise than [Status.OK], the error is a [*Failure] and the Solution holds
// everything up to there; if ctx is cancelled, that is after the current step
// and the error wraps the context's cause.
func Solve(ctx context.Context, p Problem, o Options) (*Solution, error) {
	if ctx == nil {
		panic("ode: the context is nil; use context.Background()")
	}
	r, err := newRun(ctx, p, o)
	if err != nil {
		return nil, err
	}
	status, cause := r.start()
	for status == running {
		status, cause = r.step()
	}
	return r.finish(status, cause)
}

// running is the status of a run that has not ended.
const running Status = -1

// run is one call of Solve.
type run struct {
	ctx        context.Context
	problem    Problem
	options    Options
	control    controller
	system     *system
	stepper    stepper
	h          float64 // size of the next step, positive
	sign       float64 // of the direction of integration
	failure    error   // why the last attempt could not be computed, nil if it could
	solution   *Solution
	recorder   *recorder
	events     *eventFinder
	cut        [2][]float64 // solution at the last cuts of the current step
	piece      Stretch      // of the current step, up to the last cut
	whole      Stretch      // the current step
	state      State        // reused by checkpoints
	began      time.Time
	lastReport time.Time
}

func newRun(ctx context.Context, p Problem, o Options) (*run, error) {
	if o.Method == nil {
		o.Method = Auto{}
	}
	if err := p.validate(); err != nil {
		return nil, err
	}
	if err := o.validate(&p); err != nil {
		return nil, err
	}
	m := len(p.Initial)
	r := &run{ctx: ctx, problem: p, options: o, sign: math.Copysign(1, p.End-p.Start), solution: &Solution{}}
	r.control = controller{Control: o.Control.withDefaults()}
	r.control.reset()
	r.system = newSystem(&r.problem, &r.control.Control)
	r.stepper = o.Method.stepper(r.system)
	r.recorder = newRecorder(o.Record, r.sign, r.solution)
	r.events = newEventFinder(o.Events, m)
	r.cut = [2][]float64{make([]float64, m), make([]float64, m)}
	r.options.Stop.MaxSteps = cmp.Or(o.Stop.MaxSteps, defaultMaxSteps)
	if o.Resume != nil {
		return r, r.resume(o.Resume)
	}
	r.system.t = p.Start
	copy(r.system.y, p.Initial)
	return r, nil
}

// start evaluates the derivative at the start, chooses the first step and makes
// the first record.
func (r *run) start() (Status, error) {
	r.began = time.Now()
	r.lastReport = r.began
	s := r.system
	if err := r.refresh(); err != nil {
		return NonFinite, err
	}
	if err := r.events.evaluate(r.events.value, s.t, s.y); err != nil {
		return EventNonFinite, err
	}
	if r.options.Resume != nil {
		r.recorder.skip(s.t, true)
		if s.t == r.problem.End {
			return Reached, nil
		}
		return running, nil
	}
	r.h = r.firstStep()
	if _, due := r.recorder.due(s.t); due || r.recorder.Steps {
		return r.record(s.t, s.y)
	}
	return running, nil
}

// refresh evaluates the derivative at the current point.
func (r *run) refresh() error {
	s := r.system
	if err := s.derivative(s.f, s.t, s.y); err != nil {
		return err
	}
	if !finite(s.f) {
		return errNonFinite
	}
	return nil
}

func finite(x []float64) bool {
	var poison float64
	for _, v := range x {
		poison += 0 * v
	}
	return poison == 0
}

func (r *run) firstStep() float64 {
	switch c := &r.control; {
	case c.Fixed > 0:
		return c.Fixed
	case c.First > 0:
		return math.Min(c.First, c.Max)
	default:
		return math.Min(r.system.initialStep(r.sign, r.stepper.rule().order), c.Max)
	}
}

// step attempts one step and, if it is accepted, delivers it to the caller.
func (r *run) step() (Status, error) {
	s := r.system
	if status, cause := r.mayStep(); status != running {
		return status, cause
	}
	h := r.aim()
	tr, err := r.stepper.attempt(h)
	if err == nil && (math.IsNaN(tr.err) || math.IsInf(tr.err, 0)) {
		tr, err = trial{}, evaluationError{errNonFinite}
	}
	if err != nil {
		s.statistics.Rejected++
		r.failure = err
		r.h = r.control.failed(math.Abs(h), tr)
		return running, nil
	}
	r.failure = nil
	rule := r.stepper.rule()
	if tr.err > 1 && r.control.Fixed == 0 {
		s.statistics.Rejected++
		r.h = r.control.refused(math.Abs(h), tr, rule)
		return running, nil
	}
	s.statistics.Steps++
	status, cause := r.deliver()
	s.advance()
	if status != running {
		return status, cause
	}
	r.h = r.control.accepted(math.Abs(h), tr, rule)
	return r.between()
}

// mayStep checks what can end a run before a step is attempted.
func (r *run) mayStep() (Status, error) {
	select {
	case <-r.ctx.Done():
		return Interrupted, context.Cause(r.ctx)
	default:
	}
	s := r.system
	if s.statistics.Steps+s.statistics.Rejected >= r.options.Stop.MaxSteps {
		return StepLimit, nil
	}
	// Ten spacings: below that the stages of one step are hardly distinct times.
	if r.h <= 10*spacing(s.t) && r.h < math.Abs(r.problem.End-s.t) {
		var evaluation evaluationError
		if errors.As(r.failure, &evaluation) {
			return NonFinite, evaluation.cause
		}
		return StepUnderflow, r.failure
	}
	return running, nil
}

// aim sets the end of the attempted step and returns its signed size. A step that
// would end just before the end of the interval is stretched to it.
func (r *run) aim() float64 {
	s := r.system
	if rest := math.Abs(r.problem.End - s.t); r.h*1.01 >= rest {
		s.tNew = r.problem.End
	} else {
		s.tNew = s.t + r.sign*r.h
	}
	return s.tNew - s.t
}

// between does what is due between two steps.
func (r *run) between() (Status, error) {
	s := r.system
	if stop := r.options.Stop.AfterStep; stop != nil && stop(s.t, s.y) {
		return Stopped, nil
	}
	if s.t == r.problem.End {
		return Reached, nil
	}
	r.report()
	if every := r.options.Checkpoint.Every; every > 0 && s.statistics.Steps%every == 0 {
		return r.checkpoint()
	}
	return running, nil
}

// finish assembles the solution and the error.
func (r *run) finish(status Status, cause error) (*Solution, error) {
	s, sol := r.system, r.solution
	sol.Status, sol.T, sol.Statistics = status, s.t, s.statistics
	sol.Y = append([]float64(nil), s.y...)
	if status.OK() {
		return sol, nil
	}
	return sol, &Failure{Status: status, T: s.t, Step: r.h, Cause: cause}
}
