package dataset_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
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

func TestSelectionsRefuse(t *testing.T) {
	set := dataset.Rings(3, 4, 0, seeded(1))
	wrong := dataset.Rings(3, 4, 0, seeded(1))
	wrong.Labels[5] = 3
	many := wrong
	many.Classes = math.MaxInt
	images := dataset.Set{X: mat.NewDense(1, 16, nil), Labels: []int{0}, Classes: 2, Shape: []int{1, 4, 4}}
	for want, call := range map[string]func(){
		"Split after 13 of 12":                      func() { set.Split(13) },
		"Split after -1 of 12":                      func() { set.Split(-1) },
		"Only[7]":                                   func() { set.Only(7) },
		"Only[1 1]":                                 func() { set.Only(1, 1) },
		"PerClass([1]): 1 counts for 3 class":       func() { set.PerClass([]int{1}) },
		"PerClass([1 -1 1]): 3 counts":              func() { set.PerClass([]int{1, -1, 1}) },
		"PerClass([-1 -1 -1])":                      func() { set.Balance(-1) },
		"rings: label 3 of point 5 is outside 0..2": func() { wrong.Counts() },
		"classes; at most 1048576 are supported":    func() { many.Counts() },
		"at most 1073741824 entries":                func() { dataset.Rings(3, math.MaxInt/2, 0, seeded(1)) },
		"separable: got the number NaN":             func() { dataset.Separable(3, 2, math.NaN(), seeded(1)) },
		"inputs of shape [] are no images":          func() { set.Pool(2) },
		"squares of side 3 do not tile":             func() { images.Pool(3) },
		"squares of side 0 do not tile":             func() { images.Pool(0) },
	} {
		func() {
			defer func() {
				if r := recover(); !strings.HasPrefix(fmt.Sprint(r), "dataset: ") || !strings.Contains(fmt.Sprint(r), want) {
					t.Errorf("panic %v, want one with %q", r, want)
				}
			}()
			call()
		}()
	}
	if err := many.Check(); err == nil || !strings.Contains(err.Error(), "at most 1048576") {
		t.Errorf("%d classes: %v", many.Classes, err)
	}
}

func TestPool(t *testing.T) {
	x := mat.NewDense(1, 16, []float64{1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 0, 0, 1, 1, 0, 4})
	set := dataset.Set{X: x, Labels: []int{0}, Classes: 2, Shape: []int{2, 2, 4}}
	pooled := set.Pool(2)
	if !mat.Equal(pooled.X, mat.NewDense(1, 4, []float64{3.5, 5.5, 1, 1})) || !slices.Equal(pooled.Shape, []int{2, 1, 2}) {
		t.Errorf("pooled to %v of shape %v", pooled.X, pooled.Shape)
	}
	if !mat.Equal(set.Pool(1).X, x) || set.Shape[1] != 2 {
		t.Error("squares of one pixel, or the set itself, have changed")
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

	// 0.1 + 0.1 + 0.1 is not 3 × 0.1.
	tenths := dataset.Set{X: mat.NewDense(3, 1, []float64{0.1, 0.1, 0.1}), Labels: []int{0, 1, 1}, Classes: 2}
	if x := tenths.Standardize().X; mat.Max(x) != 0 || mat.Min(x) != 0 {
		t.Errorf("a column of 0.1 became %v", mat.Col(nil, 0, x))
	}
	// 0.1 + 0.2 and 0.3 differ in the last digit only.
	tenths.X.SetRow(0, []float64{0.3})
	tenths.X.SetRow(1, []float64{math.Nextafter(0.3, 1)})
	tenths.X.SetRow(2, []float64{0.3})
	if x := tenths.Standardize().X; mat.Max(x) > 1e-15 || mat.Min(x) < -1e-15 {
		t.Errorf("a column that is constant up to rounding became %v", mat.Col(nil, 0, x))
	}

	images := dataset.Rings(2, 4, 0.1, rng)
	images.Shape = []int{1, 1, 2}
	s := images.Standardization()
	if slices.Max(s.Mean) != slices.Min(s.Mean) {
		t.Error("an image's pixels must share their channel's mean")
	}
}
