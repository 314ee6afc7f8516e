package qhnet

import "testing"

// perceptron is a ReLU network with biases.
func perceptron(inputs int, widths ...int) []Layer {
	layers := []Layer{Input(inputs)}
	for i, width := range widths {
		if i > 0 {
			layers = append(layers, ReLU())
		}
		layers = append(layers, Dense(width))
	}
	return layers
}

// BenchmarkWeightedGradient is one full-batch step of training but for the loss:
// Forward, then Gradient.
func BenchmarkWeightedGradient(b *testing.B) {
	for _, a := range []architecture{
		{"2-16-1", 100, perceptron(2, 16, 1)},
		{"10-64-64-1", 500, perceptron(10, 64, 64, 1)},
		{"64-256-256-10", 2000, perceptron(64, 256, 256, 10)},
		{"conv 28×28", 64, []Layer{
			Input(1, 28, 28),
			Conv(8, 3, Padding(1)), ReLU(), MaxPool(2),
			Conv(16, 3, Padding(1)), ReLU(), MaxPool(2),
			Flatten(), Dense(10),
		}},
		{"64-256-256-10 with batch normalization", 2000, []Layer{
			Input(64), Dense(256, NoBias()), BatchNorm(Affine()), ReLU(), Dense(256, NoBias()), BatchNorm(Affine()), ReLU(), Dense(10),
		}},
	} {
		b.Run(a.name, func(b *testing.B) {
			_, e, theta, rng := a.build(b)
			w := normal(rng, len(forward(b, e, theta)))
			dst := make([]float64, len(theta))
			e.Gradient(dst, w)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Forward(theta); err != nil {
					b.Fatal(err)
				}
				e.Gradient(dst, w)
			}
		})
	}
}

// BenchmarkHessianVector is one Hessian-vector product of a small network.
func BenchmarkHessianVector(b *testing.B) {
	a := architecture{points: 40, layers: perceptron(2, 24, 24, 1)}
	_, e, theta, rng := a.build(b)
	w, v := normal(rng, len(forward(b, e, theta))), normal(rng, len(theta))
	dst := make([]float64, len(theta))
	b.ReportAllocs()
	for b.Loop() {
		e.HessianVector(dst, w, v)
	}
}
