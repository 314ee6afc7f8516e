package qhnet

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
)

// twoBallFlow is f = w_H·x_H + a (w_R·x_R) on balls around ±μ, μ = (1, 0.6).
func twoBallFlow(t testing.TB, radius float64) Flow {
	t.Helper()
	model := Groups(Group{Name: "H", Coordinates: []int{0}, Depth: 1}, Group{Name: "R", Coordinates: []int{1}, Depth: 2})
	q, err := NewBallMargins(model, twoBallSet(), radius)
	if err != nil {
		t.Fatal(err)
	}
	return Flow{Margins: q, Start: []float64{0.1, 0.3, 0.2}, Until: 1e3}
}

func twoBallSet() dataset.Set {
	return dataset.Set{Name: "two balls", X: mat.NewDense(2, 2, []float64{1, 0.6, -1, -0.6}), Labels: []int{1, 0}, Classes: 2}
}

func TestFlowReachesTheAsymmetricDirection(t *testing.T) {
	for _, radius := range []float64{0.3, 0.8} {
		flow := twoBallFlow(t, radius)
		flow.Until = 1e8
		tr, err := flow.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		beta := flow.Margins.Model().(*Product).Coefficients(nil, tr.Last().Theta)
		floats.Scale(1/floats.Norm(beta, 2), beta)
		want := []float64{0, 1}
		if radius > 0.6 {
			want = []float64{math.Sqrt(radius*radius-0.36) / radius, 0.6 / radius}
		}
		t.Logf("r=%v: work %+v, points %d, log t - u = %v", radius, tr.Work, len(tr.Points), tr.Last().LogTime-tr.Last().LogInverse())
		if distance := floats.Distance(beta, want, 2); distance > 1e-6 {
			t.Errorf("r = %v: direction off by %v at log(1/L) = %v", radius, distance, tr.Last().LogInverse())
		}
	}
}

// TestFlowGoesOnForHundredDecades uses one constraint a ball, where nothing but
// the range of float64 ends the flow: both classes have the same margin, bit for
// bit. If the highest rate is needed, its balance with the rest is a difference
// that rounding hides from log(1/L) = 1e16 on.
func TestFlowGoesOnForHundredDecades(t *testing.T) {
	for radius, until := range map[float64]float64{0.3: 1e100, 0.8: 1e14} {
		flow := twoBallFlow(t, radius)
		flow.Until = until
		tr, err := flow.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if last := tr.Last().LogInverse(); math.Abs(last/until-1) > 1e-6 {
			t.Errorf("r = %v: log(1/L) = %v, want %v", radius, last, until)
		}
		if drift := tr.Drift(ConservedUnits(flow.Margins.Model())); radius == 0.3 && drift[len(drift)-1] > 1e-7 {
			t.Errorf("r = %v: conserved quantities drift by %v", radius, drift[len(drift)-1])
		}
	}
}

func TestFlowClocksTraceOnePath(t *testing.T) {
	at := func(clock Clock) Point {
		flow := twoBallFlow(t, 0.8)
		flow.Until, flow.Clock, flow.Tolerance = 8, clock, 1e-10
		if clock == LogLogLoss {
			flow.Start = []float64{1, 1.5, 1.4}
		}
		tr, err := flow.Run(context.Background())
		if err != nil {
			t.Fatalf("%v: %v", clock, err)
		}
		return tr.Last()
	}
	want := at(Automatic)
	for _, clock := range []Clock{Time, Scaled, LogLoss, ArcLength} {
		got := at(clock)
		if !floats.EqualApprox(got.Theta, want.Theta, 1e-7) {
			t.Errorf("%v ends at %v, %v ends at %v", clock, got.Theta, Automatic, want.Theta)
		}
		if math.Abs(got.LogTime-want.LogTime) > 1e-5 || math.Abs(got.Scaled-want.Scaled) > 1e-5*want.Scaled {
			t.Errorf("%v: log t = %v, s = %v, but %v says %v, %v", clock, got.LogTime, got.Scaled, Automatic, want.LogTime, want.Scaled)
		}
	}
	if got := at(LogLogLoss); math.Abs(got.LogInverse()-8) > 1e-8 {
		t.Errorf("log log(1/L) ends at log(1/L) = %v, want 8", got.LogInverse())
	}
}

func TestFlowRefuses(t *testing.T) {
	infinite := twoBallFlow(t, 0.8)
	infinite.Start = []float64{1, math.Inf(1), 1}
	zeroOverBalls := twoBallFlow(t, 0.8)
	zeroOverBalls.Start = []float64{0, 0, 0}
	backward := twoBallFlow(t, 0.8)
	backward.Until = -3
	early := twoBallFlow(t, 0.8)
	early.Clock, early.Start = LogLogLoss, []float64{-1, 1, 1}
	for want, flow := range map[string]Flow{"θ[1] = +Inf": infinite, "β is zero": zeroOverBalls, "Until = -3": backward, "L < 1": early} {
		if _, err := flow.Run(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestFlowNotSeparable(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	set := randomSet(rng, 30, 2)
	q, err := NewMargins(Diagonal(1, 2), set)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := Flow{Margins: q, Start: []float64{0.1, 0.2, 0.3}, Until: 100}.Run(context.Background())
	var failure *NotSeparatedError
	if !errors.As(err, &failure) {
		t.Fatalf("got %v", err)
	}
	if failure.SmallestNL < 1 || len(failure.Violated) == 0 || len(tr.Points) < 2 {
		t.Errorf("%+v with %d points recorded", failure, len(tr.Points))
	}
}
