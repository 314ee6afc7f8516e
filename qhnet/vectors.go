package qhnet

import (
	"fmt"

	"gonum.org/v1/gonum/blas/blas64"
)

// checkLength panics if a slice does not have the length its role asks for.
func checkLength(name string, have, want int) {
	if have != want {
		panic(fmt.Sprintf("qhnet: length of %s is %d, want %d", name, have, want))
	}
}

// vector returns a slice as BLAS takes it.
func vector(v []float64) blas64.Vector {
	return blas64.Vector{N: len(v), Data: v, Inc: 1}
}

func fill(dst []float64, value float64) {
	for i := range dst {
		dst[i] = value
	}
}

func ones(n int) []float64 {
	s := make([]float64, n)
	fill(s, 1)
	return s
}
