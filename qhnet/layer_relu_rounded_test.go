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
// δ/8 per rectifier, and Euler's identity exactly.
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
		lambda, mu, g := rates.Expand(), randomVector(rng, len(q)), make([]float64, len(theta))
		rounded.Gradient(g, mu)
		euler := 0.0
		for i, l := range lambda {
			euler += l * theta[i] * g[i]
		}
		if want := floats.Dot(mu, p); math.Abs(euler-want) > 1e-13*floats.Norm(mu, 1)*floats.Norm(p, math.Inf(1)) {
			t.Errorf("%s: ⟨Λθ, Σ μ∇q⟩ = %v, Σ μ q = %v", name, euler, want)
		}
		v, hv, up, down, moved := randomVector(rng, len(theta)), make([]float64, len(theta)), make([]float64, len(theta)), make([]float64, len(theta)), make([]float64, len(theta))
		rounded.HessianVector(hv, mu, v)
		const h = 1e-7 // no pre-activation crosses the end of its ramp on the way
		for sign, dst := range map[float64][]float64{h: up, -h: down} {
			floats.AddScaledTo(moved, theta, sign, v)
			if _, err := rounded.Forward(moved); err != nil {
				t.Fatal(err)
			}
			rounded.Gradient(dst, mu)
		}
		for i := range hv {
			// δ is held fixed, which misses its own movement, a term of the order of the width.
			if want := (up[i] - down[i]) / (2 * h); math.Abs(hv[i]-want) > width*floats.Norm(hv, math.Inf(1)) {
				t.Errorf("%s: Hessian-vector entry %d is %v, differences give %v", name, i, hv[i], want)
			}
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
