package ode_test

import (
	"math"
	"testing"

	"qhlab/qhnet/ode"
)

func TestAutoHandsOverAndBack(t *testing.T) {
	// A relaxation oscillation whose stiff part comes and goes: y0 relaxes to
	// cos t at a rate that is 1e6 for t in (10, 20) and 1 elsewhere.
	rate := func(x float64) float64 { return 1 + 1e6*math.Exp(-math.Pow((x-15)/3, 8)) }
	p := ode.Problem{
		Derivative: func(dst []float64, x float64, y []float64) error {
			dst[0] = -rate(x) * (y[0] - math.Cos(x))
			dst[1] = math.Sin(5 * x)
			return nil
		},
		End: 30, Initial: []float64{1, 0},
	}
	for _, stiff := range []ode.Method{nil, ode.RadauIIA{}, ode.RKC{}} {
		taken := map[string]int{}
		order := ""
		sol := solve(t, p, ode.Options{
			Method: ode.Auto{Stiff: stiff},
			Stop:   ode.Stopping{MaxSteps: 3000},
			OnStep: func(s *ode.Stretch) error {
				taken[s.Method()]++
				if s.Method()[:1] != order[max(0, len(order)-1):] {
					order += s.Method()[:1]
				}
				return nil
			},
		})
		if order != "DRD" || sol.Statistics.Switches != 2 {
			t.Errorf("%v: methods in the order %s with %d switches, want DRD with 2", stiff, order, sol.Statistics.Switches)
		}
		if d := math.Abs(sol.Y[1] - (1-math.Cos(150))/5); d > 1e-5 { // ten times the tolerance
			t.Errorf("%v: error %.2g", stiff, d)
		}
		t.Logf("%v: steps %v, %+v", stiff, taken, sol.Statistics)
	}
}

func TestAutoSolvesStiffProblems(t *testing.T) {
	for _, p := range []stiffProblem{vanDerPol(), robertson(), hires()} {
		sol := solve(t, p.problem, ode.Options{
			Control: &ode.Control{Relative: 1e-8, Absolute: p.absolute},
			Stop:    ode.Stopping{MaxSteps: 3000},
		})
		worst := 0.0
		for i, w := range p.want {
			worst = max(worst, math.Abs(sol.Y[i]/w-1))
		}
		t.Logf("%s: error %.1e, %+v", p.name, worst, sol.Statistics)
		if worst > 5e-7 { // six digits
			t.Errorf("%s: relative error %.2g, want six digits", p.name, worst)
		}
	}
}
