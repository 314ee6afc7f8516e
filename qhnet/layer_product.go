package qhnet

import "qhlab/qhnet/internal/kernel"

// matrix is a dense matrix, row by row without gaps.
type matrix struct {
	data       []float64
	rows, cols int
}

// matrixOf views a slice as a matrix.
func matrixOf(data []float64, rows, cols int) matrix { return matrix{data, rows, cols} }

// setAffine sets dst to X Wᵀ, plus b in each row unless b is nil, and then to its
// positive part if rectified.
func setAffine(dst, x, w matrix, b []float64, rectified bool) {
	kernel.Gemm(false, true, dst.rows, dst.cols, x.cols, 1, x.data, x.cols, w.data, w.cols, 0, dst.data, dst.cols)
	if b == nil && !rectified {
		return
	}
	for k := range dst.rows {
		z := row(dst.data, k, dst.cols)
		if b != nil {
			addScaled(z, 1, b)
		}
		if rectified {
			rectify(z)
		}
	}
}

// rectify sets x to max(x, 0).
func rectify(x []float64) {
	for i, v := range x {
		if v <= 0 {
			x[i] = 0
		}
	}
}

// setProduct sets dst to G W, and to 0 where a mask is not positive; an empty
// mask lets all pass.
func setProduct(dst, g, w, mask matrix) {
	kernel.Gemm(false, false, dst.rows, dst.cols, g.cols, 1, g.data, g.cols, w.data, w.cols, 0, dst.data, dst.cols)
	dst.gate(mask)
}

// addProduct adds G W to dst, and sets it to 0 where a mask is not positive.
func addProduct(dst, g, w, mask matrix) {
	kernel.Gemm(false, false, dst.rows, dst.cols, g.cols, 1, g.data, g.cols, w.data, w.cols, 1, dst.data, dst.cols)
	dst.gate(mask)
}

// addProductT adds X Wᵀ to dst.
func addProductT(dst, x, w matrix) {
	kernel.Gemm(false, true, dst.rows, dst.cols, x.cols, 1, x.data, x.cols, w.data, w.cols, 1, dst.data, dst.cols)
}

// addTProduct adds GᵀX to dst. One point's outer product, a row of a Jacobian,
// is too small a matrix for a general product to pay.
func addTProduct(dst, g, x matrix) {
	if g.rows > 1 {
		kernel.Gemm(true, false, dst.rows, dst.cols, g.rows, 1, g.data, g.cols, x.data, x.cols, 1, dst.data, dst.cols)
		return
	}
	for i, c := range g.data {
		if c != 0 {
			addScaled(row(dst.data, i, dst.cols), c, x.data)
		}
	}
}

// setTProduct sets dst to GᵀX.
func setTProduct(dst, g, x matrix) {
	kernel.Gemm(true, false, dst.rows, dst.cols, g.rows, 1, g.data, g.cols, x.data, x.cols, 0, dst.data, dst.cols)
}

// addColumnSums adds the sum of each column of g to dst, unless dst is nil.
func addColumnSums(dst []float64, g matrix) {
	if dst == nil {
		return
	}
	for k := range g.rows {
		addScaled(dst, 1, row(g.data, k, g.cols))
	}
}

// gate sets m to 0 where a mask is not positive.
func (m matrix) gate(mask matrix) {
	for i, v := range mask.data {
		if v <= 0 {
			m.data[i] = 0
		}
	}
}

// addScaled adds c·src to dst.
func addScaled(dst []float64, c float64, src []float64) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] += c * src[i]
	}
}
