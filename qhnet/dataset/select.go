package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Counts returns the number of points of every class.
func (s Set) Counts() []int {
	counts := make([]int, s.Classes)
	for _, c := range s.Labels {
		counts[c]++
	}
	return counts
}

// Subset returns copies of the points with the given indices, in that order. An
// index may repeat.
func (s Set) Subset(indices []int) Set {
	_, d := s.X.Dims()
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
func (s Set) Shuffle(rng *rand.Rand) Set { return s.Subset(rng.Perm(s.Len())) }

// Split returns the first n points and the others. The toy sets and the glyphs
// are ordered by class, so that their first points are all of one class: use
// [Set.TrainTest] for those, or [Set.Shuffle] first.
func (s Set) Split(n int) (first, rest Set) {
	if n < 0 || n > s.Len() {
		panic(fmt.Sprintf("dataset: Split after %d of %d points", n, s.Len()))
	}
	order := identity(s.Len())
	return s.Subset(order[:n]), s.Subset(order[n:])
}

// TrainTest draws a part to train on and a part to test on, both in random order.
// Of the n_c points of every class the first part gets round(share·n_c), but
// each part gets at least one. It is an error if a class has fewer than two
// points; it panics unless 0 < share < 1.
func (s Set) TrainTest(share float64, rng *rand.Rand) (train, test Set, err error) {
	if !(share > 0 && share < 1) {
		panic(fmt.Sprintf("dataset: TrainTest: the share is %v, want a number between 0 and 1", share))
	}
	left := s.Counts() // points that the training part still takes of each class
	for c, count := range left {
		if count < 2 {
			return Set{}, Set{}, fmt.Errorf("dataset: %s: class %d has %d point(s); to train and to test needs at least 2", s.title(), c, count)
		}
		left[c] = min(max(int(math.Round(share*float64(count))), 1), count-1)
	}
	var first, rest []int
	for _, k := range rng.Perm(s.Len()) {
		if c := s.Labels[k]; left[c] > 0 {
			left[c]--
			first = append(first, k)
		} else {
			rest = append(rest, k)
		}
	}
	return s.Subset(first), s.Subset(rest), nil
}

// Balance returns the first perClass points of every class, in their order. It
// is an error if a class has fewer.
func (s Set) Balance(perClass int) (Set, error) {
	return s.PerClass(slices.Repeat([]int{perClass}, s.Classes))
}

// PerClass returns the first counts[c] points of every class c, in their order:
// a balanced set, or one with a chosen imbalance. It is an error if a class has
// fewer.
func (s Set) PerClass(counts []int) (Set, error) {
	if len(counts) != s.Classes {
		panic(fmt.Sprintf("dataset: %d counts for %d classes", len(counts), s.Classes))
	}
	for c, have := range s.Counts() {
		if have < counts[c] {
			return Set{}, fmt.Errorf("dataset: %s: class %d has %d points, %d wanted", s.title(), c, have, counts[c])
		}
	}
	left := slices.Clone(counts)
	var keep []int
	for k, c := range s.Labels {
		if left[c] > 0 {
			left[c]--
			keep = append(keep, k)
		}
	}
	return s.Subset(keep), nil
}

// Only returns the points of the given classes, relabelled 0, 1, … in the order
// of the arguments. It panics if one is no class of the set or given twice.
func (s Set) Only(classes ...int) Set {
	for i, c := range classes {
		if c < 0 || c >= s.Classes || slices.Contains(classes[:i], c) {
			panic(fmt.Sprintf("dataset: Only%v: give each class once, out of 0..%d", classes, s.Classes-1))
		}
	}
	var keep []int
	for k, c := range s.Labels {
		if slices.Contains(classes, c) {
			keep = append(keep, k)
		}
	}
	sub := s.Subset(keep)
	sub.Classes = len(classes)
	for i, c := range sub.Labels {
		sub.Labels[i] = slices.Index(classes, c)
	}
	return sub
}

func identity(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}
