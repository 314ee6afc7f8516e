package ode

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/internal/kernel"
	"qhlab/qhnet/internal/vector"
)

// errSingular is the reason of a step refused because a Newton system is singular.
var errSingular = errors.New("a matrix of Newton's iteration is singular")

// shifted holds the LU factorizations of re I - J and z I - J for an n×n matrix J.
// Gonum factors the real one, but has no complex LU.
type shifted struct {
	real    blas64.General
	pivot   []int
	complex complexLU
}

func newShifted(n int) *shifted {
	return &shifted{
		real: mat.NewDense(n, n, nil).RawMatrix(), pivot: make([]int, n),
		complex: complexLU{n: n, re: make([]float64, n*n), im: make([]float64, n*n), pivot: make([]int, n), invert: make([]complex128, n)},
	}
}

// factor factors both matrices.
func (l *shifted) factor(j []float64, re float64, z complex128) error {
	a, ar, ai := l.real.Data[:len(j)], l.complex.re[:len(j)], l.complex.im[:len(j)]
	for i, v := range j {
		a[i] = -v
		ar[i] = -v
		ai[i] = 0
	}
	for i := 0; i < len(j); i += l.real.Rows + 1 {
		a[i] += re
		ar[i] += real(z)
		ai[i] = imag(z)
	}
	if !lapack64.Getrf(l.real, l.pivot) || !l.complex.columns(0, l.complex.n) {
		return errSingular
	}
	return nil
}

// solve replaces x by (re I - J)⁻¹ x.
func (l *shifted) solve(x []float64) {
	for i, p := range l.pivot {
		x[i], x[p] = x[p], x[i]
	}
	triangle := blas64.Triangular{N: l.real.Rows, Stride: l.real.Stride, Data: l.real.Data, Uplo: blas.Lower, Diag: blas.Unit}
	blas64.Trsv(blas.NoTrans, triangle, vector.BLAS(x))
	triangle.Uplo, triangle.Diag = blas.Upper, blas.NonUnit
	blas64.Trsv(blas.NoTrans, triangle, vector.BLAS(x))
}

// complexLU factors a complex n×n matrix by Gaussian elimination with partial pivoting. With
// real and imaginary parts apart, most of the work is real matrix products.
type complexLU struct {
	n      int
	re, im []float64 // row-major; the factors after elimination of all columns
	pivot  []int
	invert []complex128 // reciprocals of the diagonal
}

// fewColumns are eliminated one by one; see BenchmarkLU.
const fewColumns = 8

// columns eliminates the columns from, …, to-1: their left half, which then updates the
// right one by matrix products, and the right half. It reports whether that is possible.
func (l *complexLU) columns(from, to int) bool {
	if to-from <= fewColumns {
		for k := from; k < to; k++ {
			if !l.eliminate(k, to) {
				return false
			}
		}
		return true
	}
	middle := from + (to-from)/2
	if !l.columns(from, middle) {
		return false
	}
	l.finishRows(from, middle, middle, to)
	l.update(middle, l.n, from, middle, middle, to)
	return l.columns(middle, to)
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
	l.invert[k] = inverse
	vr, vi := real(inverse), imag(inverse)
	tr, ti := re[k*n+k+1:k*n+end], im[k*n+k+1:k*n+end]
	for i := k + 1; i < n; i++ {
		ar, ai := re[i*n+k], im[i*n+k]
		qr, qi := ar*vr-ai*vi, ar*vi+ai*vr
		re[i*n+k], im[i*n+k] = qr, qi
		subtractMultiple(re[i*n+k+1:i*n+end], im[i*n+k+1:i*n+end], qr, qi, tr, ti)
	}
	return true
}

// finishRows solves with the unit lower triangle of the columns from, …, to-1 for their
// rows in the columns left, …, right-1.
func (l *complexLU) finishRows(from, to, left, right int) {
	if to-from > fewColumns {
		middle := from + (to-from)/2
		l.finishRows(from, middle, left, right)
		l.update(middle, to, from, middle, left, right)
		l.finishRows(middle, to, left, right)
		return
	}
	n := l.n
	for i := from + 1; i < to; i++ {
		for k := from; k < i; k++ {
			subtractMultiple(l.re[i*n+left:i*n+right], l.im[i*n+left:i*n+right], l.re[i*n+k], l.im[i*n+k],
				l.re[k*n+left:k*n+right], l.im[k*n+left:k*n+right])
		}
	}
}

// update subtracts from the rows top, …, bottom-1 and columns left, …, right-1 the product
// of their block in the columns, and that in the rows, from, …, to-1.
func (l *complexLU) update(top, bottom, from, to, left, right int) {
	part := func(a []float64, row, end, col, until int) blas64.General {
		return blas64.General{Rows: end - row, Cols: until - col, Stride: l.n, Data: a[row*l.n+col:]}
	}
	lr, li := part(l.re, top, bottom, from, to), part(l.im, top, bottom, from, to)
	ur, ui := part(l.re, from, to, left, right), part(l.im, from, to, left, right)
	ar, ai := part(l.re, top, bottom, left, right), part(l.im, top, bottom, left, right)
	kernel.Product(blas.NoTrans, blas.NoTrans, -1, lr, ur, 1, ar)
	kernel.Product(blas.NoTrans, blas.NoTrans, 1, li, ui, 1, ar)
	kernel.Product(blas.NoTrans, blas.NoTrans, -1, lr, ui, 1, ai)
	kernel.Product(blas.NoTrans, blas.NoTrans, -1, li, ur, 1, ai)
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

func swap(a, b []float64) {
	for i := range a {
		a[i], b[i] = b[i], a[i]
	}
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
		x[i] = (x[i] - dotRow(l.re[i*n+i+1:i*n+n], l.im[i*n+i+1:i*n+n], x[i+1:])) * l.invert[i]
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

// dense is the Linearization of a problem that has none: an m×m Jacobian, given or by
// forward differences, and LU factorizations, O(m³).
type dense struct {
	*shifted
	s        *system
	jacobian *mat.Dense
	y, f     []float64
}

func newDense(s *system) *dense {
	m := len(s.y)
	return &dense{s: s, jacobian: mat.NewDense(m, m, nil), shifted: newShifted(m), y: make([]float64, m), f: make([]float64, m)}
}

// Refresh takes the Jacobian at (t, y), which is the current point of the system.
func (d *dense) Refresh(t float64, y []float64) error {
	if j := d.s.problem.Jacobian; j != nil {
		d.jacobian.Zero()
		if err := j(d.jacobian, t, y); err != nil {
			return fmt.Errorf("the Jacobian at t = %.10g: %w", t, err)
		}
	} else if err := d.difference(t, y); err != nil {
		return err
	}
	if vector.NotFinite(d.jacobian.RawMatrix().Data) >= 0 {
		return fmt.Errorf("the Jacobian at t = %.10g is not finite", t)
	}
	return nil
}

// difference takes forward differences with increments √ε |y_i|, but not below the absolute
// tolerance.
func (d *dense) difference(t float64, y []float64) error {
	j := d.jacobian.RawMatrix()
	copy(d.y, y)
	for c, v := range y {
		d.y[c] = v + cmp.Or(math.Max(sqrtEpsilon*math.Abs(v), d.s.absolute[c]), sqrtEpsilon)
		delta := d.y[c] - v
		if err := d.s.derivative(d.f, t, d.y); err != nil {
			return err
		}
		d.y[c] = v
		for r, f := range d.s.f {
			j.Data[r*j.Stride+c] = (d.f[r] - f) / delta
		}
	}
	return nil
}

// Factor factors re I - J and z I - J.
func (d *dense) Factor(re float64, z complex128) error {
	return d.factor(d.jacobian.RawMatrix().Data, re, z)
}

// Solve solves the factored systems.
func (d *dense) Solve(x []float64, u []complex128) {
	d.solve(x)
	if u != nil {
		d.complex.solve(u)
	}
}

// LowRank is the Linearization of a Jacobian whose stiff part has few directions,
//
//	J ≈ Uᵀ C U,
//
// with U of size r×m and C of size r×r, r well below m; C need not be symmetric. What it
// omits must not be stiff. By the Woodbury identity
//
//	(z I - Uᵀ C U)⁻¹ b = (b + Uᵀ C w) / z,   (z I - U Uᵀ C) w = U b,
//
// so a refresh costs O(r² m), a factorization O(r³) and a solve O(r m).
type LowRank struct {
	update func(u, c *mat.Dense, t float64, y []float64) error

	u, c, gram, product *mat.Dense
	factors             *shifted
	shift               float64
	complexShift        complex128

	w, wi, cw, xr, xi []float64
	wz                []complex128
}

// NewLowRank returns a linearization of rank r in m variables. Update sets U (r×m)
// and C (r×r), zero on entry, at (t, y).
func NewLowRank(r, m int, update func(u, c *mat.Dense, t float64, y []float64) error) *LowRank {
	const most = 1 << 30 // numbers in U
	if r < 1 || m < 1 || r > most/m || update == nil {
		panic(fmt.Sprintf("ode: NewLowRank: rank %d in %d variables; both must be positive, their product at most 2^30, and update not nil", r, m))
	}
	square := func() *mat.Dense { return mat.NewDense(r, r, nil) }
	w, x := vectors(r, 3), vectors(m, 2)
	return &LowRank{
		update: update, u: mat.NewDense(r, m, nil), c: square(), gram: square(), product: square(), factors: newShifted(r),
		w: w[0], wi: w[1], cw: w[2], xr: x[0], xi: x[1], wz: make([]complex128, r),
	}
}

// Refresh updates U and C and forms U Uᵀ C.
func (l *LowRank) Refresh(t float64, y []float64) error {
	l.u.Zero()
	l.c.Zero()
	if err := l.update(l.u, l.c, t, y); err != nil {
		return fmt.Errorf("linearization at t = %.10g: %w", t, err)
	}
	u := l.u.RawMatrix()
	kernel.Product(blas.NoTrans, blas.Trans, 1, u, u, 0, l.gram.RawMatrix())
	kernel.Product(blas.NoTrans, blas.NoTrans, 1, l.gram.RawMatrix(), l.c.RawMatrix(), 0, l.product.RawMatrix())
	if vector.NotFinite(l.product.RawMatrix().Data) >= 0 {
		return fmt.Errorf("the linearization at t = %.10g is not finite", t)
	}
	return nil
}

// Factor factors re I - U Uᵀ C and z I - U Uᵀ C.
func (l *LowRank) Factor(re float64, z complex128) error {
	l.shift, l.complexShift = re, z
	return l.factors.factor(l.product.RawMatrix().Data, re, z)
}

// Solve solves the factored systems.
func (l *LowRank) Solve(x []float64, u []complex128) {
	l.gather(l.w, x)
	l.factors.solve(l.w)
	l.scatter(x, l.w)
	blas64.Scal(1/l.shift, vector.BLAS(x))
	if u == nil {
		return
	}
	split(l.xr, l.xi, u)
	l.gather(l.w, l.xr)
	l.gather(l.wi, l.xi)
	for i, v := range l.w {
		l.wz[i] = complex(v, l.wi[i])
	}
	l.factors.complex.solve(l.wz)
	split(l.w, l.wi, l.wz)
	l.scatter(l.xr, l.w)
	l.scatter(l.xi, l.wi)
	inverse := 1 / l.complexShift
	for i, v := range l.xr {
		u[i] = complex(v, l.xi[i]) * inverse
	}
}

// split sets re and im to the parts of u.
func split(re, im []float64, u []complex128) {
	for i, v := range u {
		re[i], im[i] = real(v), imag(v)
	}
}

// gather sets dst to U x.
func (l *LowRank) gather(dst, x []float64) {
	blas64.Gemv(blas.NoTrans, 1, l.u.RawMatrix(), vector.BLAS(x), 0, vector.BLAS(dst))
}

// scatter adds Uᵀ C w to x.
func (l *LowRank) scatter(x, w []float64) {
	blas64.Gemv(blas.NoTrans, 1, l.c.RawMatrix(), vector.BLAS(w), 0, vector.BLAS(l.cw))
	blas64.Gemv(blas.Trans, 1, l.u.RawMatrix(), vector.BLAS(l.cw), 1, vector.BLAS(x))
}
