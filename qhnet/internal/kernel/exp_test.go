package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"
)

// bigExp returns e^x to some 100 bits, by the series of e^{x/2^20} squared 20
// times.
func bigExp(x float64) *big.Float {
	const halvings = 20
	r := number(x)
	r.SetMantExp(r, -halvings)
	sum, term := number(1), number(1)
	for n := 1; n < 20; n++ {
		term.Mul(term, r)
		term.Quo(term, number(float64(n)))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

func number(v float64) *big.Float { return new(big.Float).SetPrec(160).SetFloat64(v) }

// ulps returns how far y is from e^x, in units of the last place of e^x.
func ulps(y, x float64) float64 {
	exact := bigExp(x)
	nearest, _ := exact.Float64()
	unit := math.Nextafter(nearest, math.Inf(1)) - nearest
	d := new(big.Float).SetPrec(160).SetFloat64(y)
	d.Sub(d, exact).Quo(d, big.NewFloat(unit))
	count, _ := d.Float64()
	return math.Abs(count)
}

func TestExpIsAccurate(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(9, 10))
		x := make([]float64, 30_000)
		for i := range x {
			switch i % 3 {
			case 0:
				x[i] = rnd.NormFloat64()
			case 1:
				x[i] = -745 + 1454*rnd.Float64() // from the smallest to the largest result
			case 2: // halfway between multiples of log 2, where r is largest
				x[i] = (float64(rnd.IntN(1000)-500) + 0.5 + 1e-9*rnd.NormFloat64()) * math.Ln2
			}
		}
		dst := make([]float64, len(x))
		Exp(dst, x, 1, 0)
		worst, at := 0.0, 0.0
		for i := range x {
			if u := ulps(dst[i], x[i]); u > worst {
				worst, at = u, x[i]
			}
		}
		t.Logf("worst error %.3f ulp, at %v", worst, at)
		bound := 1.0 // half of it from the last rounding, the rest from the sum before
		if active == portable {
			bound = 2 // math.Exp
		}
		if worst > bound {
			t.Errorf("e^%v is wrong by %.3f units in the last place", at, worst)
		}
	})
}

func TestExpAtTheEdges(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		inf := math.Inf(1)
		for _, c := range []struct{ x, want float64 }{
			{0, 1}, {math.Copysign(0, -1), 1}, {inf, inf}, {-inf, 0}, {math.NaN(), math.NaN()},
			{710, inf}, {1e300, inf}, {-745.2, 0}, {-746, 0}, {-1e300, 0},
			{-745, math.SmallestNonzeroFloat64}, {709, 8.218407461554972e307},
		} {
			dst := []float64{7}
			Exp(dst, []float64{c.x}, 1, 0)
			if !same(dst, []float64{c.want}) && math.Abs(dst[0]/c.want-1) > 1e-13 { // the spacing of x at 709
				t.Errorf("e^%v = %v, not %v", c.x, dst[0], c.want)
			}
		}
	})
}

func TestExpScalesShiftsAndSums(t *testing.T) {
	eachLength(t, func(t *testing.T, rnd *rand.Rand, n int) {
		x := guarded(t, random(n), true)
		dst := guarded(t, make([]float64, n), true)
		scale, shift := rnd.NormFloat64(), rnd.NormFloat64()
		sum, want := Exp(dst, x, scale, shift), 0.0
		for i, v := range x {
			e := math.Exp(math.FMA(scale, v, shift))
			if math.Abs(dst[i]-e) > 4e-16*e { // two units in the last place, one each
				t.Fatalf("e^(%v·%v%+v) = %v, not %v", scale, v, shift, dst[i], e)
			}
			want += e
		}
		if math.Abs(sum-want) > 1e-15*float64(n+1)*want {
			t.Fatalf("sum %v, not %v", sum, want)
		}
		if Exp(x, x, scale, shift); !same(x, dst) {
			t.Fatal("in place differs")
		}
	})
}

func random(n int) []float64 {
	rnd := rand.New(rand.NewPCG(1, 2))
	x := make([]float64, n)
	for i := range x {
		x[i] = rnd.NormFloat64()
	}
	return x
}

func size(n int) string { return strconv.Itoa(n) }

func BenchmarkExp(b *testing.B) {
	for _, n := range []int{100, 10_000, 1_000_000} {
		b.Run(size(n), func(b *testing.B) {
			x := random(n)
			dst := make([]float64, n)
			for b.Loop() {
				Exp(dst, x, 1, 0)
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/float64(n), "ns/value")
		})
	}
}
