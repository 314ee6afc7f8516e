package qhnet_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/nn"
)

// TestBiasedNetwork has the canonical rates of a biased 3-layer network, before
// and after its later biases are discarded.
func TestBiasedNetwork(t *testing.T) {
	all := mustRates(t, biased(3))
	if got, want := all.PerBlock(), []float64{0.25, 0.25, 0.5, 0.25, 0.5, 1}; !floats.Equal(got, want) {
		t.Errorf("canonical rates %v, want %v", got, want)
	}
	if rate, blocks := all.Max(); rate != 1 || len(blocks) != 1 || blocks[0] != 5 {
		t.Errorf("highest rate %v of blocks %v, want 1 of b3", rate, blocks)
	}
	third := 1.0 / 3
	left := all.Without("b3").Without("b2")
	if got, want := left.PerBlock(), []float64{third, third, third, third, 2 * third, 1}; !floats.Equal(got, want) {
		t.Errorf("without b2, b3: %v, want the even rates %v", got, want)
	}
	if rate, blocks := left.Max(); rate != third || len(blocks) != 4 {
		t.Errorf("without b2, b3: highest rate %v of blocks %v, want 1/3 of four", rate, blocks)
	}
	if _, err := all.Choose(left.PerBlock()); err != nil {
		t.Errorf("the even rates are admissible for the whole network, but: %v", err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		if _, err := all.Choose(left.Random(rng).PerBlock()); err != nil {
			t.Error(err)
		}
	}
}

func TestWithoutAllFactors(t *testing.T) {
	rates := mustRates(t, nn.Diagonal(1, 2)).Without("x1.factor1")
	if rate, _ := rates.Max(); rate != 0.5 {
		t.Errorf("highest surviving rate %v, want 1/2", rate)
	}
	if s := rates.Surviving(); s[0] || !s[1] || !s[2] {
		t.Errorf("surviving blocks %v", s)
	}
}

func TestRanges(t *testing.T) {
	m := biased(2)
	m.names = append(m.names, "free")
	for i := range m.rules {
		m.rules[i].Coefficients = append(m.rules[i].Coefficients, 0)
	}
	rates := mustRates(t, m)
	for b, want := range [][2]float64{{0, 1}, {0, 1}, {0, 1}, {1, 1}, {0, math.Inf(1)}} {
		if low, high := rates.Range(b); low != want[0] || high != want[1] {
			t.Errorf("%s ranges over [%v, %v], want %v", m.names[b], low, high, want)
		}
	}
	if rates.PerBlock()[4] != 0 {
		t.Error("a scale-invariant weight has a canonical rate other than 0")
	}
	if x, err := rates.Extreme([]float64{-1, 0, 0, 0, 0}); err != nil || x.PerBlock()[0] != 1 || x.PerBlock()[1] != 0 {
		t.Errorf("largest W1: %v, %v", x, err)
	}
	if _, err := rates.Extreme([]float64{0, 0, 0, 0, -1}); err == nil || !strings.Contains(err.Error(), "free") {
		t.Errorf("an unbounded objective gives %v", err)
	}
}

// TestRandomCoversThePolytope: random rates are admissible and fill the range.
func TestRandomCoversThePolytope(t *testing.T) {
	m := biased(3)
	rates := mustRates(t, m)
	rng := rand.New(rand.NewPCG(1, 2))
	low, high := math.Inf(1), math.Inf(-1)
	for range 500 {
		x := rates.Random(rng).PerBlock()
		if _, err := rates.Choose(x); err != nil {
			t.Fatal(err)
		}
		low, high = min(low, x[0]), max(high, x[0])
	}
	// W1 has density 2(1-x) on [0, 1]. Of 500 draws none is above 0.85 with
	// probability (1 - 0.15²)^500 ≈ 1e-5, and the seed is fixed.
	if low > 0.05 || high < 0.85 {
		t.Errorf("W1 ranged over [%.3f, %.3f], want nearly [0, 1]", low, high)
	}
}
