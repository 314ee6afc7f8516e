package dataset_test

import (
	"slices"
	"testing"

	"qhlab/qhnet/dataset"
)

// The numbers of digits of each kind are those of the published files.
func TestMNIST(t *testing.T) {
	for part, want := range map[dataset.Part][]int{
		dataset.Train: {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
		dataset.Test:  {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009},
	} {
		set, err := dataset.MNIST(part)
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Check(); err != nil {
			t.Error(err)
		}
		if counts := set.Counts(); !slices.Equal(counts, want) {
			t.Errorf("%s: counts %v, want %v", part, counts, want)
		}
		if low, high := slices.Min(set.X.RawMatrix().Data), slices.Max(set.X.RawMatrix().Data); low != 0 || high != 1 {
			t.Errorf("%s: pixels from %v to %v, want 0 to 1", part, low, high)
		}
		if !slices.Equal(set.Shape, []int{1, 28, 28}) {
			t.Errorf("%s: shape %v", part, set.Shape)
		}
	}
	if _, err := dataset.MNIST("validation"); err == nil {
		t.Error("a part that does not exist is no error")
	}
}
