// Package dataset makes and reads labelled data: toy sets, rendered glyphs,
// MNIST and CIFAR-10. It knows no models.
package dataset

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Set is n labelled points. A model with one output reads class 1 as y = +1
// and class 0 as y = -1.
type Set struct {
	Name    string
	X       *mat.Dense // n×d, one input a row
	Labels  []int      // n class indices in 0..Classes-1
	Classes int
	Shape   []int // of one input: nil for a plain vector, or channels, height, width
}

// Len returns the number of points n.
func (s Set) Len() int { return len(s.Labels) }

// Check reports the first inconsistency of the set: no points, lengths that
// differ, a label outside the classes, or a value that is not finite.
func (s Set) Check() error {
	if s.X == nil || s.X.IsEmpty() {
		return fmt.Errorf("dataset: the set %q is empty", s.Name)
	}
	n, d := s.X.Dims()
	if n != len(s.Labels) {
		return fmt.Errorf("dataset: the set %q has %d points but %d labels", s.Name, n, len(s.Labels))
	}
	for k, label := range s.Labels {
		if label < 0 || label >= s.Classes {
			return fmt.Errorf("dataset: point %d of the set %q has label %d; with %d classes it must be in 0..%d", k, s.Name, label, s.Classes, s.Classes-1)
		}
		for j := range d {
			if v := s.X.At(k, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("dataset: point %d of the set %q has the value %v in column %d", k, s.Name, v, j)
			}
		}
	}
	return nil
}
