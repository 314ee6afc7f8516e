package qhnet

import (
	"math/rand/v2"
	"testing"
)

// checkScaling checks f(ψ_α θ) = e^α f(θ) and Euler's identity for the canonical
// rates and for random admissible ones.
func checkScaling(t testing.TB, n *Network, e Evaluation, theta []float64, rng *rand.Rand) {
	t.Helper()
	// Rounding of sums of ~100 products, each off by 1e-16, in a few layers.
	const tolerance = 1e-12
	rates, err := RatesOf(n)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		lambda := rates.Expand()
		if i > 0 {
			lambda = rates.Spread(rates.Random(rng))
		}
		alpha := 4*rng.Float64() - 2
		if r, err := EulerResidual(e, lambda, theta); err != nil || r > tolerance {
			t.Errorf("Euler's identity is off by %.1e (%v)", r, err)
		}
		if r, err := ScalingResidual(e, alpha, lambda, theta); err != nil || r > tolerance {
			t.Errorf("f(ψ_α θ) is off e^α f(θ) by %.1e for α = %v (%v)", r, alpha, err)
		}
	}
}

func TestScaling(t *testing.T) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			n, e, theta, rng := a.build(t)
			checkScaling(t, n, e, theta, rng)
		})
	}
}
