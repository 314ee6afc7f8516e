package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
)

var products = []struct {
	name  string
	model *Product
}{
	{"linear", Diagonal(1, 1, 1)},
	{"depths 1 2 3", Diagonal(1, 2, 3)},
	{"depth 6", Diagonal(6)},
	{"w1 w2 x + b", Diagonal(2).WithBias()},
	{"two balls", Groups(Group{Coordinates: []int{0}, Depth: 1}, Group{Coordinates: []int{1}, Depth: 2})},
	{"vector times scalars", Groups(
		Group{Coordinates: []int{3, 0}, Depth: 3}, Group{Coordinates: []int{1, 4, 2}, Depth: 2}).WithBias()},
	{"elementwise", Groups(
		Group{Coordinates: []int{3, 0}, Depth: 3, Elementwise: true}, Group{Coordinates: []int{1, 2}, Depth: 1})},
}

// TestProductForward compares with the formula, written out.
func TestProductForward(t *testing.T) {
	m := Groups(
		Group{Coordinates: []int{2, 0}, Depth: 3},
		Group{Coordinates: []int{1, 3}, Depth: 2, Elementwise: true},
	).WithBias()
	// Blocks: w (2), a1, a2 | u (2), v (2) | b.
	theta := []float64{2, 3, 5, 7, 11, 13, 17, 19, 23}
	beta := []float64{3 * 5 * 7, 11 * 17, 2 * 5 * 7, 13 * 19, 23}
	if got := m.Coefficients(nil, theta); !floats.Equal(got, beta) {
		t.Errorf("β(θ) = %v, want %v", got, beta)
	}
	e, err := m.Bind(mat.NewDense(2, 4, []float64{1, 0, 0, 0, 1, -1, 2, 3}))
	if err != nil {
		t.Fatal(err)
	}
	f, err := e.Forward(theta)
	if want := []float64{105 + 23, 105 - 187 + 140 + 741 + 23}; err != nil || !floats.Equal(f, want) {
		t.Errorf("f = %v, %v, want %v", f, err, want)
	}
}

// TestProductDerivatives compares every derivative with central differences, at
// points where one factor of every fourth is exactly zero.
func TestProductDerivatives(t *testing.T) {
	for _, test := range products {
		t.Run(test.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			x := mat.NewDense(4, test.model.Inputs(), nil)
			drawNormal(x.RawMatrix().Data, rng, 1)
			e, err := test.model.Bind(x)
			if err != nil {
				t.Fatal(err)
			}
			for trial := range 8 {
				theta := normal(rng, qhnet.NumParameters(test.model))
				if trial%4 == 0 {
					theta[rng.IntN(len(theta))] = 0
				}
				checkDerivatives(t, e, theta, rng)
			}
		})
	}
}

func TestProductAllocatesNothing(t *testing.T) {
	m := Diagonal(1, 2, 3).WithBias()
	e, err := m.Bind(mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6}))
	if err != nil {
		t.Fatal(err)
	}
	theta, dst := []float64{1, 2, 3, 4, 5, 6, 7}, make([]float64, 7)
	w, out := []float64{1, -1}, make([]float64, 2)
	allocs := testing.AllocsPerRun(10, func() {
		e.Forward(theta)
		e.Gradient(dst, w)
		e.Directional(out, theta)
		e.HessianVector(dst, w, theta)
	})
	if allocs != 0 {
		t.Errorf("%v allocations per evaluation, want 0", allocs)
	}
}

func TestProductErrors(t *testing.T) {
	m := Diagonal(2, 1)
	for _, test := range []struct {
		x    *mat.Dense
		want string
	}{
		{mat.NewDense(1, 3, nil), "3 coordinates"},
		{&mat.Dense{}, "no inputs"},
		{mat.NewDense(1, 2, []float64{1, math.NaN()}), "coordinate 1 of input 0 is NaN"},
	} {
		if _, err := m.Bind(test.x); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v does not say %q", err, test.want)
		}
	}
	e, _ := m.Bind(mat.NewDense(1, 2, []float64{0, 1}))
	for _, test := range []struct {
		theta []float64
		want  string
	}{
		{[]float64{1, math.NaN(), 1}, "parameter 0 of x1.factor2 is NaN"},
		{[]float64{1, 1, math.Inf(1)}, "parameter 0 of x2.factor1 is +Inf"},
		{[]float64{1e200, 1e200, 1}, "overflow"},
	} {
		if _, err := e.Forward(test.theta); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v does not say %q", err, test.want)
		}
	}
}

func TestGroupsMustPartition(t *testing.T) {
	for _, groups := range [][]Group{
		{{Coordinates: []int{0, 2}, Depth: 1}},
		{{Coordinates: []int{0}, Depth: 1}, {Coordinates: []int{0}, Depth: 1}},
		{{Depth: 1}},
		{{Coordinates: []int{0}}},
		{{Name: "H", Coordinates: []int{0}, Depth: 1}, {Name: "H", Coordinates: []int{1}, Depth: 1}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Groups(%v) did not panic", groups)
				}
			}()
			Groups(groups...)
		}()
	}
}

func BenchmarkProductGradient(b *testing.B) {
	for _, d := range []int{2, 20, 200} {
		b.Run(fmt.Sprintf("n=100,d=%d", d), func(b *testing.B) {
			depths := make([]int, d)
			for j := range depths {
				depths[j] = 1 + j%3
			}
			m := Diagonal(depths...)
			rng := rand.New(rand.NewPCG(1, 2))
			x := mat.NewDense(100, d, nil)
			theta, w := make([]float64, qhnet.NumParameters(m)), make([]float64, 100)
			for _, s := range [][]float64{x.RawMatrix().Data, theta, w} {
				drawNormal(s, rng, 1)
			}
			e, err := m.Bind(x)
			if err != nil {
				b.Fatal(err)
			}
			dst := make([]float64, len(theta))
			b.ReportAllocs()
			for b.Loop() {
				e.Forward(theta)
				e.Gradient(dst, w)
			}
		})
	}
}
