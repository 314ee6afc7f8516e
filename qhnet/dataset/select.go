package dataset

import (
	"fmt"
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

// Split returns the first n points and the others.
func (s Set) Split(n int) (first, rest Set) {
	order := identity(s.Len())
	return s.Subset(order[:n]), s.Subset(order[n:])
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
// of the arguments.
func (s Set) Only(classes ...int) Set {
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
