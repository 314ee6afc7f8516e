package kernel

import "unsafe"

// An Epilogue is what a network does with a matrix product at once, while it
// is still in registers. Its steps are taken in the order of the fields; the zero
// value does nothing.
type Epilogue struct {
	Bias    []float64 // n values, added to each row
	RowBias []float64 // m values, added to each column
	Rectify bool      // then max(0, ·)
	Mask    []float64 // m×n with C's stride: where it is not positive, C becomes 0
}

// GemmEpilogue is [Gemm] with alpha = 1, followed by an epilogue:
//
//	C = mask ⊙ max(0, op(A) op(B) + beta C + 1 biasᵀ + rowbias 1ᵀ).
//
// A NaN or an infinity of B spreads also where A is zero.
func GemmEpilogue(transA, transB bool, m, n, k int, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int, e Epilogue) {
	e.check(m, n, ldc)
	if active == portable || !ordinary(transA, transB, m, n, k, a, lda, b, ldb, c, ldc) {
		Gemm(transA, transB, m, n, k, 1, a, lda, b, ldb, beta, c, ldc)
		for i := range m {
			e.apply(c[i*ldc:i*ldc+n], i, ldc)
		}
		return
	}
	var p product
	p.set(transA, transB, m, n, k, a, lda, b, ldb, c, ldc)
	p.factor = beta
	if e.Bias != nil {
		p.last |= addBias
		read(e.Bias)
		p.biases = unsafe.Pointer(&e.Bias[0])
	}
	if e.RowBias != nil {
		p.last |= addRowBias
		read(e.RowBias)
		p.rowBiases, p.rowBiasStep = unsafe.Pointer(&e.RowBias[0]), word
	}
	if e.Rectify {
		p.last |= rectify
	}
	if e.Mask != nil {
		p.last |= applyGate
		readRows(false, e.Mask, ldc, m, n)
		p.gates, p.gateRow = unsafe.Pointer(&e.Mask[0]), ldc*word
	}
	p.run()
}

func (e Epilogue) check(m, n, ldc int) {
	if e.Bias != nil && len(e.Bias) != n {
		panic("qhnet: the bias is not as long as a row of C")
	}
	if e.RowBias != nil && len(e.RowBias) != m {
		panic("qhnet: the row bias is not as long as a column of C")
	}
	if e.Mask != nil && m > 0 && len(e.Mask) < (m-1)*ldc+n {
		panic("qhnet: the mask is smaller than C")
	}
}

// apply takes the steps for row i of C.
func (e Epilogue) apply(row []float64, i, ldc int) {
	if e.Bias != nil {
		AddRow(row, e.Bias)
	}
	if e.RowBias != nil {
		for j := range row {
			row[j] += e.RowBias[i]
		}
	}
	if e.Rectify {
		Rectify(row, row)
	}
	if e.Mask != nil {
		Gate(row, row, e.Mask[i*ldc:])
	}
}
