// Package badinput tries functions with input that nobody should give them, for
// tests. Whatever a function refuses, it must refuse in words, and what it accepts
// must lead to finite numbers.
package badinput

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
)

// NoContext is what a caller passes who forgets the context.
var NoContext context.Context

// Call is one call with bad input. What it returns has to be finite.
type Call = func() (result any, err error)

// Table counts how calls end.
type Table struct {
	t                       *testing.T
	refused, panicked, fine int
}

// New returns a table that prints its counts when the test ends.
func New(t *testing.T) *Table {
	b := &Table{t: t}
	t.Cleanup(func() {
		fmt.Printf("%s: %d bad inputs: %d errors, %d documented panics, %d fine\n",
			t.Name(), b.refused+b.panicked+b.fine, b.refused, b.panicked, b.fine)
	})
	return b
}

// A call hangs if it has taken so much of the processors, which other programs do not
// prolong, or waits for so long.
const (
	longest     = 5 * time.Second
	longestWait = 2 * time.Minute
	largest     = 1 << 30 // bytes
)

// used returns the time of processors that this program has taken.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A message starts with its package's name and is of more than two words. Those of the
// Go runtime and of gonum start otherwise.
var (
	documented = regexp.MustCompile(`^(qhnet|ode|dataset|experiment): \S+ \S+ \S+`)
	obscure    = regexp.MustCompile(`runtime error|^(mat|blas|lapack|floats|stat): `)
)

// Refuse fails unless a call returns an error or panics with a message of ours.
func (b *Table) Refuse(name string, call Call) {
	b.t.Helper()
	result, panicked, err := b.run(name, call)
	switch {
	case panicked != "":
		b.panicked++
	case err == nil:
		b.t.Errorf("%s: accepted in silence, with the result %v", name, result)
	default:
		b.refused++
		if text := err.Error(); len(text) < 12 || obscure.MatchString(text) {
			b.t.Errorf("%s: an obscure error: %v", name, err)
		}
	}
}

// Accept fails unless a call returns no error and finite numbers: its input is odd but
// means something.
func (b *Table) Accept(name string, call Call) {
	b.t.Helper()
	result, panicked, err := b.run(name, call)
	b.fine++
	if err != nil || panicked != "" {
		b.t.Errorf("%s: refused, though documented to be fine: %v%s", name, err, panicked)
	} else if where := notFinite(reflect.ValueOf(result), 0); where != "" {
		b.t.Errorf("%s: not finite in silence: result%s", name, where)
	}
}

// Either fails unless a call refuses in words or returns finite numbers: its input is at
// the end of what floating-point numbers can do.
func (b *Table) Either(name string, call Call) {
	b.t.Helper()
	result, panicked, err := b.run(name, call)
	switch where := notFinite(reflect.ValueOf(result), 0); {
	case panicked != "":
		b.panicked++
	case err != nil:
		b.refused++
	case where != "":
		b.t.Errorf("%s: not finite in silence: result%s", name, where)
	default:
		b.fine++
	}
}

// run watches over time and memory, and makes sure that a panic is documented.
func (b *Table) run(name string, call Call) (result any, panicked string, err error) {
	b.t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	done, start, begun := make(chan struct{}), used(), time.Now()
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				panicked = fmt.Sprint(r)
			}
		}()
		result, err = call()
	}()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		case <-time.After(100 * time.Millisecond):
			if cpu, wait := used()-start, time.Since(begun); cpu > longest || wait > longestWait {
				b.t.Fatalf("%s: has not ended after %v of the processors and %v", name, cpu, wait)
			}
		}
	}
	runtime.ReadMemStats(&after)
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > largest {
		b.t.Errorf("%s: allocated %.1f GB", name, float64(bytes)/largest)
	}
	if panicked != "" && !documented.MatchString(panicked) {
		b.t.Errorf("%s: an obscure panic: %s", name, panicked)
	}
	if testing.Verbose() {
		b.t.Logf("%-40s %v%s", name, err, panicked)
	}
	return result, panicked, err
}

// notFinite returns the place of a NaN or an infinity in the numbers of a result, ""
// if there is none. What a struct does not export is not part of the result.
func notFinite(v reflect.Value, depth int) string {
	if depth > 6 || !v.IsValid() {
		return ""
	}
	if m, ok := v.Interface().(*mat.Dense); ok && m != nil {
		v = reflect.ValueOf(m.RawMatrix().Data)
	}
	switch v.Kind() {
	case reflect.Float64:
		if f := v.Float(); f-f != 0 {
			return fmt.Sprintf(" = %v", f)
		}
	case reflect.Pointer, reflect.Interface:
		return notFinite(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if where := notFinite(v.Index(i), depth+1); where != "" {
				return fmt.Sprintf("[%d]%s", i, where)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				if where := notFinite(v.Field(i), depth+1); where != "" {
					return "." + field.Name + where
				}
			}
		}
	}
	return ""
}

// each tries values of a parameter. Those that are listed as fine must be accepted.
func each[T comparable](b *Table, name string, values, fine []T, call func(T) (any, error)) {
	b.t.Helper()
	for _, v := range values {
		judge := b.Refuse
		if slices.Contains(fine, v) {
			judge = b.Accept
		}
		judge(fmt.Sprintf("%s = %v", name, v), func() (any, error) { return call(v) })
	}
}

// Float tries a number that is no number, endless, negative, zero, tiny and huge.
func (b *Table) Float(name string, call func(v float64) (any, error), fine ...float64) {
	b.t.Helper()
	each(b, name, []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 0, 1e-320, 1e300}, fine, call)
}

// Far is a count that [Table.Int] tries: too large for memory, without an overflow.
const Far = 1 << (strconv.IntSize - 24)

// Int tries a count that is negative, zero, one and far too large.
func (b *Table) Int(name string, call func(v int) (any, error), fine ...int) {
	b.t.Helper()
	each(b, name, []int{math.MinInt, -1, 0, 1, Far, math.MaxInt}, fine, call)
}

// Vector spoils a good vector: none, empty, too short, too long, not finite.
func (b *Table) Vector(name string, good []float64, call func(v []float64) (any, error)) {
	b.t.Helper()
	b.Refuse(name+" nil", func() (any, error) { return call(nil) })
	b.Length(name, good, call)
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		v := slices.Clone(good)
		v[len(v)/2] = bad
		b.Refuse(fmt.Sprintf("%s with %v", name, bad), func() (any, error) { return call(v) })
	}
}

// Length spoils a good slice's length only, as for one that is written to. It may be
// nil where that means a new one.
func (b *Table) Length(name string, good []float64, call func(v []float64) (any, error)) {
	b.t.Helper()
	for what, v := range map[string][]float64{
		"empty": {}, "too short": good[1:], "too long": append(slices.Clone(good), 1),
	} {
		b.Refuse(name+" "+what, func() (any, error) { return call(v) })
	}
}

// Matrix spoils a good matrix: none, empty, of other shapes, not finite.
func (b *Table) Matrix(name string, good *mat.Dense, call func(m *mat.Dense) (any, error)) {
	b.t.Helper()
	b.Shape(name, good, call)
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		m := mat.DenseCopyOf(good)
		m.Set(0, 0, bad)
		b.Refuse(fmt.Sprintf("%s with %v", name, bad), func() (any, error) { return call(m) })
	}
}

// Shape spoils a good matrix's shape only, as for one that is written to.
func (b *Table) Shape(name string, good *mat.Dense, call func(m *mat.Dense) (any, error)) {
	b.t.Helper()
	r, c := good.Dims()
	for what, m := range map[string]*mat.Dense{
		"nil": nil, "empty": {}, "wider": mat.NewDense(r, c+1, nil), "taller": mat.NewDense(r+1, c, nil),
	} {
		b.Refuse(name+" "+what, func() (any, error) { return call(m) })
	}
}

// Labels spoils good labels of some classes.
func (b *Table) Labels(name string, good []int, classes int, call func(labels []int) (any, error)) {
	b.t.Helper()
	b.Refuse(name+" nil", func() (any, error) { return call(nil) })
	b.Refuse(name+" too few", func() (any, error) { return call(good[1:]) })
	for _, bad := range []int{-1, classes, math.MaxInt} {
		labels := slices.Clone(good)
		labels[0] = bad
		b.Refuse(fmt.Sprintf("%s with %d", name, bad), func() (any, error) { return call(labels) })
	}
}

// Set spoils a good set of points.
func (b *Table) Set(name string, good dataset.Set, call func(set dataset.Set) (any, error)) {
	b.t.Helper()
	b.Refuse(name+" zero", func() (any, error) { return call(dataset.Set{}) })
	b.Matrix(name+".X", good.X, func(x *mat.Dense) (any, error) {
		set := good
		set.X = x
		return call(set)
	})
	b.Labels(name+".Labels", good.Labels, good.Classes, func(labels []int) (any, error) {
		set := good
		set.Labels = labels
		return call(set)
	})
	b.Int(name+".Classes", func(classes int) (any, error) {
		set := good
		set.Classes = classes
		return call(set)
	})
	for _, shape := range [][]int{{}, {-1, -1, 2}, {1, 1, 1, 3}} {
		set := good
		set.Shape = shape
		b.Refuse(fmt.Sprintf("%s.Shape = %v", name, shape), func() (any, error) { return call(set) })
	}
}
