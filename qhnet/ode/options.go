package ode

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"
)

// Options are the settings of a run. Their zero value is good: [Auto], default
// tolerances, no events, only the end of the solution.
type Options struct {
	Method  Method   // nil means Auto{}
	Control *Control // nil means relative tolerance 1e-6, absolute tolerance 1e-9
	Record  Recording
	Events  []Event
	Stop    Stopping

	// OnStep sees the solution stretch by stretch, in order and without gaps, such as to
	// integrate along it. A stretch is an accepted step, cut where a record or an event
	// lies in it, so that all of the solution before a record has been seen when it is
	// made. An error ends the run with status [CallbackFailed].
	OnStep func(s *Stretch) error

	// OnAttempt is told after every attempted step which component had the largest error for
	// its tolerance, -1 if none could be computed: what makes a run slow.
	OnAttempt func(worst int)

	Checkpoint Checkpoint
	Resume     *State // continue from here instead of from Problem.Initial
	Progress   Progress
}

// Stopping holds the reasons for which a run ends before the end of the interval.
type Stopping struct {
	// AfterStep is asked after every accepted step, AfterRecord after every
	// record. The run ends there, with status [Stopped], if it returns true.
	AfterStep, AfterRecord func(t float64, y []float64) bool

	// MaxSteps bounds the number of attempted steps from the start, not from a resumed
	// state. Zero means 1e7, far more than a suitable method takes.
	MaxSteps int

	// MaxWork bounds the work, in evaluations of the derivative, with linear algebra at
	// the Problem's Price. Zero means no bound.
	MaxWork float64
}

// Recording says at which times the solution is kept, between steps by the method's
// dense output. It does not change the steps.
type Recording struct {
	// At lists times in the order of the integration, within the interval.
	At []float64

	// Steps records the start and the end of every accepted step as well.
	Steps bool

	// Visit, if not nil, gets every record, and the Solution collects none. It must copy y
	// to keep it. An error ends the run with status [CallbackFailed].
	Visit func(t float64, y []float64) error
}

// Progress reports on a long run. It does not influence the result.
type Progress struct {
	Every  time.Duration // zero means one second
	Report func(Report)
}

// Report says how far a run has come.
type Report struct {
	T          float64
	Fraction   float64 // of the interval walked; 0 if End is infinite
	Statistics Statistics
}

// Statistics counts the work of a run, including the part before a resumed state.
type Statistics struct {
	Steps          int // accepted steps
	Rejected       int // steps refused by the error test, a failed iteration or a failed evaluation
	Evaluations    int // of the derivative, those for difference Jacobians included
	Jacobians      int // refreshed Jacobians or linearizations
	Factorizations int // of the pair of real and complex Newton systems
	Iterations     int // Newton iterations
	Switches       int // from one method to another, trials included
}

// Add adds the work of another run.
func (s *Statistics) Add(t Statistics) {
	s.Steps += t.Steps
	s.Rejected += t.Rejected
	s.Evaluations += t.Evaluations
	s.Jacobians += t.Jacobians
	s.Factorizations += t.Factorizations
	s.Iterations += t.Iterations
	s.Switches += t.Switches
}

// validate reports what in the options cannot be used with the problem.
func (o *Options) validate(p *Problem) error {
	if err := cmp.Or(o.Method.validate(), o.Control.validate(p.Initial), o.Record.validate(p)); err != nil {
		return err
	}
	if o.Checkpoint.Every < 0 || o.Progress.Every < 0 {
		return fmt.Errorf("ode: Checkpoint.Every = %d, Progress.Every = %v; neither may be negative", o.Checkpoint.Every, o.Progress.Every)
	}
	if o.Stop.MaxSteps < 0 || !(o.Stop.MaxWork >= 0) {
		return fmt.Errorf("ode: Stopping.MaxSteps = %d, Stopping.MaxWork = %v; neither may be negative", o.Stop.MaxSteps, o.Stop.MaxWork)
	}
	ends := o.Stop.AfterStep != nil || o.Stop.AfterRecord != nil || o.Stop.MaxSteps > 0 || o.Stop.MaxWork > 0 || o.OnStep != nil || o.Record.Visit != nil
	for _, e := range o.Events {
		if e.Value == nil {
			panic("ode: Event.Value is nil")
		}
		if e.Direction < Either || e.Direction > Falling {
			return fmt.Errorf("ode: the Direction of event %q is %d; use Either, Rising or Falling", e.Name, e.Direction)
		}
		ends = ends || e.Terminal
	}
	if math.IsInf(p.End, 0) && !ends {
		return errors.New("ode: Problem.End is infinite and nothing can end the run before; add a terminal Event or a Stop")
	}
	return nil
}

func (r *Recording) validate(p *Problem) error {
	sign := math.Copysign(1, p.End-p.Start)
	for i, t := range r.At {
		if math.IsNaN(t) || sign*(t-p.Start) < 0 || sign*(p.End-t) < 0 {
			return fmt.Errorf("ode: Recording.At[%d] = %v lies outside the interval from %v to %v", i, t, p.Start, p.End)
		}
		if i > 0 && sign*(t-r.At[i-1]) <= 0 {
			return fmt.Errorf("ode: Recording.At[%d] = %v does not come after At[%d] = %v", i, t, i-1, r.At[i-1])
		}
	}
	return nil
}
