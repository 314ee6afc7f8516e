package qhnet_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"qhlab/qhnet"
	"qhlab/qhnet/nn"
)

func TestNotQuasiHomogeneous(t *testing.T) {
	m := rulesOnly{
		names: []string{"W1", "other", "b1"},
		rules: []qhnet.ScalingRule{
			{Layer: "dense1", Reason: "A bias has the exponent of what it is added to.", Coefficients: []float64{1, 0, -1}},
			{Layer: "other", Reason: "Something else.", Coefficients: []float64{0, 1, 0}, Total: 1},
			{Layer: "tanh1", Reason: "tanh needs the exponent 0 at its input.", Coefficients: []float64{1, 0, 0}},
			{Layer: "product", Reason: "Its branches differ.", Coefficients: []float64{0, 0, 1}, Total: 1},
			{Layer: "late", Reason: "Comes later.", Coefficients: []float64{0, 1, 0}, Total: 7},
		},
	}
	_, err := qhnet.RatesOf(m)
	var failure *qhnet.NotQuasiHomogeneousError
	if !errors.As(err, &failure) {
		t.Fatalf("error %v", err)
	}
	if failure.Layer != "product" || len(failure.Conflicts) != 2 ||
		failure.Conflicts[0].Layer != "dense1" || failure.Conflicts[1].Layer != "tanh1" {
		t.Errorf("wrong explanation: %v", err)
	}
}

func TestStrict(t *testing.T) {
	tanh := rulesOnly{
		names: []string{"W1", "W2", "W3"},
		rules: []qhnet.ScalingRule{
			{Layer: "tanh2", Reason: "tanh needs the exponent 0 at its input.", Coefficients: []float64{1, 1, 0}},
			{Layer: "output", Reason: "The output has exponent 1.", Coefficients: []float64{0, 0, 1}, Total: 1},
		},
	}
	err := mustRates(t, tanh).Strict()
	var pinned *qhnet.PinnedRatesError
	if !errors.As(err, &pinned) || pinned.Layer != "tanh2" || fmt.Sprint(pinned.Blocks) != "[W1 W2]" {
		t.Errorf("Strict: %v", err)
	}
	if err := mustRates(t, biased(3)).Strict(); err != nil {
		t.Errorf("a biased network is strictly quasi-homogeneous, but: %v", err)
	}
}

// TestRejected: the networks that do not scale in all their parameters, and
// which layer is to blame. Those that end in a trainable layer are admissible
// with rate 0 before the culprit, so Strict refuses them; the others have no
// rates at all.
func TestRejected(t *testing.T) {
	for _, test := range []struct {
		name   string
		layers []nn.Layer
		strict bool // whether there are rates, but not strict ones
		layer  string
		pinned string
	}{
		{"tanh", layers(nn.Input(2), nn.Dense(4), nn.ReLU(), nn.Dense(4), nn.Tanh(), nn.Dense(1)),
			true, "tanh1", "[dense1.weight dense1.bias dense2.weight dense2.bias]"},
		{"GELU without biases", layers(nn.Input(2), nn.Dense(4, noBias), nn.GELU(), nn.Dense(1, noBias)), true, "gelu1", "[dense1.weight]"},
		{"softplus", layers(nn.Input(2), nn.Dense(4), nn.Softplus(), nn.Dense(1)), true, "softplus1", "[dense1.weight dense1.bias]"},
		{"ε > 0", layers(nn.Input(2), nn.Dense(4, noBias), nn.BatchNorm(nn.Epsilon(1e-5)), nn.Dense(1)), true, "norm1", "[dense1.weight]"},
		{"layer norm, ε > 0", layers(nn.Input(2), nn.Dense(4), nn.LayerNorm(nn.Affine(), nn.Epsilon(1e-5)), nn.Dense(1)),
			true, "norm1", "[dense1.weight dense1.bias]"},
		{"residual of unequal exponents", layers(nn.Input(2), nn.Dense(4), nn.Residual(nn.Dense(4, noBias), nn.ReLU(), nn.Dense(4, noBias)), nn.Dense(1)),
			true, "block1", "[block1.dense1.weight block1.dense2.weight]"},
		{"shift of a normalized value", layers(nn.Input(2), nn.Dense(4), nn.BatchNorm(nn.WithShift()), nn.Dense(1)),
			true, "norm1", "[norm1.shift]"},
		{"softmax attention", layers(nn.Input(3, 2, 3), nn.Attention(nn.Conv(4, 1, noBias), nn.Conv(4, 1, noBias), nn.Conv(4, 1)), nn.Flatten(), nn.Dense(2)),
			true, "attention1", "[attention1.conv1.weight attention1.conv2.weight]"},

		{"tanh at the output", layers(nn.Input(2), nn.Dense(4), nn.ReLU(), nn.Dense(1), nn.Tanh()), false, "tanh1", "[dense1.weight dense1.bias dense2.weight dense2.bias]"},
		{"normalized output", layers(nn.Input(2), nn.Dense(4), nn.LayerNorm()), false, "norm1", "[]"},
		{"skip from the input to the output", layers(nn.Input(2), nn.Residual(nn.Dense(4), nn.ReLU(), nn.Dense(2))),
			false, "block1", "[block1.dense1.weight block1.dense1.bias block1.dense2.weight block1.dense2.bias]"},
		{"frozen features, tanh and skip", layers(nn.Input(2), nn.Dense(2), nn.Tanh(), nn.Residual(nn.Dense(2))),
			false, "block1", "[dense1.weight dense1.bias]"},
		{"square of itself plus itself", layers(nn.Input(2), nn.Dense(2), nn.Sum(nn.Chain(), nn.AbsPower(2))),
			false, "sum1", "[dense1.weight dense1.bias]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := network(t, test.layers...)
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
