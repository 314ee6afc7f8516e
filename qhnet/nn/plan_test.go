package nn

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"qhlab/qhnet"
)

// checkScaling checks f(ψ_α θ) = e^α f(θ) and Euler's identity for the canonical
// rates and for random admissible ones.
func checkScaling(t testing.TB, n *Network, e qhnet.Evaluation, theta []float64, rng *rand.Rand) {
	t.Helper()
	// Rounding of sums of ~100 products, each off by 1e-16, in a few layers.
	const tolerance = 1e-12
	rates := mustRates(t, n)
	for i := range 6 {
		choice := rates
		if i > 0 {
			choice = rates.Random(rng)
		}
		if _, err := rates.Choose(choice.PerBlock()); err != nil {
			t.Error(err)
		}
		alpha := 6*rng.Float64() - 3
		if r, err := qhnet.EulerResidual(e, choice, theta); err != nil || r > tolerance {
			t.Errorf("Euler's identity is off by %.1e (%v)", r, err)
		}
		if r, err := qhnet.ScalingResidual(e, alpha, choice, theta); err != nil || r > tolerance {
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
	{architecture{"attention", 3, []Layer{Input(3, 2, 2), Attention(Conv(2, 1), Conv(2, 1), Conv(4, 1)), Flatten(), Dense(2)}}, "attention1", "products of queries and keys"},
	{architecture{"unequal residual sum", 5, []Layer{Input(3), Dense(4), Residual(AbsPower(2)), Dense(2)}}, "block1", "adds the body to the skip"},
	{architecture{"unequal concatenation", 5, []Layer{Input(3), Dense(4), Concat(Chain(), AbsPower(2)), Dense(2)}}, "concat1", "puts branch 2 after the first"},
	{architecture{"unequal branches", 5, []Layer{Input(3), Dense(4), Sum(Chain(), Chain(Gate(Chain(), ReLU()))), Dense(2)}}, "sum1", "adds branch 2 to the branches before"},
}

func TestNotScaling(t *testing.T) {
	for _, c := range notScaling {
		n := network(t, c.layers...)
		var pinned *qhnet.PinnedRatesError
		var infeasible *qhnet.NotQuasiHomogeneousError
		rates, err := qhnet.RatesOf(n)
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
		{[]Layer{Input(2, 1, 3), Attention(Conv(2, 1), Chain(), Conv(2, 1, NoBias())), Flatten(), Dense(1)}, map[string][2]float64{
			"attention1.conv1.weight": {0, 0}, "attention1.conv1.bias": {0, 0}, "attention1.conv2.weight": {0, 1}, "dense1.weight": {0, 1}}},
		{[]Layer{Input(2), Dense(3, NoBias()), Scale(Scalar()), Dense(1, NoBias())}, map[string][2]float64{
			"dense1.weight": {0, 1}, "scale1.scale": {0, 1}, "dense2.weight": {0, 1}}},
		{[]Layer{Input(2), Gate(Dense(3), Dense(3)), Dense(1)}, map[string][2]float64{
			"gate1.dense1.weight": {0, 1}, "gate1.dense2.weight": {0, 1}, "dense1.weight": {0, 1}}},
		// 1.1 + 1.1 + 1.1 is not 3.3 in floating point.
		{[]Layer{Input(2), Dense(3, NoBias()), Sum(Gate(Gate(ReLUPower(1.1), ReLUPower(1.1)), ReLUPower(1.1)), ReLUPower(3.3)), Dense(1, NoBias())},
			map[string][2]float64{"dense1.weight": {0, 1 / 3.3}, "dense2.weight": {0, 1}}},
	} {
		n := network(t, c.layers...)
		rates, found := mustRates(t, n), 0
		for b, block := range n.Blocks() {
			want, ok := c.want[block.Name]
			if !ok {
				continue
			}
			found++
			if low, high := rates.Range(b); low != want[0] || high != want[1] {
				t.Errorf("%s: the rate is in [%v, %v], not %v", block.Name, low, high, want)
			}
		}
		if found != len(c.want) {
			t.Errorf("only %d of the blocks of %v exist", found, c.want)
		}
	}
}

// TestResNet18 checks the layout against its published size, 11 173 962
// parameters with 10 classes in 62 tensors (20 convolutions, 20 pairs of scale
// and shift, a weight and a bias), and its rates against what the rules say:
// every convolution has rate 0 in the canonical choice, since normalization
// follows; only the stream that reaches the last layer shares its rate.
func TestResNet18(t *testing.T) {
	n := network(t, ResNet18(10)...)
	if m, blocks := qhnet.NumParameters(n), len(n.Blocks()); m != 11_173_962 || blocks != 62 {
		t.Errorf("%d parameters in %d blocks, want 11173962 in 62", m, blocks)
	}
	audit := qhnet.Audit(n)
	if audit.Err != nil {
		t.Fatal(audit.Err)
	}
	want := map[float64]string{
		1:   "dense1.bias",
		0.5: "block7.norm2.scale block7.norm2.shift block7.projection.norm1.scale block7.projection.norm1.shift block8.norm2.scale block8.norm2.shift dense1.weight",
	}
	got := map[float64][]string{}
	for b, rate := range audit.Rates.PerBlock() {
		got[rate] = append(got[rate], audit.Blocks[b].Name)
	}
	for rate, names := range want {
		if have := strings.Join(got[rate], " "); have != names {
			t.Errorf("blocks of canonical rate %v: %s, want %s", rate, have, names)
		}
	}
	if len(got) != 3 || len(got[0]) != len(audit.Blocks)-8 {
		t.Errorf("the other blocks have canonical rates %v, want 0", got)
	}
	last, ok := audit.Rates.LastLayerOnly()
	if !ok {
		t.Fatal("last layer only is not admissible")
	}
	for b, rate := range last.PerBlock() {
		if (rate > 0) != strings.HasPrefix(audit.Blocks[b].Name, "dense1.") {
			t.Errorf("last layer only: %s has rate %v", audit.Blocks[b].Name, rate)
		}
	}
}

// TestResNetScaling moves a small network of the same layout.
func TestResNetScaling(t *testing.T) {
	n, e, theta, rng := architecture{points: 4, layers: ResNet(Input(3, 8, 8), []int{4, 8}, 2, 3)}.build(t)
	checkScaling(t, n, e, theta, rng)
}

func BenchmarkAuditResNet18(b *testing.B) {
	n := network(b, ResNet18(10)...)
	for b.Loop() {
		_ = qhnet.Audit(n).String()
	}
}
