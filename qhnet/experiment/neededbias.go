package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/store"
)

// NeededBiasPoint is a ReLU network of Depth dense layers and hidden layers of
// Width units, without biases except in the last layer, on two [Rings].
type NeededBiasPoint struct {
	Depth, Width int
	Seed         uint64
}

// NeededBiasResult is what became of the network's flow.
type NeededBiasResult struct {
	Separated bool
	Bias      float64 // of the point rescaled to min q = 1; the theory's is -3
	Share     float64 // ‖θ̂‖_Λmax: the bias is kept
}

// Rings returns n points on the circle of radius 1, class 0, and n points at the
// same angles on the circle of radius 2, class 1. Without a last bias a ReLU
// network satisfies f(2x) = 2f(x), so that it cannot separate them: the highest
// rate is needed. The margins 2f(u) + b ≥ 1 and -f(u) - b ≥ 1 at the same angle
// give b ≤ -3, with equality in the limit of the theory.
func Rings(n int) dataset.Set {
	if n < 1 || n > 1<<20 {
		panic(fmt.Sprintf("experiment: rings of %d points; use 1 to a million", n))
	}
	set := dataset.Set{Name: "rings", X: mat.NewDense(2*n, 2, nil), Labels: make([]int, 2*n), Classes: 2}
	for k := range n {
		sin, cos := math.Sincos(2 * math.Pi * (float64(k) + 0.25) / float64(n))
		set.X.SetRow(k, []float64{cos, sin})
		set.X.SetRow(n+k, []float64{2 * cos, 2 * sin})
		set.Labels[n+k] = 1
	}
	return set
}

// NeededBias trains networks of depth 2 and 3, widths 4, 6 and 8, from four starts
// each, up to log(1/L) = 1e3.
func NeededBias(runs store.Store) store.Sweep[NeededBiasPoint, NeededBiasResult] {
	s := store.Sweep[NeededBiasPoint, NeededBiasResult]{Name: "needed-bias", Store: runs, Run: neededBias}
	for _, depth := range []int{2, 3} {
		for _, width := range []int{4, 6, 8} {
			for seed := range uint64(4) {
				s.Points = append(s.Points, NeededBiasPoint{depth, width, seed})
			}
		}
	}
	return s
}

func neededBias(ctx context.Context, p NeededBiasPoint) (NeededBiasResult, error) {
	layers := []nn.Layer{nn.Input(2)}
	for range p.Depth - 1 {
		layers = append(layers, nn.Dense(p.Width, nn.NoBias()), nn.ReLU())
	}
	network, err := nn.New(append(layers, nn.Dense(1))...)
	if err != nil {
		return NeededBiasResult{}, err
	}
	margins, err := qhnet.NewMargins(network, Rings(6))
	if err != nil {
		return NeededBiasResult{}, err
	}
	start := network.Start(rand.New(rand.NewPCG(p.Seed, 10)), nn.He)
	path, err := qhnet.Flow{Margins: margins, Start: start, Until: 1e3, PerDecade: 4, KinkWidth: 1e-2}.Run(ctx)
	if failed := new(qhnet.NotSeparatedError); errors.As(err, &failed) {
		return NeededBiasResult{}, nil
	} else if err != nil {
		return NeededBiasResult{}, err
	}
	rates, err := qhnet.RatesOf(network)
	if err != nil {
		return NeededBiasResult{}, err
	}
	c, err := qhnet.Certify(path.Margins(), rates, path.Last().Theta, nil)
	if err != nil {
		return NeededBiasResult{}, err
	}
	return NeededBiasResult{true, c.Theta[len(c.Theta)-1], c.HighestShare}, nil
}
