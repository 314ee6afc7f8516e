package ode

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"
)

// Solve integrates the problem over its interval. It returns a nil Solution only if the
// input does not let the run start. If the run ends otherwise than [Status.OK], the error
// is a [*Failure] and the Solution holds everything up to there; if ctx is cancelled,
// that is after the current step and the error wraps the context's cause.
//
// What comes and goes between the stages of a step, or of events between its ends, is not
// seen. Control.Max bounds the steps where that matters.
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
	recorder   recorder
	events     *eventFinder
	cut        [][]float64 // solution at the last two cuts of the current step
	piece      Stretch     // of the current step, up to the last cut
	whole      Stretch     // the current step
	state      State       // reused by checkpoints
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
	r := &run{ctx: ctx, problem: p, options: o, sign: math.Copysign(1, p.End-p.Start), solution: &Solution{}, lastReport: time.Now()}
	r.control = newController(o.Control)
	r.system = newSystem(&r.problem, &r.control.Control)
	r.stepper = o.Method.stepper(r.system)
	r.recorder = recorder{Recording: o.Record, sign: r.sign, solution: r.solution}
	r.events = newEventFinder(o.Events, m)
	r.cut = vectors(m, 2)
	r.options.Stop.MaxSteps = cmp.Or(o.Stop.MaxSteps, 10_000_000)
	if o.Resume != nil {
		return r, r.resume(o.Resume)
	}
	r.system.t = p.Start
	copy(r.system.y, p.Initial)
	return r, nil
}

// start evaluates the derivative, chooses the first step and makes the first record.
func (r *run) start() (Status, error) {
	s := r.system
	if err := s.refresh(); err != nil {
		return NonFinite, err
	}
	if err := r.events.evaluate(r.events.value, s.t, s.y); err != nil {
		return EventNonFinite, err
	}
	if r.options.Resume != nil {
		r.recorder.skip(s.t)
		if s.t == r.problem.End {
			return Reached, nil
		}
		return running, nil
	}
	r.events.fresh = true
	r.h = math.Min(cmp.Or(r.control.First, s.initialStep(r.sign, r.stepper.rule().order)), r.control.Max)
	if _, due := r.recorder.due(s.t); due || r.recorder.Steps {
		return r.record(s.t, s.y)
	}
	return running, nil
}

// step attempts one step and, if it is accepted, delivers it to the caller.
func (r *run) step() (Status, error) {
	s := r.system
	if status, cause := r.mayStep(); status != running {
		return status, cause
	}
	h := r.aim()
	s.worst = -1
	tr, err := r.stepper.attempt(h)
	if told := r.options.OnAttempt; told != nil {
		told(s.worst)
	}
	if err == nil && (math.IsNaN(tr.err) || math.IsInf(tr.err, 0)) {
		tr, err = trial{next: tr.next}, evaluationError{cause: errNonFinite}
	}
	rule := r.stepper.rule()
	r.failure = err
	if err != nil || tr.err > 1 {
		s.statistics.Rejected++
		return r.reject(math.Abs(h), tr, rule)
	}
	s.statistics.Steps++
	status, cause := r.deliver()
	s.advance()
	if status != running {
		return status, cause
	}
	r.h = r.control.accepted(math.Abs(h), tr, rule)
	r.handOver(tr)
	return r.between()
}

// reject chooses the step size after an attempt of size h that did not succeed.
func (r *run) reject(h float64, tr trial, rule rule) (Status, error) {
	if evaluation, _ := r.failure.(evaluationError); evaluation.current {
		return NonFinite, evaluation.cause
	}
	if r.failure == nil {
		r.h = r.control.refused(h, tr, rule)
	} else {
		r.h = r.control.failed(h, tr)
	}
	r.handOver(tr)
	return running, nil
}

// handOver takes over the step size of another method.
func (r *run) handOver(tr trial) {
	if tr.next > 0 {
		r.control.reset()
		r.h = math.Min(tr.next, r.control.Max)
	}
}

// mayStep checks what can end a run before a step is attempted.
func (r *run) mayStep() (Status, error) {
	if r.ctx.Err() != nil {
		return Interrupted, context.Cause(r.ctx)
	}
	s := r.system
	stop := &r.options.Stop
	if s.statistics.Steps+s.statistics.Rejected >= stop.MaxSteps || stop.MaxWork > 0 && s.work() >= stop.MaxWork {
		return StepLimit, nil
	}
	if math.Abs(s.t)+r.h > math.MaxFloat64 {
		return StepUnderflow, errors.New("the time outgrows float64: no event or stop has ended the infinite interval")
	}
	// Ten spacings: below that the stages of one step are hardly distinct times.
	if r.h <= 10*spacing(s.t) && r.h < math.Abs(r.problem.End-s.t) {
		if evaluation, ok := r.failure.(evaluationError); ok {
			return NonFinite, evaluation.cause
		}
		return StepUnderflow, r.failure
	}
	return running, nil
}

// aim sets the end of the attempted step and returns its signed size. A step that would end
// just before the end of the interval is stretched to it.
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

// report tells the caller about the progress, if it is time.
func (r *run) report() {
	p := &r.options.Progress
	if p.Report == nil {
		return
	}
	now := time.Now()
	if now.Sub(r.lastReport) < cmp.Or(p.Every, time.Second) {
		return
	}
	r.lastReport = now
	fraction := (r.system.t - r.problem.Start) / (r.problem.End - r.problem.Start)
	p.Report(Report{T: r.system.t, Fraction: fraction, Statistics: r.system.statistics})
}

// finish assembles the solution and the error.
func (r *run) finish(status Status, cause error) (*Solution, error) {
	s, sol := r.system, r.solution
	sol.Status, sol.T, sol.Statistics = status, s.t, s.statistics
	sol.Y = slices.Clone(s.y)
	if status.OK() {
		return sol, nil
	}
	return sol, &Failure{Status: status, T: s.t, Step: r.h, Cause: cause}
}
