package dataset_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
)

func ExampleSeparable() {
	set, normal := dataset.Separable(100, 5, 0.3, rand.New(rand.NewPCG(1, 0)))
	smallest := math.Inf(1)
	for k, c := range set.Labels {
		y := float64(2*c - 1)
		smallest = min(smallest, y*mat.Dot(set.X.RowView(k), mat.NewVecDense(5, normal)))
	}
	fmt.Println(set.Counts(), smallest >= 0.3-1e-12)
	// Output: [100 100] true
}

func TestToySetsAreSoundAndSeeded(t *testing.T) {
	centers := mat.NewDense(3, 2, []float64{1, 0, 0, 1, -1, -1})
	for name, sample := range map[string]func(*rand.Rand) dataset.Set{
		"clusters":  func(r *rand.Rand) dataset.Set { return dataset.GaussianClusters(centers, 7, 0.1, r) },
		"rings":     func(r *rand.Rand) dataset.Set { return dataset.Rings(3, 7, 0.1, r) },
		"spirals":   func(r *rand.Rand) dataset.Set { return dataset.Spirals(3, 7, 1, 0.01, r) },
		"xor":       func(r *rand.Rand) dataset.Set { return dataset.XOR(7, 0.1, r) },
		"separable": func(r *rand.Rand) dataset.Set { s, _ := dataset.Separable(7, 3, 0.1, r); return s },
	} {
		a, b, c := sample(seeded(1)), sample(seeded(1)), sample(seeded(2))
		if err := a.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !mat.Equal(a.X, b.X) || mat.Equal(a.X, c.X) {
			t.Errorf("%s: the seed alone must determine the set", name)
		}
	}
}

func TestToySetsWithoutNoiseLieOnTheirCurves(t *testing.T) {
	rings := dataset.Rings(3, 20, 0, seeded(1))
	for k, c := range rings.Labels {
		// One rounding in each coordinate.
		if r := mat.Norm(rings.X.RowView(k), 2); math.Abs(r-float64(c+1)) > 1e-15*4 {
			t.Errorf("point of ring %d has radius %v", c, r)
		}
	}
	const turns = 1.5
	spirals := dataset.Spirals(2, 20, turns, 0, seeded(1))
	for k, c := range spirals.Labels {
		r := mat.Norm(spirals.X.RowView(k), 2)
		want := 2*math.Pi*turns*(r-0.1)/0.9 + math.Pi*float64(c)
		got := math.Atan2(spirals.X.At(k, 1), spirals.X.At(k, 0))
		if d := math.Remainder(got-want, 2*math.Pi); math.Abs(d) > 1e-13 {
			t.Errorf("point of spiral %d is off by an angle %v", c, d)
		}
	}
	xor := dataset.XOR(20, 0, seeded(1))
	for k, c := range xor.Labels {
		if agree := xor.X.At(k, 0)*xor.X.At(k, 1) > 0; agree != (c == 1) {
			t.Errorf("XOR point %d of class %d", k, c)
		}
	}
}
