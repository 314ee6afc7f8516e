package kernel

import (
	"unsafe"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"
)

// Gemm computes
//
//	C = alpha op(A) op(B) + beta C
//
// with op(A) m×k, op(B) k×n and C m×n, row by row, strides lda, ldb and ldc;
// op transposes if transA or transB is true. If beta is zero C is not read.
// Arguments and panics are those of gonum's Dgemm, and so is the treatment of
// NaN and infinities. It runs in the calling goroutine and does not allocate.
func Gemm(transA, transB bool, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	if !ordinary(transA, transB, m, n, k, a, lda, b, ldb, c, ldc) {
		gonum.Implementation{}.Dgemm(transposition(transA), transposition(transB), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	if active == portable || alpha == 0 || alpha-alpha != 0 {
		gemmByGonum(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	var p product
	p.set(transA, transB, m, n, k, a, lda, b, ldb, c, ldc)
	p.alpha, p.factor = alpha, beta
	if alpha != 1 {
		p.last |= scale
	}
	if transA || !transB {
		p.last |= check
	}
	p.run()
}

func transposition(yes bool) blas.Transpose {
	if yes {
		return blas.Trans
	}
	return blas.NoTrans
}

// gemmByGonum hands blocks of C to gonum that are too small for it to start
// goroutines.
func gemmByGonum(transA, transB bool, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	aRow, bCol := lda, 1
	if transA {
		aRow = 1
	}
	if transB {
		bCol = ldb
	}
	for i := cut(m, 64); i.next(); {
		for j := cut(n, 128); j.next(); {
			gonum.Implementation{}.Dgemm(transposition(transA), transposition(transB), i.length, j.length, k,
				alpha, a[i.start*aRow:], lda, b[j.start*bCol:], ldb, beta, c[i.start*ldc+j.start:], ldc)
		}
	}
}

// ordinary reports whether the arguments are in order and there is something to
// sum.
func ordinary(transA, transB bool, m, n, k int, a []float64, lda int, b []float64, ldb int, c []float64, ldc int) bool {
	return m > 0 && n > 0 && k > 0 &&
		fits(a, lda, m, k, transA) && fits(b, ldb, k, n, transB) && fits(c, ldc, m, n, false)
}

// fits reports whether x can hold a rows×cols matrix, or its transpose.
func fits(x []float64, ld, rows, cols int, transposed bool) bool {
	if transposed {
		rows, cols = cols, rows
	}
	return ld >= cols && len(x) >= (rows-1)*ld+cols
}

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

// BLAS is gonum's implementation of BLAS with its matrix product replaced. It
// fits wherever gonum takes a blas.Float64, for example
//
//	blas64.Use(kernel.BLAS{})
//
// which changes the whole program and is therefore left to the program: this
// module never does it.
type BLAS struct {
	gonum.Implementation
}

var _ blas.Float64 = BLAS{}

// Dgemm computes C = alpha op(A) op(B) + beta C, see [Gemm].
func (BLAS) Dgemm(tA, tB blas.Transpose, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	if !valid(tA) || !valid(tB) {
		gonum.Implementation{}.Dgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	Gemm(tA != blas.NoTrans, tB != blas.NoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

func valid(t blas.Transpose) bool {
	return t == blas.NoTrans || t == blas.Trans || t == blas.ConjTrans
}

// Product is blas64.Gemm by [BLAS], whatever the program uses:
//
//	C = alpha op(A) op(B) + beta C
func Product(tA, tB blas.Transpose, alpha float64, a, b blas64.General, beta float64, c blas64.General) {
	k := a.Cols
	if tA != blas.NoTrans {
		k = a.Rows
	}
	BLAS{}.Dgemm(tA, tB, c.Rows, c.Cols, k, alpha, a.Data, a.Stride, b.Data, b.Stride, beta, c.Data, c.Stride)
}
