package ode

import "fmt"

// resume takes the run to a state.
func (r *run) resume(st *State) error {
	if err := st.validate(&r.problem, r.options.Method); err != nil {
		return err
	}
	if !r.stepper.activate(st.Active) {
		return fmt.Errorf("ode: the resumed State was stepping with %s, which is not part of this run's %v: it belongs to another run", st.Active, r.options.Method)
	}
	s := r.system
	s.t, s.statistics = st.T, st.Statistics
	copy(s.y, st.Y)
	r.h = st.Step
	r.control.memory = controlMemory{Error: st.PreviousError, Step: st.PreviousStep, Limit: st.GrowthLimit}
	return nil
}

// checkpoint forgets what cannot be saved and hands the rest to the caller.
func (r *run) checkpoint() (Status, error) {
	s := r.system
	r.stepper.restart()
	r.state = State{
		T: s.t, Y: append(r.state.Y[:0], s.y...), Step: r.h,
		PreviousError: r.control.memory.Error, PreviousStep: r.control.memory.Step, GrowthLimit: r.control.memory.Limit,
		Method: r.options.Method.String(), Active: r.stepper.active(),
		Statistics: s.statistics,
	}
	if save := r.options.Checkpoint.Save; save != nil {
		if err := save(&r.state); err != nil {
			return CallbackFailed, fmt.Errorf("checkpoint at t = %.10g: %w", s.t, err)
		}
	}
	if err := r.refresh(); err != nil {
		return NonFinite, err
	}
	return running, nil
}
