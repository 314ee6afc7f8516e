package kernel

import (
	"gonum.org/v1/gonum/blas"
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
