//go:build !linux

package kernel

import (
	"slices"
	"testing"
)

// guarded returns a copy of x. Memory that ends at a forbidden page is had on
// Linux only.
func guarded(_ *testing.T, x []float64, _ bool) []float64 { return slices.Clone(x) }
