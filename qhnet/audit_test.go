package qhnet_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"qhlab/qhnet"
)

func ExampleAudit() {
	n, err := qhnet.NewNetwork(qhnet.Input(2), qhnet.Dense(24), qhnet.ReLU(), qhnet.Dense(24), qhnet.ReLU(), qhnet.Dense(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(qhnet.Audit(n))
	// Output:
	// block          shape  parameters  rate   canonical  conserved with
	// dense1.weight  24×2           48  0 … 1  1/4        dense1.bias, dense2.weight
	// dense1.bias    24             24  0 … 1  1/4        dense1.weight, dense2.weight
	// dense2.weight  24×24         576  0 … 1  1/4        dense1.weight, dense1.bias
	// dense2.bias    24             24  0 … 1  1/2        dense2.weight, dense3.weight
	// dense3.weight  1×24           24  0 … 1  1/2        dense2.weight, dense2.bias
	// dense3.bias    1               1  1      1          -
	// total                        697
	//
	// Quasi-homogeneous, not homogeneous. The admissible rates form a polytope of dimension 2.
	// Gradient flow conserves 2 independent combinations of squared block norms. The highest
	// canonical rate is 1, of dense3.bias. Another admissible choice gives positive rates to
	// dense3.weight, dense3.bias alone.
}

func ExampleRateAudit_Summary() {
	n, err := qhnet.NewNetwork(qhnet.ResNet18(10)...)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(qhnet.Audit(n).Summary())
	// Output:
	// rate   canonical  parameters  blocks
	// 0 … ∞  0            11165760  54 blocks from conv1.weight to block8.conv2.weight
	// 0 … 1  1/2              8192  7 blocks from block7.norm2.scale to dense1.weight
	// 1      1                  10  dense1.bias
	//
	// Quasi-homogeneous, not homogeneous. The admissible rates form a polytope of dimension 32.
	// Gradient flow conserves 32 independent combinations of squared block norms. The highest
	// canonical rate is 1, of dense1.bias. Another admissible choice gives positive rates to
	// dense1.weight, dense1.bias alone.
}

// TestRejected: the networks that do not scale in all their parameters, and
// which layer is to blame. Those that end in a trainable layer are admissible
// with rate 0 before the culprit, so Strict refuses them; the others have no
// rates at all.
func TestRejected(t *testing.T) {
	for _, test := range []struct {
		name   string
		layers []qhnet.Layer
		strict bool // whether there are rates, but not strict ones
		layer  string
		pinned string
	}{
		{"tanh", layers(qhnet.Input(2), qhnet.Dense(4), qhnet.ReLU(), qhnet.Dense(4), qhnet.Tanh(), qhnet.Dense(1)),
			true, "tanh1", "[dense1.weight dense1.bias dense2.weight dense2.bias]"},
		{"GELU without biases", layers(qhnet.Input(2), qhnet.Dense(4, noBias), qhnet.GELU(), qhnet.Dense(1, noBias)), true, "gelu1", "[dense1.weight]"},
		{"softplus", layers(qhnet.Input(2), qhnet.Dense(4), qhnet.Softplus(), qhnet.Dense(1)), true, "softplus1", "[dense1.weight dense1.bias]"},
		{"ε > 0", layers(qhnet.Input(2), qhnet.Dense(4, noBias), qhnet.BatchNorm(qhnet.Epsilon(1e-5)), qhnet.Dense(1)), true, "norm1", "[dense1.weight]"},
		{"layer norm, ε > 0", layers(qhnet.Input(2), qhnet.Dense(4), qhnet.LayerNorm(qhnet.Affine(), qhnet.Epsilon(1e-5)), qhnet.Dense(1)),
			true, "norm1", "[dense1.weight dense1.bias]"},
		{"residual of unequal exponents", layers(qhnet.Input(2), qhnet.Dense(4), qhnet.Residual(qhnet.Dense(4, noBias), qhnet.ReLU(), qhnet.Dense(4, noBias)), qhnet.Dense(1)),
			true, "block1", "[block1.dense1.weight block1.dense2.weight]"},
		{"shift of a normalized value", layers(qhnet.Input(2), qhnet.Dense(4), qhnet.BatchNorm(qhnet.WithShift()), qhnet.Dense(1)),
			true, "norm1", "[norm1.shift]"},

		{"tanh at the output", layers(qhnet.Input(2), qhnet.Dense(4), qhnet.ReLU(), qhnet.Dense(1), qhnet.Tanh()), false, "tanh1", "[dense1.weight dense1.bias dense2.weight dense2.bias]"},
		{"normalized output", layers(qhnet.Input(2), qhnet.Dense(4), qhnet.LayerNorm()), false, "norm1", "[]"},
		{"skip from the input to the output", layers(qhnet.Input(2), qhnet.Residual(qhnet.Dense(4), qhnet.ReLU(), qhnet.Dense(2))),
			false, "block1", "[block1.dense1.weight block1.dense1.bias block1.dense2.weight block1.dense2.bias]"},
		{"frozen features, tanh and skip", layers(qhnet.Input(2), qhnet.Dense(2), qhnet.Tanh(), qhnet.Residual(qhnet.Dense(2))),
			false, "block1", "[dense1.weight dense1.bias]"},
		{"square of itself plus itself", layers(qhnet.Input(2), qhnet.Dense(2), qhnet.Sum(qhnet.Chain(), qhnet.AbsPower(2))),
			false, "sum1", "[dense1.weight dense1.bias]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, err := qhnet.NewNetwork(test.layers...)
			if err != nil {
				t.Fatal(err)
			}
			audit := qhnet.Audit(n)
			if (audit.Rates != nil) != test.strict {
				t.Errorf("rates exist: %v, want %v", audit.Rates != nil, test.strict)
			}
			layer, pinned := blame(audit.Err)
			if layer != test.layer || pinned != test.pinned {
				t.Errorf("blames %s for pinning %s, want %s and %s", layer, pinned, test.layer, test.pinned)
			}
			if !strings.Contains(audit.Verdict(), test.layer) {
				t.Errorf("the verdict does not name %s: %s", test.layer, audit.Verdict())
			}
		})
	}
}

func blame(err error) (layer, pinned string) {
	var none *qhnet.NotQuasiHomogeneousError
	var zero *qhnet.PinnedRatesError
	switch {
	case errors.As(err, &none) && none.Pinned == nil:
		return none.Layer, "[]"
	case errors.As(err, &none):
		return none.Layer, fmt.Sprint(none.Pinned.Blocks)
	case errors.As(err, &zero):
		return zero.Layer, fmt.Sprint(zero.Blocks)
	}
	return "none", "[]"
}
