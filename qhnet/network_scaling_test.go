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
	for i, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			n, e, theta, rng := a.build(t, uint64(i))
			checkScaling(t, n, e, theta, rng)
		})
	}
}

// TestResNet18 checks the layout of ResNet-18 with a stem for small images and
// ten classes, 11 173 962 parameters, without evaluating it at that size.
func TestResNet18(t *testing.T) {
	n, err := NewNetwork(resNet(Input(3, 32, 32), 64, []int{64, 128, 256, 512}, 2, 10)...)
	if err != nil {
		t.Fatal(err)
	}
	// 62 tensors in any implementation: 20 convolutions, 20 pairs of scale and
	// shift, one weight and bias.
	if m, blocks := NumParameters(n), len(n.Blocks()); m != 11173962 || blocks != 62 {
		t.Errorf("ResNet-18 has %d parameters in %d blocks", m, blocks)
	}
	rates, err := RatesOf(n)
	if err != nil {
		t.Fatal(err)
	}
	// Every convolution is followed by a normalization, so its rate is free and
	// its canonical rate 0; the last scale and shift share with the classifier.
	for i, b := range n.Blocks() {
		if b.Kind == "weight" && b.Layer != "dense1" && rates.Canonical()[i] != 0 {
			t.Errorf("%s has rate %v", b.Name, rates.Canonical()[i])
		}
	}
	if got := rates.Of("dense1.bias"); got != 1 {
		t.Errorf("the output's bias has rate %v", got)
	}
}
