package qp_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/internal/qp"
)

func gaussian(rng *rand.Rand, m, n int) *mat.Dense {
	a := mat.NewDense(m, n, nil)
	for i := range m {
		for j := range n {
			a.Set(i, j, rng.NormFloat64())
		}
	}
	return a
}

// deficient returns an m×n matrix of random rank, half the time below full,
// sometimes with repeated, opposite or zero columns.
func deficient(rng *rand.Rand, m, n int) *mat.Dense {
	a := gaussian(rng, m, n)
	if rng.IntN(2) == 0 {
		return a
	}
	rank := 1 + rng.IntN(min(m, n))
	a.Mul(gaussian(rng, m, rank), gaussian(rng, rank, n))
	if i, j := rng.IntN(n), rng.IntN(n); i != j {
		column := mat.Col(nil, i, a)
		floats.Scale(float64(rng.IntN(3)-1), column)
		a.SetCol(j, column)
	}
	return a
}

// bruteNNLS tries every set of positive entries.
func bruteNNLS(a *mat.Dense, b []float64) float64 {
	m, n := a.Dims()
	best := floats.Norm(b, 2)
	for set := 1; set < 1<<n; set++ {
		var columns []int
		for j := range n {
			if set>>j&1 == 1 {
				columns = append(columns, j)
			}
		}
		sub := mat.NewDense(m, len(columns), nil)
		for i, j := range columns {
			sub.SetCol(i, mat.Col(nil, j, a))
		}
		var svd mat.SVD
		svd.Factorize(sub, mat.SVDThin)
		rank := svd.Rank(1e-12)
		if rank < len(columns) {
			continue // a smaller set spans the same cone face
		}
		var x, r mat.VecDense
		svd.SolveVecTo(&x, mat.NewVecDense(m, b), rank)
		if floats.Min(x.RawVector().Data) < 0 {
			continue
		}
		r.MulVec(sub, &x)
		best = math.Min(best, floats.Distance(r.RawVector().Data, b, 2))
	}
	return best
}

func TestNNLSAgainstEveryActiveSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	for trial := range 1000 {
		m, n := 1+rng.IntN(7), 1+rng.IntN(7)
		a := deficient(rng, m, n)
		b := mat.Col(nil, 0, gaussian(rng, m, 1))
		x := make([]float64, n)
		got, err := qp.NNLS(x, a, b)
		if err != nil {
			t.Fatalf("problem %d: %v", trial, err)
		}
		if floats.Min(x) < 0 {
			t.Fatalf("problem %d: negative entry in %v", trial, x)
		}
		// Both sides solve least squares on the same columns, backward stably.
		if want := bruteNNLS(a, b); math.Abs(got-want) > 1e-12*(1+floats.Norm(b, 2)) {
			t.Fatalf("problem %d (%d×%d): residual %v, every active set %v", trial, m, n, got, want)
		}
	}
}

// The optimality conditions certify problems too large to enumerate.
func TestNNLSOptimality(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 5))
	for _, size := range [][2]int{{40, 60}, {60, 40}, {200, 120}} {
		a := gaussian(rng, size[0], size[1])
		b := mat.Col(nil, 0, gaussian(rng, size[0], 1))
		x := make([]float64, size[1])
		if _, err := qp.NNLS(x, a, b); err != nil {
			t.Fatal(err)
		}
		var r, w mat.VecDense
		r.MulVec(a, mat.NewVecDense(len(x), x))
		r.SubVec(mat.NewVecDense(len(b), b), &r)
		w.MulVec(a.T(), &r)
		for j := range x {
			// Rounding of a sum of size[0] products of order one.
			if slope := w.AtVec(j); slope > 1e-11 || (x[j] > 0 && slope < -1e-11) {
				t.Errorf("%v: x[%d] = %v with slope %v", size, j, x[j], slope)
			}
		}
	}
}

func TestLeastDistanceOptimality(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	empty := 0
	for trial := range 500 {
		d, k := 1+rng.IntN(6), 1+rng.IntN(12)
		g := deficient(rng, k, d)
		h := make([]float64, k)
		inside := mat.Col(nil, 0, gaussian(rng, d, 1))
		for i := range h {
			h[i] = floats.Dot(g.RawRowView(i), inside) - math.Abs(rng.NormFloat64())*float64(rng.IntN(2))
		}
		if trial%10 == 0 { // a row and its opposite, a gap apart
			g.SetRow(0, mat.Row(nil, k-1, g))
			floats.Scale(-1, g.RawRowView(0))
			h[0] = -h[k-1] + 0.1
		}
		x := make([]float64, d)
		mu, err := qp.LeastDistance(x, g, h)
		if trial%10 == 0 && k > 1 {
			if err == nil {
				t.Errorf("problem %d: an empty polyhedron has a point %v", trial, x)
			}
			empty++
			continue
		}
		if err != nil {
			t.Fatalf("problem %d: %v", trial, err)
		}
		sum := make([]float64, d)
		for i := range h {
			row := g.RawRowView(i)
			slack := floats.Dot(row, x) - h[i]
			size := 1 + floats.Norm(row, 2)*floats.Norm(x, 2)
			// Rank-deficient rows are rebuilt from dependent columns: 1e-9.
			tolerance := 1e-9 * size
			wrong := mu[i] < 0 || mu[i]*slack > tolerance*(1+mu[i])
			if wrong || slack < -tolerance {
				t.Fatalf("problem %d: row %d has slack %v and multiplier %v", trial, i, slack, mu[i])
			}
			floats.AddScaled(sum, mu[i], row)
		}
		if gap := floats.Distance(sum, x, 2); gap > 1e-9*(1+floats.Norm(x, 2)) {
			t.Fatalf("problem %d: ‖x - Gᵀμ‖ = %v, x = %v, μ = %v", trial, gap, x, mu)
		}
	}
	if empty == 0 {
		t.Error("no empty polyhedron was tried")
	}
}

// An entry that is not finite would pass every comparison.
func TestProgramsRefuseWhatIsNotFinite(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for place := range 4 {
			a, b, x := mat.NewDense(2, 2, []float64{2, 0, 0, 1}), []float64{1, 1}, make([]float64, 2)
			want := fmt.Sprintf("is %v", bad)
			if place < 2 {
				a.Set(1, place, bad)
			} else {
				b[place-2] = bad
			}
			if _, err := qp.LeastDistance(x, a, b); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("LeastDistance with %v at place %d: %v, %v", bad, place, x, err)
			}
			if r, err := qp.NNLS(x, a, b); err == nil || !strings.Contains(err.Error(), want) || !math.IsNaN(r) {
				t.Errorf("NNLS with %v at place %d: %v, residual %v, %v", bad, place, x, r, err)
			}
		}
	}
}

func ExampleNNLS() {
	// The best non-negative mixture of (1, 0) and (1, 1) near (-1, 2).
	a := mat.NewDense(2, 2, []float64{1, 1, 0, 1})
	x := make([]float64, 2)
	residual, _ := qp.NNLS(x, a, []float64{-1, 2})
	fmt.Printf("x = %.3f, residual %.3f\n", x, residual)
	// Output: x = [0.000 0.500], residual 2.121
}

func ExampleLeastDistance() {
	// The widest margin through the origin: rows are y_k x_k.
	rows := mat.NewDense(2, 2, []float64{2, 0, 0, 1})
	beta := make([]float64, 2)
	mu, _ := qp.LeastDistance(beta, rows, []float64{1, 1})
	fmt.Printf("β = %.2f, multipliers %.2f\n", beta, mu)
	// Output: β = [0.50 1.00], multipliers [0.25 1.00]
}

func BenchmarkNNLS(b *testing.B) {
	for _, n := range []int{10, 40, 160} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(4, 5))
			a := gaussian(rng, 2*n, n)
			target := mat.Col(nil, 0, gaussian(rng, 2*n, 1))
			x := make([]float64, n)
			for b.Loop() {
				qp.NNLS(x, a, target)
			}
		})
	}
}
