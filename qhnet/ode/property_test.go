package ode_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"qhlab/qhnet/ode"
)

var allMethods = []ode.Method{ode.DormandPrince{}, ode.RadauIIA{}, ode.RKC{}, ode.Auto{}}

// TestSlowSystems: a derivative may be zero or next to it.
func TestSlowSystems(t *testing.T) {
	for _, rate := range []float64{0, -5e-324, -1e-308, 1e-300, -1e-160} {
		for _, method := range allMethods {
			sol, err := ode.Solve(t.Context(), ode.Problem{
				Derivative: func(dst []float64, _ float64, y []float64) error { dst[0] = rate * y[0]; return nil },
				End:        1, Initial: []float64{1},
			}, ode.Options{Method: method})
			if err != nil || sol.Y[0] != 1 {
				t.Errorf("%v at the rate %g: y = %v, %v", method, rate, sol.Y, err)
			}
		}
	}
}

// TestLinearSystemsMatchTheMatrixExponential solves y' = A y for random A, forward
// and backward.
func TestLinearSystemsMatchTheMatrixExponential(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.IntRange(1, 5).Draw(t, "m")
		entry := rapid.Float64Range(-1, 1)
		a := mat.NewDense(m, m, rapid.SliceOfN(entry, m*m, m*m).Draw(t, "A"))
		y0 := rapid.SliceOfN(rapid.Float64Range(0.1, 1), m, m).Draw(t, "y0")
		end := rapid.SampledFrom([]float64{0.7, 2, -0.7, -2}).Draw(t, "end")
		method := rapid.SampledFrom(allMethods).Draw(t, "method")

		sol, err := ode.Solve(t.Context(), ode.Problem{
			Derivative: func(dst []float64, _ float64, y []float64) error {
				mat.NewVecDense(m, dst).MulVec(a, mat.NewVecDense(m, y))
				return nil
			},
			End: end, Initial: y0,
		}, ode.Options{Method: method, Control: &ode.Control{Relative: 1e-7, Absolute: 1e-7}})
		if err != nil {
			t.Fatal(err)
		}
		var scaled, exp mat.Dense
		scaled.Scale(end, a)
		exp.Exp(&scaled)
		var want mat.VecDense
		want.MulVec(&exp, mat.NewVecDense(m, y0))
		// Errors of steps accumulate, most of all with RKC's many small steps, and grow
		// at most by the norm of the exponential.
		bound := 1e-4 * math.Max(1, mat.Norm(&exp, 2))
		for i, v := range sol.Y {
			if math.Abs(v-want.AtVec(i)) > bound {
				t.Fatalf("%v: y[%d] = %v, want %v", method, i, v, want.AtVec(i))
			}
		}
	})
}

// TestLinearInvariantsAreKept uses that Runge-Kutta methods keep every linear
// invariant, here the total mass of Robertson's three species, to rounding errors
// and, for implicit ones, to the tolerance of Newton's iteration.
func TestLinearInvariantsAreKept(t *testing.T) {
	p := robertson().problem
	p.End = 10
	for _, m := range allMethods {
		worst := 0.0
		solve(t, p, ode.Options{
			Method: m, Control: &ode.Control{Relative: 1e-4, Absolute: 1e-8},
			OnStep: func(s *ode.Stretch) error {
				worst = math.Max(worst, math.Abs(s.Y1[0]+s.Y1[1]+s.Y1[2]-1))
				return nil
			},
		})
		if worst > 1e-12 {
			t.Errorf("%v: the total mass is off by %.2g", m, worst)
		}
	}
}
