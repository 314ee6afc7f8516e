package collapse

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// SimplexETF returns the simplex equiangular tight frame of C directions in
// R^d, one a row: unit vectors that sum to zero and are as far apart as C
// vectors can be,
//
//	⟨e_i, e_j⟩ = -1/(C-1) for i ≠ j.
//
// Entries beyond column C-1 are zero. The rows are those of a scaled Helmert
// matrix, so every entry is one correctly rounded square root. It panics if
// C < 2 or d < C-1, where no such frame exists. See Papyan, Han and Donoho,
// arXiv:2008.08186, definition of the simplex ETF.
func SimplexETF(classes, d int) *mat.Dense {
	if classes < 2 || d < classes-1 {
		panic(fmt.Sprintf("qhnet: no simplex ETF of %d classes in %d dimensions: it needs at least 2 classes and d ≥ C-1", classes, d))
	}
	frame := mat.NewDense(classes, d, nil)
	stretch := float64(classes) / float64(classes-1)
	for j := range classes - 1 {
		k := float64(j + 1)
		for i := range j + 1 {
			frame.Set(i, j, math.Sqrt(stretch/(k*(k+1))))
		}
		frame.Set(j+1, j, -math.Sqrt(stretch*k/(k+1)))
	}
	return frame
}

// Equinorm returns the coefficient of variation of the row norms of a,
//
//	std_c ‖a_c‖ / mean_c ‖a_c‖,
//
// with the population deviation (division by C). With the centred class means
// it is the first half of NC2, with the classifier W its counterpart, as in
// Papyan, Han and Donoho, arXiv:2008.08186.
func Equinorm(a mat.Matrix) float64 {
	norms := rowNorms(a)
	mean, variance := 0.0, 0.0
	for _, v := range norms {
		mean += v / float64(len(norms))
	}
	for _, v := range norms {
		variance += (v - mean) * (v - mean) / float64(len(norms))
	}
	return math.Sqrt(variance) / mean
}

// Equiangularity returns the mean distance of the angles between rows of a
// from those of a simplex ETF,
//
//	mean_{i≠j} |cos∠(a_i, a_j) + 1/(C-1)|,
//
// the second half of NC2 of Papyan, Han and Donoho, arXiv:2008.08186 (their
// "maximal-angle equiangularity"). Pass the centred class means or W. A row of
// zeros has no angle: the result is NaN.
func Equiangularity(a mat.Matrix) float64 {
	norms, gram := rowNorms(a), gramOf(a, a)
	classes := len(norms)
	total := 0.0
	for i := range classes {
		for j := range i {
			cosine := gram.At(i, j) / (norms[i] * norms[j])
			total += math.Abs(cosine + 1/float64(classes-1))
		}
	}
	return total / float64(classes*(classes-1)/2)
}

// ETFDistance returns the Frobenius distance of the normalized Gram matrix of
// the rows of a from that of a simplex ETF,
//
//	‖ A Aᵀ/‖A Aᵀ‖_F - (I - 11ᵀ/C)/√(C-1) ‖_F,
//
// one number for both halves of NC2, as in Zhu et al., arXiv:2105.02375 (who
// apply it to W). It is 0 on an ETF of any size and orientation.
func ETFDistance(a mat.Matrix) float64 { return DualETFDistance(a, a) }

// DualETFDistance returns ‖ W Mᵀ/‖W Mᵀ‖_F - (I - 11ᵀ/C)/√(C-1) ‖_F, the NC3 of
// Zhu et al., arXiv:2105.02375: 0 if W and the centred class means M are the same
// ETF up to scale.
func DualETFDistance(w, m mat.Matrix) float64 {
	gram := gramOf(w, m)
	classes, _ := gram.Dims()
	size := mat.Norm(gram, 2)
	root := math.Sqrt(float64(classes - 1))
	total := 0.0
	for i := range classes {
		for j := range classes {
			ideal := -1 / (float64(classes) * root)
			if i == j {
				ideal += 1 / root
			}
			gap := gram.At(i, j)/size - ideal
			total += gap * gap
		}
	}
	return math.Sqrt(total)
}

// ETFFloor returns the smallest value that [ETFDistance] can take for C rows in
// R^d,
//
//	√(2 - 2√(d/(C-1))) for d < C-1, otherwise 0:
//
// the best Gram matrix of rank d is a d-dimensional part of the ideal one.
func ETFFloor(classes, d int) float64 {
	if d >= classes-1 {
		return 0
	}
	return math.Sqrt(2 - 2*math.Sqrt(float64(d)/float64(classes-1)))
}

// SelfDuality returns the NC3 of Papyan, Han and Donoho, arXiv:2008.08186,
//
//	‖ W/‖W‖_F - M/‖M‖_F ‖²_F,
//
// with the classifier W and the centred class means M, both C×d. It is a squared
// distance, between 0 and 4.
func SelfDuality(w, m mat.Matrix) float64 {
	classes, d := w.Dims()
	if r, c := m.Dims(); r != classes || c != d {
		panic(fmt.Sprintf("qhnet: classifier is %d×%d but class means are %d×%d", classes, d, r, c))
	}
	sizeW, sizeM := mat.Norm(w, 2), mat.Norm(m, 2)
	total := 0.0
	for i := range classes {
		for j := range d {
			gap := w.At(i, j)/sizeW - m.At(i, j)/sizeM
			total += gap * gap
		}
	}
	return total
}

func rowNorms(a mat.Matrix) []float64 {
	rows := mat.DenseCopyOf(a)
	norms := make([]float64, rows.RawMatrix().Rows)
	for i := range norms {
		norms[i] = floats.Norm(rows.RawRowView(i), 2)
	}
	return norms
}

func gramOf(a, b mat.Matrix) *mat.Dense {
	var gram mat.Dense
	gram.Mul(a, b.T())
	return &gram
}

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
