package nn

import (
	"fmt"
	"testing"

	"qhlab/qhnet/internal/kernel"
)

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

// BenchmarkHessianVector is what one column of the flow's Jacobian asks of a network: a
// JVP, and the HVP along the same direction at weights that do not change from column
// to column.
func BenchmarkHessianVector(b *testing.B) {
	tanh := []Layer{Input(2), Dense(8), Tanh(), Dense(8), Tanh(), Dense(1)}
	for _, a := range []architecture{
		{"2-8-8-1 tanh", 30, tanh},
		{"2-24-24-1", 40, perceptron(2, 24, 24, 1)},
		{"64-256-256-10", 200, perceptron(64, 256, 256, 10)},
	} {
		_, e, theta, rng := a.build(b)
		f := forward(b, e, theta)
		w, v, jv := normal(rng, len(f)), normal(rng, len(theta)), make([]float64, len(f))
		dst := make([]float64, len(theta))
		b.Run(a.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v[0] = -v[0] // a direction that was not asked for last
				e.Directional(jv, v)
				e.HessianVector(dst, w, v)
			}
		})
		b.Run(a.name+"/unit directions", func(b *testing.B) {
			clear(v)
			for i := 0; b.Loop(); i = (i + 1) % len(v) {
				v[i] = 1
				e.Directional(jv, v)
				e.HessianVector(dst, w, v)
				v[i] = 0
			}
		})
	}
}

// BenchmarkConvolution compares the layer, which unfolds an image and multiplies
// matrices, with adding up shifted images directly, on 28×28 with a window of 3.
func BenchmarkConvolution(b *testing.B) {
	for _, channels := range []int{8, 16, 32} {
		a := architecture{points: 16, layers: []Layer{Input(channels, 28, 28), Conv(channels, 3, Padding(1), NoBias()), Flatten()}}
		_, e, theta, _ := a.build(b)
		b.Run(fmt.Sprintf("%d channels/unfolded", channels), func(b *testing.B) {
			for b.Loop() {
				forward(b, e, theta)
			}
		})
		want := forward(b, e, theta)
		images := e.Layer("input")
		got := make([]float64, len(want))
		b.Run(fmt.Sprintf("%d channels/direct", channels), func(b *testing.B) {
			d := newDirectConvolution(channels, 28)
			for b.Loop() {
				for k := range a.points {
					d.convolve(row(got, k, channels*28*28), row(images, k, channels*28*28), theta)
				}
			}
		})
		if d := distance(got, want); d > 1e-14 { // sums of at most 288 products
			b.Fatalf("the two are %.1e apart", d)
		}
	}
}

// directConvolution adds up images shifted by each cell of a window of 3. Padding
// between lines and around images lets it take a whole image at a time.
type directConvolution struct {
	channels, side int
	in, out        []float64 // lines of side+2, and two more above and below
}

func newDirectConvolution(channels, side int) *directConvolution {
	n := (side+2)*(side+2) + 4
	return &directConvolution{channels, side, make([]float64, channels*n), make([]float64, n)}
}

func (d *directConvolution) convolve(dst, image, weights []float64) {
	width, n := d.side+2, (d.side+2)*(d.side+2)+4
	for c := range d.channels {
		for y := range d.side {
			copy(d.in[c*n+(y+1)*width+1:], row(image, c*d.side+y, d.side))
		}
	}
	for o := range d.channels {
		clear(d.out)
		for c := range d.channels {
			for cell := range 9 {
				at := c*n + cell/3*width + cell%3
				kernel.AddScaled(d.out[:d.side*width], weights[(o*d.channels+c)*9+cell], d.in[at:at+d.side*width])
			}
		}
		for y := range d.side {
			copy(row(dst, o*d.side+y, d.side), d.out[y*width:])
		}
	}
}
