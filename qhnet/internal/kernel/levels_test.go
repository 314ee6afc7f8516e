package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// AVX2 and AVX-512 sum in the same order and round alike, so that a result does
// not depend on the processor.
func TestLevelsAgreeBitByBit(t *testing.T) {
	if best() < avx512 {
		t.Skip("no AVX-512")
	}
	highest := active
	defer func() { active = highest }()
	rnd := rand.New(rand.NewPCG(13, 14))
	for range rounds() / 4 {
		g := randomCall(rnd, side(rnd, 300), side(rnd, 150), side(rnd, 600), rnd.NormFloat64)
		x := make([]float64, rnd.IntN(100))
		for i := range x {
			x[i] = -800 * rnd.Float64() // results of all sizes, zero and subnormal ones too
		}
		var results [2][]float64
		for i, l := range []level{avx2, avx512} {
			active = l
			h := g
			h.c = slices.Clone(g.c)
			h.run()
			e, sums := make([]float64, len(x)), make([]float64, g.ldc)
			sum := Exp(e, x, 1, 0)
			SumRows(sums[:min(g.n, len(h.c))], h.c[:min(g.n, len(h.c))])
			total, product := Moments(x, e)
			curved := make([][]float64, 6)
			for j := range curved {
				curved[j] = make([]float64, len(x))
			}
			TanhCurve(curved[0], curved[1], curved[2], e)
			SoftplusCurve(curved[3], curved[4], curved[5], x)
			results[i] = slices.Concat(h.c, e, sums, slices.Concat(curved...), []float64{sum, Sum(g.b), Max(x), Min(x), total, product})
		}
		if !same(results[0], results[1]) {
			t.Fatalf("%v or e^%v differ between AVX2 and AVX-512", g, x)
		}
	}
}

func TestChooseTakesNoMoreThanThereIs(t *testing.T) {
	for _, c := range []struct {
		name       string
		best, want level
	}{
		{"", avx512, avx512}, {"avx2", avx512, avx2}, {"portable", avx2, portable},
		{"avx512", avx2, avx2}, {"sse", avx2, avx2},
	} {
		if got := choose(c.name, c.best); got != c.want {
			t.Errorf("%q on a processor with %v: %v, not %v", c.name, c.best, got, c.want)
		}
	}
	if Name() != active.String() {
		t.Errorf("Name is %q at level %v", Name(), active)
	}
}
