package ode

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func TestRadauTransformation(t *testing.T) {
	// A of Radau IIA, order 5: Hairer and Wanner II, table IV.5.6.
	r := math.Sqrt(6)
	a := mat.NewDense(3, 3, []float64{
		(88 - 7*r) / 360, (296 - 169*r) / 1800, (-2 + 3*r) / 225,
		(296 + 169*r) / 1800, (88 + 7*r) / 360, (-2 - 3*r) / 225,
		(16 - r) / 36, (16 + r) / 36, 1.0 / 9,
	})
	tr := mat.NewDense(3, 3, []float64{radauT11, radauT12, radauT13, radauT21, radauT22, radauT23, 1, 1, 0})
	s := mat.NewDense(3, 3, []float64{radauS11, radauS12, radauS13, radauS21, radauS22, radauS23, radauS31, radauS32, radauS33})
	var got mat.Dense
	if err := got.Inverse(a); err != nil {
		t.Fatal(err)
	}
	got.Product(s, &got, tr)
	want := mat.NewDense(3, 3, []float64{radauReal, 0, 0, 0, radauRe, -radauIm, 0, radauIm, radauRe})
	// The constants are given to 17 digits and A⁻¹ has entries near 10.
	if !mat.EqualApprox(&got, want, 1e-13) {
		t.Errorf("T⁻¹ A⁻¹ T = %v, want %v", mat.Formatted(&got), mat.Formatted(want))
	}
}
