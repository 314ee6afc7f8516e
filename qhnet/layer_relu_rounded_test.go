package qhnet

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/dataset"
)

// TestRoundedKinksKeepIdentities checks what rounding promises: values within
// δ/8 per rectifier, Euler's identity exactly, and gradients adjoint to
// directional derivatives.
func TestRoundedKinksKeepIdentities(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	set := dataset.XOR(15, 0.3, rng)
	for name, layers := range map[string][]Layer{
		"relu":  {Input(2), Dense(8), ReLU(), Dense(8), ReLU(), Dense(1)},
		"leaky": {Input(2), Dense(8), LeakyReLU(0.2), Dense(8), LeakyReLU(0.2), Dense(1)},
	} {
		net, err := NewNetwork(layers...)
		if err != nil {
			t.Fatal(err)
		}
		theta := net.Start(rng, He)
		exact, err := NewMargins(net, set)
		if err != nil {
			t.Fatal(err)
		}
		rounded, err := NewMargins(net, set)
		if err != nil {
			t.Fatal(err)
		}
		const width = 0.3 // wide enough that many pre-activations are on a ramp
		if !rounded.RoundKinks(width) {
			t.Fatalf("%s: no kinks found", name)
		}
		rates, err := RatesOf(net)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := EulerResidual(rounded, rates.Expand(), theta); err != nil || r > 1e-13 {
			t.Errorf("%s: Euler residual %v, %v", name, r, err)
		}
		q, err := exact.Forward(theta)
		if err != nil {
			t.Fatal(err)
		}
		p, err := rounded.Forward(theta)
		if err != nil {
			t.Fatal(err)
		}
		if d := floats.Distance(p, q, math.Inf(1)); d == 0 || d > width*floats.Norm(q, math.Inf(1)) {
			t.Errorf("%s: rounding moves the margins by %v", name, d)
		}
		mu, v := randomVector(rng, len(q)), randomVector(rng, len(theta))
		g, dq := make([]float64, len(theta)), make([]float64, len(q))
		rounded.Gradient(g, mu)
		rounded.Directional(dq, v)
		if a, b := floats.Dot(g, v), floats.Dot(mu, dq); math.Abs(a-b) > 1e-12*math.Abs(a) {
			t.Errorf("%s: reverse mode %v, forward mode %v", name, a, b)
		}
		rounded.RoundKinks(0)
		if p, err = rounded.Forward(theta); err != nil || !floats.Equal(p, q) {
			t.Errorf("%s: width 0 does not restore the kinks: %v", name, err)
		}
	}
}

// TestReLUFlow integrates a biased ReLU network through many sliding kinks.
func TestReLUFlow(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	net, err := NewNetwork(Input(2), Dense(24), ReLU(), Dense(24), ReLU(), Dense(1))
	if err != nil {
		t.Fatal(err)
	}
	q, err := NewMargins(net, dataset.XOR(20, 0.25, rng))
	if err != nil {
		t.Fatal(err)
	}
	tr, err := Flow{Margins: q, Start: net.Start(rng, He), Until: 1e6, Tolerance: 1e-4}.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if u := tr.Last().LogInverse(); math.Abs(u/1e6-1) > 1e-3 { // ten tolerances
		t.Errorf("ended at log(1/L) = %v", u)
	}
	if tr.Work.Evaluations > 100_000 { // the square root of the stiffness 1e6, times about 50 steps
		t.Errorf("took %d evaluations", tr.Work.Evaluations)
	}
	rates, err := RatesOf(net)
	if err != nil {
		t.Fatal(err)
	}
	checkMonotone(t, "2-24-24-1", tr, rates.Expand(), 1e-4)
}

// checkMonotone fails if γ̄ ever falls by more than the tolerance.
func checkMonotone(t *testing.T, name string, tr *Trajectory, lambda []float64, tolerance float64) {
	t.Helper()
	best := 0.0
	for i, margin := range tr.SmoothedMargin(lambda) {
		if margin < best*(1-tolerance) {
			t.Errorf("%s: the smoothed margin falls from %v to %v at log(1/L) = %v", name, best, margin, tr.Points[i].LogInverse())
			return
		}
		if margin > best {
			best = margin
		}
	}
	if best == 0 {
		t.Errorf("%s: no smoothed margin", name)
	}
}
