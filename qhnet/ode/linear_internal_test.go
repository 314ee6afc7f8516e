package ode

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func normal(rng *rand.Rand, r, c int) *mat.Dense {
	a := mat.NewDense(r, c, nil)
	for i := range a.RawMatrix().Data {
		a.RawMatrix().Data[i] = rng.NormFloat64()
	}
	return a
}

// residuals returns the relative residuals of (re I - J) x = b and (z I - J) u = c
// for random b and c.
func residuals(rng *rand.Rand, l Linearization, j *mat.Dense, re float64, z complex128) (float64, float64) {
	m, _ := j.Dims()
	b, c := make([]float64, m), make([]complex128, m)
	for i := range b {
		b[i], c[i] = rng.NormFloat64(), complex(rng.NormFloat64(), rng.NormFloat64())
	}
	x, u := append([]float64(nil), b...), append([]complex128(nil), c...)
	l.Solve(x, u)
	var worst, worstComplex float64
	for i := range b {
		r, s := re*x[i]-b[i], z*u[i]-c[i]
		for k := range b {
			r -= j.At(i, k) * x[k]
			s -= complex(j.At(i, k), 0) * u[k]
		}
		worst, worstComplex = max(worst, math.Abs(r)), max(worstComplex, cmplx.Abs(s))
	}
	return worst, worstComplex
}

func TestLinearizationsSolveShiftedSystems(t *testing.T) {
	for _, m := range []int{1, 2, 6, 31, 33, 48, 49, 64, 130} {
		rng := rand.New(rand.NewPCG(1, uint64(m)))
		re, z := 3.5, 2.5+3i
		j := normal(rng, m, m)
		s := newSystem(&Problem{Initial: make([]float64, m)}, &Control{})
		d := newDense(s)
		d.jacobian.Copy(j)
		if err := d.Factor(re, z); err != nil {
			t.Fatal(err)
		}
		// Partial pivoting loses a few digits on random matrices of this size.
		if a, b := residuals(rng, d, j, re, z); a > 1e-10 || b > 1e-10 {
			t.Errorf("dense, m = %d: residuals %.2g, %.2g", m, a, b)
		}
		r := (m + 3) / 4
		u, c := normal(rng, r, m), normal(rng, r, r)
		low := NewLowRank(r, m, func(du, dc *mat.Dense, _ float64, _ []float64) error {
			du.Copy(u)
			dc.Copy(c)
			return nil
		})
		if err := low.Refresh(0, nil); err != nil {
			t.Fatal(err)
		}
		if err := low.Factor(re, z); err != nil {
			t.Fatal(err)
		}
		j.Product(u.T(), c, u)
		// The identity cancels against entries of J near r m ≤ 4e3.
		if a, b := residuals(rng, low, j, re, z); a > 1e-8 || b > 1e-8 {
			t.Errorf("low rank, m = %d: residuals %.2g, %.2g", m, a, b)
		}
	}
}

// The square of an entry of 1e-200 underflows, the entry's reciprocal does not.
func TestComplexLUAtSmallEntries(t *testing.T) {
	l := newShifted(1).complex
	l.re[0], l.im[0] = 3e-200, -4e-200
	x := []complex128{complex(3e-200, -4e-200)}
	if !l.columns(0, 1) {
		t.Fatal("a regular matrix is taken for singular")
	}
	if l.solve(x); cmplx.Abs(x[0]-1) > 1e-15 { // a few roundings
		t.Errorf("a/a = %v", x[0])
	}
}

func TestSingularSystemsAreReported(t *testing.T) {
	for _, m := range []int{3, 60} {
		j := mat.NewDense(m, m, nil)
		if err := newShifted(m).factor(j.RawMatrix().Data, 0, 0); err == nil {
			t.Errorf("m = %d: the zero matrix was factored", m)
		}
	}
}

func BenchmarkLU(b *testing.B) {
	for _, m := range []int{6, 48, 300} {
		rng := rand.New(rand.NewPCG(1, uint64(m)))
		j := normal(rng, m, m)
		d := newDense(newSystem(&Problem{Initial: make([]float64, m)}, &Control{}))
		d.jacobian.Copy(j)
		x, u := make([]float64, m), make([]complex128, m)
		b.Run(fmt.Sprintf("factor/m=%d", m), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Factor(3, 2+3i); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("solve/m=%d", m), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d.Solve(x, u)
			}
		})
	}
}

func BenchmarkLowRank(b *testing.B) {
	const r = 20
	for _, m := range []int{100, 1000, 10000} {
		rng := rand.New(rand.NewPCG(2, uint64(m)))
		u, c := normal(rng, r, m), normal(rng, r, r)
		low := NewLowRank(r, m, func(du, dc *mat.Dense, _ float64, _ []float64) error {
			du.Copy(u)
			dc.Copy(c)
			return nil
		})
		x, z := make([]float64, m), make([]complex128, m)
		b.Run(fmt.Sprintf("refresh/m=%d", m), func(b *testing.B) {
			for b.Loop() {
				if err := low.Refresh(0, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("solve/m=%d", m), func(b *testing.B) {
			b.ReportAllocs()
			if err := low.Factor(3, 2+3i); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				low.Solve(x, z)
			}
		})
	}
}
