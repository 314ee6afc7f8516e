package qhnet

import (
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

func TestJacobian(t *testing.T) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			_, e, theta, _ := a.build(t)
			f := forward(t, e, theta)
			got, want := mat.NewDense(len(f), len(theta), nil), mat.NewDense(len(f), len(theta), nil)
			got.Apply(func(_, _ int, _ float64) float64 { return 1 }, got) // must be overwritten
			Jacobian(got, e)
			gradients(want, e, make([]float64, len(f)))
			// The same products, summed over points in another order.
			if d := distance(got.RawMatrix().Data, want.RawMatrix().Data); d > 1e-14 {
				t.Errorf("rows differ from gradients by %.1e", d)
			}
		})
	}
}

// TestInputGradient compares it with differences in the data, which only a new
// binding can move.
func TestInputGradient(t *testing.T) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			n, e, theta, rng := a.build(t)
			w := normal(rng, len(forward(t, e, theta)))
			got := mat.NewDense(a.points, n.Inputs(), nil)
			e.InputGradient(got, w)
			x := append([]float64(nil), e.Layer("input")...)
			v := normal(rng, len(x))
			value := func(x []float64) []float64 {
				moved, err := n.Bind(mat.NewDense(a.points, n.Inputs(), x))
				if err != nil {
					t.Fatal(err)
				}
				return forward(t, moved, theta)
			}
			slope := floats.Dot(w, difference(value, x, v))
			if d := distance([]float64{floats.Dot(got.RawMatrix().Data, v)}, []float64{slope}); d > 1e-7 {
				t.Errorf("InputGradient is off differences of outputs by %.1e", d)
			}
		})
	}
}

// BenchmarkJacobian is what an implicit solver asks for at each step.
func BenchmarkJacobian(b *testing.B) {
	a := architecture{points: 40, layers: []Layer{Input(2), Dense(24), ReLU(), Dense(24), ReLU(), Dense(1)}}
	_, e, theta, _ := a.build(b)
	forward(b, e, theta)
	dst := mat.NewDense(40, len(theta), nil)
	b.ReportAllocs()
	for b.Loop() {
		Jacobian(dst, e)
	}
}
