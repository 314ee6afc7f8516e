package qhnet_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
)

// flowCase is a model on separable data, with the blocks its flow discards.
type flowCase struct {
	name      string
	model     qhnet.Model
	margins   *qhnet.Margins
	start     []float64
	discarded []string
}

func flowCases(t testing.TB) []flowCase {
	t.Helper()
	rng := rand.New(rand.NewPCG(12, 1))
	xor := dataset.XOR(8, 0.2, rng)
	line, _ := dataset.Separable(10, 3, 0.4, rng)
	clusters := dataset.GaussianClusters(mat.NewDense(3, 2, []float64{3, 0, -1.5, 2.6, -1.5, -2.6}), 5, 0.5, rng)
	net := func(name string, set dataset.Set, discarded []string, layers ...nn.Layer) flowCase {
		n := network(t, layers...)
		return flowCase{name, n, bind(t, n, set), n.Start(rng, nn.He), discarded}
	}
	balls := func(name string, high, low int) flowCase {
		model := nn.Groups(nn.Group{Name: "H", Coordinates: []int{0}, Depth: high}, nn.Group{Name: "R", Coordinates: []int{1}, Depth: low})
		q, err := qhnet.NewBallMargins(model, twoBallSet(), 0.8)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		start := make([]float64, qhnet.NumParameters(model))
		for i := range start {
			start[i] = 0.5 + 0.1*float64(i)
		}
		return flowCase{name, model, q, start, nil}
	}
	return []flowCase{
		balls("balls, depths 1 and 2", 1, 2),
		balls("balls, depths 1 and 3", 1, 3),
		balls("balls, depths 2 and 4", 2, 4),
		net("two layers", line, nil, nn.Input(3), nn.Dense(8, nn.NoBias()), nn.ReLU(), nn.Dense(1, nn.NoBias())),
		net("three layers", line, nil, nn.Input(3), nn.Dense(6, nn.NoBias()), nn.ReLU(), nn.Dense(6, nn.NoBias()), nn.ReLU(), nn.Dense(1, nn.NoBias())),
		net("two layers, biases", xor, []string{"dense2.bias"}, nn.Input(2), nn.Dense(12), nn.ReLU(), nn.Dense(1)),
		net("three layers, biases", xor, []string{"dense2.bias", "dense3.bias"}, nn.Input(2), nn.Dense(8), nn.ReLU(), nn.Dense(8), nn.ReLU(), nn.Dense(1)),
		net("RMS norm", line, nil, nn.Input(3), nn.Dense(8, nn.NoBias()), nn.ReLU(), nn.Dense(6), nn.RMSNorm(), nn.Dense(1, nn.NoBias())),
		net("RMS norm, scale", xor, nil, nn.Input(2), nn.Dense(8, nn.NoBias()), nn.ReLU(), nn.Dense(8), nn.RMSNorm(), nn.Scale(), nn.Dense(1, nn.NoBias())),
		net("layer norm, three classes", clusters, nil, nn.Input(2), nn.Dense(6), nn.LayerNorm(), nn.Dense(3, nn.NoBias())),
	}
}

// TestFlowsObeyTheTheory follows every case to log(1/L) = 1e6 and checks that
// conserved quantities are kept, that γ̄ never falls for three admissible Λ, and
// that surviving blocks grow with their rates.
func TestFlowsObeyTheTheory(t *testing.T) {
	if testing.Short() {
		t.Skip("ten flows to log(1/L) = 1e6 take seconds")
	}
	const tolerance = 1e-7
	for _, c := range flowCases(t) {
		rates := mustRates(t, c.model)
		tr, err := qhnet.Flow{Margins: c.margins, Start: c.start, Until: 1e6, Tolerance: tolerance, MaxSteps: 20000}.Run(context.Background())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		drift := tr.Drift(qhnet.ConservedBlocks(c.model))
		if worst := drift[len(drift)-1]; worst > 10*tolerance {
			t.Errorf("%s: conserved quantities drift by %.2g", c.name, worst)
		}
		rng := rand.New(rand.NewPCG(2, 2))
		for _, choice := range []*qhnet.Rates{rates, rates.Random(rng), rates.Random(rng)} {
			checkMonotone(t, c.name, tr, choice, 10*tolerance)
		}
		surviving, err := qhnet.SurvivingRates(tr, 1)
		if err != nil {
			t.Fatal(err)
		}
		if discarded := surviving.Discarded(); !slices.Equal(discarded, c.discarded) {
			t.Errorf("%s: discarded %q, want %q", c.name, discarded, c.discarded)
		}
		growth, err := tr.Growth(surviving, 1)
		if err != nil {
			t.Fatal(err)
		}
		canonical, kept := surviving.PerBlock(), surviving.Surviving()
		for b, g := range growth {
			t.Logf("%s: %-14s exponent %.5f share %.3g trend %+.4f (rate %.4f)", c.name, g.Block, g.Exponent, g.Share, g.Trend, canonical[b])
			switch {
			case kept[b] && math.Abs(g.Exponent-canonical[b]) > c.slack():
				t.Errorf("%s: %s grows with exponent %.5f, its rate is %.5f", c.name, g.Block, g.Exponent, canonical[b])
			case !kept[b] && g.Trend > -0.3:
				t.Errorf("%s: %s should be discarded, but its share changes like log(1/L)^%.3f", c.name, g.Block, g.Trend)
			}
		}
	}
}

// checkMonotone checks that the smoothed margin never falls by more than a tolerance.
func checkMonotone(t *testing.T, name string, tr *qhnet.Trajectory, rates *qhnet.Rates, tolerance float64) {
	t.Helper()
	best := 0.0
	for i, margin := range tr.SmoothedMargin(rates) {
		if margin < best*(1-tolerance) {
			t.Errorf("%s: the smoothed margin falls from %v to %v at log(1/L) = %v", name, best, margin, tr.Points[i].LogInverse())
			return
		}
		best = math.Max(best, margin)
	}
	if best == 0 {
		t.Errorf("%s: no smoothed margin", name)
	}
}

// slack is 1e-3, and more where blocks are still being discarded: the first
// biases converge like a power of log(1/L) that is slow with rates 1/3.
func (c flowCase) slack() float64 {
	if len(c.discarded) > 0 {
		return 5e-3
	}
	return 1e-3
}

// TestZeroBlocksAreDiscarded: both factors of a product at zero stay there.
func TestZeroBlocksAreDiscarded(t *testing.T) {
	model := nn.Groups(
		nn.Group{Name: "A", Coordinates: []int{0}, Depth: 1},
		nn.Group{Name: "B", Coordinates: []int{1}, Depth: 3},
		nn.Group{Name: "Z", Coordinates: []int{2}, Depth: 2})
	set := dataset.Set{Name: "pair", X: mat.NewDense(2, 3, []float64{1, 0.5, 1, -1, -0.5, -1}), Labels: []int{1, 0}, Classes: 2}
	q := bind(t, model, set)
	start := []float64{0.1, 0.5, 0.6, 0.7, 0, 0}
	tr := run(t, qhnet.Flow{Margins: q, Start: start, Until: 1e4})
	rates, err := qhnet.SurvivingRates(tr, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range model.Blocks() {
		if zero := b.Layer == "Z"; slices.Contains(rates.Discarded(), b.Name) != (zero || b.Layer == "A") {
			t.Errorf("discarded are %q", rates.Discarded())
		}
	}
	growth, err := tr.Growth(rates, 1)
	if err != nil {
		t.Fatal(err)
	}
	for b, g := range growth {
		if zero := model.Blocks()[b].Layer == "Z"; zero != math.IsInf(g.Trend, -1) || zero != (g.Share == 0) || math.IsNaN(g.Trend) {
			t.Errorf("%+v", g)
		}
	}
}

// A training whose loss rises above 1 again has no powers of log(1/L).
func TestGrowthOfALossThatRises(t *testing.T) {
	q, theta := twoBallFlow(t, 0.8).Margins, []float64{1, 2, 3}
	tr := qhnet.TrajectoryOf(q, qhnet.Point{LogLoss: -10, Theta: theta}, qhnet.Point{LogLoss: -50, Theta: theta},
		qhnet.Point{LogLoss: 1, Theta: theta}, qhnet.Point{LogLoss: -100, Theta: theta})
	if growth, err := tr.Growth(mustRates(t, q.Model()), 1); err == nil || !strings.Contains(err.Error(), "falls to -1 after it was 10") {
		t.Errorf("growth %v, %v", growth, err)
	}
	if rates, err := qhnet.SurvivingRates(tr, 1); err == nil {
		t.Errorf("surviving rates %v", rates.PerBlock())
	}
}
