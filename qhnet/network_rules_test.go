package qhnet

import (
	"errors"
	"strings"
	"testing"
)

// notScaling are networks that no rates make quasi-homogeneous in all their
// parameters, and the layer that is to blame.
var notScaling = []struct {
	architecture
	layer string
	words string // of the reason
}{
	{architecture{"tanh", 5, []Layer{Input(3), Dense(6), Tanh(), Dense(2)}}, "tanh1", "bends"},
	{architecture{"tanh at the output", 5, []Layer{Input(3), Dense(6), ReLU(), Dense(2), Tanh()}}, "tanh1", "bends"},
	{architecture{"GELU", 5, []Layer{Input(3), Dense(6), ReLU(), Dense(5), GELU(), Dense(2)}}, "gelu1", "bends"},
	{architecture{"softplus", 5, []Layer{Input(3), Dense(6), Softplus(), Dense(2)}}, "softplus1", "bends"},
	{architecture{"layer normalization with ε", 5, []Layer{Input(3), Dense(6), ReLU(), Dense(6), LayerNorm(Epsilon(0.1)), Dense(2)}}, "norm1", "ε = 0.1"},
	{architecture{"batch normalization with ε", 5, []Layer{Input(3), Dense(6), BatchNorm(Epsilon(0.1), Affine()), ReLU(), Dense(2)}}, "norm1", "ε = 0.1"},
	{architecture{"unequal residual sum", 5, []Layer{Input(3), Dense(4), Residual(AbsPower(2)), Dense(2)}}, "block1", "adds the body to the skip"},
	{architecture{"unequal concatenation", 5, []Layer{Input(3), Dense(4), Concat(Chain(), AbsPower(2)), Dense(2)}}, "concat1", "puts branch 2 after the first"},
	{architecture{"unequal branches", 5, []Layer{Input(3), Dense(4), Sum(Chain(), Chain(Gate(Chain(), ReLU()))), Dense(2)}}, "sum1", "adds branch 2 to the branches before"},
}

func TestNotScaling(t *testing.T) {
	for _, c := range notScaling {
		n, err := NewNetwork(c.layers...)
		if err != nil {
			t.Fatal(err)
		}
		var pinned *PinnedRatesError
		var infeasible *NotQuasiHomogeneousError
		rates, err := RatesOf(n)
		switch {
		case errors.As(err, &infeasible):
			pinned = infeasible.Pinned
		case err == nil:
			errors.As(rates.Strict(), &pinned)
		}
		if pinned == nil {
			t.Errorf("%s: accepted, or refused for another reason (%v)", c.name, err)
			continue
		}
		if pinned.Layer != c.layer || !strings.Contains(pinned.Reason, c.words) {
			t.Errorf("%s: %s is blamed: %s", c.name, pinned.Layer, pinned.Reason)
		}
	}
}

// TestDerivativesWithoutRates checks derivatives where nothing scales.
func TestDerivativesWithoutRates(t *testing.T) {
	for _, c := range notScaling {
		t.Run(c.name, func(t *testing.T) {
			_, e, theta, rng := c.build(t)
			checkDerivatives(t, e, theta, rng)
		})
	}
}

// TestExponentRules compares rules with the exponents of known networks.
func TestExponentRules(t *testing.T) {
	for _, c := range []struct {
		layers []Layer
		want   map[string][2]float64 // range of each rate over the polytope
	}{
		{[]Layer{Input(2), Dense(3), ReLU(), Dense(1)}, map[string][2]float64{
			"dense1.weight": {0, 1}, "dense1.bias": {0, 1}, "dense2.weight": {0, 1}, "dense2.bias": {1, 1}}},
		{[]Layer{Input(2), Dense(3), AbsPower(3), Dense(1, NoBias())}, map[string][2]float64{
			"dense1.weight": {0, 1. / 3}, "dense1.bias": {0, 1. / 3}, "dense2.weight": {0, 1}}},
		{[]Layer{Input(2), Dense(3), BatchNorm(), ReLU(), Dense(1)}, map[string][2]float64{
			"dense2.weight": {1, 1}, "dense2.bias": {1, 1}}},
		{[]Layer{Input(2), Dense(3), RMSNorm(Affine()), Dense(1, NoBias())}, map[string][2]float64{
			"norm1.scale": {0, 1}, "norm1.shift": {0, 1}, "dense2.weight": {0, 1}}},
		{[]Layer{Input(2), Residual(Dense(3), ReLU(), Dense(2)), Dense(1)}, map[string][2]float64{
			"block1.dense1.weight": {0, 0}, "block1.dense2.weight": {0, 0}, "dense1.weight": {1, 1}}},
		{[]Layer{Input(2), Gate(Dense(3), Dense(3)), Dense(1)}, map[string][2]float64{
			"gate1.dense1.weight": {0, 1}, "gate1.dense2.weight": {0, 1}, "dense1.weight": {0, 1}}},
	} {
		n, err := NewNetwork(c.layers...)
		if err != nil {
			t.Fatal(err)
		}
		rates, err := RatesOf(n)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range c.want {
			low, high := rates.Range(rates.index(name))
			if low != want[0] || high != want[1] {
				t.Errorf("%s: the rate is in [%v, %v], not %v", name, low, high, want)
			}
		}
	}
}
