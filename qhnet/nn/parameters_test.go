package nn

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/file"
)

func TestParameterFiles(t *testing.T) {
	a := architecture{points: 2, layers: []Layer{Input(1, 6, 6), Conv(2, 3), ReLU(), Flatten(), Dense(3)}}
	n, _, theta, _ := a.build(t)
	path := filepath.Join(t.TempDir(), "runs", "start.parameters")
	if err := SaveParameters(path, n, theta); err != nil {
		t.Fatal(err)
	}
	got, err := LoadParameters(path, n)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, theta) {
		t.Error("parameters changed in the file")
	}
	for want, layers := range map[string][]Layer{
		"the file has conv1 (convolution 3×3, gives 2×4×4, 20 parameters) where the model has conv1 (convolution 3×3, padding 1, gives 2×6×6, 20 parameters)": {Input(1, 6, 6), Conv(2, 3, Padding(1)), ReLU(), Flatten(), Dense(3)},
		"the file has relu1 (relu, gives 2×4×4, 0 parameters) where the model has abspower1 (abspower of degree 2":                                            {Input(1, 6, 6), Conv(2, 3), AbsPower(2), Flatten(), Dense(3)},
		"the file has dense1 (dense, gives 3, 99 parameters) where the model has dense1 (dense, gives 5, 165 parameters)":                                     {Input(1, 6, 6), Conv(2, 3), ReLU(), Flatten(), Dense(5)},
		"the file has no further part where the model has relu2":                                                                                              {Input(1, 6, 6), Conv(2, 3), ReLU(), Flatten(), Dense(3), ReLU()},
	} {
		if _, err := LoadParameters(path, network(t, layers...)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// A model without layers is known by its blocks.
func TestParameterFilesOfAnyModel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parameters")
	theta := []float64{1, 2, 3}
	if err := SaveParameters(path, Diagonal(1, 2), theta); err != nil {
		t.Fatal(err)
	}
	if got, err := LoadParameters(path, Diagonal(1, 2)); err != nil || !slices.Equal(got, theta) {
		t.Errorf("parameters %v, %v, want %v", got, err, theta)
	}
	for want, other := range map[string]qhnet.Model{
		"the file has x1.factor1 (weight, shape 1) where the model has group1.weight (weight, shape 2)": Groups(Group{Coordinates: []int{0, 1}, Depth: 2}),
		"the file has no further part where the model has bias (bias, shape 1)":                         Diagonal(1, 2).WithBias(),
		"the file has x2.factor2 (weight, shape 1) where the model has no further part":                 Diagonal(1, 1),
	} {
		if _, err := LoadParameters(path, other); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestDamagedParameterFiles(t *testing.T) {
	a := architecture{points: 2, layers: []Layer{Input(2), Dense(3)}}
	n, _, theta, _ := a.build(t)
	path := filepath.Join(t.TempDir(), "parameters")
	if _, err := LoadParameters(path, n); !os.IsNotExist(err) {
		t.Errorf("error %v for a missing file", err)
	}
	theta[7] = math.Inf(1)
	infinite := "parameter 1 of dense1.bias is +Inf"
	if err := SaveParameters(path, n, theta); err == nil || !strings.Contains(err.Error(), infinite) {
		t.Errorf("saving an infinite parameter: %v", err)
	}
	if err := file.Write(path, parameterFile{partTexts(n), theta}); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadParameters(path, n); err == nil || !strings.Contains(err.Error(), infinite) {
		t.Errorf("loading an infinite parameter: %v", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(data); i += 5 {
		damaged := slices.Clone(data)
		damaged[i] ^= 0x10
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadParameters(path, n); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Fatalf("byte %d changed: error %v", i, err)
		}
	}
}

func TestInitialization(t *testing.T) {
	n := network(t, Input(3, 8, 8), Conv(64, 5), BatchNorm(Affine()), ReLU(), Flatten(), Dense(20))
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
