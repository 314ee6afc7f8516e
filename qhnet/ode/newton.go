package ode

import "math"

// Nodes, transformation T of the inverse coefficient matrix A⁻¹ to
//
//	T⁻¹ A⁻¹ T = [γ 0 0; 0 α -β; 0 β α],
//
// its inverse, the eigenvalues, and the error weights: Hairer and Wanner II,
// section IV.8, and the code RADAU5, but for the first column of T, which is scaled
// to end in 1.
var (
	radauC1 = (4 - sqrt6) / 10
	radauC2 = (4 + sqrt6) / 10

	radauReal = 3 + math.Cbrt(9) - math.Cbrt(3)
	radauRe   = 3 + (math.Cbrt(3)-math.Cbrt(9))/2
	radauIm   = (math.Pow(3, 5.0/6) + math.Pow(3, 7.0/6)) / 2

	radauE1 = -(13 + 7*sqrt6) / 3
	radauE2 = (-13 + 7*sqrt6) / 3
	radauE3 = -1.0 / 3
)

const (
	radauT11, radauT12, radauT13 = 0.09443876248897524, -0.14125529502095421, -0.03002919410514742
	radauT21, radauT22, radauT23 = 0.25021312296533332, 0.20412935229379994, 0.38294211275726192
	// The third row is (1, 1, 0).

	radauS11, radauS12, radauS13 = 4.17871859155190428, 0.32768282076106237, 0.52337644549944951
	radauS21, radauS22, radauS23 = -4.17871859155190428, -0.32768282076106237, 0.47662355450055044
	radauS31, radauS32, radauS33 = -0.50287263494578682, 2.57192694985560522, -0.59603920482822492
)

// predict starts Newton's iteration from the polynomial of the last step.
func (d *radau) predict(h float64) {
	if d.last == 0 {
		clear(d.z1)
		clear(d.z2)
		clear(d.z3)
		clear(d.w1)
		clear(d.w2)
		clear(d.w3)
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
// by a simplified Newton iteration. It stops when the estimated rest of the
// iteration is below the tolerance, and fails as soon as the contraction seen so
// far cannot reach it; ratio is then what to multiply the step size with.
func (d *radau) newton(h float64) (iterations int, ratio float64, err error) {
	d.remaining = math.Pow(math.Max(d.remaining, epsilon), 0.8)
	d.contraction = d.Reuse
	var before, quotientBefore float64
	for k := 1; k <= d.Iterations; k++ {
		d.s.statistics.Iterations++
		if err := d.residual(h); err != nil {
			return k, 0, err
		}
		d.linear.Solve(d.x, d.u)
		size := d.update()
		if math.IsNaN(size) || math.IsInf(size, 0) {
			return k, 0, evaluationError{errNonFinite}
		}
		if k > 1 {
			quotient := size / before
			d.contraction = quotient
			if k > 2 {
				d.contraction = math.Sqrt(quotient * quotientBefore)
			}
			quotientBefore = quotient
			if ratio := d.hopeless(k, size); ratio != 0 {
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

// hopeless updates the estimate of what is left of the iteration after the k-th
// correction, of the given size. If that cannot become small enough, it returns
// what to multiply the step size with, otherwise 0.
//
// Where the stiff directions turn along the step, the second correction can be as
// large as the first before the iteration contracts. So it is only refused if it
// is more than twice as large.
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
	s := d.s
	for i, y := range s.y {
		d.stage[i] = y + z[i]
	}
	t := s.tNew
	if c != 1 {
		t = s.t + c*h
	}
	return s.derivative(dst, t, d.stage)
}

// update adds the solutions x and u to w, sets z = T w, and returns the weighted
// root mean square of the correction.
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
