// Package dataset makes and reads labelled data: toy sets, rendered glyphs,
// MNIST. It knows no models.
package dataset

import "gonum.org/v1/gonum/mat"

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
