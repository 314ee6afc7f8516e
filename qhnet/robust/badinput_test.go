package robust_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
	"qhlab/qhnet/internal/badinput"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/robust"
)

func TestBadInput(t *testing.T) {
	b := badinput.New(t)
	rng := func() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }
	ctx := context.Background()
	set := dataset.Set{Name: "toy", X: mat.NewDense(2, 4, []float64{2, 1, 0, 0, -1, -2, 0, 0}), Labels: []int{1, 0}, Classes: 2}
	network := func(layers ...nn.Layer) *nn.Network {
		n, err := nn.New(append([]nn.Layer{nn.Input(4)}, layers...)...)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := network(nn.Dense(1))
	theta := []float64{1, 1, 0, 0, 0.1}

	attack := func(n *nn.Network, theta []float64, set dataset.Set) (any, error) {
		distances, _, err := robust.Attack{Restarts: 1}.Distances(ctx, n, theta, set, rng())
		return bounded(distances), err
	}
	certify := func(n *nn.Network, theta []float64, set dataset.Set) (any, error) {
		distances, err := robust.CertifiedDistances(n, theta, set)
		return bounded(distances), err
	}
	for name, distances := range map[string]func(n *nn.Network, theta []float64, set dataset.Set) (any, error){"Attack": attack, "CertifiedDistances": certify} {
		b.Set(name, set, func(s dataset.Set) (any, error) { return distances(n, theta, s) })
		b.Vector(name+" theta", theta, func(v []float64) (any, error) { return distances(n, v, set) })
		b.Refuse(name+" of no network", func() (any, error) { return distances(nil, theta, set) })
		b.Refuse(name+" of a zero network", func() (any, error) { return distances(&nn.Network{}, theta, set) })
		b.Refuse(name+" of points that a layer mixes", func() (any, error) {
			n := network(nn.Dense(2), nn.BatchNorm(), nn.Dense(1))
			return distances(n, n.Start(rng(), nn.He), set)
		})
		b.Refuse(name+" of labels that are no class", func() (any, error) {
			s := set
			s.Classes, s.Labels = 3, []int{2, 0}
			return distances(n, theta, s)
		})
		b.Float(name+" of weights", func(v float64) (any, error) { return distances(n, []float64{v, v, 0, 0, 0.1}, set) }, -1, 0, 1e-320, 1e300)
		b.Float(name+" of a coordinate", func(v float64) (any, error) {
			s := set
			s.X = mat.DenseCopyOf(set.X)
			s.X.Set(0, 0, v)
			return distances(n, theta, s)
		}, -1, 0, 1e-320, 1e300)
	}
	b.Int("Attack.Restarts", func(count int) (any, error) {
		distances, _, err := robust.Attack{Restarts: count}.Distances(ctx, n, theta, set, rng())
		return distances, err
	}, 0, 1)
	b.Refuse("Attack without rng", func() (any, error) {
		distances, _, err := robust.Attack{}.Distances(ctx, n, theta, set, nil)
		return distances, err
	})
	b.Refuse("Attack without a context", func() (any, error) {
		distances, _, err := robust.Attack{}.Distances(badinput.NoContext, n, theta, set, rng())
		return distances, err
	})
	b.Refuse("CertifiedDistances of a layer without a bound", func() (any, error) {
		n := network(nn.Dense(2), nn.GELU(), nn.Dense(1))
		return certify(n, n.Start(rng(), nn.He), set)
	})
}

// bounded replaces +Inf, the documented distance to a class that is nowhere.
func bounded(distances []float64) []float64 {
	for k, d := range distances {
		if d > math.MaxFloat64 {
			distances[k] = 0
		}
	}
	return distances
}
