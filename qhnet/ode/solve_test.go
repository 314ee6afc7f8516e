package ode_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"qhlab/qhnet/ode"
)

// oscillator is y” = -y as a system, with the solution (cos t, -sin t).
func oscillator(end float64) ode.Problem {
	return ode.Problem{
		Derivative: func(dst []float64, t float64, y []float64) error {
			dst[0], dst[1] = y[1], -y[0]
			return nil
		},
		End: end, Initial: []float64{1, 0},
	}
}

func solve(t *testing.T, p ode.Problem, o ode.Options) *ode.Solution {
	t.Helper()
	sol, err := ode.Solve(context.Background(), p, o)
	if err != nil {
		t.Fatalf("Solve: %v", err)
	}
	return sol
}

func TestRecordsAreOnTheSolution(t *testing.T) {
	at := []float64{0, 0.1, 1, 2.5, 7, 10}
	for _, end := range []float64{10, -10} {
		times := make([]float64, len(at))
		for i, v := range at {
			times[i] = math.Copysign(v, end)
		}
		sol := solve(t, oscillator(end), ode.Options{
			Method:  ode.DormandPrince{},
			Control: &ode.Control{Relative: 1e-10, Absolute: 1e-10},
			Record:  ode.Recording{At: times},
		})
		if len(sol.Times) != len(at) {
			t.Fatalf("%d records, want %d", len(sol.Times), len(at))
		}
		for i, x := range sol.Times {
			// Global error is a small multiple of the tolerance over ten radians.
			if d := math.Abs(sol.Values[i][0] - math.Cos(x)); d > 1e-8 {
				t.Errorf("end %v: error %.2g at t = %v", end, d, x)
			}
		}
	}
}

func TestEventTimes(t *testing.T) {
	want := []struct {
		event int
		t     float64
	}{{0, math.Pi / 2}, {1, math.Pi}, {0, 5 * math.Pi / 2}, {1, 3 * math.Pi}, {0, 9 * math.Pi / 2}, {2, 15}}
	for _, m := range []ode.Method{ode.DormandPrince{}, ode.RadauIIA{}, ode.Auto{}} {
		sol := solve(t, oscillator(20), ode.Options{
			Method:  m,
			Control: &ode.Control{Relative: 1e-12, Absolute: 1e-12},
			Events: []ode.Event{
				{Name: "cos falls", Value: func(_ float64, y []float64) float64 { return y[0] }, Direction: ode.Falling},
				{Name: "sin falls", Value: func(_ float64, y []float64) float64 { return y[1] }, Direction: ode.Rising},
				{Name: "t = 15", Value: func(t float64, _ []float64) float64 { return t - 15 }, Terminal: true},
			},
		})
		if sol.Status != ode.EventReached || sol.T != 15 || len(sol.Events) != len(want) {
			t.Fatalf("%v: status %v at %v, events %+v", m, sol.Status, sol.T, sol.Events)
		}
		for i, w := range want {
			got := sol.Events[i]
			if got.Event != w.event || math.Abs(got.T-w.t) > 1e-10 {
				t.Errorf("%v: event %d is %d at %.15g, want %d at %.15g", m, i, got.Event, got.T, w.event, w.t)
			}
		}
	}
}

// A run that starts at an event which another one has located does not find it
// again, whatever the rounding of the event's value there.
func TestRestartAtAnEvent(t *testing.T) {
	for _, offset := range []float64{0, -1e-16, 1e-16, -1e-15, 1e-15} {
		p := oscillator(6)
		p.Initial = []float64{offset, -1}
		sol := solve(t, p, ode.Options{
			Events: []ode.Event{{Value: func(_ float64, y []float64) float64 { return y[0] }, Terminal: true}},
		})
		if math.Abs(sol.T-math.Pi) > 1e-5 {
			t.Errorf("offset %v: the event is at %v, want π", offset, sol.T)
		}
	}
}

func TestStretchesCoverTheSolution(t *testing.T) {
	var area, last float64
	var mid [2]float64
	sol := solve(t, oscillator(3), ode.Options{
		Method:  ode.DormandPrince{},
		Control: &ode.Control{Relative: 1e-10, Absolute: 1e-10},
		Record: ode.Recording{At: []float64{0.5, 1, 1.5}, Visit: func(x float64, _ []float64) error {
			if d := math.Abs(area - math.Sin(x)); d > 1e-6 {
				t.Errorf("integral of cos to %v is off by %.2g when the record is made", x, d)
			}
			return nil
		}},
		OnStep: func(s *ode.Stretch) error {
			if s.T0 != last {
				t.Errorf("gap between %v and %v", last, s.T0)
			}
			last = s.T1
			s.At(mid[:], (s.T0+s.T1)/2)
			area += (s.T1 - s.T0) / 6 * (s.Y0[0] + 4*mid[0] + s.Y1[0]) // Simpson, error O(h⁵)
			return nil
		},
	})
	if last != sol.T || len(sol.Times) != 0 {
		t.Errorf("last stretch ends at %v, the run at %v; %d records kept, want 0", last, sol.T, len(sol.Times))
	}
}

func TestEveryEndIsTyped(t *testing.T) {
	cause := errors.New("log of a negative number")
	decay := func(dst []float64, _ float64, y []float64) error { dst[0] = -y[0]; return nil }
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name    string
		ctx     context.Context
		f       ode.Derivative
		options ode.Options
		want    ode.Status
		wraps   error
	}{
		{"reached", nil, decay, ode.Options{}, ode.Reached, nil},
		{"stop", nil, decay, ode.Options{Stop: ode.Stopping{AfterStep: func(_ float64, y []float64) bool { return y[0] < 0.9 }}}, ode.Stopped, nil},
		{"step limit", nil, decay, ode.Options{Stop: ode.Stopping{MaxSteps: 3}}, ode.StepLimit, nil},
		{"blow-up", nil, func(dst []float64, _ float64, y []float64) error { dst[0] = y[0] * y[0]; return nil }, ode.Options{}, ode.StepUnderflow, nil},
		{"domain", nil, func(dst []float64, x float64, y []float64) error {
			if dst[0] = 1; x > 0.5 {
				return cause
			}
			return nil
		}, ode.Options{}, ode.NonFinite, cause},
		{"NaN", nil, func(dst []float64, x float64, y []float64) error { dst[0] = math.Sqrt(0.5 - x); return nil }, ode.Options{}, ode.NonFinite, nil},
		{"event", nil, decay, ode.Options{Events: []ode.Event{{Value: func(x float64, _ []float64) float64 { return math.Log(0.5 - x) }}}}, ode.EventNonFinite, nil},
		{"interrupted", cancelled, decay, ode.Options{}, ode.Interrupted, context.Canceled},
		{"callback", nil, decay, ode.Options{OnStep: func(*ode.Stretch) error { return cause }}, ode.CallbackFailed, cause},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx := test.ctx
			if ctx == nil {
				ctx = context.Background()
			}
			test.options.Method = ode.DormandPrince{}
			sol, err := ode.Solve(ctx, ode.Problem{Derivative: test.f, End: 2, Initial: []float64{1}}, test.options)
			if sol == nil || sol.Status != test.want {
				t.Fatalf("status %+v, want %v; error %v", sol, test.want, err)
			}
			var failure *ode.Failure
			if test.want.OK() != (err == nil) || err != nil && (!errors.As(err, &failure) || strings.HasSuffix(failure.Error(), "; ")) {
				t.Errorf("error %v does not fit status %v", err, sol.Status)
			}
			if test.wraps != nil && !errors.Is(err, test.wraps) {
				t.Errorf("error %v does not wrap %v", err, test.wraps)
			}
		})
	}
}

// TestWorkIsBounded: linear algebra counts at its price, and every attempt says which
// component was worst: the second, which turns a hundred times as fast.
func TestWorkIsBounded(t *testing.T) {
	for _, m := range []ode.Method{ode.DormandPrince{}, ode.RKC{}, ode.RadauIIA{}, ode.Auto{}} {
		p := ode.Problem{
			Derivative: func(dst []float64, t float64, _ []float64) error {
				dst[0], dst[1] = math.Cos(t), math.Cos(100*t)
				return nil
			},
			Initial: []float64{0, 0}, End: 1e6, Price: ode.Price{Factor: 100, Solve: 10},
		}
		worst := [2]int{}
		sol, err := ode.Solve(t.Context(), p, ode.Options{
			Method: m, Stop: ode.Stopping{MaxWork: 3000},
			OnAttempt: func(i int) { worst[max(i, 0)]++ },
		})
		var failure *ode.Failure
		if !errors.As(err, &failure) || failure.Status != ode.StepLimit || sol.Statistics.Evaluations > 3100 || sol.Statistics.Factorizations > 30 {
			t.Errorf("%v: %+v, %v", m, sol.Statistics, err)
		}
		if worst[1] <= 2*worst[0] {
			t.Errorf("%v: the components were worst in %v attempts", m, worst)
		}
	}
}
