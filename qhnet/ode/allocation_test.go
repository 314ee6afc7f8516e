package ode_test

import (
	"context"
	"fmt"
	"testing"

	"qhlab/qhnet/ode"
)

func TestStepsDoNotAllocate(t *testing.T) {
	for _, m := range []ode.Method{ode.DormandPrince{}, ode.RadauIIA{}, ode.RKC{}, ode.Auto{}} {
		run := func(end float64) float64 {
			p := hires().problem
			p.End = end
			o := ode.Options{
				Method: m, Control: &ode.Control{Relative: 1e-6, Absolute: 1e-9},
				OnStep: func(*ode.Stretch) error { return nil },
				Record: ode.Recording{Visit: func(float64, []float64) error { return nil }, Steps: true},
				Events: []ode.Event{{Value: func(_ float64, y []float64) float64 { return y[0] - 10 }}},
			}
			return testing.AllocsPerRun(3, func() {
				if _, err := ode.Solve(context.Background(), p, o); err != nil {
					t.Fatal(err)
				}
			})
		}
		short, long := run(100), run(300) // Auto has met all methods by then
		if short != long {
			t.Errorf("%v: %v allocations in a short run, %v in a long one", m, short, long)
		}
	}
}

func BenchmarkSolve(b *testing.B) {
	for _, p := range []stiffProblem{vanDerPol(), robertson(), hires()} {
		for _, m := range []ode.Method{ode.RadauIIA{}, ode.Auto{}} {
			b.Run(fmt.Sprintf("%s/%v", p.name, m), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, err := ode.Solve(context.Background(), p.problem, ode.Options{
						Method: m, Control: &ode.Control{Relative: 1e-6, Absolute: p.absolute},
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
