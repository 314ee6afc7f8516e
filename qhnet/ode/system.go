package ode

import (
	"errors"
	"fmt"
	"math"
)

// errNonFinite is the cause of a failed step without an error of the derivative.
var errNonFinite = errors.New("the derivative returned a value that is not finite")

// evaluationError marks an error that came from the problem's functions.
type evaluationError struct{ cause error }

func (e evaluationError) Error() string { return e.cause.Error() }
func (e evaluationError) Unwrap() error { return e.cause }

// system is the problem at the current step: the point (t, y) with its
// derivative f, and the end of the attempted step. Run and steppers share it.
type system struct {
	problem    *Problem
	control    *Control
	statistics Statistics

	t, tNew float64
	y, yNew []float64
	f, fNew []float64 // derivatives at y and yNew
}

func newSystem(p *Problem, c *Control) *system {
	m := len(p.Initial)
	block := make([]float64, 4*m)
	cut := func(i int) []float64 { return block[i*m : (i+1)*m : (i+1)*m] }
	return &system{problem: p, control: c, y: cut(0), yNew: cut(1), f: cut(2), fNew: cut(3)}
}

// derivative sets dst to f(t, y) and counts.
func (s *system) derivative(dst []float64, t float64, y []float64) error {
	s.statistics.Evaluations++
	if err := s.problem.Derivative(dst, t, y); err != nil {
		return evaluationError{fmt.Errorf("derivative at t = %.10g: %w", t, err)}
	}
	return nil
}

// advance makes the end of the step the current point.
func (s *system) advance() {
	s.t = s.tNew
	s.y, s.yNew = s.yNew, s.y
	s.f, s.fNew = s.fNew, s.f
}

// scale returns the error allowed in component i where its size is |v|.
func (s *system) scale(i int, v float64) float64 {
	atol := s.control.Absolute
	if s.control.AbsoluteEach != nil {
		atol = s.control.AbsoluteEach[i]
	}
	return atol + s.control.Relative*math.Abs(v)
}

// norm returns the weighted root mean square of e with the scale of y and z. It
// is not finite if any of the three is not.
func (s *system) norm(e, y, z []float64) float64 {
	rtol, atol, each := s.control.Relative, s.control.Absolute, s.control.AbsoluteEach
	y, z = y[:len(e)], z[:len(e)]
	var sum, poison float64
	for i, v := range e {
		if each != nil {
			atol = each[i]
		}
		q := v / (atol + rtol*math.Max(math.Abs(y[i]), math.Abs(z[i])))
		sum += q * q
		poison += 0 * z[i]
	}
	return math.Sqrt(sum/float64(len(e))) + poison
}

// initialStep estimates the size of a first step from f and one more
// evaluation, for a method whose error is O(h^order).
//
// E. Hairer, S. Nørsett, G. Wanner, Solving Ordinary Differential Equations I,
// 2nd edition, section II.4.
func (s *system) initialStep(sign, order float64) float64 {
	span := math.Abs(s.problem.End - s.t)
	d0, d1 := s.norm(s.y, s.y, s.y), s.norm(s.f, s.y, s.y)
	h0 := 1e-6
	if d0 >= 1e-5 && d1 >= 1e-5 {
		h0 = 0.01 * d0 / d1
	}
	h0 = math.Min(h0, span)
	for i, v := range s.y {
		s.yNew[i] = v + sign*h0*s.f[i]
	}
	if err := s.derivative(s.fNew, s.t+sign*h0, s.yNew); err != nil {
		return h0 / 1000
	}
	for i, v := range s.f {
		s.fNew[i] -= v
	}
	d2 := s.norm(s.fNew, s.y, s.y) / h0
	if math.IsNaN(d2) || math.IsInf(d2, 0) {
		return h0 / 1000
	}
	h1 := math.Max(1e-6, h0*1e-3)
	if d := math.Max(d1, d2); d > 1e-15 {
		h1 = math.Pow(0.01/d, 1/order)
	}
	return math.Min(math.Min(100*h0, h1), span)
}
