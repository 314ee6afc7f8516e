package qhnet_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/nn"
)

func ExampleConservedBlocks() {
	n, err := nn.New(nn.Input(2), nn.Dense(24), nn.ReLU(), nn.Dense(24), nn.ReLU(), nn.Dense(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range qhnet.ConservedBlocks(n) {
		fmt.Println(c.Name)
	}
	fmt.Println(qhnet.ConservedUnits(n)[0].Name)
	// Output:
	// ‖dense1.weight‖² + ‖dense1.bias‖² - ‖dense2.weight‖²
	// ‖dense2.weight‖² + ‖dense2.bias‖² - ‖dense3.weight‖²
	// ‖dense1.weight[0]‖² + dense1.bias[0]² - ‖dense2.weight[·,0]‖²
}

// TestConserved checks, at random points, that the gradient of every conserved
// quantity is orthogonal to the gradients of the outputs: gradient flow on any
// function of the outputs then keeps it. The sum has rounding errors of 1e-16
// of its terms, of which there are a few hundred.
func TestConserved(t *testing.T) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 8))
			e, theta := a.bind(t, rng)
			blocks, units := qhnet.ConservedBlocks(a.model(t)), qhnet.ConservedUnits(a.model(t))
			if len(units) != a.units {
				t.Errorf("%d conserved quantities of units, want %d", len(units), a.units)
			}
			weights := randomVector(rng, len(mustForward(t, e, theta)))
			g, c := make([]float64, len(theta)), make([]float64, len(theta))
			e.Gradient(g, weights)
			for _, q := range append(blocks, units...) {
				q.Gradient(c, theta)
				terms := 0.0
				for i := range g {
					terms += math.Abs(g[i] * c[i])
				}
				if change := floats.Dot(g, c); math.Abs(change) > 1e-12*terms {
					t.Errorf("%s changes at rate %v, of terms of size %v", q.Name, change, terms)
				}
			}
		})
	}
}

// TestConservedSpansFreedom: differences of random admissible rates lie in the
// span of the conserved directions, so none is missing.
func TestConservedSpansFreedom(t *testing.T) {
	for _, a := range architectures {
		rng := rand.New(rand.NewPCG(9, 10))
		m := a.model(t)
		rates := mustRates(t, m)
		audit := qhnet.Audit(m)
		if audit.Freedom > len(audit.Conserved) {
			t.Errorf("%s: rates have %d degrees of freedom, but %d quantities are conserved", a.name, audit.Freedom, len(audit.Conserved))
		}
		samples := mat.NewDense(audit.Freedom+3, len(rates.Blocks()), nil)
		for i := range audit.Freedom + 3 {
			samples.SetRow(i, rates.Random(rng).PerBlock())
			floats.Sub(samples.RawRowView(i), rates.PerBlock())
		}
		var svd mat.SVD
		if !svd.Factorize(samples, mat.SVDNone) {
			t.Fatal("no singular values")
		}
		rank := 0
		for _, s := range svd.Values(nil) {
			if s > 1e-9 { // random points differ by much more in every free direction
				rank++
			}
		}
		if rank != audit.Freedom {
			t.Errorf("%s: random rates span %d dimensions, want %d", a.name, rank, audit.Freedom)
		}
	}
}
