package qhnet_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
)

func TestBiasOnLineSolvesTheCascade(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 5))
	for range 50 {
		left := 2*rng.Float64() - 1.5
		right := left + 0.2 + rng.Float64()
		w, b := qhnet.BiasOnLine(left, right)
		_, c := cascade(t, line(left, right), 0, true, qhnet.Group{Coordinates: []int{0}, Depth: 2})
		// The cascade settles to 1e-10 or better.
		if e := math.Hypot(c.Coefficients[0]-w, c.Coefficients[1]-b); e > 1e-9*math.Hypot(w, b) {
			t.Errorf("classes at %v and %v: (w, b) = (%v, %v), cascade %v", left, right, w, b, c.Coefficients)
		}
	}
}

func ExampleBiasOnLine() {
	w, b := qhnet.BiasOnLine(1, 2)
	fmt.Printf("w = %g, b = %g, boundary %g\n", w, b, -b/w)
	// Output: w = 2, b = -3, boundary 1.5
}

// line is one point of each class.
func line(left, right float64) dataset.Set {
	return dataset.Set{Name: "line", X: mat.NewDense(2, 1, []float64{left, right}), Labels: []int{0, 1}, Classes: 2}
}
