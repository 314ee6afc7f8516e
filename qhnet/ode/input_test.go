package ode_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/ode"
)

func TestBadInputIsExplained(t *testing.T) {
	tests := []struct {
		name   string
		change func(p *ode.Problem, o *ode.Options)
		want   string
	}{
		{"empty interval", func(p *ode.Problem, _ *ode.Options) { p.End = p.Start }, "interval is empty"},
		{"NaN end", func(p *ode.Problem, _ *ode.Options) { p.End = math.NaN() }, "End is NaN"},
		{"infinite start", func(p *ode.Problem, _ *ode.Options) { p.Start = math.Inf(-1) }, "must be finite"},
		{"no components", func(p *ode.Problem, _ *ode.Options) { p.Initial = nil }, "Initial is empty"},
		{"NaN component", func(p *ode.Problem, _ *ode.Options) { p.Initial = []float64{1, math.NaN()} }, "Initial[1] = NaN"},
		{"zero tolerance", func(_ *ode.Problem, o *ode.Options) { o.Control = &ode.Control{First: 1} }, "tolerance is zero"},
		{"negative tolerance", func(_ *ode.Problem, o *ode.Options) { o.Control = &ode.Control{Relative: -1} }, "Control.Relative = -1"},
		{"relative tolerance at zero", func(_ *ode.Problem, o *ode.Options) { o.Control = &ode.Control{Relative: 1e-6} }, "Initial[1] is zero"},
		{"record outside", func(_ *ode.Problem, o *ode.Options) { o.Record.At = []float64{1, 11} }, "At[1] = 11 lies outside"},
		{"unordered records", func(_ *ode.Problem, o *ode.Options) { o.Record.At = []float64{2, 1} }, "does not come after"},
		{"negative iterations", func(_ *ode.Problem, o *ode.Options) { o.Method = ode.RadauIIA{Iterations: -1} }, "RadauIIA.Iterations = -1"},
		{"NaN Newton tolerance", func(_ *ode.Problem, o *ode.Options) { o.Method = ode.RadauIIA{Tolerance: math.NaN()} }, "RadauIIA.Tolerance = NaN"},
		{"settings of a part", func(_ *ode.Problem, o *ode.Options) { o.Method = ode.Auto{Implicit: ode.RadauIIA{Iterations: -1}} }, "RadauIIA.Iterations = -1"},
		{"endless interval", func(p *ode.Problem, _ *ode.Options) { p.End = math.Inf(1) }, "nothing can end the run"},
		{"negative price", func(p *ode.Problem, _ *ode.Options) { p.Price.Solve = -1 }, "Price has the entry -1"},
		{"negative steps", func(_ *ode.Problem, o *ode.Options) { o.Stop.MaxSteps = -1 }, "MaxSteps = -1"},
	}
	for _, test := range tests {
		p, o := oscillator(10), ode.Options{}
		test.change(&p, &o)
		sol, err := ode.Solve(context.Background(), p, o)
		if sol != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: solution %v, error %v; want one with %q", test.name, sol, err, test.want)
		}
	}
}

func TestMistakesPanic(t *testing.T) {
	keep := func(u, c *mat.Dense, _ float64, _ []float64) error { return nil }
	tests := map[string]func(){
		"no derivative": func() {
			_, _ = ode.Solve(context.Background(), ode.Problem{Initial: []float64{1}, End: 1}, ode.Options{})
		},
		"event without value": func() {
			_, _ = ode.Solve(context.Background(), oscillator(1), ode.Options{Events: []ode.Event{{}}})
		},
		"rank 0":    func() { ode.NewLowRank(0, 3, keep) },
		"huge rank": func() { ode.NewLowRank(math.MaxInt, 3, keep) },
		"no update": func() { ode.NewLowRank(1, 3, nil) },
	}
	for name, f := range tests {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.HasPrefix(s, "ode: ") {
					t.Errorf("%s: no panic that begins with ode:", name)
				}
			}()
			f()
		}()
	}
}

func TestInterruptedRunKeepsItsRecords(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	sol, err := ode.Solve(ctx, oscillator(10), ode.Options{
		Record: ode.Recording{At: []float64{1, 2, 3, 9}},
		OnStep: func(s *ode.Stretch) error {
			if s.T1 > 2.5 {
				cancel()
			}
			return nil
		},
	})
	if err == nil || sol.Status != ode.Interrupted || len(sol.Times) < 2 || len(sol.Times) > 3 || sol.T < 2.5 || sol.T > 5 {
		t.Errorf("solution %+v, error %v", sol, err)
	}
}

func TestStopsAtARecord(t *testing.T) {
	sol := solve(t, oscillator(10), ode.Options{
		Record: ode.Recording{At: []float64{1, 2, 3}},
		Stop:   ode.Stopping{AfterRecord: func(x float64, _ []float64) bool { return x == 2 }},
	})
	if sol.Status != ode.Stopped || sol.T != 2 || len(sol.Times) != 2 || math.Abs(sol.Y[0]-math.Cos(2)) > 1e-5 {
		t.Errorf("%+v", sol)
	}
}

func TestInfiniteEndNeedsAnEvent(t *testing.T) {
	sol := solve(t, oscillator(math.Inf(1)), ode.Options{
		Control: &ode.Control{Relative: 1e-9, Absolute: 1e-9},
		Events:  []ode.Event{{Value: func(_ float64, y []float64) float64 { return y[0] }, Terminal: true}},
	})
	if sol.Status != ode.EventReached || math.Abs(sol.T-math.Pi/2) > 1e-8 {
		t.Errorf("%v at %v", sol.Status, sol.T)
	}
	// A solution at rest, and an event that never comes.
	rest := ode.Problem{Derivative: func(dst []float64, _ float64, _ []float64) error { dst[0] = 0; return nil }, End: math.Inf(1), Initial: []float64{1}}
	for _, m := range allMethods {
		sol, err := ode.Solve(context.Background(), rest, ode.Options{
			Method: m, Events: []ode.Event{{Value: func(float64, []float64) float64 { return 1 }, Terminal: true}},
		})
		if err == nil || sol.Statistics.Steps > 2000 || !strings.Contains(err.Error(), "no event or stop") {
			t.Errorf("%v: %d steps, error %v", m, sol.Statistics.Steps, err)
		}
	}
}
