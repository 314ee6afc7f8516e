package dataset_test

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
)

func TestCheckNamesWhatIsWrong(t *testing.T) {
	good := func() dataset.Set {
		return dataset.Set{Name: "toy", X: mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6}), Labels: []int{0, 1, 1}, Classes: 2}
	}
	if err := good().Check(); err != nil {
		t.Fatalf("a good set: %v", err)
	}
	for _, test := range []struct {
		want  string
		spoil func(*dataset.Set)
	}{
		{"no points", func(s *dataset.Set) { s.X = nil }},
		{"no points", func(s *dataset.Set) { *s = s.Subset(nil) }},
		{"3 rows but 2 labels", func(s *dataset.Set) { s.Labels = s.Labels[:2] }},
		{"1 class(es)", func(s *dataset.Set) { s.Classes = 1 }},
		{"shape [1 3 1]", func(s *dataset.Set) { s.Shape = []int{1, 3, 1} }},
		{"label 2 of point 1", func(s *dataset.Set) { s.Labels[1] = 2 }},
		{"label -1 of point 0", func(s *dataset.Set) { s.Labels[0] = -1 }},
		{"class 2 has no points", func(s *dataset.Set) { s.Classes = 3 }},
		{"entry 1 of point 2 is NaN", func(s *dataset.Set) { s.X.Set(2, 1, math.NaN()) }},
		{"entry 0 of point 1 is -Inf", func(s *dataset.Set) { s.X.Set(1, 0, math.Inf(-1)) }},
	} {
		set := good()
		test.spoil(&set)
		err := set.Check()
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "toy") {
			t.Errorf("got %v, want an error with %q and the set's name", err, test.want)
		}
		// A class without points is no obstacle to evaluation; all else is.
		points := set.CheckPoints()
		if lacking := strings.HasPrefix(test.want, "class 2"); lacking != (points == nil) {
			t.Errorf("CheckPoints says %v where Check says %v", points, err)
		}
	}
}
