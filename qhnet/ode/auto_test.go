package ode_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

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
	var middle, last string
	sol := solve(t, p, ode.Options{
		Stop: ode.Stopping{MaxSteps: 3000},
		OnStep: func(s *ode.Stretch) error {
			last = s.Method()
			if s.T0 < 15 {
				middle = last
			}
			return nil
		},
	})
	if middle != "RadauIIA" || last != "DormandPrince" {
		t.Errorf("%s where the problem is stiff and %s at the end", middle, last)
	}
	if d := math.Abs(sol.Y[1] - (1-math.Cos(150))/5); d > 1e-5 { // ten times the tolerance
		t.Errorf("error %.2g", d)
	}
	t.Logf("%+v", sol.Statistics)
}

// relaxation is m components that relax to cos t at rates from 1 to the given
// one, with a Jacobian.
func relaxation(m int, rate, end float64) ode.Problem {
	rates, initial := make([]float64, m), make([]float64, m)
	for i := range rates {
		rates[i], initial[i] = math.Pow(rate, float64(i)/float64(m-1)), 1
	}
	return ode.Problem{
		Derivative: func(dst []float64, x float64, y []float64) error {
			for i, v := range y {
				dst[i] = -rates[i] * (v - math.Cos(x))
			}
			return nil
		},
		Jacobian: func(dst *mat.Dense, _ float64, _ []float64) error {
			for i, r := range rates {
				dst.Set(i, i, -r)
			}
			return nil
		},
		End: end, Initial: initial,
	}
}

// The best method depends on stiffness and on the price of linear algebra.
func TestAutoTakesTheCheapest(t *testing.T) {
	for _, test := range []struct {
		rate, price float64
		want        string
	}{
		{2, 1, "DormandPrince"}, {300, 1000, "RKC"}, {1e6, 1, "RadauIIA"}, {1e4, 1e5, "RKC"}, {1e6, 100, "RadauIIA"},
	} {
		p := relaxation(20, test.rate, 50)
		p.Price = ode.Price{Refresh: test.price, Factor: test.price, Solve: 1}
		control := &ode.Control{Relative: 1e-4, Absolute: 1e-4}
		cost := func(s ode.Statistics) float64 {
			return float64(s.Evaluations+s.Iterations) + test.price*float64(s.Jacobians+s.Factorizations)
		}
		least := math.Inf(1)
		costs := ""
		for _, m := range []ode.Method{ode.DormandPrince{}, ode.RKC{}, ode.RadauIIA{}} {
			if _, explicit := m.(ode.DormandPrince); explicit && test.rate > 300 {
				continue
			}
			sol := solve(t, p, ode.Options{Method: m, Control: control})
			least = min(least, cost(sol.Statistics))
			costs += fmt.Sprintf(" %v %.3g", m, cost(sol.Statistics))
		}
		last := ""
		sol := solve(t, p, ode.Options{Control: control, OnStep: func(s *ode.Stretch) error { last = s.Method(); return nil }})
		own := cost(sol.Statistics)
		t.Logf("rate %.3g, price %g: %.3g of%s; %d switches", test.rate, test.price, own, costs, sol.Statistics.Switches)
		// It ends with the cheapest, and finding it costs no more than that does.
		if last != test.want || own > 2*least+1000 {
			t.Errorf("rate %v, price %v: %s at the end, want %s; cost %.4g, the best alone%s", test.rate, test.price, last, test.want, own, costs)
		}
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
