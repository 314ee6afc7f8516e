package qhnet

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
)

func TestInitialization(t *testing.T) {
	n, err := NewNetwork(Input(3, 8, 8), Conv(64, 5), BatchNorm(Affine()), ReLU(), Flatten(), Dense(20))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		weights     Initializer
		conv, dense float64 // standard deviations
	}{
		{He, math.Sqrt(2. / (3 * 25)), math.Sqrt(2. / (64 * 16))},
		{Glorot, math.Sqrt(2. / (3*25 + 64*25)), math.Sqrt(2. / (64*16 + 20))},
		{Rescaled(0.1, He), 0.1 * math.Sqrt(2./(3*25)), 0.1 * math.Sqrt(2./(64*16))},
	} {
		theta := n.Start(rand.New(rand.NewPCG(1, 1)), c.weights)
		if again := n.Start(rand.New(rand.NewPCG(1, 1)), c.weights); !slices.Equal(theta, again) {
			t.Error("the same seed gives other parameters")
		}
		for _, b := range n.Blocks() {
			mean, deviation := stat.MeanStdDev(b.Of(theta), nil)
			var wantMean, want float64
			switch b.Name {
			case "conv1.weight":
				want = c.conv
			case "dense1.weight":
				want = c.dense
			case "norm1.scale":
				wantMean = 1
			}
			// Four standard errors of a sample of this size.
			bound := 4 * want / math.Sqrt(float64(b.Len()))
			if math.Abs(mean-wantMean) > bound || math.Abs(deviation-want) > bound {
				t.Errorf("%s: mean %v and deviation %v, not %v and %v", b.Name, mean, deviation, wantMean, want)
			}
		}
	}
}
