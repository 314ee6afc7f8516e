package dataset_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

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

func table(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadCSV(t *testing.T) {
	set, names, err := dataset.ReadCSV(table(t, "\ufeffwidth,species,height\n1,virginica,2\n-3.5, setosa,4e-1\n5,\"virginica \",6\n"), "species")
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Check(); err != nil {
		t.Error(err)
	}
	if !slices.Equal(names, []string{"setosa", "virginica"}) || !slices.Equal(set.Labels, []int{1, 0, 1}) ||
		!mat.Equal(set.X, mat.NewDense(3, 2, []float64{1, 2, -3.5, 0.4, 5, 6})) || set.Name != "table.csv" {
		t.Errorf("classes %v, labels %v, %s\n%v", names, set.Labels, set.Name, mat.Formatted(set.X))
	}
	if set, _, err := dataset.ReadCSV(table(t, "label,x\n1,2\n0,3\n"), "label"); err != nil || !slices.Equal(set.Labels, []int{1, 0}) {
		t.Errorf("the first column as labels: %v, %v", set.Labels, err)
	}
}

func TestReadCSVSaysWhereATableIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "the line that names the columns: EOF",
		"a,b\n1,2\n":                    `no column "label"`,
		"label\nx\ny\n":                 `no column "label" beside columns of numbers`,
		"label,a\nx,1\ny,two\n":         `line 3, column "a": "two" is no finite number`,
		"label,a,b\nx,1,2\n\ny,1,NaN\n": `line 4, column "b": "NaN" is no finite number`,
		"label,a\nx,+Inf\n":             `line 2, column "a": "+Inf"`,
		"label,a\nx,\n":                 `line 2, column "a": ""`,
		"label,a\nx,1\ny,1,2\n":         "line 3: wrong number of fields",
		"label,a\nx,1\nx,2\n":           `1 class(es) in column "label" of 2 lines`,
		"label,a\n":                     "0 class(es)",
		"label,a\nx,1\ny,\"1\n":         "line 3",
		"label,a\nx,1\n ,2\ny,3\n":      `line 3 has no label in the column "label"`,
		"label,a\nx,1e999\n":            `"1e999" is no finite number`,
	} {
		path := table(t, text)
		if _, _, err := dataset.ReadCSV(path, "label"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: got %v, want an error with %q and the path", text, err, want)
		}
	}
	if _, _, err := dataset.ReadCSV(filepath.Join(t.TempDir(), "none.csv"), "label"); !os.IsNotExist(err) && !strings.Contains(err.Error(), "none.csv") {
		t.Errorf("no file: %v", err)
	}
}
