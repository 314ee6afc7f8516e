package qhnet_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
)

func ExampleRatesOf() {
	// f(x) = w_H·x_H + a (w_R·x_R): the first group has rate 1, the second 1/2.
	m := qhnet.Groups(
		qhnet.Group{Name: "H", Coordinates: []int{0}, Depth: 1},
		qhnet.Group{Name: "R", Coordinates: []int{1, 2}, Depth: 2},
	)
	rates, err := qhnet.RatesOf(m)
	if err != nil {
		fmt.Println(err)
		return
	}
	for b, block := range rates.Blocks() {
		low, high := rates.Range(b)
		fmt.Printf("%-9s %.2f in [%v, %v]\n", block.Name, rates.Canonical()[b], low, high)
	}
	// Output:
	// H.weight  1.00 in [1, 1]
	// R.weight  0.50 in [0, 1]
	// R.scale1  0.50 in [0, 1]
}

// rulesOnly is a model known by its blocks, of one parameter each, and rules.
type rulesOnly struct {
	names []string
	rules []qhnet.ScalingRule
}

func (m rulesOnly) Blocks() []qhnet.Block {
	blocks := make([]qhnet.Block, len(m.names))
	for i, name := range m.names {
		blocks[i] = qhnet.Block{Name: name, Layer: name, Kind: "weight", Shape: []int{1}, Offset: i}
	}
	return blocks
}

func (m rulesOnly) ScalingRules() []qhnet.ScalingRule { return m.rules }

func (m rulesOnly) Outputs() int { return 1 }

func (m rulesOnly) Bind(*mat.Dense) (qhnet.Evaluation, error) {
	return nil, errors.New("no formula")
}

// biased has the rules of a dense network with all biases: b_l = W1+…+W_l and
// b_L = 1.
func biased(depth int) rulesOnly {
	var m rulesOnly
	for _, kind := range []string{"W", "b"} {
		for l := range depth {
			m.names = append(m.names, fmt.Sprint(kind, l+1))
		}
	}
	for l := range depth {
		c := make([]float64, 2*depth)
		for i := range l + 1 {
			c[i] = 1
		}
		c[depth+l] = -1
		m.rules = append(m.rules, qhnet.ScalingRule{Layer: fmt.Sprint("dense", l+1), Reason: "A bias has the exponent of what it is added to.", Coefficients: c})
	}
	c := make([]float64, 2*depth)
	c[2*depth-1] = 1
	m.rules = append(m.rules, qhnet.ScalingRule{Layer: "output", Reason: "The output has exponent 1.", Coefficients: c, Total: 1})
	return m
}

func mustRates(t *testing.T, m qhnet.Model) *qhnet.Rates {
	t.Helper()
	rates, err := qhnet.RatesOf(m)
	if err != nil {
		t.Fatal(err)
	}
	return rates
}

// TestBiasedNetwork has the canonical rates of a biased 3-layer network, before
// and after its later biases are discarded.
func TestBiasedNetwork(t *testing.T) {
	all := mustRates(t, biased(3))
	if got, want := all.Canonical(), []float64{0.25, 0.25, 0.5, 0.25, 0.5, 1}; !floats.Equal(got, want) {
		t.Errorf("canonical rates %v, want %v", got, want)
	}
	if rate, blocks := all.Max(); rate != 1 || len(blocks) != 1 || blocks[0] != 5 {
		t.Errorf("highest rate %v of blocks %v, want 1 of b3", rate, blocks)
	}
	third := 1.0 / 3
	left := all.Without("b3").Without("b2")
	if got, want := left.Canonical(), []float64{third, third, third, third, 2 * third, 1}; !floats.Equal(got, want) {
		t.Errorf("without b2, b3: %v, want the even rates %v", got, want)
	}
	if rate, blocks := left.Max(); rate != third || len(blocks) != 4 {
		t.Errorf("without b2, b3: highest rate %v of blocks %v, want 1/3 of four", rate, blocks)
	}
	if err := all.Admits(left.Expand()); err != nil {
		t.Errorf("the even rates are admissible for the whole network, but: %v", err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		if err := all.Admits(left.Spread(left.Random(rng))); err != nil {
			t.Error(err)
		}
	}
}

func TestWithoutAllFactors(t *testing.T) {
	rates := mustRates(t, qhnet.Diagonal(1, 2)).Without("x1.factor1")
	if rate, _ := rates.Max(); rate != 0.5 {
		t.Errorf("highest surviving rate %v, want 1/2", rate)
	}
	if s := rates.Surviving(); s[0] || !s[1] || !s[2] {
		t.Errorf("surviving blocks %v", s)
	}
}

// TestArchitectures checks canonical rates against hand-made ones, and the
// definition and Euler's identity for them and for random admissible rates.
func TestArchitectures(t *testing.T) {
	if len(architectures) < 25 {
		t.Errorf("only %d architectures", len(architectures))
	}
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			rates := mustRates(t, a.model(t))
			if got := rates.Canonical(); a.canonical != nil && !floats.Equal(got, a.canonical) {
				t.Errorf("canonical rates %v, want %v", got, a.canonical)
			}
			rng := rand.New(rand.NewPCG(11, 12))
			e, _ := a.bind(t, rng)
			checkScaling(t, rates, e, rng)
		})
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
	if rates.Canonical()[4] != 0 {
		t.Error("a scale-invariant weight has a canonical rate other than 0")
	}
	if x, err := rates.Extreme([]float64{-1, 0, 0, 0, 0}); err != nil || x[0] != 1 || x[1] != 0 {
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
		x := rates.Random(rng)
		if err := rates.Admits(rates.Spread(x)); err != nil {
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

func TestAdmits(t *testing.T) {
	rates := mustRates(t, qhnet.Groups(qhnet.Group{Name: "R", Coordinates: []int{0, 1}, Depth: 2}))
	for _, test := range []struct {
		lambda []float64
		want   string
	}{
		{[]float64{0.3, 0.3, 0.7}, ""},
		{[]float64{0.3, 0.4, 0.7}, "different rates"},
		{[]float64{1.5, 1.5, -0.5}, "-0.5"},
		{[]float64{0.3, 0.3, 0.6}, "miss a rule by -0.1: R "},
		{[]float64{math.NaN(), 0, 1}, "NaN"},
	} {
		err := rates.Admits(test.lambda)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("rates %v: error %v, want %q", test.lambda, err, test.want)
		}
	}
}

func TestRatesRefuse(t *testing.T) {
	rates := mustRates(t, qhnet.Diagonal(1, 2))
	for want, call := range map[string]func(){
		`no block "x1"; its blocks are ["x1.factor1" "x2.factor1" "x2.factor2"]`: func() { rates.Without("x1") },
		"length of lambda is 2, want 3":                                          func() { rates.Admits([]float64{1, 0.5}) },
	} {
		func() {
			defer func() {
				if r := recover(); !strings.Contains(fmt.Sprint(r), want) {
					t.Errorf("panic %v, want one with %q", r, want)
				}
			}()
			call()
		}()
	}
}

func TestNotQuasiHomogeneous(t *testing.T) {
	m := rulesOnly{
		names: []string{"W1", "other", "b1"},
		rules: []qhnet.ScalingRule{
			{Layer: "dense1", Reason: "A bias has the exponent of what it is added to.", Coefficients: []float64{1, 0, -1}},
			{Layer: "other", Reason: "Something else.", Coefficients: []float64{0, 1, 0}, Total: 1},
			{Layer: "tanh1", Reason: "tanh needs the exponent 0 at its input.", Coefficients: []float64{1, 0, 0}},
			{Layer: "product", Reason: "Its branches differ.", Coefficients: []float64{0, 0, 1}, Total: 1},
			{Layer: "late", Reason: "Comes later.", Coefficients: []float64{0, 1, 0}, Total: 7},
		},
	}
	_, err := qhnet.RatesOf(m)
	var failure *qhnet.NotQuasiHomogeneousError
	if !errors.As(err, &failure) {
		t.Fatalf("error %v", err)
	}
	if failure.Layer != "product" || len(failure.Conflicts) != 2 ||
		failure.Conflicts[0].Layer != "dense1" || failure.Conflicts[1].Layer != "tanh1" {
		t.Errorf("wrong explanation: %v", err)
	}
}

func TestStrict(t *testing.T) {
	tanh := rulesOnly{
		names: []string{"W1", "W2", "W3"},
		rules: []qhnet.ScalingRule{
			{Layer: "tanh2", Reason: "tanh needs the exponent 0 at its input.", Coefficients: []float64{1, 1, 0}},
			{Layer: "output", Reason: "The output has exponent 1.", Coefficients: []float64{0, 0, 1}, Total: 1},
		},
	}
	err := mustRates(t, tanh).Strict()
	var pinned *qhnet.PinnedRatesError
	if !errors.As(err, &pinned) || pinned.Layer != "tanh2" || fmt.Sprint(pinned.Blocks) != "[W1 W2]" {
		t.Errorf("Strict: %v", err)
	}
	if err := mustRates(t, biased(3)).Strict(); err != nil {
		t.Errorf("a biased network is strictly quasi-homogeneous, but: %v", err)
	}
}

// TestFractionalPowers has activations |x|^1.1, whose coefficients 1.1, 1.1²
// and so on are not exact in binary but must cancel all the same.
func TestFractionalPowers(t *testing.T) {
	const k = 1.1
	m := rulesOnly{
		names: []string{"W1", "W2", "b2"},
		rules: []qhnet.ScalingRule{
			{Layer: "dense2", Reason: "bias", Coefficients: []float64{k, 1, -1}},
			{Layer: "sum", Reason: "sum", Coefficients: []float64{k * k, k, -k}},
			{Layer: "output", Reason: "output", Coefficients: []float64{k * k, k, 0}, Total: 1},
		},
	}
	rates := mustRates(t, m)
	if low, high := rates.Range(2); math.Abs(low-1/k) > 1e-15 || low != high {
		t.Errorf("the bias has rates in [%v, %v], want 1/1.1", low, high)
	}
}

func BenchmarkRatesOf(b *testing.B) {
	for _, depth := range []int{3, 10, 30} {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			m := biased(depth)
			for b.Loop() {
				if _, err := qhnet.RatesOf(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
