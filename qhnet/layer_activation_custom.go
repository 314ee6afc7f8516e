package qhnet

import (
	"fmt"
	"math"
	"strings"
)

// Activation applies any function φ of one variable to each entry. It is given by
// its value, slope φ' and curvature φ”, and by the degree k of its homogeneity,
//
//	φ(s h) = s^k φ(h) for s > 0,   k ≥ 1,
//
// or 0 if it has none: then the input of the layer must not scale, as with
// [Tanh]. The name is the stem of the layer's automatic name. The functions are
// called from several goroutines at once.
//
// [NewNetwork] compares the derivatives with differences and the values with the
// degree at a few numbers, and returns an error if they disagree. Where φ has a
// kink, give the derivatives of one side; [Margins.RoundKinks] does not round it,
// so a flow that comes to rest on it cannot go on.
func Activation(name string, degree float64, value, slope, curvature func(h float64) float64) Layer {
	if value == nil || slope == nil || curvature == nil {
		panic(fmt.Sprintf("qhnet: Activation %q: value, slope and curvature must not be nil", name))
	}
	return custom{name, degree, curve{value, slope, curvature}}
}

type custom struct {
	name   string
	degree float64
	curve  curve
}

func (l custom) kind() string { return l.name }

func (l custom) text() string {
	if l.degree == 0 {
		return l.name
	}
	return fmt.Sprintf("%s of degree %g", l.name, l.degree)
}

func (l custom) attach(p *plan, in wire) (wire, error) {
	if l.name == "" || strings.Contains(l.name, ".") {
		return wire{}, p.fail("is an Activation called %q; use a name without dots", l.name)
	}
	if err := l.check(); err != nil {
		return wire{}, p.fail("%v", err)
	}
	if l.degree == 0 {
		return smooth{l.name, l.curve}.attach(p, in)
	}
	return p.activate(in, in.exponent.times(l.degree), l.curve), nil
}

// check compares the functions with each other at numbers of both signs.
func (l custom) check() error {
	if l.degree != 0 && !(l.degree >= 1 && !math.IsInf(l.degree, 1)) {
		return fmt.Errorf("has degree %v; use a finite degree ≥ 1, or 0 if the function is not homogeneous", l.degree)
	}
	// Central differences of size 1e-6 have errors of about 1e-10.
	const step, tolerance = 1e-6, 1e-6
	for _, h := range []float64{-1.3, -0.7, 0.7, 1.3} {
		difference := func(f func(float64) float64) float64 { return (f(h+step) - f(h-step)) / (2 * step) }
		for _, c := range []struct {
			what       string
			have, want float64
		}{
			{"has slope %v at %v, but differences of its values give %v", l.curve.slope(h), difference(l.curve.value)},
			{"has curvature %v at %v, but differences of its slope give %v", l.curve.curvature(h), difference(l.curve.slope)},
		} {
			if !(math.Abs(c.have-c.want) <= tolerance*(1+math.Abs(c.want))) {
				return fmt.Errorf(c.what, c.have, h, c.want)
			}
		}
		if have, want := l.curve.value(2*h), math.Pow(2, l.degree)*l.curve.value(h); l.degree != 0 && !(math.Abs(have-want) <= 1e-9*math.Abs(want)) {
			return fmt.Errorf("has the value %v at %v; of degree %v it would be %v, after its value at %v", have, 2*h, l.degree, want, h)
		}
	}
	return nil
}
