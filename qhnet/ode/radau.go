package ode

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
)

// RadauIIA is the implicit Runge-Kutta method of Radau IIA type with three stages: order 5,
// L-stable, stiffly accurate. Its stages are the values of a collocation polynomial, which
// the dense output raises by one degree, to the order of the steps. The 3m×3m Newton system
// is transformed to one real and one complex system of size m.
//
// E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd edition, section
// IV.8, which also describes the error estimate and when to reuse Jacobians and
// factorizations. The estimate belongs to a formula of order 3 and is pessimistic for one of
// order 5, so that tolerances are loosened inside, as in RADAU5, by the factor
// Relative^(-1/3)/10 if that is more than 1.
type RadauIIA struct {
	// Iterations bounds the Newton iterations of a step. Zero means 7, or 12 with a
	// Linearization.
	Iterations int

	// Tolerance is the error allowed in Newton's iteration relative to that
	// allowed in the step. Zero means max(10 ε/r, min(0.03, √r)), with r the
	// loosened relative tolerance and ε the spacing of float64 at 1.
	Tolerance float64
}

// String returns "RadauIIA".
func (RadauIIA) String() string { return "RadauIIA" }

func (r RadauIIA) validate() error {
	if r.Iterations < 0 {
		return fmt.Errorf("ode: RadauIIA.Iterations = %d; it must not be negative", r.Iterations)
	}
	if !(r.Tolerance >= 0) || math.IsInf(r.Tolerance, 0) {
		return fmt.Errorf("ode: RadauIIA.Tolerance = %v; it must be finite and not negative", r.Tolerance)
	}
	return nil
}

// Newton's iteration with a contraction above radauReuse asks for a new Jacobian, as in RADAU5.
const radauReuse = 1e-3

// epsilon is the spacing of float64 at 1.
const (
	epsilon     = 0x1p-52
	sqrtEpsilon = 0x1p-26
)

// Nodes, eigenvalues and error weights, and the transformation T of the inverse
// coefficient matrix A⁻¹ to
//
//	T⁻¹ A⁻¹ T = [γ 0 0; 0 α -β; 0 β α],
//
// with its inverse S: Hairer and Wanner II, section IV.8, and the code RADAU5, but for
// the first column of T, which is scaled to end in 1.
var (
	sqrt6 = math.Sqrt(6)

	radauC1, radauC2          = (4 - sqrt6) / 10, (4 + sqrt6) / 10
	radauReal                 = 3 + math.Cbrt(9) - math.Cbrt(3)
	radauRe                   = 3 + (math.Cbrt(3)-math.Cbrt(9))/2
	radauIm                   = (math.Pow(3, 5.0/6) + math.Pow(3, 7.0/6)) / 2
	radauE1, radauE2, radauE3 = -(13 + 7*sqrt6) / 3, (-13 + 7*sqrt6) / 3, -1.0 / 3
)

const (
	radauT11, radauT12, radauT13 = 0.09443876248897524, -0.14125529502095421, -0.03002919410514742
	radauT21, radauT22, radauT23 = 0.25021312296533332, 0.20412935229379994, 0.38294211275726192
	// The third row of T is (1, 1, 0).
	radauS11, radauS12, radauS13 = 4.17871859155190428, 0.32768282076106237, 0.52337644549944951
	radauS21, radauS22, radauS23 = -4.17871859155190428, -0.32768282076106237, 0.47662355450055044
	radauS31, radauS32, radauS33 = -0.50287263494578682, 2.57192694985560522, -0.59603920482822492
)

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
	floor      float64      // Newton corrections down to here will do where they do not get smaller
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
	v := vectors(len(s.y), 16)
	d := &radau{
		single: single(r.String()), RadauIIA: r, s: s, linear: s.problem.Linearization,
		z1: v[0], z2: v[1], z3: v[2], w1: v[3], w2: v[4], w3: v[5], f1: v[6], f2: v[7], f3: v[8],
		stage: v[9], x: v[10], weight: v[11], c2: v[12], c3: v[13], c4: v[14], lift: v[15],
		u: make([]complex128, len(s.y)),
	}
	d.defaults()
	d.restart()
	return d
}

func (d *radau) defaults() {
	rtol := cmp.Or(d.s.control.Relative, defaultControl.Relative)
	d.tightness = math.Min(1, 10*math.Cbrt(rtol))
	d.floor = d.Tolerance
	if d.Tolerance == 0 {
		loose := rtol / d.tightness
		d.floor = math.Max(10*epsilon/loose, 0.03)
		d.Tolerance = math.Min(d.floor, math.Max(10*epsilon/loose, math.Sqrt(loose)))
	}
	if d.linear != nil {
		d.Iterations = cmp.Or(d.Iterations, 12)
		return
	}
	d.Iterations = cmp.Or(d.Iterations, 7)
	d.linear = newDense(d.s)
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
		d.weight[i] = d.tightness / (s.absolute[i] + s.control.Relative*math.Abs(v))
	}
	if d.stale {
		if err := d.refresh(); err != nil {
			return trial{}, err
		}
	}
	iterations, ratio, err := d.converge(h)
	if err != nil {
		if err == errNotConverged {
			s.norm(d.x, s.y, s.y) // for the worst component
		}
		return trial{safety: ratio}, err
	}
	floats.AddTo(s.yNew, s.y, d.z3)
	e, err := d.errorNorm(h)
	if err != nil {
		return trial{}, err
	}
	tr := trial{err: e, safety: float64(2*d.Iterations+1) / float64(2*d.Iterations+iterations)}
	d.refused = e > 1
	if d.refused {
		return tr, nil
	}
	if err := s.derivative(s.fNew, s.tNew, s.yNew); err != nil {
		return trial{}, err
	}
	d.collocate(h)
	d.stale = d.contraction > radauReuse
	tr.keep = !d.stale
	return tr, nil
}

// converge runs Newton's iteration, with a fresh Jacobian if it fails with an old one. If it
// fails, ratio is what to multiply the step size with, or 0.
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
		return evaluationError{cause: err, current: true}
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

// predict starts Newton's iteration from the polynomial of the last step.
func (d *radau) predict(h float64) {
	if d.last == 0 {
		for _, v := range [][]float64{d.z1, d.z2, d.z3, d.w1, d.w2, d.w3} {
			clear(v)
		}
		return
	}
	ratio := h / d.last
	for i := range d.z1 {
		z1 := d.displacement(i, radauC1*ratio)
		z2 := d.displacement(i, radauC2*ratio)
		z3 := d.displacement(i, ratio)
		d.z1[i], d.z2[i], d.z3[i] = z1, z2, z3
		d.w1[i] = radauS11*z1 + radauS12*z2 + radauS13*z3
		d.w2[i] = radauS21*z1 + radauS22*z2 + radauS23*z3
		d.w3[i] = radauS31*z1 + radauS32*z2 + radauS33*z3
	}
}

// newton solves the transformed collocation equations
//
//	(T⁻¹ A⁻¹ T / h ⊗ I) w = (T⁻¹ ⊗ I) f(y + (T ⊗ I) w)
//
// by a simplified Newton iteration. It stops when the estimated rest is below the tolerance,
// and fails as soon as the contraction seen so far cannot reach it.
func (d *radau) newton(h float64) (iterations int, ratio float64, err error) {
	d.remaining = math.Pow(math.Max(d.remaining, epsilon), 0.8)
	d.contraction = radauReuse
	var before, quotientBefore float64
	for k := 1; k <= d.Iterations; k++ {
		d.s.statistics.Iterations++
		if err := d.residual(h); err != nil {
			return k, 0, err
		}
		d.linear.Solve(d.x, d.u)
		size := d.update()
		if math.IsNaN(size) || math.IsInf(size, 0) {
			return k, 0, evaluationError{cause: errNonFinite}
		}
		if k > 1 {
			quotient := size / before
			d.contraction = quotient
			if k > 2 {
				d.contraction = math.Sqrt(quotient * quotientBefore)
			}
			quotientBefore = quotient
			if ratio := d.hopeless(k, size); ratio != 0 {
				if size <= d.floor { // rounding errors, which no smaller step reduces in proportion
					d.contraction = radauReuse
					return k, 0, nil
				}
				return k, ratio, errNotConverged
			}
		}
		if d.remaining*size <= d.Tolerance {
			return k, 0, nil
		}
		before = math.Max(size, epsilon)
	}
	return d.Iterations, 0.5, errNotConverged
}

// hopeless updates the estimate of what is left of the iteration after the k-th correction,
// of the given size. If that cannot become small enough, it returns what to multiply the step
// size with, otherwise 0. Where the stiff directions turn along the step, the second
// correction may be twice as large as the first before the iteration contracts.
func (d *radau) hopeless(k int, size float64) float64 {
	d.remaining = math.Inf(1)
	if d.contraction < 1 {
		d.remaining = d.contraction / (1 - d.contraction)
	}
	left := float64(d.Iterations - k)
	switch {
	case k == 2 && d.contraction <= 2 || left == 0:
		return 0
	case d.contraction >= 0.99:
		return 0.5
	}
	rest := d.remaining * size * math.Pow(d.contraction, left) / d.Tolerance
	if rest < 1 {
		return 0
	}
	return 0.8 * math.Pow(math.Min(20, rest), -1/(4+left))
}

// residual sets x and u to the right-hand sides of the Newton systems.
func (d *radau) residual(h float64) error {
	if err := d.evaluate(d.f1, radauC1, h, d.z1); err != nil {
		return err
	}
	if err := d.evaluate(d.f2, radauC2, h, d.z2); err != nil {
		return err
	}
	if err := d.evaluate(d.f3, 1, h, d.z3); err != nil {
		return err
	}
	re, cr, ci := radauReal/h, radauRe/h, radauIm/h
	m := len(d.x)
	f1, f2, f3, w1, w2, w3, u := d.f1[:m], d.f2[:m], d.f3[:m], d.w1[:m], d.w2[:m], d.w3[:m], d.u[:m]
	for i := range d.x {
		a, b, c := f1[i], f2[i], f3[i]
		d.x[i] = radauS11*a + radauS12*b + radauS13*c - re*w1[i]
		u[i] = complex(
			radauS21*a+radauS22*b+radauS23*c-(cr*w2[i]-ci*w3[i]),
			radauS31*a+radauS32*b+radauS33*c-(ci*w2[i]+cr*w3[i]))
	}
	return nil
}

// evaluate sets dst to the derivative at the stage y + z of node c.
func (d *radau) evaluate(dst []float64, c, h float64, z []float64) error {
	t := d.s.tNew
	if c != 1 {
		t = d.s.t + c*h
	}
	return d.s.derivative(dst, t, floats.AddTo(d.stage, d.s.y, z))
}

// update adds the solutions x and u to w, sets z = T w, and returns the norm of the correction.
func (d *radau) update() float64 {
	m := len(d.x)
	w1, w2, w3, z1, z2, z3 := d.w1[:m], d.w2[:m], d.w3[:m], d.z1[:m], d.z2[:m], d.z3[:m]
	u, weight := d.u[:m], d.weight[:m]
	var sum float64
	for i, x := range d.x {
		re, im := real(u[i]), imag(u[i])
		q := weight[i]
		sum += (x*x + re*re + im*im) * (q * q)
		a, b, c := w1[i]+x, w2[i]+re, w3[i]+im
		w1[i], w2[i], w3[i] = a, b, c
		z1[i] = radauT11*a + radauT12*b + radauT13*c
		z2[i] = radauT21*a + radauT22*b + radauT23*c
		z3[i] = a + b
	}
	return math.Sqrt(sum / float64(3*m))
}

// errorNorm estimates the error of the step by comparison with an embedded
// formula of order 3 whose stiff components are damped by (γ/h I - J)⁻¹.
func (d *radau) errorNorm(h float64) (float64, error) {
	s := d.s
	e1, e2, e3 := radauE1/h, radauE2/h, radauE3/h
	for i := range d.stage {
		d.stage[i] = e1*d.z1[i] + e2*d.z2[i] + e3*d.z3[i]
	}
	floats.AddTo(d.x, s.f, d.stage)
	d.linear.Solve(d.x, nil)
	floats.ScaleTo(d.lift, radauReal, d.x)
	e := d.tightness * s.norm(d.x, s.y, s.yNew)
	if !(e >= 1 && (d.last == 0 || d.refused)) {
		return e, nil
	}
	floats.Add(d.x, s.y)
	if err := s.derivative(d.f1, s.t, d.x); err != nil {
		return 0, err
	}
	floats.AddTo(d.x, d.f1, d.stage)
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
// The difference of the derivatives enters, as in the error estimate, damped by
// (I - h J/γ)⁻¹. This makes the error between steps O(h⁵) instead of O(h⁴).
func (d *radau) interpolate(dst []float64, t float64) {
	x := (t - d.s.tNew) / d.last
	raise := (1 + x) * x * x * (1 - 2.5*(1+x))
	for i, y := range d.s.yNew {
		dst[i] = y + d.displacement(i, x) + raise*d.lift[i]
	}
}
