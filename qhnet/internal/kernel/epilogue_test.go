package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// An epilogue must be the same bits as the product and then its steps.
func TestEpilogueFollowsTheProduct(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(11, 12))
		for range rounds() {
			g := randomCall(rnd, side(rnd, 300), side(rnd, 150), side(rnd, 600), rnd.NormFloat64)
			g.alpha = 1
			checkEpilogue(t, g, randomEpilogue(t, rnd, g))
		}
	})
}

// randomEpilogue takes each step or not.
func randomEpilogue(t *testing.T, rnd *rand.Rand, g call) (e Epilogue) {
	if rnd.IntN(2) == 0 {
		e.Bias = guarded(t, random(g.n), true)
	}
	if rnd.IntN(2) == 0 {
		e.RowBias = guarded(t, random(g.m), true)
	}
	e.Rectify = rnd.IntN(2) == 0
	if rnd.IntN(2) == 0 {
		e.Mask = guarded(t, matrixOf(g.m, g.n, g.ldc, rnd.NormFloat64), true)
	}
	return e
}

func checkEpilogue(t *testing.T, g call, e Epilogue) {
	want := g
	want.c = slices.Clone(g.c)
	want.run()
	for i := range g.m {
		row := want.c[i*g.ldc : i*g.ldc+g.n]
		for j := range row {
			if e.Bias != nil {
				row[j] += e.Bias[j]
			}
			if e.RowBias != nil {
				row[j] += e.RowBias[i]
			}
			if e.Rectify {
				row[j] = max(row[j], 0)
			}
			if e.Mask != nil && e.Mask[i*g.ldc+j] <= 0 {
				row[j] = 0
			}
		}
	}
	GemmEpilogue(g.transA, g.transB, g.m, g.n, g.k, g.a, g.lda, g.b, g.ldb, g.beta, g.c, g.ldc, e)
	if !slices.Equal(g.c, want.c) {
		t.Fatalf("%v with %d and %d biases, %v, %d masks: %v, not %v", g, len(e.Bias), len(e.RowBias), e.Rectify, len(e.Mask), g.c, want.c)
	}
}

func TestEpilogueChecksLengths(t *testing.T) {
	x := make([]float64, 4)
	for _, e := range []Epilogue{{Bias: x[:1]}, {RowBias: x[:3]}, {Mask: x[:3]}} {
		if recovered(func() { GemmEpilogue(false, false, 2, 2, 2, x, 2, x, 2, 0, make([]float64, 4), 2, e) }) == nil {
			t.Errorf("%v was accepted for a 2×2 matrix", e)
		}
	}
}
