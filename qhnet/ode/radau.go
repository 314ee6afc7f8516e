package ode

import (
	"cmp"
	"errors"
	"fmt"
	"math"
)

// RadauIIA is the implicit Runge-Kutta method of Radau IIA type with three
// stages: order 5, L-stable, stiffly accurate. Its stages are the values of a
// collocation polynomial; the dense output raises the order of that by one, to the
// order of the steps. The 3m×3m Newton system is transformed to one real and one
// complex system of size m.
//
// E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd edition,
// section IV.8, which also describes the error estimate and the strategies for
// reusing Jacobians and factorizations.
//
// The error estimate belongs to a formula of order 3 and is pessimistic for one of
// order 5. As in RADAU5, tolerances are therefore loosened inside, by the factor
// Relative^(-1/3)/10 if that is more than 1, so that the error of the solution is
// of the size that was asked for.
type RadauIIA struct {
	// Iterations bounds the Newton iterations of a step. Zero means 7, or 12 with
	// a Linearization, which may be an approximation.
	Iterations int

	// Tolerance is the error allowed in Newton's iteration relative to that
	// allowed in the step. Zero means max(10 ε/r, min(0.03, √r)), with r the
	// loosened relative tolerance and ε the spacing of float64 at 1.
	Tolerance float64

	// Reuse is the contraction factor of Newton's iteration below which the
	// Jacobian is kept for the next step. Zero means 1e-3; larger values suit
	// Jacobians that are expensive compared with the derivative.
	Reuse float64
}

// String returns "RadauIIA".
func (RadauIIA) String() string { return "RadauIIA" }

func (r RadauIIA) validate() error {
	switch {
	case r.Iterations < 0:
		return fmt.Errorf("ode: RadauIIA.Iterations = %d; it must not be negative", r.Iterations)
	case !(r.Tolerance >= 0) || math.IsInf(r.Tolerance, 0):
		return fmt.Errorf("ode: RadauIIA.Tolerance = %v; it must be finite and not negative", r.Tolerance)
	case !(r.Reuse >= 0):
		return fmt.Errorf("ode: RadauIIA.Reuse = %v; it must not be negative", r.Reuse)
	}
	return nil
}

// epsilon is the spacing of float64 at 1.
const (
	epsilon     = 0x1p-52
	sqrtEpsilon = 0x1p-26
)

var sqrt6 = math.Sqrt(6)

// errNotConverged is the reason of a step refused by Newton's iteration.
var errNotConverged = errors.New("the Newton iteration did not converge")

// radau is the method at work.
type radau struct {
	single
	RadauIIA
	s      *system
	linear Linearization

	z1, z2, z3 []float64    // stages less y
	w1, w2, w3 []float64    // the same, transformed
	f1, f2, f3 []float64    // derivatives at the stages
	stage      []float64    // argument of the derivative
	x          []float64    // right-hand side and solution of the real system
	u          []complex128 // of the complex system
	weight     []float64    // inverse of the loosened error scale at y
	tightness  float64      // of the given tolerance relative to the loosened one, at most 1

	c2, c3, c4 []float64 // divided differences of the last accepted step's polynomial
	lift       []float64 // h (f - u') at its start, with stiff components damped
	last       float64   // its step size; 0 if there is none

	linearized  float64 // where the Jacobian was taken
	factored    float64 // step size of the factorization; 0 if there is none
	stale       bool    // take the Jacobian anew before the next step
	refused     bool    // the last attempt failed its error test
	contraction float64 // factor of the last Newton iteration
	remaining   float64 // contraction/(1 - contraction), remembered between steps
}

func (r RadauIIA) stepper(s *system) stepper {
	m := len(s.y)
	block := make([]float64, 16*m)
	cut := func(i int) []float64 { return block[i*m : (i+1)*m : (i+1)*m] }
	d := &radau{
		single: single(r.String()), RadauIIA: r, s: s, linear: s.problem.Linearization,
		z1: cut(0), z2: cut(1), z3: cut(2), w1: cut(3), w2: cut(4), w3: cut(5), f1: cut(6), f2: cut(7), f3: cut(8),
		stage: cut(9), x: cut(10), weight: cut(11), c2: cut(12), c3: cut(13), c4: cut(14), lift: cut(15),
		u: make([]complex128, m),
	}
	d.defaults()
	d.restart()
	return d
}

func (d *radau) defaults() {
	rtol := cmp.Or(d.s.control.Relative, defaultControl.Relative)
	d.tightness = math.Min(1, 10*math.Cbrt(rtol))
	if d.Tolerance == 0 {
		loose := rtol / d.tightness
		d.Tolerance = math.Max(10*epsilon/loose, math.Min(0.03, math.Sqrt(loose)))
	}
	d.Reuse = cmp.Or(d.Reuse, 1e-3)
	if d.Iterations == 0 {
		d.Iterations = 7
		if d.linear != nil {
			d.Iterations = 12
		}
	}
	if d.linear == nil {
		d.linear = newDense(d.s)
	}
}

func (d *radau) rule() rule { return rule{order: 4, predictive: true, grow: 8} }

func (d *radau) restart() {
	d.last, d.factored = 0, 0
	d.stale, d.refused = true, false
	d.remaining = 1
}

func (d *radau) attempt(h float64) (trial, error) {
	s := d.s
	for i, v := range s.y {
		d.weight[i] = d.tightness / s.scale(i, v)
	}
	if d.stale {
		if err := d.refresh(); err != nil {
			return trial{}, err
		}
	}
	iterations, ratio, err := d.converge(h)
	if err != nil {
		return trial{safety: ratio}, err
	}
	for i, z := range d.z3 {
		s.yNew[i] = s.y[i] + z
	}
	e, err := d.errorNorm(h)
	if err != nil {
		return trial{}, err
	}
	tr := trial{err: e, safety: float64(2*d.Iterations+1) / float64(2*d.Iterations+iterations)}
	d.refused = e > 1 && s.control.Fixed == 0
	if d.refused {
		return tr, nil
	}
	if err := s.derivative(s.fNew, s.tNew, s.yNew); err != nil {
		return trial{}, err
	}
	d.collocate(h)
	d.stale = d.contraction > d.Reuse
	tr.keep = !d.stale
	return tr, nil
}

// converge runs Newton's iteration, with a fresh Jacobian if it fails with an old
// one. If it fails, ratio is what to multiply the step size with, or 0.
func (d *radau) converge(h float64) (iterations int, ratio float64, err error) {
	for {
		if err := d.factor(h); err != nil {
			return 0, 0, err
		}
		d.predict(h)
		iterations, ratio, err = d.newton(h)
		if err == nil || d.linearized == d.s.t {
			return iterations, ratio, err
		}
		if err := d.refresh(); err != nil {
			return 0, 0, err
		}
	}
}

// refresh takes the Jacobian at the current point.
func (d *radau) refresh() error {
	s := d.s
	s.statistics.Jacobians++
	if err := d.linear.Refresh(s.t, s.y); err != nil {
		return evaluationError{err}
	}
	d.linearized, d.factored, d.stale = s.t, 0, false
	return nil
}

// factor factors the Newton systems for the step size h.
func (d *radau) factor(h float64) error {
	if d.factored == h {
		return nil
	}
	d.s.statistics.Factorizations++
	if err := d.linear.Factor(radauReal/h, complex(radauRe/h, radauIm/h)); err != nil {
		return err
	}
	d.factored = h
	return nil
}

// errorNorm estimates the error of the step by comparison with an embedded
// formula of order 3 whose stiff components are damped by (γ/h I - J)⁻¹.
func (d *radau) errorNorm(h float64) (float64, error) {
	s := d.s
	e1, e2, e3 := radauE1/h, radauE2/h, radauE3/h
	for i, f := range s.f {
		d.stage[i] = e1*d.z1[i] + e2*d.z2[i] + e3*d.z3[i]
		d.x[i] = f + d.stage[i]
	}
	d.linear.Solve(d.x, nil)
	for i, v := range d.x {
		d.lift[i] = radauReal * v
	}
	e := d.tightness * s.norm(d.x, s.y, s.yNew)
	if !(e >= 1 && (d.last == 0 || d.refused)) {
		return e, nil
	}
	for i, v := range d.x {
		d.x[i] = s.y[i] + v
	}
	if err := s.derivative(d.f1, s.t, d.x); err != nil {
		return 0, err
	}
	for i, f := range d.f1 {
		d.x[i] = f + d.stage[i]
	}
	d.linear.Solve(d.x, nil)
	return d.tightness * s.norm(d.x, s.y, s.yNew), nil
}

// collocate computes the divided differences of the collocation polynomial
//
//	u(t+h + x h) = yNew + x (c2 + (x + 1 - c_2) (c3 + (x + 1 - c_1) c4)),  -1 ≤ x ≤ 0.
func (d *radau) collocate(h float64) {
	for i, z1 := range d.z1 {
		z2, z3 := d.z2[i], d.z3[i]
		first := (z2 - z3) / (radauC2 - 1)
		middle := (z1 - z2) / (radauC1 - radauC2)
		d.c2[i] = first
		d.c3[i] = (middle - first) / (radauC1 - 1)
		d.c4[i] = d.c3[i] - (middle-z1/radauC1)/radauC2
	}
	d.last = h
}

// displacement returns u - yNew at x, in step sizes after the end of the step.
func (d *radau) displacement(i int, x float64) float64 {
	return x * (d.c2[i] + (x-(radauC2-1))*(d.c3[i]+(x-(radauC1-1))*d.c4[i]))
}

// interpolate evaluates the collocation polynomial u raised by one degree, so that
// its derivative at the start of the step is f as well as at the nodes:
//
//	u(t + θ h) + h (f(t, y) - u'(t)) θ (1 - θ)² (1 - 5θ/2).
//
// The difference of the derivatives is what the error estimate is made of, and
// enters, as there, damped by (I - h J/γ)⁻¹. This makes the error between steps
// O(h⁵), like that of a step; that of u alone is O(h⁴).
func (d *radau) interpolate(dst []float64, t float64) {
	x := (t - d.s.tNew) / d.last
	raise := (1 + x) * x * x * (1 - 2.5*(1+x))
	for i, y := range d.s.yNew {
		dst[i] = y + d.displacement(i, x) + raise*d.lift[i]
	}
}
