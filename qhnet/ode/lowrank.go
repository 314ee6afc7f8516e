package ode

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/internal/kernel"
)

// LowRank is the Linearization of a Jacobian whose stiff part has few directions,
//
//	J ≈ Uᵀ C U,
//
// with U of size r×m and C of size r×r, r well below m; C need not be symmetric.
// What it omits of the Jacobian must not be stiff: it slows Newton's iteration but
// does not change the solution. By the Woodbury identity
//
//	(z I - Uᵀ C U)⁻¹ b = (b + Uᵀ C w) / z,   (z I - U Uᵀ C) w = U b,
//
// so a refresh costs O(r² m), a factorization O(r³) and a solve O(r m).
type LowRank struct {
	update func(u, c *mat.Dense, t float64, y []float64) error

	u, c, gram, product *mat.Dense
	re                  *realLU
	z                   *complexLU
	shift               float64
	complexShift        complex128

	w, cw, xr, xi []float64
	wz            []complex128
}

// NewLowRank returns a linearization of rank r in m variables. Update sets U (r×m)
// and C (r×r), zero on entry, at (t, y).
func NewLowRank(r, m int, update func(u, c *mat.Dense, t float64, y []float64) error) *LowRank {
	if r < 1 || m < 1 {
		panic(fmt.Sprintf("ode: NewLowRank: rank %d in %d variables; both must be positive", r, m))
	}
	return &LowRank{
		update: update,
		u:      mat.NewDense(r, m, nil), c: mat.NewDense(r, r, nil),
		gram: mat.NewDense(r, r, nil), product: mat.NewDense(r, r, nil),
		re: newRealLU(r), z: newComplexLU(r),
		w: make([]float64, r), cw: make([]float64, r), xr: make([]float64, m), xi: make([]float64, m),
		wz: make([]complex128, r),
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
	if !finite(l.product.RawMatrix().Data) {
		return fmt.Errorf("the linearization at t = %.10g is not finite", t)
	}
	return nil
}

// Factor factors re I - U Uᵀ C and z I - U Uᵀ C.
func (l *LowRank) Factor(re float64, z complex128) error {
	l.shift, l.complexShift = re, z
	return factorShifted(l.re, l.z, l.product.RawMatrix().Data, re, z)
}

// Solve solves the factored systems.
func (l *LowRank) Solve(x []float64, u []complex128) {
	l.gather(l.w, x)
	l.re.solve(l.w)
	l.scatter(x, l.w)
	blas64.Scal(1/l.shift, vector(x))
	if u == nil {
		return
	}
	for i, v := range u {
		l.xr[i], l.xi[i] = real(v), imag(v)
	}
	l.gather(l.w, l.xr)
	l.gather(l.cw, l.xi)
	for i, v := range l.w {
		l.wz[i] = complex(v, l.cw[i])
	}
	l.z.solve(l.wz)
	for i, v := range l.wz {
		l.w[i] = real(v)
	}
	l.scatter(l.xr, l.w)
	for i, v := range l.wz {
		l.w[i] = imag(v)
	}
	l.scatter(l.xi, l.w)
	inverse := 1 / l.complexShift
	for i, v := range l.xr {
		u[i] = complex(v, l.xi[i]) * inverse
	}
}

// gather sets dst to U x.
func (l *LowRank) gather(dst, x []float64) {
	blas64.Gemv(blas.NoTrans, 1, l.u.RawMatrix(), vector(x), 0, vector(dst))
}

// scatter adds Uᵀ C w to x.
func (l *LowRank) scatter(x, w []float64) {
	blas64.Gemv(blas.NoTrans, 1, l.c.RawMatrix(), vector(w), 0, vector(l.cw))
	blas64.Gemv(blas.Trans, 1, l.u.RawMatrix(), vector(l.cw), 1, vector(x))
}

func vector(x []float64) blas64.Vector { return blas64.Vector{N: len(x), Inc: 1, Data: x} }
