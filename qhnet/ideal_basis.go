package qhnet

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// The d×k matrices below have orthonormal columns: they turn an ETF in k
// dimensions into one in d that a normalization leaves alone.

// coordinates sets basis to the first k unit vectors.
func coordinates(basis *mat.Dense) {
	_, k := basis.Dims()
	for j := range k {
		basis.Set(j, j, 1)
	}
}

// sumlessBasis sets basis to k < d columns that each sum to zero.
func sumlessBasis(basis *mat.Dense) {
	d, k := basis.Dims()
	helmert := SimplexETF(d, d-1)
	basis.Scale(math.Sqrt(float64(d-1)/float64(d)), helmert.Slice(0, d, 0, k))
}

// evenBasis sets basis to k ≤ d columns whose rows all have the norm √(k/d):
// cosines and sines of the same frequency, with a constant column if k is odd,
// the harmonic frame. With k = d there is nothing to choose.
func evenBasis(basis *mat.Dense) {
	d, k := basis.Dims()
	if k == d {
		coordinates(basis)
		return
	}
	for i := range d {
		j := 0
		if k%2 == 1 {
			basis.Set(i, 0, 1/math.Sqrt(float64(d)))
			j = 1
		}
		for frequency := 1; j < k; frequency++ {
			sin, cos := math.Sincos(2 * math.Pi * float64(frequency*i%d) / float64(d))
			basis.Set(i, j, cos*math.Sqrt(2/float64(d)))
			basis.Set(i, j+1, sin*math.Sqrt(2/float64(d)))
			j += 2
		}
	}
}
