package qhnet_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/nn"
)

func ExampleRatesOf() {
	// f(x) = w_H·x_H + a (w_R·x_R): the first group has rate 1, the second 1/2.
	m := nn.Groups(
		nn.Group{Name: "H", Coordinates: []int{0}, Depth: 1},
		nn.Group{Name: "R", Coordinates: []int{1, 2}, Depth: 2},
	)
	rates, err := qhnet.RatesOf(m)
	if err != nil {
		fmt.Println(err)
		return
	}
	for b, block := range rates.Blocks() {
		low, high := rates.Range(b)
		fmt.Printf("%-9s %.2f in [%v, %v]\n", block.Name, rates.PerBlock()[b], low, high)
	}
	// Output:
	// H.weight  1.00 in [1, 1]
	// R.weight  0.50 in [0, 1]
	// R.scale1  0.50 in [0, 1]
}

// rulesOnly is a model known by its blocks, of one parameter each, and rules.
type rulesOnly struct {
	names []string
	rules []qhnet.ScalingRule
}

func (m rulesOnly) Blocks() []qhnet.Block {
	blocks := make([]qhnet.Block, len(m.names))
	for i, name := range m.names {
		blocks[i] = qhnet.Block{Name: name, Layer: name, Kind: "weight", Shape: []int{1}, Offset: i}
	}
	return blocks
}

func (m rulesOnly) ScalingRules() []qhnet.ScalingRule { return m.rules }

func (m rulesOnly) Outputs() int { return 1 }

func (m rulesOnly) Bind(*mat.Dense) (qhnet.Evaluation, error) {
	return nil, errors.New("no formula")
}

// biased has the rules of a dense network with all biases: b_l = W1+…+W_l and
// b_L = 1.
func biased(depth int) rulesOnly {
	var m rulesOnly
	for _, kind := range []string{"W", "b"} {
		for l := range depth {
			m.names = append(m.names, fmt.Sprint(kind, l+1))
		}
	}
	for l := range depth {
		c := make([]float64, 2*depth)
		for i := range l + 1 {
			c[i] = 1
		}
		c[depth+l] = -1
		m.rules = append(m.rules, qhnet.ScalingRule{Layer: fmt.Sprint("dense", l+1), Reason: "A bias has the exponent of what it is added to.", Coefficients: c})
	}
	c := make([]float64, 2*depth)
	c[2*depth-1] = 1
	m.rules = append(m.rules, qhnet.ScalingRule{Layer: "output", Reason: "The output has exponent 1.", Coefficients: c, Total: 1})
	return m
}

// architecture is a network with what is known of its rates by hand.
type architecture struct {
	name      string
	layers    []nn.Layer
	canonical []float64 // of its blocks; nil where another test has them
	units     int       // number of conserved quantities of single units
}

func (a architecture) model(t testing.TB) *nn.Network {
	t.Helper()
	return network(t, a.layers...)
}

// bind evaluates the network at 6 random points, and draws parameters.
func (a architecture) bind(t testing.TB, rng *rand.Rand) (qhnet.Evaluation, []float64) {
	t.Helper()
	n := a.model(t)
	e, err := n.Bind(gaussian(rng, 6, n.Inputs()))
	if err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	return e, randomVector(rng, qhnet.NumParameters(n))
}

func mustForward(t testing.TB, e qhnet.Evaluation, theta []float64) []float64 {
	t.Helper()
	f, err := e.Forward(theta)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func layers(l ...nn.Layer) []nn.Layer { return l }

const half, third, quarter = 1.0 / 2, 1.0 / 3, 1.0 / 4

var noBias = nn.NoBias()

// architectures covers every kind of layer. The canonical rates are worked out
// by hand from the exponent rules: what must be 1 is 1, and what is free is as
// even as the rules allow.
var architectures = []architecture{
	{"linear", layers(nn.Input(4), nn.Dense(1, noBias)), []float64{1}, 0},
	{"linear with bias", layers(nn.Input(4), nn.Dense(3)), []float64{1, 1}, 0},
	{"bias layer", layers(nn.Input(4), nn.Dense(3, noBias), nn.Bias()), []float64{1, 1}, 0},
	{"two dense", layers(nn.Input(3), nn.Dense(5, noBias), nn.ReLU(), nn.Dense(1, noBias)), []float64{half, half}, 5},
	{"two dense with biases", layers(nn.Input(3), nn.Dense(5), nn.ReLU(), nn.Dense(2)), []float64{half, half, half, 1}, 5},
	{"three dense", layers(nn.Input(3), nn.Dense(5, noBias), nn.ReLU(), nn.Dense(4, noBias), nn.LeakyReLU(0.1), nn.Dense(2, noBias)),
		[]float64{third, third, third}, 9},
	{"three dense with biases", layers(nn.Input(3), nn.Dense(5), nn.ReLU(), nn.Dense(4), nn.ReLU(), nn.Dense(1)),
		[]float64{quarter, quarter, quarter, half, half, 1}, 9},
	{"three dense, first bias only", layers(nn.Input(3), nn.Dense(5), nn.ReLU(), nn.Dense(4, noBias), nn.ReLU(), nn.Dense(1, noBias)),
		[]float64{third, third, third, third}, 9},
	{"deep linear", layers(nn.Input(3), nn.Dense(3, noBias), nn.Linear(), nn.Dense(3, noBias), nn.Dense(3, noBias), nn.Dense(1, noBias)),
		[]float64{quarter, quarter, quarter, quarter}, 9},
	// W1, W2 with 2 W1 + W2 = 1: the largest is least at 1/3 each.
	{"square", layers(nn.Input(3), nn.Dense(5, noBias), nn.AbsPower(2), nn.Dense(2, noBias)), []float64{third, third}, 5},
	{"cube of ReLU", layers(nn.Input(3), nn.Dense(5, noBias), nn.ReLUPower(3), nn.Dense(2, noBias)), []float64{quarter, quarter}, 5},
	{"absolute value", layers(nn.Input(3), nn.Dense(5), nn.AbsPower(1), nn.Dense(2)), []float64{half, half, half, 1}, 5},
	{"power 1.5", layers(nn.Input(3), nn.Dense(5, noBias), nn.AbsPower(1.5), nn.Dense(2, noBias)), []float64{0.4, 0.4}, 5},
	{"scale layer", layers(nn.Input(3), nn.Dense(5, noBias), nn.ReLU(), nn.Scale(), nn.Dense(2, noBias)), []float64{third, third, third}, 10},
	{"fixed features", layers(nn.Input(3), nn.Tanh(), nn.Dense(4), nn.ReLU(), nn.Dense(2)), []float64{half, half, half, 1}, 4},
	// Inside a block the rates of the body sum to 0; its biases have the skip's.
	{"residual", layers(nn.Input(3), nn.Dense(4, noBias), nn.Residual(nn.Dense(5, noBias), nn.ReLU(), nn.Dense(4, noBias)), nn.Dense(1, noBias)),
		[]float64{half, 0, 0, half}, 0},
	{"residual with biases", layers(nn.Input(3), nn.Dense(4), nn.ReLU(), nn.Residual(nn.Dense(5), nn.ReLU(), nn.Dense(4)), nn.Dense(1)),
		[]float64{half, half, 0, half, 0, half, half, 1}, 0},
	{"sum of two nets", layers(nn.Input(3), nn.Sum(nn.Chain(nn.Dense(4, noBias), nn.ReLU(), nn.Dense(2, noBias)), nn.Dense(2, noBias))),
		[]float64{half, half, 1}, 0},
	{"gate", layers(nn.Input(3), nn.Gate(nn.Dense(4, noBias), nn.Chain(nn.Dense(4, noBias), nn.ReLU())), nn.Dense(2, noBias)),
		[]float64{third, third, third}, 0},
	// Unit j of dense1 is entries j and 4+j of the concatenation.
	{"concatenation", layers(nn.Input(3), nn.Dense(4), nn.Concat(nn.ReLU(), nn.Linear()), nn.Dense(5, noBias), nn.ReLU(), nn.Dense(1)),
		[]float64{third, third, third, third, 1}, 5},
	{"concatenation in a branch", layers(nn.Input(3), nn.Dense(4), nn.Sum(nn.Chain(nn.Concat(nn.ReLU(), nn.Linear())), nn.Concat(nn.Linear(), nn.ReLU())), nn.Dense(1)),
		[]float64{half, half, half, 1}, 0},
	{"batch norm", layers(nn.Input(3), nn.Dense(4), nn.BatchNorm(), nn.ReLU(), nn.Dense(2, noBias)), []float64{0, 0, 1}, 0},
	{"batch norm with scale", layers(nn.Input(3), nn.Dense(4, noBias), nn.BatchNorm(nn.WithScale()), nn.ReLU(), nn.Dense(2, noBias)),
		[]float64{0, half, half}, 4},
	{"batch norm, affine", layers(nn.Input(3), nn.Dense(4, noBias), nn.BatchNorm(nn.Affine()), nn.ReLU(), nn.Dense(2)),
		[]float64{0, half, half, half, 1}, 4},
	{"layer norm, affine", layers(nn.Input(3), nn.Dense(6), nn.LayerNorm(nn.Affine()), nn.ReLU(), nn.Dense(2)),
		[]float64{0, 0, half, half, half, 1}, 6},
	{"RMS norm with scale", layers(nn.Input(3), nn.Dense(6), nn.LeakyReLU(0.3), nn.RMSNorm(nn.WithScale()), nn.Dense(2, noBias)),
		[]float64{0, 0, half, half}, 6},
	{"RMS norm", layers(nn.Input(3), nn.Dense(6), nn.RMSNorm(), nn.Dense(2)), []float64{0, 0, 1, 1}, 0},
	{"group norm", layers(nn.Input(3), nn.Dense(6), nn.GroupNorm(2, nn.Affine()), nn.ReLU(), nn.Dense(2)),
		[]float64{0, 0, half, half, half, 1}, 6},
	{"two batch norms", layers(nn.Input(3), nn.Dense(4), nn.BatchNorm(nn.WithScale()), nn.ReLU(), nn.Dense(4, noBias), nn.BatchNorm(nn.WithScale()), nn.Dense(2, noBias)),
		[]float64{0, 0, 0, 0, half, half}, 4},
	{"normalized residual", layers(nn.Input(3), nn.Dense(4), nn.Residual(nn.Dense(5, noBias), nn.BatchNorm(), nn.ReLU(), nn.Dense(4, noBias), nn.BatchNorm(nn.WithScale())), nn.Dense(2, noBias)),
		[]float64{half, half, 0, 0, half, half}, 0},
	{"convolution", layers(nn.Input(2, 6, 6), nn.Conv(3, 3, noBias), nn.ReLU(), nn.Conv(4, 2), nn.ReLU(), nn.GlobalAveragePool(), nn.Dense(2, noBias)),
		[]float64{quarter, quarter, half, half}, 7},
	{"max pooling and flatten", layers(nn.Input(1, 6, 6), nn.Conv(3, 3), nn.MaxPool(2), nn.ReLU(), nn.Flatten(), nn.Dense(2, noBias)),
		[]float64{half, half, half}, 3},
	{"strides and average pooling", layers(nn.Input(1, 7, 7), nn.Conv(3, 3, nn.Stride(2), nn.Padding(1)), nn.ReLU(), nn.AveragePool(2), nn.Flatten(), nn.Dense(2)),
		[]float64{half, half, half, 1}, 3},
	{"residual network", nn.ResNet(nn.Input(2, 6, 6), []int{3, 4}, 1, 2), nil, 0},
}

// TestArchitectures checks canonical rates against hand-made ones, and the
// definition and Euler's identity for them and for random admissible rates.
func TestArchitectures(t *testing.T) {
	if len(architectures) < 25 {
		t.Errorf("only %d architectures", len(architectures))
	}
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			rates := mustRates(t, a.model(t))
			if got := rates.PerBlock(); a.canonical != nil && !floats.Equal(got, a.canonical) {
				t.Errorf("canonical rates %v, want %v", got, a.canonical)
			}
			rng := rand.New(rand.NewPCG(11, 12))
			e, _ := a.bind(t, rng)
			checkScaling(t, rates, e, rng)
		})
	}
}

func TestChoose(t *testing.T) {
	rates := mustRates(t, nn.Groups(nn.Group{Name: "R", Coordinates: []int{0, 1}, Depth: 2}))
	for _, test := range []struct {
		perBlock []float64
		want     string
	}{
		{[]float64{0.3, 0.7}, ""},
		{[]float64{1.5, -0.5}, "the rate of R.scale1 is -0.5"},
		{[]float64{0.3, 0.6}, "miss a rule by -0.1: R "},
		{[]float64{math.NaN(), 1}, "the rate of R.weight is NaN"},
		{[]float64{0, math.Inf(1)}, "the rate of R.scale1 is +Inf"},
	} {
		chosen, err := rates.Choose(test.perBlock)
		if test.want == "" && err == nil {
			if block, parameter := chosen.PerBlock(), chosen.PerParameter(); !floats.Equal(block, test.perBlock) || !floats.Equal(parameter, []float64{0.3, 0.3, 0.7}) {
				t.Errorf("chosen %v, got %v of the blocks and %v of the parameters", test.perBlock, block, parameter)
			}
		} else if err == nil || test.want == "" || !strings.Contains(err.Error(), test.want) {
			t.Errorf("rates %v: error %v, want %q", test.perBlock, err, test.want)
		}
	}
	if canonical := rates.PerBlock(); !floats.Equal(canonical, []float64{half, half}) {
		t.Errorf("a choice changes the rates that it was made from to %v", canonical)
	}
}

func TestRatesRefuse(t *testing.T) {
	rates := mustRates(t, nn.Diagonal(1, 2))
	for want, call := range map[string]func(){
		`no block "x1"; its blocks are ["x1.factor1" "x2.factor1" "x2.factor2"]`: func() { rates.Without("x1") },
		"length of perBlock is 2, want 3":                                        func() { rates.Choose([]float64{1, 0.5}) },
		"length of theta is 2, want 3":                                           func() { qhnet.Rescale(nil, 1, rates, []float64{1, 0.5}) },
	} {
		func() {
			defer func() {
				if r := recover(); !strings.Contains(fmt.Sprint(r), want) {
					t.Errorf("panic %v, want one with %q", r, want)
				}
			}()
			call()
		}()
	}
}

// TestFractionalPowers has activations |x|^1.1, whose coefficients 1.1, 1.1²
// and so on are not exact in binary but must cancel all the same.
func TestFractionalPowers(t *testing.T) {
	const k = 1.1
	m := rulesOnly{
		names: []string{"W1", "W2", "b2"},
		rules: []qhnet.ScalingRule{
			{Layer: "dense2", Reason: "bias", Coefficients: []float64{k, 1, -1}},
			{Layer: "sum", Reason: "sum", Coefficients: []float64{k * k, k, -k}},
			{Layer: "output", Reason: "output", Coefficients: []float64{k * k, k, 0}, Total: 1},
		},
	}
	rates := mustRates(t, m)
	if low, high := rates.Range(2); math.Abs(low-1/k) > 1e-15 || low != high {
		t.Errorf("the bias has rates in [%v, %v], want 1/1.1", low, high)
	}
}

// Canonical rates, an exact program, are found when they are asked for.
func BenchmarkRatesOf(b *testing.B) {
	for _, depth := range []int{3, 10, 30} {
		for _, canonical := range []bool{false, true} {
			b.Run(fmt.Sprintf("depth=%d/canonical=%v", depth, canonical), func(b *testing.B) {
				m := biased(depth)
				for b.Loop() {
					rates, err := qhnet.RatesOf(m)
					if err != nil {
						b.Fatal(err)
					}
					if canonical {
						rates.PerBlock()
					}
				}
			})
		}
	}
}
