package ode

import (
	"cmp"
	"fmt"
	"math"
)

// Control chooses step sizes so that the error estimate e of every step
// satisfies
//
//	sqrt(mean_i (e_i / s_i)²) ≤ 1,   s_i = Absolute_i + Relative·max(|y_i(t)|, |y_i(t+h)|).
//
// Explicit methods use a PI controller, implicit ones Gustafsson's predictive
// controller: E. Hairer, G. Wanner, Solving Ordinary Differential Equations II,
// 2nd edition, sections IV.2 and IV.8. One of Relative and Absolute must be
// positive; any other field may be zero, which means its default.
type Control struct {
	Relative     float64
	Absolute     float64
	AbsoluteEach []float64 // per component, in place of Absolute if not nil

	First float64 // size of the first step; zero means estimated
	Max   float64 // bound of the step size; zero means none
	Fixed float64 // constant step size without error control, if positive

	Safety float64 // factor on every proposed step size; zero means 0.9
	Shrink float64 // smallest ratio of successive step sizes; zero means 0.2
	Grow   float64 // largest ratio; zero means 10, or 8 for implicit methods

	// Damping is the weight β of the error of the step before in the PI
	// controller of explicit methods; zero means 0.04. The exponent of the
	// current error is lowered by 0.75 β.
	Damping float64
}

var defaultControl = Control{Relative: 1e-6, Absolute: 1e-9}

func (c *Control) validate(m int) error {
	if c == nil {
		return nil
	}
	if c.AbsoluteEach != nil && len(c.AbsoluteEach) != m {
		panic(fmt.Sprintf("ode: Control.AbsoluteEach has length %d, want %d", len(c.AbsoluteEach), m))
	}
	fields := []struct {
		name  string
		value float64
	}{
		{"Relative", c.Relative}, {"Absolute", c.Absolute}, {"First", c.First}, {"Max", c.Max}, {"Fixed", c.Fixed},
		{"Safety", c.Safety}, {"Shrink", c.Shrink}, {"Grow", c.Grow}, {"Damping", c.Damping},
	}
	for _, f := range fields {
		if !(f.value >= 0) || math.IsInf(f.value, 0) {
			return fmt.Errorf("ode: Control.%s = %v; it must be finite and not negative", f.name, f.value)
		}
	}
	switch {
	case c.Grow > 0 && c.Grow < 1:
		return fmt.Errorf("ode: Control.Grow = %v would shrink every step; use at least 1, or 0 for the default", c.Grow)
	case c.Shrink >= 1:
		return fmt.Errorf("ode: Control.Shrink = %v would repeat a refused step; use a number below 1", c.Shrink)
	case c.Safety > 1:
		return fmt.Errorf("ode: Control.Safety = %v would enlarge a refused step; use at most 1", c.Safety)
	}
	for i, a := range c.AbsoluteEach {
		if !(a >= 0) || math.IsInf(a, 0) || a == 0 && c.Relative == 0 {
			return fmt.Errorf("ode: Control.AbsoluteEach[%d] = %v with Relative = %v; a component needs a positive tolerance", i, a, c.Relative)
		}
	}
	if c.Relative == 0 && c.Absolute == 0 && c.AbsoluteEach == nil && c.Fixed == 0 {
		return fmt.Errorf("ode: the tolerance is zero: Control.Relative = Control.Absolute = 0; set one of them, such as Relative 1e-6")
	}
	return nil
}

// fits reports a component that starts at zero without an absolute tolerance, which
// no error could satisfy.
func (c *Control) fits(initial []float64) error {
	if c == nil || c.Relative == 0 || c.AbsoluteEach == nil && c.Absolute > 0 {
		return nil
	}
	for i, v := range initial {
		if v == 0 && (c.AbsoluteEach == nil || c.AbsoluteEach[i] == 0) {
			return fmt.Errorf("ode: Problem.Initial[%d] is zero and has no absolute tolerance; set Control.Absolute to an error that does not matter", i)
		}
	}
	return nil
}

// withDefaults returns the control with every default filled in.
func (c *Control) withDefaults() Control {
	if c == nil {
		c = &defaultControl
	}
	d := *c
	d.Safety = cmp.Or(d.Safety, 0.9)
	d.Shrink = cmp.Or(d.Shrink, 0.2)
	d.Damping = cmp.Or(d.Damping, 0.04)
	d.Max = cmp.Or(d.Max, math.Inf(1))
	if d.Relative == 0 && d.Absolute == 0 && d.AbsoluteEach == nil {
		d.Relative, d.Absolute = defaultControl.Relative, defaultControl.Absolute
	}
	return d
}

// rule is what a method asks of the step-size controller.
type rule struct {
	order      float64 // the error estimate is O(h^order)
	predictive bool    // Gustafsson's predictive controller instead of PI
	grow       float64 // default of Control.Grow
}

// trial is the outcome of an attempted step.
type trial struct {
	err    float64 // error norm; at most 1 if the step is accepted
	safety float64 // factor of the method on the next step size; after a failure on this one, if not 0
	keep   bool    // a next step size hardly larger than this one is not worth a new factorization
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

// cautiousGrowth limits the ratio of successive steps after one that could not be
// computed, such as one for which Newton's iteration did not converge; otherwise
// the size that failed would be tried again at once. Every accepted step then
// doubles the part of the limit above 1, until it no longer matters.
const cautiousGrowth = 1.1

func relax(limit float64) float64 {
	if limit == 0 || limit > 8 {
		return 0
	}
	return 2*limit - 1
}

// minErrorMemory keeps one step with a very small error from dominating the
// next: Hairer's DOPRI5 and RADAU use 1e-4 and 1e-2.
const minErrorMemory = 1e-4

// accepted returns the step size to follow an accepted step of size h.
func (c *controller) accepted(h float64, tr trial, r rule) float64 {
	if c.Fixed > 0 {
		return c.Fixed
	}
	e := math.Max(tr.err, 1e-10) // a smaller error already asks for the largest growth
	ratio := c.Safety * tr.safety
	if r.predictive {
		ratio = c.predictive(ratio, h, e, r)
	} else {
		ratio *= math.Pow(e, 0.75*c.Damping-1/r.order) * math.Pow(c.memory.Error, c.Damping)
	}
	ratio = math.Min(cmp.Or(c.Grow, r.grow), math.Max(c.Shrink, ratio))
	if c.memory.Limit > 0 {
		ratio = math.Min(c.memory.Limit, ratio)
	}
	if c.rejected {
		ratio = math.Min(1, ratio)
	}
	c.memory = controlMemory{Error: math.Max(tr.err, minErrorMemory), Step: h, Limit: relax(c.memory.Limit)}
	c.rejected = false
	if tr.keep && ratio >= 1 && ratio <= 1.2 { // RADAU's quot1 and quot2
		return h
	}
	return math.Min(c.Max, h*ratio)
}

// predictive returns the smaller of the elementary ratio and Gustafsson's.
func (c *controller) predictive(safety, h, e float64, r rule) float64 {
	ratio := safety * math.Pow(e, -1/r.order)
	if c.memory.Step == 0 {
		return ratio
	}
	trend := h / c.memory.Step * math.Pow(math.Max(c.memory.Error, 1e-2)/e, 1/r.order)
	return ratio * math.Min(1, trend)
}

// refused returns the step size to follow a step whose error was too large.
func (c *controller) refused(h float64, tr trial, r rule) float64 {
	c.rejected = true
	return h * math.Max(c.Shrink, c.Safety*tr.safety*math.Pow(tr.err, -1/r.order))
}

// failed returns the step size to follow a step that could not be computed.
func (c *controller) failed(h float64, tr trial) float64 {
	c.rejected = true
	c.memory.Limit = cautiousGrowth
	return h * cmp.Or(tr.safety, 0.25)
}

// reset forgets earlier steps.
func (c *controller) reset() {
	c.memory = controlMemory{Error: minErrorMemory}
	c.rejected = false
}
