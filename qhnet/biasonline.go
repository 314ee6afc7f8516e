package qhnet

import (
	"fmt"
	"math"
)

// BiasOnLine returns the limit of f = w1 w2 x + b, rates ½, ½ | 1, on points of
// the line: w = w1 w2 and b after rescaling the smallest margin to 1. The bias
// has the highest rate, so |b| is minimized first. With right the smallest input
// of class +1 and left the largest of class -1, left < right,
//
//	w = 2/(right-left), b = -(right+left)/(right-left)   if 0 ∉ (left, right)
//	w = 1/min(right, -left), b = 0                       otherwise.
//
// The first boundary is the midpoint, the second is the origin.
func BiasOnLine(left, right float64) (w, b float64) {
	if !(left < right) {
		panic(fmt.Sprintf("qhnet: BiasOnLine(%v, %v): the classes overlap", left, right))
	}
	if left < 0 && right > 0 {
		return 1 / math.Min(right, -left), 0
	}
	return 2 / (right - left), -(right + left) / (right - left)
}
