package ode

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/internal/kernel"
)

// errSingular is the reason of a step refused because a Newton system is singular.
var errSingular = errors.New("a matrix of Newton's iteration is singular")

// luBlock is the number of columns eliminated before the rest of the matrix is
// updated by matrix products; see BenchmarkLU.
const luBlock = 32

// realLU factors a real n×n matrix by Gaussian elimination with partial pivoting.
type realLU struct {
	n     int
	a     []float64 // row-major; the factors after factor
	pivot []int     // row exchanged with row i in step i
}

func newRealLU(n int) *realLU {
	return &realLU{n: n, a: make([]float64, n*n), pivot: make([]int, n)}
}

// factor replaces a by its factors. It reports whether a is regular.
func (l *realLU) factor() bool {
	for from := 0; from < l.n; from += luBlock {
		to := min(from+luBlock, l.n)
		for k := from; k < to; k++ {
			if !l.eliminate(k, to) {
				return false
			}
		}
		if to < l.n {
			l.finishRows(from, to)
			l.updateRest(from, to)
		}
	}
	return true
}

// eliminate pivots on column k and updates the columns up to end.
func (l *realLU) eliminate(k, end int) bool {
	n, a := l.n, l.a
	p, largest := k, -1.0
	for i := k; i < n; i++ {
		if v := math.Abs(a[i*n+k]); v > largest {
			p, largest = i, v
		}
	}
	l.pivot[k] = p
	if !(largest > 0) {
		return false
	}
	if p != k {
		swap(a[k*n:k*n+n], a[p*n:p*n+n])
	}
	inverse := 1 / a[k*n+k]
	top := a[k*n+k+1 : k*n+end]
	for i := k + 1; i < n; i++ {
		q := a[i*n+k] * inverse
		a[i*n+k] = q
		row := a[i*n+k+1 : i*n+end][:len(top)]
		for j, v := range top {
			row[j] -= q * v
		}
	}
	return true
}

// finishRows solves with the unit lower triangle of a block for the part of its
// rows to the right of it.
func (l *realLU) finishRows(from, to int) {
	n, a := l.n, l.a
	for i := from + 1; i < to; i++ {
		for k := from; k < i; k++ {
			kernel.AddScaled(a[i*n+to:i*n+n], -a[i*n+k], a[k*n+to:k*n+n])
		}
	}
}

// updateRest subtracts the product of the block's columns and rows from the rest.
func (l *realLU) updateRest(from, to int) {
	n, rest := l.n, l.n-to
	kernel.Product(blas.NoTrans, blas.NoTrans, -1, part(l.a, n, to, from, rest, to-from),
		part(l.a, n, from, to, to-from, rest), 1, part(l.a, n, to, to, rest, rest))
}

// part views a part of an n×n matrix.
func part(data []float64, n, row, col, rows, cols int) blas64.General {
	return blas64.General{Rows: rows, Cols: cols, Stride: n, Data: data[row*n+col:]}
}

// solve replaces x by A⁻¹ x.
func (l *realLU) solve(x []float64) {
	n, a := l.n, l.a
	x = x[:n]
	for i, p := range l.pivot {
		x[i], x[p] = x[p], x[i]
	}
	for i := 1; i < n; i++ {
		x[i] -= dot(a[i*n:i*n+i], x[:i])
	}
	for i := n - 1; i >= 0; i-- {
		x[i] = (x[i] - dot(a[i*n+i+1:i*n+n], x[i+1:])) / a[i*n+i]
	}
}

// dot is a·x. Short rows are not worth a call.
func dot(a, x []float64) float64 {
	if len(a) > 16 {
		return floats.Dot(a, x)
	}
	sum := 0.0
	x = x[:len(a)]
	for j, v := range a {
		sum += v * x[j]
	}
	return sum
}

func swap(a, b []float64) {
	for i := range a {
		a[i], b[i] = b[i], a[i]
	}
}
