// Package dataset makes and reads labelled data: toy sets, MNIST, tables. It knows no models.
package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Set is n labelled points. A model with one output reads class 1 as y = +1 and class 0 as y = -1.
type Set struct {
	Name    string
	X       *mat.Dense // n×d, one input a row
	Labels  []int      // n class indices in 0..Classes-1
	Classes int
	Shape   []int // of one input: nil for a plain vector, or channels, height, width
}

// Len returns the number of points n.
func (s Set) Len() int { return len(s.Labels) }

// Check reports the first thing that makes the set unfit for training: what
// [Set.CheckPoints] reports, or a class without points.
func (s Set) Check() error {
	if err := s.CheckPoints(); err != nil {
		return err
	}
	if c := slices.Index(s.Counts(), 0); c >= 0 {
		return fmt.Errorf("dataset: %s: class %d has no points; remove it or relabel the classes 0..C-1", s.title(), c)
	}
	return nil
}

// CheckPoints reports the first thing that makes the set unfit for evaluating a model at its
// points: no points, rows and labels of different number, fewer than two classes or more than
// a million, a shape that does not multiply to the width, a label outside 0..Classes-1, or an
// entry that is not finite. Classes may be without points.
func (s Set) CheckPoints() error {
	if err := s.checkPoints(); err != nil {
		return fmt.Errorf("dataset: %s: %w", s.title(), err)
	}
	return nil
}

func (s Set) checkPoints() error {
	if s.X == nil || s.X.IsEmpty() {
		return errors.New("no points")
	}
	switch n, d := s.X.Dims(); {
	case n != len(s.Labels):
		return fmt.Errorf("%d rows but %d labels", n, len(s.Labels))
	case s.Classes < 2:
		return fmt.Errorf("%d class(es); separating needs at least 2", s.Classes)
	case s.Shape != nil && s.size() != d:
		return fmt.Errorf("shape %v has %d entries but rows have %d", s.Shape, s.size(), d)
	}
	if err := s.checkLabels(); err != nil {
		return err
	}
	for k := range s.Labels {
		for j, v := range s.X.RawRowView(k) {
			if v-v != 0 {
				return fmt.Errorf("entry %d of point %d is %v", j, k, v)
			}
		}
	}
	return nil
}

const (
	mostClasses = 1 << 20
	mostEntries = 1 << 30 // of a set that is made here, 8 GiB
)

func (s Set) checkLabels() error {
	if s.Classes > mostClasses {
		return fmt.Errorf("%d classes; at most %d are supported", s.Classes, mostClasses)
	}
	for k, c := range s.Labels {
		if c < 0 || c >= s.Classes {
			return fmt.Errorf("label %d of point %d is outside 0..%d", c, k, s.Classes-1)
		}
	}
	return nil
}

func (s Set) mustLabel() {
	if err := s.checkLabels(); err != nil {
		panic(fmt.Sprintf("dataset: %s: %v", s.title(), err))
	}
}

// dims returns the number of points and of their entries. It panics if X does not belong
// to the labels or the shape, or a label is no class.
func (s Set) dims() (n, d int) {
	if s.X != nil {
		n, d = s.X.Dims()
	}
	if n == 0 || n != len(s.Labels) || s.Shape != nil && s.size() != d {
		panic(fmt.Sprintf("dataset: %s: X is %d×%d for %d labels and the shape %v; see Check", s.title(), n, d, len(s.Labels), s.Shape))
	}
	s.mustLabel()
	return n, d
}

func (s Set) size() int {
	size := 1
	for _, side := range s.Shape {
		size *= max(side, 0)
	}
	return size
}

func (s Set) title() string { return cmp.Or(s.Name, "unnamed set") }

// Counts returns the number of points of every class. It panics if a label is no class.
func (s Set) Counts() []int {
	s.mustLabel()
	counts := make([]int, s.Classes)
	for _, c := range s.Labels {
		counts[c]++
	}
	return counts
}

// Subset returns copies of the points with the given indices, in that order. An
// index may repeat. It panics if one is no point's.
func (s Set) Subset(indices []int) Set {
	n, d := s.dims()
	for _, k := range indices {
		if k < 0 || k >= n {
			panic(fmt.Sprintf("dataset: %s: there is no point %d; use 0 to %d", s.title(), k, n-1))
		}
	}
	sub := s
	sub.X = &mat.Dense{}
	sub.Labels = make([]int, len(indices))
	if len(indices) > 0 {
		sub.X = mat.NewDense(len(indices), d, nil)
	}
	for i, k := range indices {
		sub.X.SetRow(i, s.X.RawRowView(k))
		sub.Labels[i] = s.Labels[k]
	}
	return sub
}

// Shuffle returns the points in random order.
func (s Set) Shuffle(rng *rand.Rand) Set {
	checkRandom(s.title(), rng)
	return s.Subset(rng.Perm(s.Len()))
}

func checkRandom(name string, rng *rand.Rand) {
	if rng == nil {
		panic(fmt.Sprintf("dataset: %s: rng is nil; use rand.New(rand.NewPCG(seed, 0))", name))
	}
}

// Split returns the first n points and the others, such as n to train on and the rest to
// test. The toy sets are ordered by class: use [Set.Shuffle] first.
func (s Set) Split(n int) (first, rest Set) {
	if n < 0 || n > s.Len() {
		panic(fmt.Sprintf("dataset: Split after %d of %d points", n, s.Len()))
	}
	order := make([]int, s.Len())
	for k := range order {
		order[k] = k
	}
	return s.Subset(order[:n]), s.Subset(order[n:])
}

// Balance returns the first perClass points of every class, with the errors of [Set.PerClass].
func (s Set) Balance(perClass int) (Set, error) {
	return s.PerClass(slices.Repeat([]int{perClass}, s.Classes))
}

// PerClass returns the first counts[c] points of every class c, in their order: a balanced set, or
// one with a chosen imbalance. It is an error if a class has fewer or no point is wanted; it panics
// if a count is negative or counts has another length than Classes.
func (s Set) PerClass(counts []int) (Set, error) {
	if len(counts) != s.Classes || len(counts) > 0 && slices.Min(counts) < 0 {
		panic(fmt.Sprintf("dataset: PerClass(%v): %d counts for %d classes, each at least 0", counts, len(counts), s.Classes))
	}
	if len(counts) == 0 || slices.Max(counts) == 0 {
		return Set{}, fmt.Errorf("dataset: %s: PerClass(%v) leaves no points; want at least 1", s.title(), counts)
	}
	for c, have := range s.Counts() {
		if have < counts[c] {
			return Set{}, fmt.Errorf("dataset: %s: class %d has %d points, %d wanted", s.title(), c, have, counts[c])
		}
	}
	left := slices.Clone(counts)
	return s.where(func(c int) bool {
		left[c]--
		return left[c] >= 0
	}), nil
}

// where returns the points whose classes keep accepts, asked in order.
func (s Set) where(keep func(class int) bool) Set {
	var kept []int
	for k, c := range s.Labels {
		if keep(c) {
			kept = append(kept, k)
		}
	}
	return s.Subset(kept)
}

// Only returns the points of the given classes, relabelled 0, 1, … in the order
// of the arguments. It panics if one is no class of the set or given twice.
func (s Set) Only(classes ...int) Set {
	for i, c := range classes {
		if c < 0 || c >= s.Classes || slices.Contains(classes[:i], c) {
			panic(fmt.Sprintf("dataset: Only%v: give each class once, out of 0..%d", classes, s.Classes-1))
		}
	}
	sub := s.where(func(c int) bool { return slices.Contains(classes, c) })
	sub.Classes = len(classes)
	for i, c := range sub.Labels {
		sub.Labels[i] = slices.Index(classes, c)
	}
	return sub
}
