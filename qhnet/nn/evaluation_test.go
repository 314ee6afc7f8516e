package nn

import (
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
)

func TestJacobian(t *testing.T) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			_, e, theta, _ := a.build(t)
			f := forward(t, e, theta)
			got, want := mat.NewDense(len(f), len(theta), nil), mat.NewDense(len(f), len(theta), nil)
			got.Apply(func(_, _ int, _ float64) float64 { return 1 }, got) // must be overwritten
			qhnet.Jacobian(got, e)
			qhnet.Jacobian(want, struct{ qhnet.Evaluation }{e}) // without its own method
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

// TestKeptPassesAreRight asks for derivatives in orders in which adjoints and tangents
// can and cannot be taken over from what was asked before.
func TestKeptPassesAreRight(t *testing.T) {
	for _, a := range architectures {
		n, e, theta, rng := a.build(t)
		outputs := len(forward(t, e, theta))
		thetas := [][]float64{theta, along(theta, 0.1, normal(rng, len(theta)))}
		weights := [][]float64{normal(rng, outputs), normal(rng, outputs)}
		directions := [][]float64{normal(rng, len(theta)), make([]float64, len(theta))}
		directions[1][rng.IntN(len(theta))] = 1
		x := mat.NewDense(a.points, n.Inputs(), slices.Clone(e.Layer("input")))
		scratch, rows := mat.NewDense(a.points, n.Inputs(), nil), mat.NewDense(outputs, len(theta), nil)
		for range 12 {
			theta, w, v := thetas[rng.IntN(2)], weights[rng.IntN(2)], directions[rng.IntN(2)]
			if rng.IntN(3) == 0 {
				forward(t, e, theta)
			} else {
				theta = e.theta
			}
			switch rng.IntN(5) {
			case 0:
				e.InputGradient(scratch, weights[0])
			case 1:
				e.Jacobian(rows)
			case 2:
				e.Gradient(make([]float64, len(theta)), w)
			case 3:
				e.Directional(make([]float64, outputs), v)
			}
			got, want := make([]float64, len(theta)), make([]float64, len(theta))
			e.HessianVector(got, w, v)
			fresh, err := n.Bind(x)
			if err != nil {
				t.Fatal(err)
			}
			forward(t, fresh, theta)
			fresh.HessianVector(want, w, v)
			if d := distance(got, want); d > 1e-13 { // the same products
				t.Errorf("%s: HessianVector after other passes is off a fresh one by %.1e", a.name, d)
			}
		}
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
		qhnet.Jacobian(dst, e)
	}
}

// TestNoAllocation checks that no method allocates after its first call.
func TestNoAllocation(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes pools allocate")
	}
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			_, e, theta, rng := a.build(t)
			outputs := len(forward(t, e, theta))
			w, v := normal(rng, outputs), normal(rng, len(theta))
			dst, jv := make([]float64, len(theta)), make([]float64, outputs)
			rows, points := mat.NewDense(outputs, len(theta), nil), mat.NewDense(a.points, e.network.Inputs(), nil)
			for name, method := range map[string]func(){
				"Forward":       func() { e.Forward(theta) },
				"Gradient":      func() { e.Gradient(dst, w) },
				"Directional":   func() { e.Directional(jv, v) },
				"HessianVector": func() { e.HessianVector(dst, w, v) },
				"both":          func() { e.Directional(jv, v); e.GradientTangent(dst, w, jv, v) },
				"Jacobian":      func() { e.Jacobian(rows) },
				"InputGradient": func() { e.InputGradient(points, w) },
			} {
				if allocs := testing.AllocsPerRun(5, method); allocs != 0 {
					t.Errorf("%s allocates %v times", name, allocs)
				}
			}
		})
	}
}

// TestConcurrentEvaluations runs evaluations of one network side by side and
// expects the same bits from each.
func TestConcurrentEvaluations(t *testing.T) {
	a := architecture{points: 4, layers: smallResNet()}
	n, e, theta, rng := a.build(t)
	w := normal(rng, len(forward(t, e, theta)))
	want := make([]float64, len(theta))
	e.Gradient(want, w)
	x := mat.NewDense(4, n.Inputs(), slices.Clone(e.Layer("input")))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			e, err := n.Bind(x)
			if err != nil {
				t.Error(err)
				return
			}
			got := make([]float64, len(theta))
			for range 5 {
				if _, err := e.Forward(theta); err != nil {
					t.Error(err)
					return
				}
				e.Gradient(got, w)
				if !slices.Equal(got, want) {
					t.Error("gradients differ")
				}
			}
		})
	}
	group.Wait()
}

// TestPointIndependence checks that points are not mixed, but by batch
// normalization.
func TestPointIndependence(t *testing.T) {
	for _, a := range architectures {
		n, e, theta, _ := a.build(t)
		f := forward(t, e, theta)
		alone, err := n.Bind(mat.NewDense(1, n.Inputs(), slices.Clone(e.Layer("input")[:n.Inputs()])))
		if err != nil {
			t.Fatal(err)
		}
		if n.MixesPoints() != "" {
			continue
		}
		if d := distance(forward(t, alone, theta), f[:n.Outputs()]); d > 1e-14 { // products in another order
			t.Errorf("%s: the first point alone gives outputs %.1e away", a.name, d)
		}
	}
}
