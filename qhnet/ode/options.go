package ode

import "fmt"

// Options are the settings of a run. Their zero value is good: [Auto], default
// tolerances, no events, only the end of the solution.
type Options struct {
	Method  Method   // nil means Auto{}
	Control *Control // nil means relative tolerance 1e-6, absolute tolerance 1e-9
	Record  Recording
	Events  []Event
	Stop    Stopping

	// OnStep sees the solution stretch by stretch, in order and without gaps.
	// A stretch is an accepted step, cut where a record or an event lies in it,
	// so that all of the solution before a record has been seen when the record
	// is made. Integrals along the solution belong here. An error ends the run
	// with status [CallbackFailed].
	OnStep func(s *Stretch) error

	Checkpoint Checkpoint
	Resume     *State // continue from here instead of from Problem.Initial
	Progress   Progress
}

// Stopping holds the reasons for which a run ends before the end of the interval.
type Stopping struct {
	// AfterStep is asked after every accepted step, AfterRecord after every
	// record. The run ends there, with status [Stopped], if it returns true.
	AfterStep, AfterRecord func(t float64, y []float64) bool

	// MaxSteps bounds the number of attempted steps, accepted or rejected,
	// counted from the start and not from a resumed state. Zero means 1e7.
	MaxSteps int
}

// defaultMaxSteps is far above what a run with a suitable method takes.
const defaultMaxSteps = 10_000_000

// Statistics counts the work of a run, including the part before a resumed state.
type Statistics struct {
	Steps          int // accepted steps
	Rejected       int // steps refused by the error test, a failed iteration or a failed evaluation
	Evaluations    int // of the derivative, those for difference Jacobians included
	Jacobians      int // refreshed Jacobians or linearizations
	Factorizations int // of the pair of real and complex Newton systems
	Iterations     int // Newton iterations
	Switches       int // hand-overs between methods
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
	if err := o.Method.validate(); err != nil {
		return err
	}
	if err := o.Control.validate(len(p.Initial)); err != nil {
		return err
	}
	if err := o.Control.fits(p.Initial); err != nil {
		return err
	}
	if err := o.Record.validate(p); err != nil {
		return err
	}
	if o.Checkpoint.Every < 0 || o.Progress.Every < 0 {
		return fmt.Errorf("ode: Checkpoint.Every = %d, Progress.Every = %v; neither may be negative", o.Checkpoint.Every, o.Progress.Every)
	}
	for _, e := range o.Events {
		if e.Direction < Either || e.Direction > Falling {
			return fmt.Errorf("ode: the Direction of event %q is %d; use Either, Rising or Falling", e.Name, e.Direction)
		}
	}
	if o.Stop.MaxSteps < 0 {
		return fmt.Errorf("ode: Stopping.MaxSteps = %d; it must not be negative", o.Stop.MaxSteps)
	}
	for i := range o.Events {
		if o.Events[i].Value == nil {
			panic("ode: Event.Value is nil")
		}
	}
	return nil
}
