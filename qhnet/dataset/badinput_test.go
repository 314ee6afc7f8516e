package dataset_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
	"qhlab/qhnet/internal/badinput"
)

func TestBadInput(t *testing.T) {
	b := badinput.New(t)
	rng := func() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }
	good := dataset.GaussianClusters(mat.NewDense(2, 4, []float64{0, 0, 0, 0, 3, 3, 3, 3}), 3, 1, rng())
	good.Shape = []int{1, 2, 2}

	centers := mat.NewDense(3, 2, []float64{0, 0, 1, 0, 0, 1})
	b.Matrix("GaussianClusters centers", centers, func(m *mat.Dense) (any, error) {
		if m != nil && !m.IsEmpty() && m.At(0, 0) == 0 {
			m = &mat.Dense{} // any shape will do
		}
		return dataset.GaussianClusters(m, 2, 1, rng()), nil
	})
	for name, sample := range map[string]func(classes, count, d int, width float64, rng *rand.Rand) dataset.Set{
		"GaussianClusters": func(classes, count, d int, width float64, rng *rand.Rand) dataset.Set {
			return dataset.GaussianClusters(centers, count, width, rng)
		},
		"XOR": func(_, count, _ int, width float64, rng *rand.Rand) dataset.Set {
			return dataset.XOR(count, width, rng)
		},
		"Rings": func(classes, count, _ int, width float64, rng *rand.Rand) dataset.Set {
			return dataset.Rings(classes, count, width, rng)
		},
		"Spirals": func(classes, count, _ int, width float64, rng *rand.Rand) dataset.Set {
			return dataset.Spirals(classes, count, width, width, rng)
		},
		"Separable": func(_, count, d int, width float64, rng *rand.Rand) dataset.Set {
			set, _ := dataset.Separable(count, d, width, rng)
			return set
		},
	} {
		b.Int(name+" perClass", func(n int) (any, error) { return sample(2, n, 2, 1, rng()), nil }, 1)
		b.Float(name+" width", func(v float64) (any, error) { return sample(2, 3, 2, v, rng()), nil }, 0, 1e-320, 1e300)
		b.Refuse(name+" without rng", func() (any, error) { return sample(2, 3, 2, 1, nil), nil })
	}
	b.Int("Rings classes", func(n int) (any, error) { return dataset.Rings(n, 1, 0, rng()), nil })
	b.Int("Spirals classes", func(n int) (any, error) { return dataset.Spirals(n, 1, 1, 0, rng()), nil })
	b.Int("Separable d", func(n int) (any, error) { set, _ := dataset.Separable(2, n, 0, rng()); return set, nil }, 1)

	b.Set("Check", good, func(s dataset.Set) (any, error) { return nil, s.Check() })
	b.Set("CheckPoints", good, func(s dataset.Set) (any, error) { return nil, s.CheckPoints() })
	b.Int("Counts of a label", func(c int) (any, error) { return dataset.Set{Labels: []int{c}, Classes: 2}.Counts(), nil }, 0, 1)
	wrong := map[string]dataset.Set{
		"zero":            {},
		"without points":  {Labels: []int{0, 1}, Classes: 2},
		"without labels":  {X: good.X, Classes: 2, Shape: good.Shape},
		"of wrong labels": {X: good.X, Labels: []int{0, 1, 2, 3, 4, 5}, Classes: 2, Shape: good.Shape},
		"of wrong shape":  {X: good.X, Labels: good.Labels, Classes: 2, Shape: []int{1, 3, 3}},
		"of no shape":     {X: good.X, Labels: good.Labels, Classes: 2, Shape: []int{0, 0, 0}},
	}
	for what, s := range wrong {
		b.Refuse("PerClass of a set "+what, func() (any, error) { return s.PerClass([]int{1, 1}) })
		b.Refuse("Balance of a set "+what, func() (any, error) { return s.Balance(1) })
		b.Refuse("Only of a set "+what, func() (any, error) { return s.Only(0), nil })
		b.Refuse("Pool of a set "+what, func() (any, error) { return s.Pool(2), nil })
		b.Refuse("Standardize a set "+what, func() (any, error) { return s.Standardize(), nil })
		b.Refuse("Shuffle a set "+what, func() (any, error) { return s.Shuffle(rng()), nil })
		b.Refuse("Split a set "+what, func() (any, error) { first, _ := s.Split(1); return first, nil })
		b.Refuse("Subset of a set "+what, func() (any, error) { return s.Subset([]int{0}), nil })
	}
	b.Int("Split", func(n int) (any, error) { first, _ := good.Split(n); return first, nil }, 0, 1)
	b.Int("Subset", func(n int) (any, error) { return good.Subset([]int{n}), nil }, 0, 1)
	b.Int("PerClass", func(n int) (any, error) { return good.PerClass([]int{n, 1}) }, 0, 1)
	b.Int("Balance", func(n int) (any, error) { return good.Balance(n) }, 1)
	b.Int("Only", func(n int) (any, error) { return good.Only(n, 0), nil }, 1)
	b.Int("Pool", func(n int) (any, error) { return good.Pool(n), nil }, 1)
	b.Refuse("Shuffle without rng", func() (any, error) { return good.Shuffle(nil), nil })
	b.Accept("Standardize equal points", func() (any, error) { return good.Subset([]int{0, 0}).Standardize(), nil })
	b.Float("Standardize", func(v float64) (any, error) {
		x := mat.DenseCopyOf(good.X)
		x.Set(0, 0, v)
		return dataset.Set{X: x, Labels: good.Labels, Classes: 2}.Standardize(), nil
	}, -1, 0, 1e-320)
	fit := good.Standardization()
	b.Vector("Standardization.Mean", fit.Mean, func(v []float64) (any, error) {
		return dataset.Standardization{Mean: v, Deviation: fit.Deviation}.Apply(good), nil
	})
	b.Vector("Standardization.Deviation", fit.Deviation, func(v []float64) (any, error) {
		return dataset.Standardization{Mean: fit.Mean, Deviation: v}.Apply(good), nil
	})
	b.Float("Standardization.Deviation", func(v float64) (any, error) {
		return dataset.Standardization{Mean: fit.Mean, Deviation: []float64{1, 1, 1, v}}.Apply(good), nil
	}, 1e300)

	b.Refuse("MNIST of no part", func() (any, error) { return dataset.MNIST("validation") })
	for _, text := range []string{
		"", "\n", "label", "label\na", "x,label", "x,label\n1,a", "x,label\n1,a\n2,a", "x,label\n1,a\n,b", "x,label\nNaN,a\n1,b",
		"x,label\n1,a\n+Inf,b", "x,label\n1,a\n1e999,b", "x,label\n1\n2,b", "x,label\n1,a,3\n2,b", "x,y\n1,2", "label,label\na,b\nc,d",
		"x,label\n\"1,a\n2,b", "x,label\n1,\n2,\n", "x,label\n1,a\n0x,b", "\x1f\x8b\x08\x00",
	} {
		path := filepath.Join(t.TempDir(), "table.csv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b.Refuse(fmt.Sprintf("ReadCSV of %q", text), func() (any, error) {
			set, _, err := dataset.ReadCSV(path, "label")
			return set, err
		})
	}
	b.Refuse("ReadCSV of a folder", func() (any, error) { _, _, err := dataset.ReadCSV(t.TempDir(), "label"); return nil, err })
	b.Refuse("ReadCSV of no file", func() (any, error) { _, _, err := dataset.ReadCSV("no.csv", ""); return nil, err })
}
