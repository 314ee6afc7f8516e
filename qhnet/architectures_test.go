package qhnet_test

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
)

// architecture is a network with what is known of its rates by hand.
type architecture struct {
	name      string
	layers    []qhnet.Layer
	canonical []float64 // of its blocks; nil where another test has them
	units     int       // number of conserved quantities of single units
}

func (a architecture) model(t testing.TB) qhnet.Model {
	t.Helper()
	n, err := qhnet.NewNetwork(a.layers...)
	if err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	return n
}

// bind evaluates the network at 6 random points, and draws parameters.
func (a architecture) bind(t testing.TB, rng *rand.Rand) (qhnet.Evaluation, []float64) {
	t.Helper()
	n := a.model(t).(*qhnet.Network)
	x := mat.NewDense(6, n.Inputs(), nil)
	fillNormal(x.RawMatrix().Data, rng)
	e, err := n.Bind(x)
	if err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	theta := make([]float64, qhnet.NumParameters(n))
	fillNormal(theta, rng)
	return e, theta
}

func mustForward(t testing.TB, e qhnet.Evaluation, theta []float64) []float64 {
	t.Helper()
	f, err := e.Forward(theta)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func layers(l ...qhnet.Layer) []qhnet.Layer { return l }

const half, third, quarter = 1.0 / 2, 1.0 / 3, 1.0 / 4

var noBias = qhnet.NoBias()

// architectures covers every kind of layer. The canonical rates are worked out
// by hand from the exponent rules: what must be 1 is 1, and what is free is as
// even as the rules allow.
var architectures = []architecture{
	{"linear", layers(qhnet.Input(4), qhnet.Dense(1, noBias)), []float64{1}, 0},
	{"linear with bias", layers(qhnet.Input(4), qhnet.Dense(3)), []float64{1, 1}, 0},
	{"bias layer", layers(qhnet.Input(4), qhnet.Dense(3, noBias), qhnet.Bias()), []float64{1, 1}, 0},
	{"two dense", layers(qhnet.Input(3), qhnet.Dense(5, noBias), qhnet.ReLU(), qhnet.Dense(1, noBias)), []float64{half, half}, 5},
	{"two dense with biases", layers(qhnet.Input(3), qhnet.Dense(5), qhnet.ReLU(), qhnet.Dense(2)), []float64{half, half, half, 1}, 5},
	{"three dense", layers(qhnet.Input(3), qhnet.Dense(5, noBias), qhnet.ReLU(), qhnet.Dense(4, noBias), qhnet.LeakyReLU(0.1), qhnet.Dense(2, noBias)),
		[]float64{third, third, third}, 9},
	{"three dense with biases", layers(qhnet.Input(3), qhnet.Dense(5), qhnet.ReLU(), qhnet.Dense(4), qhnet.ReLU(), qhnet.Dense(1)),
		[]float64{quarter, quarter, quarter, half, half, 1}, 9},
	{"three dense, first bias only", layers(qhnet.Input(3), qhnet.Dense(5), qhnet.ReLU(), qhnet.Dense(4, noBias), qhnet.ReLU(), qhnet.Dense(1, noBias)),
		[]float64{third, third, third, third}, 9},
	{"deep linear", layers(qhnet.Input(3), qhnet.Dense(3, noBias), qhnet.Linear(), qhnet.Dense(3, noBias), qhnet.Dense(3, noBias), qhnet.Dense(1, noBias)),
		[]float64{quarter, quarter, quarter, quarter}, 9},
	// W1, W2 with 2 W1 + W2 = 1: the largest is least at 1/3 each.
	{"square", layers(qhnet.Input(3), qhnet.Dense(5, noBias), qhnet.AbsPower(2), qhnet.Dense(2, noBias)), []float64{third, third}, 5},
	{"cube of ReLU", layers(qhnet.Input(3), qhnet.Dense(5, noBias), qhnet.ReLUPower(3), qhnet.Dense(2, noBias)), []float64{quarter, quarter}, 5},
	{"absolute value", layers(qhnet.Input(3), qhnet.Dense(5), qhnet.AbsPower(1), qhnet.Dense(2)), []float64{half, half, half, 1}, 5},
	{"power 1.5", layers(qhnet.Input(3), qhnet.Dense(5, noBias), qhnet.AbsPower(1.5), qhnet.Dense(2, noBias)), []float64{0.4, 0.4}, 5},
	{"scale layer", layers(qhnet.Input(3), qhnet.Dense(5, noBias), qhnet.ReLU(), qhnet.Scale(), qhnet.Dense(2, noBias)), []float64{third, third, third}, 10},
	{"fixed features", layers(qhnet.Input(3), qhnet.Tanh(), qhnet.Dense(4), qhnet.ReLU(), qhnet.Dense(2)), []float64{half, half, half, 1}, 4},
	// Inside a block the rates of the body sum to 0; its biases have the skip's.
	{"residual", layers(qhnet.Input(3), qhnet.Dense(4, noBias), qhnet.Residual(qhnet.Dense(5, noBias), qhnet.ReLU(), qhnet.Dense(4, noBias)), qhnet.Dense(1, noBias)),
		[]float64{half, 0, 0, half}, 0},
	{"residual with biases", layers(qhnet.Input(3), qhnet.Dense(4), qhnet.ReLU(), qhnet.Residual(qhnet.Dense(5), qhnet.ReLU(), qhnet.Dense(4)), qhnet.Dense(1)),
		[]float64{half, half, 0, half, 0, half, half, 1}, 0},
	{"sum of two nets", layers(qhnet.Input(3), qhnet.Sum(qhnet.Chain(qhnet.Dense(4, noBias), qhnet.ReLU(), qhnet.Dense(2, noBias)), qhnet.Dense(2, noBias))),
		[]float64{half, half, 1}, 0},
	{"gate", layers(qhnet.Input(3), qhnet.Gate(qhnet.Dense(4, noBias), qhnet.Chain(qhnet.Dense(4, noBias), qhnet.ReLU())), qhnet.Dense(2, noBias)),
		[]float64{third, third, third}, 0},
	// Unit j of dense1 is entries j and 4+j of the concatenation.
	{"concatenation", layers(qhnet.Input(3), qhnet.Dense(4), qhnet.Concat(qhnet.ReLU(), qhnet.Linear()), qhnet.Dense(5, noBias), qhnet.ReLU(), qhnet.Dense(1)),
		[]float64{third, third, third, third, 1}, 5},
	{"concatenation in a branch", layers(qhnet.Input(3), qhnet.Dense(4), qhnet.Sum(qhnet.Chain(qhnet.Concat(qhnet.ReLU(), qhnet.Linear())), qhnet.Concat(qhnet.Linear(), qhnet.ReLU())), qhnet.Dense(1)),
		[]float64{half, half, half, 1}, 0},
	{"batch norm", layers(qhnet.Input(3), qhnet.Dense(4), qhnet.BatchNorm(), qhnet.ReLU(), qhnet.Dense(2, noBias)), []float64{0, 0, 1}, 0},
	{"batch norm with scale", layers(qhnet.Input(3), qhnet.Dense(4, noBias), qhnet.BatchNorm(qhnet.WithScale()), qhnet.ReLU(), qhnet.Dense(2, noBias)),
		[]float64{0, half, half}, 4},
	{"batch norm, affine", layers(qhnet.Input(3), qhnet.Dense(4, noBias), qhnet.BatchNorm(qhnet.Affine()), qhnet.ReLU(), qhnet.Dense(2)),
		[]float64{0, half, half, half, 1}, 4},
	{"layer norm, affine", layers(qhnet.Input(3), qhnet.Dense(6), qhnet.LayerNorm(qhnet.Affine()), qhnet.ReLU(), qhnet.Dense(2)),
		[]float64{0, 0, half, half, half, 1}, 6},
	{"RMS norm with scale", layers(qhnet.Input(3), qhnet.Dense(6), qhnet.LeakyReLU(0.3), qhnet.RMSNorm(qhnet.WithScale()), qhnet.Dense(2, noBias)),
		[]float64{0, 0, half, half}, 6},
	{"RMS norm", layers(qhnet.Input(3), qhnet.Dense(6), qhnet.RMSNorm(), qhnet.Dense(2)), []float64{0, 0, 1, 1}, 0},
	{"group norm", layers(qhnet.Input(3), qhnet.Dense(6), qhnet.GroupNorm(2, qhnet.Affine()), qhnet.ReLU(), qhnet.Dense(2)),
		[]float64{0, 0, half, half, half, 1}, 6},
	{"two batch norms", layers(qhnet.Input(3), qhnet.Dense(4), qhnet.BatchNorm(qhnet.WithScale()), qhnet.ReLU(), qhnet.Dense(4, noBias), qhnet.BatchNorm(qhnet.WithScale()), qhnet.Dense(2, noBias)),
		[]float64{0, 0, 0, 0, half, half}, 4},
	{"normalized residual", layers(qhnet.Input(3), qhnet.Dense(4), qhnet.Residual(qhnet.Dense(5, noBias), qhnet.BatchNorm(), qhnet.ReLU(), qhnet.Dense(4, noBias), qhnet.BatchNorm(qhnet.WithScale())), qhnet.Dense(2, noBias)),
		[]float64{half, half, 0, 0, half, half}, 0},
	{"convolution", layers(qhnet.Input(2, 6, 6), qhnet.Conv(3, 3, noBias), qhnet.ReLU(), qhnet.Conv(4, 2), qhnet.ReLU(), qhnet.GlobalAveragePool(), qhnet.Dense(2, noBias)),
		[]float64{quarter, quarter, half, half}, 7},
	{"max pooling and flatten", layers(qhnet.Input(1, 6, 6), qhnet.Conv(3, 3), qhnet.MaxPool(2), qhnet.ReLU(), qhnet.Flatten(), qhnet.Dense(2, noBias)),
		[]float64{half, half, half}, 3},
	{"strides and average pooling", layers(qhnet.Input(1, 7, 7), qhnet.Conv(3, 3, qhnet.Stride(2), qhnet.Padding(1)), qhnet.ReLU(), qhnet.AveragePool(2), qhnet.Flatten(), qhnet.Dense(2)),
		[]float64{half, half, half, 1}, 3},
	{"residual network", qhnet.ResNet(qhnet.Input(2, 6, 6), []int{3, 4}, 1, 2), nil, 0},
}
