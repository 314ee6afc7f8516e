package ode_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/ode"
)

// stiffDirections is y' = -y³/10 - 1e6 Σ_k u_k sinh(u_k·y - sin t), stiff along
// the r rows u_k and slow elsewhere. Its linearization leaves the slow part out.
func stiffDirections(r, m int) (ode.Problem, *ode.LowRank) {
	rng := rand.New(rand.NewPCG(3, 4))
	rows := mat.NewDense(r, m, nil)
	for i := range rows.RawMatrix().Data {
		rows.RawMatrix().Data[i] = rng.NormFloat64() / math.Sqrt(float64(m))
	}
	initial := make([]float64, m)
	for i := range initial {
		initial[i] = rng.NormFloat64()
	}
	gap := func(k int, t float64, y []float64) float64 {
		sum := -math.Sin(t)
		for i, u := range rows.RawRowView(k) {
			sum += u * y[i]
		}
		return sum
	}
	p := ode.Problem{
		Derivative: func(dst []float64, t float64, y []float64) error {
			for i, v := range y {
				dst[i] = -v * v * v / 10
			}
			for k := range r {
				force := 1e6 * math.Sinh(gap(k, t, y))
				for i, u := range rows.RawRowView(k) {
					dst[i] -= force * u
				}
			}
			return nil
		},
		End: 3, Initial: initial,
	}
	low := ode.NewLowRank(r, m, func(u, c *mat.Dense, t float64, y []float64) error {
		u.Copy(rows)
		for k := range r {
			c.Set(k, k, -1e6*math.Cosh(gap(k, t, y)))
		}
		return nil
	})
	return p, low
}

func TestLowRankLinearizationGivesTheSameSolution(t *testing.T) {
	options := ode.Options{
		Method:  ode.RadauIIA{},
		Control: &ode.Control{Relative: 1e-8, Absolute: 1e-8},
		Stop:    ode.Stopping{MaxSteps: 300},
	}
	p, low := stiffDirections(4, 60)
	want := solve(t, p, options)
	p.Linearization = low
	got := solve(t, p, options)
	for i, w := range want.Y {
		// Both runs have errors near the tolerance.
		if math.Abs(got.Y[i]-w) > 1e-7 {
			t.Errorf("y[%d] = %v with the low-rank linearization, %v with the dense one", i, got.Y[i], w)
		}
	}
	t.Logf("dense %+v, low rank %+v", want.Statistics, got.Statistics)
}

func ExampleLowRank() {
	// One stiff direction among a thousand: y' = -1e8 u (u·y) - y, |u| = 1.
	const m = 1000
	u := mat.NewDense(1, m, nil)
	initial := make([]float64, m)
	for i := range m {
		u.Set(0, i, 1/math.Sqrt(m))
		initial[i] = float64(i % 2)
	}
	problem := ode.Problem{
		Derivative: func(dst []float64, _ float64, y []float64) error {
			along := mat.Dot(u.RowView(0), mat.NewVecDense(m, y))
			for i, v := range y {
				dst[i] = -v - 1e8*along*u.At(0, i)
			}
			return nil
		},
		Linearization: ode.NewLowRank(1, m, func(rows, core *mat.Dense, _ float64, _ []float64) error {
			rows.Copy(u)
			core.Set(0, 0, -1e8)
			return nil
		}),
		End: 1, Initial: initial,
	}
	solution, err := ode.Solve(context.Background(), problem, ode.Options{Method: ode.RadauIIA{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("y = %.4f and %.4f, exactly ∓½/e = 0.1839, in fewer than 100 steps: %v\n",
		solution.Y[0], solution.Y[1], solution.Statistics.Steps < 100)
	// Output:
	// y = -0.1839 and 0.1839, exactly ∓½/e = 0.1839, in fewer than 100 steps: true
}
