package ode

import (
	"cmp"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// dense is the Linearization of a problem that has none: an m×m Jacobian, given or
// by forward differences, and LU factorizations, O(m³).
type dense struct {
	s        *system
	jacobian *mat.Dense
	re       *realLU
	z        *complexLU
	y, f     []float64
}

func newDense(s *system) *dense {
	m := len(s.y)
	return &dense{
		s: s, jacobian: mat.NewDense(m, m, nil), re: newRealLU(m), z: newComplexLU(m),
		y: make([]float64, m), f: make([]float64, m),
	}
}

// Refresh takes the Jacobian at (t, y), which is the current point of the system.
func (d *dense) Refresh(t float64, y []float64) error {
	if j := d.s.problem.Jacobian; j != nil {
		d.jacobian.Zero()
		if err := j(d.jacobian, t, y); err != nil {
			return fmt.Errorf("the Jacobian at t = %.10g: %w", t, err)
		}
	} else if err := d.difference(t, y); err != nil {
		return err
	}
	if !finite(d.jacobian.RawMatrix().Data) {
		return fmt.Errorf("the Jacobian at t = %.10g is not finite", t)
	}
	return nil
}

// difference takes the Jacobian by forward differences with increments √ε |y_i|,
// but not below the absolute tolerance.
func (d *dense) difference(t float64, y []float64) error {
	j := d.jacobian.RawMatrix()
	copy(d.y, y)
	for c, v := range y {
		d.y[c] = v + cmp.Or(math.Max(sqrtEpsilon*math.Abs(v), d.s.scale(c, 0)), sqrtEpsilon)
		delta := d.y[c] - v
		if err := d.s.derivative(d.f, t, d.y); err != nil {
			return err
		}
		d.y[c] = v
		for r, f := range d.s.f {
			j.Data[r*j.Stride+c] = (d.f[r] - f) / delta
		}
	}
	return nil
}

// Factor factors re I - J and z I - J.
func (d *dense) Factor(re float64, z complex128) error {
	return factorShifted(d.re, d.z, d.jacobian.RawMatrix().Data, re, z)
}

// factorShifted factors re I - J and z I - J for the n×n matrix J.
func factorShifted(r *realLU, c *complexLU, j []float64, re float64, z complex128) error {
	a, ar, ai := r.a[:len(j)], c.re[:len(j)], c.im[:len(j)]
	for i, v := range j {
		a[i] = -v
		ar[i] = -v
		ai[i] = 0
	}
	for i := 0; i < len(j); i += r.n + 1 {
		a[i] += re
		ar[i] += real(z)
		ai[i] = imag(z)
	}
	if !r.factor() || !c.factor() {
		return errSingular
	}
	return nil
}

// Solve solves the factored systems.
func (d *dense) Solve(x []float64, u []complex128) {
	d.re.solve(x)
	if u != nil {
		d.z.solve(u)
	}
}
