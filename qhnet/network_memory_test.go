package qhnet

import (
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"
)

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
		if n.coupled() {
			continue
		}
		if d := distance(forward(t, alone, theta), f[:n.Outputs()]); d > 1e-14 { // products in another order
			t.Errorf("%s: the first point alone gives outputs %.1e away", a.name, d)
		}
	}
}
