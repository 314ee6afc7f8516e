package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

func naive(transA, transB bool, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	for i := range m {
		for j := range n {
			s := 0.0
			for p := range k {
				x, y := 0.0, 0.0
				if transA {
					x = a[p*lda+i]
				} else {
					x = a[i*lda+p]
				}
				if transB {
					y = b[j*ldb+p]
				} else {
					y = b[p*ldb+j]
				}
				s += x * y
			}
			if beta == 0 {
				c[i*ldc+j] = alpha * s
			} else {
				c[i*ldc+j] = alpha*s + beta*c[i*ldc+j]
			}
		}
	}
}

func random(rnd *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rnd.NormFloat64()
	}
	return x
}

func TestGemm(t *testing.T) {
	for l := portable; l <= best(); l++ {
		active = l
		rnd := rand.New(rand.NewPCG(1, 2))
		for range 2000 {
			m, n, k := 1+rnd.IntN(60), 1+rnd.IntN(60), 1+rnd.IntN(60)
			if rnd.IntN(10) == 0 {
				k += 500
			}
			if rnd.IntN(10) == 0 {
				m += 250
			}
			ta, tb := rnd.IntN(2) == 0, rnd.IntN(2) == 0
			lda, ldb, ldc := k+rnd.IntN(3), n+rnd.IntN(3), n+rnd.IntN(3)
			if ta {
				lda = m + rnd.IntN(3)
			}
			if tb {
				ldb = k + rnd.IntN(3)
			}
			a, b := random(rnd, max(m, k)*lda), random(rnd, max(n, k)*ldb)
			c := random(rnd, m*ldc)
			want := append([]float64(nil), c...)
			alpha, beta := []float64{1, 0.7}[rnd.IntN(2)], []float64{0, 1, -.3}[rnd.IntN(3)]
			Gemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
			naive(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, want, ldc)
			for i := range c {
				if math.Abs(c[i]-want[i]) > 1e-11 {
					t.Fatal(l, ta, tb, m, n, k, alpha, beta, i, c[i], want[i])
				}
			}
		}
	}
	active = best()
}

func BenchmarkGemm(b *testing.B) {
	for l := avx2; l <= best(); l++ {
		for _, n := range []int{16, 64, 256, 1024} {
			b.Run(l.String()+"/"+string(rune('0'+n/100)), func(b *testing.B) {
				active = l
				rnd := rand.New(rand.NewPCG(1, 2))
				x, y, z := random(rnd, n*n), random(rnd, n*n), make([]float64, n*n)
				for b.Loop() {
					Gemm(false, false, n, n, n, 1, x, n, y, n, 0, z, n)
				}
				b.ReportMetric(float64(2*n*n*n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GF/s")
			})
		}
	}
	active = best()
}
