package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// odd values that comparisons and rounding treat in their own ways.
var odd = []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), 1e-300, -math.MaxFloat64}

// someOdd draws values, a fifth of them odd.
func someOdd(rnd *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rnd.NormFloat64()
		if rnd.IntN(5) == 0 {
			x[i] = odd[rnd.IntN(len(odd))]
		}
	}
	return x
}

// same compares bit by bit, except that every NaN is like another.
func same(x, y []float64) bool {
	return slices.EqualFunc(x, y, func(v, w float64) bool {
		return math.Float64bits(v) == math.Float64bits(w) || v != v && w != w
	})
}

// eachLength runs a test on slices of 0 to 70 values, which no kernel may leave.
func eachLength(t *testing.T, test func(t *testing.T, rnd *rand.Rand, n int)) {
	eachLevel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(7, 8))
		for n := range 71 {
			test(t, rnd, n)
		}
	})
}

func TestRectifyAndGate(t *testing.T) {
	eachLength(t, func(t *testing.T, rnd *rand.Rand, n int) {
		x, gate := guarded(t, someOdd(rnd, n), true), guarded(t, someOdd(rnd, n), true)
		dst := guarded(t, make([]float64, n), true)
		positive, passed := make([]float64, n), make([]float64, n)
		for i, v := range x {
			positive[i] = v
			if v < 0 {
				positive[i] = 0
			}
			if gate[i] > 0 {
				passed[i] = v
			}
		}
		if Rectify(dst, x); !same(dst, positive) {
			t.Fatalf("max(0, %v) = %v", x, dst)
		}
		if Gate(dst, x, gate); !same(dst, passed) {
			t.Fatalf("%v where %v is positive is %v", x, gate, dst)
		}
		if Gate(x, x, gate); !same(x, passed) {
			t.Fatalf("in place %v, not %v", x, passed)
		}
	})
}

func TestAddScaled(t *testing.T) {
	eachLength(t, func(t *testing.T, rnd *rand.Rand, n int) {
		x, dst := guarded(t, someOdd(rnd, n), true), guarded(t, someOdd(rnd, n), true)
		want := slices.Clone(dst)
		for i, v := range x {
			want[i] = math.FMA(-0.5, v, want[i]) // halving is exact, so fused or not is the same
		}
		if AddScaled(dst, -0.5, x); !same(dst, want) {
			t.Fatalf("%v, not %v", dst, want)
		}
	})
}

func TestRows(t *testing.T) {
	eachLength(t, func(t *testing.T, rnd *rand.Rand, cols int) {
		rows := 1 + rnd.IntN(12)
		x, row := guarded(t, whole(rnd, rows*cols), true), guarded(t, whole(rnd, cols), true)
		shifted, sum := slices.Clone(x), slices.Clone(row)
		for i := range x {
			shifted[i] += row[i%cols]
			sum[i%cols] += shifted[i]
		}
		if AddRow(x, row); !same(x, shifted) {
			t.Fatalf("rows became %v, not %v", x, shifted)
		}
		if SumRows(row, x); !same(row, sum) {
			t.Fatalf("sum %v, not %v", row, sum)
		}
	})
	if recovered(func() { AddRow(make([]float64, 5), make([]float64, 2)) }) == nil {
		t.Error("5 values were taken for rows of 2")
	}
}

// whole draws whole numbers, whose sums are exact in any order, and NaNs.
func whole(rnd *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(rnd.IntN(1000))
		if rnd.IntN(50) == 0 {
			x[i] = math.NaN()
		}
	}
	return x
}

func TestMaxAndMin(t *testing.T) {
	eachLength(t, func(t *testing.T, rnd *rand.Rand, n int) {
		x := make([]float64, n)
		if n%2 == 0 {
			x = someOdd(rnd, n)
		}
		for i := range x {
			x[i] += rnd.NormFloat64()
		}
		x = guarded(t, x, true)
		largest, smallest := math.Inf(-1), math.Inf(1)
		for _, v := range x {
			largest, smallest = max(largest, v), min(smallest, v)
		}
		if got := Max(x); !same([]float64{got}, []float64{largest}) {
			t.Fatalf("Max(%v) = %v", x, got)
		}
		if got := Min(x); !same([]float64{got}, []float64{smallest}) {
			t.Fatalf("Min(%v) = %v", x, got)
		}
	})
}

func TestSum(t *testing.T) {
	eachLength(t, func(t *testing.T, rnd *rand.Rand, n int) {
		x, want := guarded(t, whole(rnd, n), true), 0.0
		for _, v := range x {
			want += v
		}
		if got := Sum(x); !same([]float64{got}, []float64{want}) {
			t.Fatalf("Σ %v = %v, not %v", x, got, want)
		}
	})
}

func BenchmarkRectify(b *testing.B) {
	for _, n := range []int{100, 10_000, 1_000_000} {
		b.Run(size(n), func(b *testing.B) {
			x := random(n)
			dst := make([]float64, n)
			b.SetBytes(int64(2 * word * n))
			for b.Loop() {
				Rectify(dst, x)
			}
		})
	}
}
