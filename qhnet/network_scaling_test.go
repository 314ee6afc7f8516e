package qhnet

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
)

// sampleRates draws rates of the blocks that satisfy the rules: a mixture of
// vertices, each the minimum of a random linear objective. Blocks in no rule
// are free and get a random rate. It fails if there are no such rates.
func sampleRates(t testing.TB, rules []ScalingRule, blocks int, rng *rand.Rand) []float64 {
	t.Helper()
	rows := independentRules(rules)
	rates := make([]float64, blocks)
	var bound []int // blocks that some rule mentions
	for b := range rates {
		if slices.ContainsFunc(rows, func(row []float64) bool { return row[b] != 0 }) {
			bound = append(bound, b)
		} else {
			rates[b] = rng.Float64()
		}
	}
	if len(rows) == 0 {
		return rates
	}
	a, total := mat.NewDense(len(rows), len(bound), nil), make([]float64, len(rows))
	for i, row := range rows {
		for j, b := range bound {
			a.Set(i, j, row[b])
		}
		total[i] = row[blocks]
	}
	const vertices = 4
	for range vertices {
		objective := make([]float64, len(bound))
		for j := range objective {
			objective[j] = rng.Float64() + 0.01
		}
		_, vertex, err := lp.Simplex(objective, a, total, 0, nil)
		if err != nil {
			t.Fatalf("no admissible rates: %v", err)
		}
		for j, b := range bound {
			rates[b] += vertex[j] / vertices
		}
	}
	return rates
}

// independentRules row-reduces the rules, coefficients then total.
func independentRules(rules []ScalingRule) [][]float64 {
	var reduced [][]float64
	for _, r := range rules {
		row := append(append([]float64(nil), r.Coefficients...), r.Total)
		for _, q := range reduced {
			p := pivot(q)
			floats.AddScaled(row, -row[p]/q[p], q)
		}
		for i, c := range row {
			if math.Abs(c) < 1e-9 { // coefficients are small integers or degrees
				row[i] = 0
			}
		}
		if floats.Norm(row, math.Inf(1)) > 0 {
			reduced = append(reduced, row)
		}
	}
	return reduced
}

func pivot(row []float64) int {
	for i, c := range row {
		if c != 0 {
			return i
		}
	}
	return len(row) - 1
}

// expand gives each parameter the rate of its block.
func expand(blocks []Block, rates []float64, m int) []float64 {
	lambda := make([]float64, m)
	for i, b := range blocks {
		fill(b.Of(lambda), rates[i])
	}
	return lambda
}

// checkScaling compares f(ψ_α θ) with e^α f(θ) and Σ λ_i θ_i ∂_i f with f.
func checkScaling(t *testing.T, n *Network, e Evaluation, theta []float64, rng *rand.Rand) {
	t.Helper()
	// Rounding of sums of ~100 products, each off by 1e-16, in a few layers.
	const tolerance = 1e-12
	for range 4 {
		lambda := expand(n.Blocks(), sampleRates(t, n.ScalingRules(), len(n.Blocks()), rng), len(theta))
		f := forward(t, e, theta)
		v, euler := make([]float64, len(theta)), make([]float64, len(f))
		floats.MulTo(v, lambda, theta)
		e.Directional(euler, v)
		if d := distance(euler, f); d > tolerance {
			t.Errorf("Euler's identity is off by %.1e", d)
		}
		alpha := 4*rng.Float64() - 2
		moved := make([]float64, len(theta))
		for i := range moved {
			moved[i] = math.Exp(alpha*lambda[i]) * theta[i]
		}
		floats.Scale(math.Exp(alpha), f)
		if d := distance(forward(t, e, moved), f); d > tolerance {
			t.Errorf("f(ψ_α θ) is off e^α f(θ) by %.1e for α = %v", d, alpha)
		}
	}
}

func TestScaling(t *testing.T) {
	for i, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			n, e, theta, rng := a.build(t, uint64(i))
			checkScaling(t, n, e, theta, rng)
		})
	}
}
