package ode

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// errSingular is the reason of a step refused because a Newton system is singular.
var errSingular = errors.New("a matrix of Newton's iteration is singular")

// smallLU is the size up to which the plain loops below beat LAPACK's blocked
// factorization; see BenchmarkLU.
const smallLU = 48

// realLU factors a real n×n matrix by Gaussian elimination with partial pivoting.
type realLU struct {
	n     int
	a     []float64 // row-major; the factors after factor
	pivot []int     // row exchanged with row i in step i
}

func newRealLU(n int) *realLU {
	return &realLU{n: n, a: make([]float64, n*n), pivot: make([]int, n)}
}

func (l *realLU) general() blas64.General {
	return blas64.General{Rows: l.n, Cols: l.n, Stride: l.n, Data: l.a}
}

// factor replaces a by its factors. It reports whether a is regular.
func (l *realLU) factor() bool {
	if l.n > smallLU {
		return lapack64.Getrf(l.general(), l.pivot)
	}
	n, a := l.n, l.a
	for k := 0; k < n; k++ {
		p, largest := k, math.Abs(a[k*n+k])
		for i := k + 1; i < n; i++ {
			if v := math.Abs(a[i*n+k]); v > largest {
				p, largest = i, v
			}
		}
		l.pivot[k] = p
		if !(largest > 0) {
			return false
		}
		top := a[k*n : k*n+n : k*n+n]
		if p != k {
			swap(top, a[p*n:p*n+n])
		}
		inverse := 1 / top[k]
		for i := k + 1; i < n; i++ {
			row := a[i*n : i*n+n : i*n+n]
			q := row[k] * inverse
			row[k] = q
			for j := k + 1; j < len(top) && j < len(row); j++ {
				row[j] -= q * top[j]
			}
		}
	}
	return true
}

// solve replaces x by A⁻¹ x.
func (l *realLU) solve(x []float64) {
	n, a := l.n, l.a
	if n > smallLU {
		lapack64.Getrs(blas.NoTrans, l.general(), blas64.General{Rows: n, Cols: 1, Stride: 1, Data: x}, l.pivot)
		return
	}
	x = x[:n]
	for i, p := range l.pivot {
		x[i], x[p] = x[p], x[i]
	}
	for i := 1; i < n; i++ {
		v := x[i]
		for j, q := range a[i*n : i*n+i] {
			v -= q * x[j]
		}
		x[i] = v
	}
	for i := n - 1; i >= 0; i-- {
		v := x[i]
		row := a[i*n : i*n+n]
		for j := i + 1; j < n; j++ {
			v -= row[j] * x[j]
		}
		x[i] = v / row[i]
	}
}

func swap(a, b []float64) {
	for i := range a {
		a[i], b[i] = b[i], a[i]
	}
}
