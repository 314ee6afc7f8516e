package qhnet

import "qhlab/qhnet/internal/kernel"

// matrix is a dense matrix, row by row without gaps.
type matrix struct {
	data       []float64
	rows, cols int
}

// matrixOf views a slice as a matrix.
func matrixOf(data []float64, rows, cols int) matrix { return matrix{data, rows, cols} }

// setAffine sets dst to X W, plus b in each row unless b is nil, and then to its
// positive part if rectified.
func setAffine(dst, x, w matrix, b []float64, rectified bool) {
	kernel.GemmEpilogue(false, false, dst.rows, dst.cols, x.cols, x.data, x.cols, w.data, w.cols, 0, dst.data, dst.cols,
		kernel.Epilogue{Bias: b, Rectify: rectified})
}

// setProduct sets dst to G W, and to 0 where a mask is not positive; an empty
// mask lets all pass.
func setProduct(dst, g, w, mask matrix) {
	kernel.GemmEpilogue(false, false, dst.rows, dst.cols, g.cols, g.data, g.cols, w.data, w.cols, 0, dst.data, dst.cols,
		kernel.Epilogue{Mask: mask.data})
}

// addProduct adds G W to dst, and sets it to 0 where a mask is not positive.
func addProduct(dst, g, w, mask matrix) {
	kernel.GemmEpilogue(false, false, dst.rows, dst.cols, g.cols, g.data, g.cols, w.data, w.cols, 1, dst.data, dst.cols,
		kernel.Epilogue{Mask: mask.data})
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
			kernel.AddScaled(row(dst.data, i, dst.cols), c, x.data)
		}
	}
}

// setTProduct sets dst to GᵀX.
func setTProduct(dst, g, x matrix) {
	kernel.Gemm(true, false, dst.rows, dst.cols, g.rows, 1, g.data, g.cols, x.data, x.cols, 0, dst.data, dst.cols)
}

// addColumnSums adds the sum of each column of g to dst, unless dst is nil.
func addColumnSums(dst []float64, g matrix) {
	if dst != nil {
		kernel.SumRows(dst, g.data)
	}
}
