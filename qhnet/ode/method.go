package ode

// Method is one of [DormandPrince], [RadauIIA], [RKC] and [Auto].
type Method interface {
	// String returns the name of the method.
	String() string

	// validate reports settings that no run can use.
	validate() error

	stepper(s *system) stepper
}

// stepper takes steps of one method from the current point of its system, where
// the derivative s.f is known.
type stepper interface {
	// rule says how to choose step sizes.
	rule() rule

	// restart forgets everything that was learned in earlier steps.
	restart()

	// attempt tries a step of signed size h to s.tNew. It sets s.yNew and, if
	// the error norm is at most 1, s.fNew and what interpolate needs.
	attempt(h float64) (trial, error)

	// interpolate sets dst to the solution at t, in the step just attempted.
	interpolate(dst []float64, t float64)

	// active returns the name of the method that takes the steps.
	active() string

	// save writes what is remembered across a restart to a state; resume takes it from
	// there, and reports whether the state can be one of this method.
	save(s *State)
	resume(s *State) bool
}

// single is the part of a stepper that never hands over.
type single string

func (n single) active() string       { return string(n) }
func (n single) save(s *State)        { s.Active = string(n) }
func (n single) resume(s *State) bool { return s.Active == string(n) }
