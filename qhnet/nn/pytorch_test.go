package nn

import (
	_ "embed"
	"encoding/json"
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
)

// Outputs and derivatives by PyTorch 2.15, from testdata/networks.py.
//
//go:embed testdata/networks.json
var pytorch []byte

// pytorchNetworks are the networks of testdata/networks.py.
var pytorchNetworks = map[string][]Layer{
	"dense":      {Input(3), Dense(5), ReLU(), Dense(4), LeakyReLU(0.1), Dense(2)},
	"smooth":     {Input(3), Dense(5), GELU(), Dense(4), Softplus(), Dense(3), Tanh()},
	"normalized": {Input(3), Dense(6), BatchNorm(Affine()), ReLU(), Dense(6), LayerNorm(Affine()), Dense(6), GroupNorm(2, Affine()), RMSNorm(WithScale()), Dense(2, NoBias())},
	"convolutional": {Input(2, 7, 6), Conv(4, 3, Stride(2), Padding(1)), BatchNorm(Affine()), ReLU(),
		Conv(4, 3, Padding(1), NoBias()), GroupNorm(2, Affine()), GlobalAveragePool(), Dense(2)},
	"pooled": {Input(1, 9, 8), Conv(3, 2), MaxPool(3, Stride(2), Padding(1)), Conv(2, 2), AveragePool(2, Stride(1)), Flatten(), Dense(2)},
	"residual": {Input(2, 6, 6), Conv(3, 3, Padding(1), NoBias()),
		Residual(Conv(4, 3, Stride(2), Padding(1), NoBias()), BatchNorm(Affine()), ReLU(), Conv(4, 3, Padding(1)), Projection()),
		ReLU(), Flatten(), Dense(1)},
}

// TestAgainstPyTorch compares values and derivatives of the first and second
// order: layouts, orders of parameters and conventions are the same.
func TestAgainstPyTorch(t *testing.T) {
	var references map[string]struct {
		Shape                             []int
		Parameters                        int
		Outputs, Gradient, Hessian, Input []float64
		Slope                             float64
	}
	if err := json.Unmarshal(pytorch, &references); err != nil {
		t.Fatal(err)
	}
	for name, layers := range pytorchNetworks {
		want := references[name]
		n := network(t, layers...)
		if m := qhnet.NumParameters(n); m != want.Parameters {
			t.Fatalf("%s: %d parameters, PyTorch has %d", name, m, want.Parameters)
		}
		x := mat.NewDense(want.Shape[0], n.Inputs(), pattern(want.Shape[0]*n.Inputs(), func(j float64) float64 { return math.Cos(3 * j) }))
		bound, err := n.Bind(x)
		if err != nil {
			t.Fatal(err)
		}
		e := bound.(*Evaluation)
		theta := pattern(want.Parameters, func(i float64) float64 { return math.Sin(i+1) / 2 })
		v := pattern(want.Parameters, func(i float64) float64 { return math.Sin(2*i + 1) })
		f := forward(t, e, theta)
		w := pattern(len(f), math.Cos)
		gradient, hv := make([]float64, len(theta)), make([]float64, len(theta))
		e.Gradient(gradient, w)
		e.HessianVector(hv, w, v)
		slopes, inputs := make([]float64, len(f)), mat.NewDense(x.RawMatrix().Rows, n.Inputs(), nil)
		e.Directional(slopes, v)
		e.InputGradient(inputs, w)
		for what, pair := range map[string][2][]float64{
			"outputs":         {f, want.Outputs},
			"Gradient":        {every(7, gradient), want.Gradient},
			"HessianVector":   {every(7, hv), want.Hessian},
			"Directional":     {{floats.Dot(w, slopes)}, {want.Slope}},
			"input gradients": {every(5, inputs.RawMatrix().Data), want.Input},
		} {
			// Both round; small variances magnify it a hundredfold.
			if d := distance(pair[0], pair[1]); d > 1e-12 {
				t.Errorf("%s: %s is %.1e away from PyTorch's", name, what, d)
			}
		}
	}
}

// pattern returns n values of a function of the index.
func pattern(n int, f func(i float64) float64) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = f(float64(i))
	}
	return s
}

// every returns entries 0, step, 2·step, … .
func every(step int, s []float64) []float64 {
	var some []float64
	for i := 0; i < len(s); i += step {
		some = append(some, s[i])
	}
	return some
}
