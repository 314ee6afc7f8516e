package kernel

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"
)

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
