package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"
)

func TestGemmIsTheProduct(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(1, 2))
		for range rounds() {
			checkGemm(t, randomCall(rnd, side(rnd, 300), side(rnd, 150), side(rnd, 600), rnd.NormFloat64))
		}
		// Several blocks, copied or not.
		checkGemm(t, randomCall(rnd, 3, 2*blockCols+5, 7, rnd.NormFloat64))
		for range 4 {
			checkGemm(t, randomCall(rnd, blockRows+5, copyAFrom+5, blockDepth+5, rnd.NormFloat64))
		}
		shared := randomCall(rnd, copyBFrom+5, copyAFrom+5, 40, rnd.NormFloat64)
		shared.transB, shared.ldb = false, 512
		shared.b = matrixOf(shared.k, shared.n, shared.ldb, rnd.NormFloat64)
		checkGemm(t, shared)
		shared.transA, shared.lda = true, 512
		shared.a = matrixOf(shared.k, shared.m, shared.lda, rnd.NormFloat64)
		checkGemm(t, shared)
		shared.transA = false
		shared.a = matrixOf(shared.m, shared.k, shared.lda, rnd.NormFloat64)
		checkGemm(t, shared)
	})
}

// rounds is how many random shapes a test tries.
func rounds() int {
	if testing.Short() {
		return 200
	}
	return 1200
}

// checkGemm compares a Gemm with the definition and looks after what it must
// leave alone.
func checkGemm(t *testing.T, g call) {
	t.Helper()
	before := g
	before.a, before.b, before.c = slices.Clone(g.a), slices.Clone(g.b), slices.Clone(g.c)
	g.run()
	for i, v := range g.c {
		row, col := i/g.ldc, i%g.ldc
		if col >= g.n && v != canary {
			t.Fatalf("%s: C[%d,%d], outside of C, became %v", g, row, col, v)
		}
		if col < g.n && !before.close(v, row, col) {
			want, _ := before.element(row, col)
			t.Fatalf("%s: C[%d,%d] = %v, not %v", g, row, col, v, want)
		}
	}
	if !slices.Equal(g.a, before.a) || !slices.Equal(g.b, before.b) {
		t.Fatalf("%s: changed its operands", g)
	}
}

func (g call) String() string {
	return fmt.Sprintf("Gemm(%v, %v, %d, %d, %d, %v, lda %d, ldb %d, %v, ldc %d)",
		g.transA, g.transB, g.m, g.n, g.k, g.alpha, g.lda, g.ldb, g.beta, g.ldc)
}

// Zeros, infinities and NaNs must come out as gonum's: a zero of A hides what
// it is multiplied by, unless only B is transposed.
func TestGemmTreatsNaNLikeGonum(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(3, 4))
		for range rounds() {
			rate := []float64{0.001, 0.01, 0.1}[rnd.IntN(3)]
			g := randomCall(rnd, side(rnd, 130), side(rnd, 80), side(rnd, 300), func() float64 {
				if rnd.Float64() < rate {
					return []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[rnd.IntN(3)]
				}
				return []float64{0, 1, rnd.NormFloat64()}[rnd.IntN(3)]
			})
			if rnd.IntN(20) == 0 {
				g.alpha = []float64{math.NaN(), math.Inf(1)}[rnd.IntN(2)]
			}
			if rnd.IntN(20) == 0 {
				g.beta = []float64{math.NaN(), math.Inf(-1)}[rnd.IntN(2)]
			}
			want := slices.Clone(g.c)
			gonum.Implementation{}.Dgemm(transposition(g.transA), transposition(g.transB), g.m, g.n, g.k,
				g.alpha, g.a, g.lda, g.b, g.ldb, g.beta, want, g.ldc)
			g.run()
			for i, v := range g.c {
				if !alike(v, want[i]) {
					t.Fatalf("%s: C[%d,%d] = %v, gonum's is %v", g, i/g.ldc, i%g.ldc, v, want[i])
				}
			}
		}
	})
}

// alike compares up to rounding: sums of at most 301 products of numbers of
// size 1 or so, of which 5 is the largest, times a factor below 4.
func alike(v, w float64) bool {
	switch {
	case math.IsNaN(w) || math.IsNaN(v):
		return math.IsNaN(w) && math.IsNaN(v)
	case math.IsInf(w, 0) || math.IsInf(v, 0):
		return v == w
	}
	return math.Abs(v-w) < 1e-10
}

func TestDgemmPanicsLikeGonum(t *testing.T) {
	x := make([]float64, 20)
	calls := map[string]func(b blas.Float64){
		"transpose of A": func(b blas.Float64) { b.Dgemm('?', blas.NoTrans, 2, 2, 2, 1, x, 2, x, 2, 0, x, 2) },
		"transpose of B": func(b blas.Float64) { b.Dgemm(blas.NoTrans, '?', 2, 2, 2, 1, x, 2, x, 2, 0, x, 2) },
		"m":              func(b blas.Float64) { b.Dgemm(blas.NoTrans, blas.NoTrans, -1, 2, 2, 1, x, 2, x, 2, 0, x, 2) },
		"n":              func(b blas.Float64) { b.Dgemm(blas.NoTrans, blas.NoTrans, 2, -1, 2, 1, x, 2, x, 2, 0, x, 2) },
		"k":              func(b blas.Float64) { b.Dgemm(blas.NoTrans, blas.NoTrans, 2, 2, -1, 1, x, 2, x, 2, 0, x, 2) },
		"lda":            func(b blas.Float64) { b.Dgemm(blas.NoTrans, blas.NoTrans, 2, 2, 3, 1, x, 2, x, 2, 0, x, 2) },
		"ldb":            func(b blas.Float64) { b.Dgemm(blas.NoTrans, blas.Trans, 2, 2, 3, 1, x, 3, x, 2, 0, x, 2) },
		"ldc":            func(b blas.Float64) { b.Dgemm(blas.NoTrans, blas.NoTrans, 2, 3, 2, 1, x, 2, x, 3, 0, x, 2) },
		"short A":        func(b blas.Float64) { b.Dgemm(blas.Trans, blas.NoTrans, 2, 2, 2, 1, x[:3], 2, x, 2, 0, x, 2) },
		"short B":        func(b blas.Float64) { b.Dgemm(blas.NoTrans, blas.NoTrans, 2, 2, 2, 1, x, 2, x[:3], 2, 0, x, 2) },
		"short C":        func(b blas.Float64) { b.Dgemm(blas.NoTrans, blas.NoTrans, 2, 2, 2, 1, x, 2, x, 2, 0, x[:3], 2) },
	}
	for name, do := range calls {
		want, got := recovered(func() { do(gonum.Implementation{}) }), recovered(func() { do(BLAS{}) })
		if want == nil || got != want {
			t.Errorf("%s: panics with %v, gonum with %v", name, got, want)
		}
	}
}

func TestProductTakesViews(t *testing.T) {
	a := blas64.General{Rows: 2, Cols: 3, Stride: 3, Data: []float64{1, 2, 3, 4, 5, 6}}
	c := blas64.General{Rows: 2, Cols: 2, Stride: 2, Data: []float64{1, 1, 1, 1}}
	Product(blas.NoTrans, blas.Trans, 1, a, a, -1, c)
	if want := []float64{13, 31, 31, 76}; !slices.Equal(c.Data, want) {
		t.Errorf("A Aᵀ - C = %v, not %v", c.Data, want)
	}
	d := blas64.General{Rows: 3, Cols: 3, Stride: 3, Data: make([]float64, 9)}
	Product(blas.Trans, blas.NoTrans, 1, a, a, 0, d)
	if want := []float64{17, 22, 27, 22, 29, 36, 27, 36, 45}; !slices.Equal(d.Data, want) {
		t.Errorf("Aᵀ A = %v, not %v", d.Data, want)
	}
}

func recovered(f func()) (reason any) {
	defer func() { reason = recover() }()
	f()
	return nil
}

func TestGemmDoesNotAllocate(t *testing.T) {
	x, c := make([]float64, 70*300), make([]float64, 70*70)
	if n := testing.AllocsPerRun(20, func() { Gemm(false, true, 70, 70, 300, 1, x, 300, x, 300, 0, c, 70) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Goroutines may share operands and write different columns of one matrix; the
// race detector hears of what the assembly reads and writes.
func TestGemmInParallel(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		const n = 150
		x, together, alone := random(n*n), make([]float64, n*n), make([]float64, n*n)
		Gemm(false, true, n, n, n, 1, x, n, x, n, 0, alone, n)
		var wg sync.WaitGroup
		for j := 0; j < n; j += 50 {
			wg.Go(func() { Gemm(false, true, n, 50, n, 1, x, n, x[j*n:], n, 0, together[j:], n) })
		}
		wg.Wait()
		for i, v := range together {
			if math.Abs(v-alone[i]) > 1e-12 { // 150 products of size 1 in another order
				t.Fatalf("C[%d,%d] = %v, not %v", i/n, i%n, v, alone[i])
			}
		}
	})
}

// FuzzGemm takes one set of instructions a call, blocks in place and copied.
func FuzzGemm(f *testing.F) {
	f.Add(uint64(1), 16, 16, 16)
	f.Add(uint64(2), 1, 300, 1)
	f.Add(uint64(3), 320, 170, 40)
	highest := active
	f.Fuzz(func(t *testing.T, seed uint64, m, n, k int) {
		active = level(seed % uint64(highest+1))
		defer func() { active = highest }()
		rnd := rand.New(rand.NewPCG(seed, 0))
		length := func(x, below int) int { return int(uint(x) % uint(below)) }
		g := randomCall(rnd, length(m, 350), length(n, 200), length(k, 300), rnd.NormFloat64)
		checkGemm(t, g)
		g.alpha = 1
		checkEpilogue(t, g, randomEpilogue(t, rnd, g))
	})
}

func BenchmarkGemm(b *testing.B) {
	for _, n := range []int{16, 128, 512} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rnd := rand.New(rand.NewPCG(1, 2))
			x := matrixOf(n, n, n, rnd.NormFloat64)
			c := make([]float64, n*n)
			for b.Loop() {
				Gemm(false, false, n, n, n, 1, x, n, x, n, 0, c, n)
			}
			b.ReportMetric(2*float64(n*n*n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gflop/s")
		})
	}
}
