package ode_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"qhlab/qhnet/ode"
)

// heat is u_t = u_xx on (0, 1) with u = 0 at both ends, discretized by m interior
// points, from u = sin πx + sin 3πx. Its spectral radius is close to 4 (m+1)².
func heat(m int) ode.Problem {
	n := float64(m + 1)
	initial := make([]float64, m)
	for i := range initial {
		x := float64(i+1) / n
		initial[i] = math.Sin(math.Pi*x) + math.Sin(3*math.Pi*x)
	}
	return ode.Problem{
		Derivative: func(dst []float64, _ float64, y []float64) error {
			left := 0.0
			for i, v := range y {
				right := 0.0
				if i+1 < len(y) {
					right = y[i+1]
				}
				dst[i] = n * n * (left - 2*v + right)
				left = v
			}
			return nil
		},
		End: 0.1, Initial: initial,
	}
}

// heatAt is the solution of the discretized problem: its eigenvectors are sines.
func heatAt(m, i int, t float64) float64 {
	n := float64(m + 1)
	sum := 0.0
	for _, k := range []float64{1, 3} {
		rate := 4 * n * n * math.Pow(math.Sin(k*math.Pi/(2*n)), 2)
		sum += math.Exp(-rate*t) * math.Sin(k*math.Pi*float64(i+1)/n)
	}
	return sum
}

func TestRKCOnTheHeatEquation(t *testing.T) {
	for _, m := range []int{100, 1000} {
		p := heat(m)
		sol := solve(t, p, ode.Options{
			Method:  ode.RKC{},
			Control: &ode.Control{Relative: 1e-4, Absolute: 1e-6},
			Stop:    ode.Stopping{MaxSteps: 150},
		})
		worst := 0.0
		for i, v := range sol.Y {
			worst = max(worst, math.Abs(v-heatAt(m, i, p.End)))
		}
		if worst > 1e-4 { // the tolerance, of a solution of size 1
			t.Errorf("m = %d: error %.2g", m, worst)
		}
		// Explicit methods need 0.1·4(m+1)²/3.3 steps of 6 evaluations; RKC their root.
		if bound := 10 * (m + 1); sol.Statistics.Evaluations > bound {
			t.Errorf("m = %d: %d evaluations, want at most %d", m, sol.Statistics.Evaluations, bound)
		}
		t.Logf("m = %d: error %.1e, %+v", m, worst, sol.Statistics)
	}
}

func BenchmarkRKC(b *testing.B) {
	for _, m := range []int{30, 300, 3000} {
		p := heat(m)
		b.Run(fmt.Sprintf("m=%d", m), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := ode.Solve(context.Background(), p, ode.Options{Method: ode.RKC{}, Control: &ode.Control{Relative: 1e-4, Absolute: 1e-6}})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDormandPrince(b *testing.B) {
	for _, m := range []int{6, 1000, 100000} {
		p := ode.Problem{
			Derivative: func(dst []float64, _ float64, y []float64) error {
				for i, v := range y {
					dst[i] = -v
				}
				return nil
			},
			End: 1, Initial: make([]float64, m),
		}
		for i := range p.Initial {
			p.Initial[i] = 1
		}
		b.Run(fmt.Sprintf("m=%d", m), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ode.Solve(context.Background(), p, ode.Options{Method: ode.DormandPrince{}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
