package ode_test

import (
	"fmt"
	"math"
	"testing"

	"qhlab/qhnet/ode"
)

// smooth is a nonlinear problem with the solution y = (e^{sin t}, cos t).
func smooth() ode.Problem {
	return ode.Problem{
		Derivative: func(dst []float64, t float64, y []float64) error {
			dst[0] = y[0] * y[1]
			dst[1] = -math.Log(y[0]) + (y[1]*y[1]-math.Cos(t)*math.Cos(t))*math.Sin(t)
			return nil
		},
		End: 4, Initial: []float64{1, 1},
	}
}

// errorsOf returns the largest error at the end and between the steps with n steps.
func errorsOf(t *testing.T, m ode.Method, n int) (end, between float64) {
	t.Helper()
	var y [2]float64
	worst := func(x float64, y []float64) float64 {
		return max(math.Abs(y[0]-math.Exp(math.Sin(x))), math.Abs(y[1]-math.Cos(x)))
	}
	sol := solve(t, smooth(), ode.Options{
		Method: m,
		// No error is too large, so that all steps are as large as they may be.
		Control: &ode.Control{First: 4 / float64(n), Max: 4 / float64(n), Relative: 1, Absolute: 1},
		OnStep: func(s *ode.Stretch) error {
			for _, x := range []float64{0.3, 0.5, 0.8} {
				at := s.T0 + x*(s.T1-s.T0)
				s.At(y[:], at)
				between = max(between, worst(at, y[:]))
			}
			return nil
		},
	})
	if sol.Statistics.Steps != n {
		t.Fatalf("%v took %d steps, want %d", m, sol.Statistics.Steps, n)
	}
	return worst(sol.T, sol.Y), between
}

func TestOrderOfConvergence(t *testing.T) {
	tests := []struct {
		method         ode.Method
		order, between float64 // of the solution at the steps and between them
		steps          int
	}{
		// The local error of an interpolant of order q is O(h^(q+1)).
		{ode.DormandPrince{}, 5, 5, 80},
		{ode.RadauIIA{Tolerance: 1e-14}, 5, 5, 40},
		{ode.RKC{}, 2, 2, 160},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.method), func(t *testing.T) {
			coarse, coarseBetween := errorsOf(t, test.method, test.steps)
			fine, fineBetween := errorsOf(t, test.method, 2*test.steps)
			order, between := math.Log2(coarse/fine), math.Log2(coarseBetween/fineBetween)
			t.Logf("order %.2f, between steps %.2f (errors %.1e, %.1e)", order, between, fine, fineBetween)
			if math.Abs(order-test.order) > 0.2 {
				t.Errorf("order %.2f, want %v", order, test.order)
			}
			if math.Abs(between-test.between) > 0.2 {
				t.Errorf("order between steps %.2f, want %v", between, test.between)
			}
		})
	}
}
