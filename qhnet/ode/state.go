package ode

import (
	"fmt"
	"slices"
)

// State is all that a later run needs to continue a solution at an accepted step
// with the same bits. It is plain data for encoding/gob and encoding/json.
type State struct {
	T          float64
	Y          []float64
	Step       float64       // size of the next step
	Memory     controlMemory // of the step-size controller
	Method     string        // the Method of the run
	Active     string        // the method that takes the steps; differs from Method for Auto
	Choice     choice        // what Auto has measured
	Statistics Statistics
}

// Checkpoint makes a run resumable. After every Every accepted steps the solver forgets what
// it learned in earlier ones, so that the State holds all that the rest of the run depends on,
// and hands it to Save. A run of the same Problem and Options from that State in Options.Resume
// gives the same bits. A different cadence gives slightly different steps.
type Checkpoint struct {
	Every int // accepted steps; zero means never

	// Save gets a State that it must not keep (see [State.Clone]); it may be nil. An error ends
	// the run with status [CallbackFailed].
	Save func(s *State) error
}

// Clone returns a copy that shares no memory with s.
func (s *State) Clone() *State {
	if s == nil {
		return nil
	}
	c := *s
	c.Y = slices.Clone(s.Y)
	return &c
}

// validate reports why the state cannot belong to the problem and the method.
func (s *State) validate(p *Problem, m Method) error {
	switch {
	case len(s.Y) != len(p.Initial):
		return fmt.Errorf("ode: the resumed State has %d components, the problem %d: it belongs to another run", len(s.Y), len(p.Initial))
	case s.Method != m.String():
		return fmt.Errorf("ode: the resumed State was made by %s, this run uses %v: it belongs to another run", s.Method, m)
	case (s.T-p.Start)*(p.End-p.Start) < 0 || (p.End-s.T)*(p.End-p.Start) < 0:
		return fmt.Errorf("ode: the resumed State is at t = %v, outside the interval from %v to %v", s.T, p.Start, p.End)
	case !(s.Step > 0) || s.Step-s.Step != 0:
		return fmt.Errorf("ode: the resumed State has the step size %v; it is damaged", s.Step)
	}
	return nil
}

// resume takes the run to a state.
func (r *run) resume(st *State) error {
	if err := st.validate(&r.problem, r.options.Method); err != nil {
		return err
	}
	if !r.stepper.resume(st) {
		return fmt.Errorf("ode: the resumed State was stepping with %s, which is not part of this run's %v: it belongs to another run", st.Active, r.options.Method)
	}
	s := r.system
	s.t, s.statistics = st.T, st.Statistics
	copy(s.y, st.Y)
	r.h, r.control.memory = st.Step, st.Memory
	return nil
}

// checkpoint forgets what cannot be saved and hands the rest to the caller.
func (r *run) checkpoint() (Status, error) {
	s := r.system
	r.stepper.restart()
	r.state = State{
		T: s.t, Y: append(r.state.Y[:0], s.y...), Step: r.h, Memory: r.control.memory,
		Method: r.options.Method.String(), Statistics: s.statistics,
	}
	r.stepper.save(&r.state)
	if save := r.options.Checkpoint.Save; save != nil {
		if err := save(&r.state); err != nil {
			return CallbackFailed, fmt.Errorf("checkpoint at t = %.10g: %w", s.t, err)
		}
	}
	if err := s.refresh(); err != nil {
		return NonFinite, err
	}
	return running, nil
}
