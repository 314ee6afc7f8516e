package ode

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Control chooses step sizes so that the error estimate e of every step satisfies
//
//	sqrt(mean_i (e_i / s_i)²) ≤ 1,   s_i = Absolute_i + Relative·max(|y_i(t)|, |y_i(t+h)|).
//
// Explicit methods use a PI controller, implicit ones Gustafsson's predictive controller:
// Hairer and Wanner II, sections IV.2 and IV.8.
type Control struct {
	Relative float64
	Absolute float64

	// Each, if not nil, sets dst to the absolute tolerances of all components at the start
	// of a step from y, in place of Absolute.
	Each func(dst []float64, t float64, y []float64)

	First float64 // size of the first step; zero means estimated

	// Max bounds the step size; zero means no bound. An event, or a pulse of the
	// derivative, that is shorter than a step can be stepped over unseen.
	Max float64
}

// defaultControl is that of nil.
var defaultControl = Control{Relative: 1e-6, Absolute: 1e-9}

// validate reports settings that no run from the initial values can use.
func (c *Control) validate(initial []float64) error {
	if c == nil {
		return nil
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"Relative", c.Relative}, {"Absolute", c.Absolute}, {"First", c.First}, {"Max", c.Max}} {
		if !(f.value >= 0) || math.IsInf(f.value, 0) {
			return fmt.Errorf("ode: Control.%s = %v; it must be finite and not negative", f.name, f.value)
		}
	}
	if c.Absolute > 0 || c.Each != nil {
		return nil
	}
	if c.Relative == 0 {
		return errors.New("ode: the tolerance is zero: Control.Relative = Control.Absolute = 0; set one of them, such as Relative 1e-6")
	}
	if i := slices.Index(initial, 0); i >= 0 {
		return fmt.Errorf("ode: Problem.Initial[%d] is zero and has no absolute tolerance, which no error could satisfy; set Control.Absolute to an error that does not matter", i)
	}
	return nil
}

// The factor on every proposed step size, the smallest ratio of successive ones, and the
// weight β of the error of the step before in the PI controller: those of DOPRI5 and RADAU5.
const (
	safety  = 0.9
	shrink  = 0.2
	damping = 0.04
)

// rule is what a method asks of the step-size controller.
type rule struct {
	order      float64 // the error estimate is O(h^order)
	predictive bool    // Gustafsson's predictive controller instead of PI
	grow       float64 // largest ratio of successive step sizes
}

// trial is the outcome of an attempted step.
type trial struct {
	err    float64 // error norm; at most 1 if the step is accepted
	safety float64 // factor of the method on the next step size; after a failure on this one, if not 0
	keep   bool    // a next step size hardly larger than this one is not worth a new factorization
	next   float64 // the next step size, of another method that takes over, if not 0
}

// controller proposes step sizes.
type controller struct {
	Control
	memory   controlMemory
	rejected bool // the step before this attempt was rejected
}

// controlMemory is the part of the controller that a resumed run needs.
type controlMemory struct {
	Error float64 // error norm of the last accepted step, at least minErrorMemory
	Step  float64 // its size, zero if there is none
	Limit float64 // of the growth of the next step, zero if there is none
}

// minErrorMemory keeps a very small error from dominating the next step: DOPRI5 has 1e-4.
const minErrorMemory = 1e-4

// newController fills in the defaults.
func newController(c *Control) controller {
	if c == nil {
		c = &defaultControl
	}
	d := controller{Control: *c}
	d.Max = cmp.Or(d.Max, math.Inf(1))
	d.reset()
	return d
}

// reset forgets earlier steps.
func (c *controller) reset() {
	c.memory = controlMemory{Error: minErrorMemory}
	c.rejected = false
}

// cautiousGrowth limits the ratio of successive steps after one that could not be computed,
// whose size would be tried again at once. Every accepted step then doubles the part of the
// limit above 1, until it no longer matters.
const cautiousGrowth = 1.1

func relax(limit float64) float64 {
	if limit == 0 || limit > 8 {
		return 0
	}
	return 2*limit - 1
}

// accepted returns the step size to follow an accepted step of size h.
func (c *controller) accepted(h float64, tr trial, r rule) float64 {
	e := max(tr.err, 1e-10) // a smaller error already asks for the largest growth
	ratio := safety * tr.safety
	if r.predictive {
		ratio = c.predictive(ratio, h, e, r)
	} else {
		ratio *= math.Pow(e, 0.75*damping-1/r.order) * math.Pow(c.memory.Error, damping)
	}
	ratio = min(r.grow, max(shrink, ratio))
	if c.memory.Limit > 0 {
		ratio = min(c.memory.Limit, ratio)
	}
	if c.rejected {
		ratio = min(1, ratio)
	}
	c.memory = controlMemory{Error: max(tr.err, minErrorMemory), Step: h, Limit: relax(c.memory.Limit)}
	c.rejected = false
	if tr.keep && ratio >= 1 && ratio <= 1.2 { // RADAU's quot1 and quot2
		return h
	}
	return min(c.Max, h*ratio)
}

// predictive returns the smaller of the elementary ratio and Gustafsson's.
func (c *controller) predictive(safety, h, e float64, r rule) float64 {
	ratio := safety * math.Pow(e, -1/r.order)
	if c.memory.Step == 0 {
		return ratio
	}
	trend := h / c.memory.Step * math.Pow(max(c.memory.Error, 1e-2)/e, 1/r.order)
	return ratio * min(1, trend)
}

// refused returns the step size to follow a step whose error was too large.
func (c *controller) refused(h float64, tr trial, r rule) float64 {
	c.rejected = true
	return h * max(shrink, safety*tr.safety*math.Pow(tr.err, -1/r.order))
}

// failed returns the step size to follow a step that could not be computed.
func (c *controller) failed(h float64, tr trial) float64 {
	c.rejected = true
	c.memory.Limit = cautiousGrowth
	return h * cmp.Or(tr.safety, 0.25)
}
