package dataset_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"qhlab/qhnet/dataset"
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func ExampleSet_PerClass() {
	rings := dataset.Rings(3, 40, 0.1, rand.New(rand.NewPCG(1, 0)))
	imbalanced, err := rings.PerClass([]int{40, 10, 2})
	fmt.Println(imbalanced.Counts(), err)
	_, err = rings.Balance(50)
	fmt.Println(err)
	// Output:
	// [40 10 2] <nil>
	// dataset: rings: class 0 has 40 points, 50 wanted
}

func TestSelectionsCopyAndKeepPairs(t *testing.T) {
	// The input is its own label, so a broken pairing shows.
	set := dataset.Set{X: mat.NewDense(6, 1, []float64{0, 1, 2, 0, 1, 2}), Labels: []int{0, 1, 2, 0, 1, 2}, Classes: 3}
	first, rest := set.Split(2)
	for name, sub := range map[string]dataset.Set{
		"shuffle": set.Shuffle(seeded(3)), "subset": set.Subset([]int{5, 5, 0}), "first": first, "rest": rest,
	} {
		for k, c := range sub.Labels {
			if sub.X.At(k, 0) != float64(c) {
				t.Errorf("%s: point %d has input %v and label %d", name, k, sub.X.At(k, 0), c)
			}
		}
		sub.X.Set(0, 0, 99)
	}
	if mat.Max(set.X) != 2 {
		t.Error("a selection shares memory with its set")
	}
	two := set.Only(2, 0)
	if !slices.Equal(two.Labels, []int{1, 0, 1, 0}) || two.Classes != 2 {
		t.Errorf("Only(2, 0): labels %v of %d classes", two.Labels, two.Classes)
	}
}

func TestStandardize(t *testing.T) {
	rng := seeded(5)
	plain := dataset.GaussianClusters(mat.NewDense(2, 3, []float64{9, 1, 7, -9, 5, 7}), 30, 2, rng)
	for k := range plain.Labels {
		plain.X.Set(k, 2, 7)
	}
	z := plain.Standardize()
	for j := range 2 {
		mean, deviation := stat.PopMeanStdDev(mat.Col(nil, j, z.X), nil)
		// 60 additions of numbers of size one: a few units in the last place each.
		if math.Abs(mean) > 1e-14 || math.Abs(deviation-1) > 1e-14 {
			t.Errorf("column %d: mean %g, deviation %g", j, mean, deviation)
		}
	}
	if column := mat.Col(nil, 2, z.X); slices.Max(column) != 0 || slices.Min(column) != 0 {
		t.Error("a constant column must become 0")
	}

	images, err := dataset.Glyphs{PerClass: 4, Noise: -1}.Sample(rng)
	if err != nil {
		t.Fatal(err)
	}
	s := images.Standardization()
	if slices.Max(s.Mean) != slices.Min(s.Mean) {
		t.Error("an image's pixels must share their channel's mean")
	}
}
