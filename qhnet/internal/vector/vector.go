// Package vector has what everything that works on flat vectors needs: their lengths
// and entries checked, and a view for BLAS.
package vector

import (
	"fmt"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// CheckLength panics if a slice does not have the length its role asks for.
func CheckLength(name string, have, want int) {
	if have != want {
		panic(fmt.Sprintf("qhnet: length of %s is %d, want %d", name, have, want))
	}
}

// NotFinite returns the place of the first NaN or infinity, -1 if there is none.
func NotFinite(v []float64) int {
	for i, x := range v {
		if x-x != 0 {
			return i
		}
	}
	return -1
}

// CheckFinite panics if an entry is a NaN or an infinity.
func CheckFinite(name string, v ...float64) {
	if i := NotFinite(v); i >= 0 {
		panic(fmt.Sprintf("qhnet: entry %d of %s is %v; every number must be finite", i, name, v[i]))
	}
}

// CheckMatrix panics if a matrix has no entries.
func CheckMatrix(name string, m *mat.Dense) {
	if m == nil || m.IsEmpty() {
		panic(fmt.Sprintf("qhnet: %s is nil or empty; give a matrix with at least one entry", name))
	}
}

// BLAS returns a slice as BLAS takes it.
func BLAS(v []float64) blas64.Vector { return blas64.Vector{N: len(v), Data: v, Inc: 1} }

// Fill sets all entries to a value.
func Fill(dst []float64, value float64) {
	for i := range dst {
		dst[i] = value
	}
}
