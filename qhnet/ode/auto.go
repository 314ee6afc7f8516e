package ode

import "math"

// Auto starts with Dormand-Prince, hands over to a method for stiff problems when
// stability rather than accuracy limits the step, and back when it no longer does.
// The signs are h ρ, the step size times an estimate of the spectral radius ρ of
// the Jacobian: from the last two stages of Dormand-Prince (E. Hairer, G. Wanner,
// Solving Ordinary Differential Equations II, 2nd edition, section IV.2), and from
// a power iteration while the stiff method steps.
type Auto struct {
	// Stiff takes the steps of stiff stretches. Nil means RadauIIA{}, or RKC{} for
	// more than 1000 components without a Linearization.
	Stiff Method
}

// String returns "Auto".
func (Auto) String() string { return "Auto" }

func (a Auto) validate() error {
	if a.Stiff == nil {
		return nil
	}
	return a.Stiff.validate()
}

const (
	// The interval of stability of Dormand-Prince on the negative real axis is 3.3,
	// and with tight tolerances steps settle a little below it. A step is stiff
	// above 2.5 and a problem, as in DOPRI5, after 15 stiff steps with fewer than 6
	// others between them.
	stiffRadius, stiffSteps, calmSteps = 2.5, 15, 6

	// A stiff method hands back when its steps would be safely stable for
	// Dormand-Prince, three times in a row, checked every tenth step.
	calmRadius, calmChecks, checkEvery = 1.5, 3, 10

	// autoDense bounds the size up to which dense factorizations are bearable.
	autoDense = 1000
)

// auto is the method at work.
type auto struct {
	s        *system
	explicit *dormandPrince
	stiff    stepper
	current  stepper
	power    *powerIteration

	steps    int // accepted since the last hand-over or restart
	signs    int // that the other method should take over
	against  int // steps since the last sign
	handOver bool
}

func (a Auto) stepper(s *system) stepper {
	if a.Stiff == nil {
		a.Stiff = RadauIIA{}
		if len(s.y) > autoDense && s.problem.Linearization == nil {
			a.Stiff = RKC{}
		}
	}
	d := &auto{s: s, explicit: DormandPrince{}.stepper(s).(*dormandPrince)}
	d.current = d.explicit
	d.stiff = a.Stiff.stepper(s)
	d.power = newPowerIteration(s)
	return d
}

func (d *auto) rule() rule     { return d.current.rule() }
func (d *auto) active() string { return d.current.active() }

func (d *auto) interpolate(dst []float64, t float64) { d.current.interpolate(dst, t) }

func (d *auto) restart() {
	d.current.restart()
	d.power.restart()
	d.forget()
}

func (d *auto) forget() { d.steps, d.signs, d.against, d.handOver = 0, 0, 0, false }

func (d *auto) activate(name string) bool {
	for _, m := range []stepper{d.explicit, d.stiff} {
		if m.activate(name) {
			d.current = m
			return true
		}
	}
	return false
}

func (d *auto) attempt(h float64) (trial, error) {
	if d.handOver {
		d.switchMethod()
	}
	tr, err := d.current.attempt(h)
	if err != nil || tr.err > 1 {
		return tr, err
	}
	d.steps++
	if d.current == stepper(d.explicit) {
		d.watchExplicit()
		return tr, nil
	}
	return tr, d.watchStiff(h)
}

// switchMethod makes the other method take the steps.
func (d *auto) switchMethod() {
	if d.current == stepper(d.explicit) {
		d.current = d.stiff
	} else {
		d.current = d.explicit
	}
	d.restart()
	d.s.statistics.Switches++
}

// watchExplicit counts the steps that stability seems to limit.
func (d *auto) watchExplicit() {
	if d.explicit.stability() > stiffRadius {
		d.signs++
		d.against = 0
		d.handOver = d.signs >= stiffSteps
		return
	}
	if d.against++; d.against >= calmSteps {
		d.signs = 0
	}
}

// watchStiff counts the checks at which Dormand-Prince would be stable.
func (d *auto) watchStiff(h float64) error {
	if d.steps%checkEvery != 0 {
		return nil
	}
	radius, err := d.power.radius()
	if err != nil {
		return err
	}
	if !(math.Abs(h)*radius <= calmRadius) { // or NaN
		d.signs = 0
		return nil
	}
	d.signs++
	d.handOver = d.signs >= calmChecks
	return nil
}
