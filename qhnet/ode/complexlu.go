package ode

import (
	"math"

	"gonum.org/v1/gonum/blas"

	"qhlab/qhnet/internal/kernel"
)

// complexLU factors a complex n×n matrix by Gaussian elimination with partial
// pivoting. The real and imaginary parts are stored apart, so that large matrices
// are updated by real matrix products, of which there are fast ones.
type complexLU struct {
	n      int
	re, im []float64 // row-major; the factors after factor
	pivot  []int
	ir, ii []float64 // reciprocals of the diagonal
}

func newComplexLU(n int) *complexLU {
	return &complexLU{
		n: n, re: make([]float64, n*n), im: make([]float64, n*n), pivot: make([]int, n),
		ir: make([]float64, n), ii: make([]float64, n),
	}
}

// factor replaces the matrix by its factors. It reports whether it is regular.
func (l *complexLU) factor() bool {
	for from := 0; from < l.n; from += luBlock {
		to := min(from+luBlock, l.n)
		for k := from; k < to; k++ {
			if !l.eliminate(k, to) {
				return false
			}
		}
		l.finishRows(from, to)
		l.updateRest(from, to)
	}
	return true
}

// eliminate pivots on column k and updates the columns up to end.
func (l *complexLU) eliminate(k, end int) bool {
	n, re, im := l.n, l.re, l.im
	p, largest := k, -1.0
	for i := k; i < n; i++ {
		if v := math.Abs(re[i*n+k]) + math.Abs(im[i*n+k]); v > largest {
			p, largest = i, v
		}
	}
	l.pivot[k] = p
	if !(largest > 0) {
		return false
	}
	if p != k {
		swap(re[k*n:k*n+n], re[p*n:p*n+n])
		swap(im[k*n:k*n+n], im[p*n:p*n+n])
	}
	inverse := 1 / complex(re[k*n+k], im[k*n+k]) // divides without squares, which underflow
	vr, vi := real(inverse), imag(inverse)
	l.ir[k], l.ii[k] = vr, vi
	tr, ti := re[k*n+k+1:k*n+end], im[k*n+k+1:k*n+end]
	for i := k + 1; i < n; i++ {
		ar, ai := re[i*n+k], im[i*n+k]
		qr, qi := ar*vr-ai*vi, ar*vi+ai*vr
		re[i*n+k], im[i*n+k] = qr, qi
		subtractMultiple(re[i*n+k+1:i*n+end], im[i*n+k+1:i*n+end], qr, qi, tr, ti)
	}
	return true
}

// subtractMultiple subtracts q·(tr + i·ti) from xr + i·xi.
func subtractMultiple(xr, xi []float64, qr, qi float64, tr, ti []float64) {
	xr, xi, ti = xr[:len(tr)], xi[:len(tr)], ti[:len(tr)]
	for j, a := range tr {
		b := ti[j]
		xr[j] -= qr*a - qi*b
		xi[j] -= qr*b + qi*a
	}
}

// finishRows solves with the unit lower triangle of a block for the part of its
// rows to the right of it.
func (l *complexLU) finishRows(from, to int) {
	n := l.n
	if to == n {
		return
	}
	for i := from + 1; i < to; i++ {
		for k := from; k < i; k++ {
			subtractMultiple(l.re[i*n+to:i*n+n], l.im[i*n+to:i*n+n], l.re[i*n+k], l.im[i*n+k],
				l.re[k*n+to:k*n+n], l.im[k*n+to:k*n+n])
		}
	}
}

// updateRest subtracts the product of the block's columns and rows from the rest.
func (l *complexLU) updateRest(from, to int) {
	rest := l.n - to
	if rest == 0 {
		return
	}
	n, width := l.n, to-from
	lr, li := part(l.re, n, to, from, rest, width), part(l.im, n, to, from, rest, width)
	ur, ui := part(l.re, n, from, to, width, rest), part(l.im, n, from, to, width, rest)
	ar, ai := part(l.re, n, to, to, rest, rest), part(l.im, n, to, to, rest, rest)
	kernel.Product(blas.NoTrans, blas.NoTrans, -1, lr, ur, 1, ar)
	kernel.Product(blas.NoTrans, blas.NoTrans, 1, li, ui, 1, ar)
	kernel.Product(blas.NoTrans, blas.NoTrans, -1, lr, ui, 1, ai)
	kernel.Product(blas.NoTrans, blas.NoTrans, -1, li, ur, 1, ai)
}

// solve replaces x by A⁻¹ x.
func (l *complexLU) solve(x []complex128) {
	n := l.n
	x = x[:n]
	for i, p := range l.pivot {
		x[i], x[p] = x[p], x[i]
	}
	for i := 1; i < n; i++ {
		x[i] -= dotRow(l.re[i*n:i*n+i], l.im[i*n:i*n+i], x[:i])
	}
	for i := n - 1; i >= 0; i-- {
		v := x[i] - dotRow(l.re[i*n+i+1:i*n+n], l.im[i*n+i+1:i*n+n], x[i+1:])
		x[i] = complex(real(v)*l.ir[i]-imag(v)*l.ii[i], real(v)*l.ii[i]+imag(v)*l.ir[i])
	}
}

// dotRow returns Σ (re + i·im)_j x_j.
func dotRow(re, im []float64, x []complex128) complex128 {
	re, im = re[:len(x)], im[:len(x)]
	var sr, si float64
	for j, v := range x {
		sr += re[j]*real(v) - im[j]*imag(v)
		si += re[j]*imag(v) + im[j]*real(v)
	}
	return complex(sr, si)
}
