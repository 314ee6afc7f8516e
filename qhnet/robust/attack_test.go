package robust_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/robust"
)

func network(t testing.TB, layers ...nn.Layer) *nn.Network {
	t.Helper()
	n, err := nn.New(layers...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func gaussian(rng *rand.Rand, rows, cols int) *mat.Dense {
	x := mat.NewDense(rows, cols, nil)
	for i := range x.RawMatrix().Data {
		x.RawMatrix().Data[i] = rng.NormFloat64()
	}
	return x
}

// labelled gives points the classes a network sees in them, so that every
// margin is positive.
func labelled(t testing.TB, n *nn.Network, theta []float64, x *mat.Dense) dataset.Set {
	t.Helper()
	e, err := n.Bind(x)
	if err != nil {
		t.Fatal(err)
	}
	f, err := e.Forward(theta)
	if err != nil {
		t.Fatal(err)
	}
	points, _ := x.Dims()
	set := dataset.Set{Name: "labelled", X: x, Labels: make([]int, points), Classes: max(2, n.Outputs())}
	for k := range points {
		if own := f[k*n.Outputs() : (k+1)*n.Outputs()]; n.Outputs() > 1 {
			set.Labels[k] = floats.MaxIdx(own)
		} else if own[0] > 0 {
			set.Labels[k] = 1
		}
	}
	return set
}

// nearest searches the plane around a point for another class, ray by ray.
func nearest(t *testing.T, n *nn.Network, theta, point []float64, label int) float64 {
	const rays, rings, reach = 360, 400, 4.0
	x := mat.NewDense(rays*rings, 2, nil)
	for i := range rays {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / rays)
		for j := range rings {
			r := reach * float64(j+1) / rings
			x.SetRow(i*rings+j, []float64{point[0] + r*cos, point[1] + r*sin})
		}
	}
	set := labelled(t, n, theta, x)
	best := math.Inf(1)
	for k, c := range set.Labels {
		if c != label {
			best = math.Min(best, reach*float64(k%rings+1)/rings)
		}
	}
	return best
}

// smallestMargins returns the margin of each input against its strongest rival.
func smallestMargins(t *testing.T, n *nn.Network, theta []float64, x *mat.Dense, labels []int) []float64 {
	m, err := qhnet.NewMargins(n, dataset.Set{Name: "adversaries", X: x, Labels: labels, Classes: max(2, n.Outputs())})
	if err != nil {
		t.Fatal(err)
	}
	q, err := m.Forward(theta)
	if err != nil {
		t.Fatal(err)
	}
	smallest := make([]float64, m.Points())
	for k := range smallest {
		smallest[k] = floats.Min(q[k*m.PerPoint() : (k+1)*m.PerPoint()])
	}
	return smallest
}

// everyClass draws a network that sees every class among some points.
func everyClass(t testing.TB, n *nn.Network, rng *rand.Rand) ([]float64, dataset.Set) {
	t.Helper()
	for range 1000 {
		theta := n.Start(rng, nn.He)
		for i := range theta {
			theta[i] += 0.3 * rng.NormFloat64()
		}
		if set := labelled(t, n, theta, gaussian(rng, 12, 2)); set.Check() == nil {
			return theta, set
		}
	}
	t.Fatal("no draw has every class")
	return nil, dataset.Set{}
}

func TestAttackAgainstExhaustiveSearch(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 5))
	attacks, missed := 0, 0
	for _, layers := range [][]nn.Layer{
		{nn.Input(2), nn.Dense(8), nn.ReLU(), nn.Dense(1)},
		{nn.Input(2), nn.Dense(8), nn.ReLU(), nn.Dense(2)},
		{nn.Input(2), nn.Dense(8), nn.ReLU(), nn.Dense(8), nn.LeakyReLU(0.1), nn.Dense(3)},
		{nn.Input(2), nn.Dense(6), nn.Residual(nn.Dense(6), nn.ReLU(), nn.Dense(6)), nn.ReLU(), nn.Dense(3)},
	} {
		n := network(t, layers...)
		theta, set := everyClass(t, n, rng)
		upper, adversary, err := robust.Attack{}.Distances(context.Background(), n, theta, set, rng)
		if err != nil {
			t.Fatal(err)
		}
		lower, err := robust.CertifiedDistances(n, theta, set)
		if err != nil {
			t.Fatal(err)
		}
		margins := smallestMargins(t, n, theta, adversary, set.Labels)
		for k := range upper {
			point := set.X.RawRowView(k)
			truth := nearest(t, n, theta, point, set.Labels[k])
			if !(lower[k] <= upper[k]) || lower[k] > truth {
				t.Errorf("point %d: certified %v, attacked at %v, searched %v", k, lower[k], upper[k], truth)
			}
			// Search is coarse by one ring, 0.01. An attack is local: it may miss the
			// nearest piece of the boundary, but not often.
			if upper[k] < truth-0.011 {
				t.Errorf("point %d: attacked at %v, exhaustive search found %v", k, upper[k], truth)
			}
			attacks++
			if upper[k] > truth*1.02 {
				missed++
			}
			if math.IsInf(upper[k], 1) {
				continue
			}
			if d := floats.Distance(adversary.RawRowView(k), point, 2); math.Abs(d-upper[k]) > 1e-9 {
				t.Errorf("point %d: the adversary is at %v, not %v", k, d, upper[k])
			}
			// Bisection ends at the spacing of float64, on either side.
			if math.Abs(margins[k]) > 1e-9 {
				t.Errorf("point %d: the adversary has margin %v", k, margins[k])
			}
		}
	}
	if missed*10 > attacks {
		t.Errorf("%d of %d attacks missed the nearest boundary", missed, attacks)
	}
}

func TestAttackStops(t *testing.T) {
	rng := rand.New(rand.NewPCG(45, 5))
	n := network(t, nn.Input(3), nn.Dense(1))
	theta := []float64{1, -2, 0.5, 0.3}
	set := labelled(t, n, theta, gaussian(rng, 4, 3))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	upper, adversary, err := robust.Attack{}.Distances(ctx, n, theta, set, rng)
	if !errors.Is(err, context.Canceled) || !math.IsInf(upper[0], 1) || !mat.Equal(adversary, set.X) {
		t.Errorf("a cancelled attack: %v, %v", upper, err)
	}
}

func TestAttackRefusesBatches(t *testing.T) {
	rng := rand.New(rand.NewPCG(42, 5))
	set := dataset.Set{Name: "two", X: mat.NewDense(2, 2, []float64{1, 0, 0, 1}), Labels: []int{0, 1}, Classes: 2}
	n := network(t, nn.Input(2), nn.Dense(4), nn.BatchNorm(), nn.Dense(1))
	if _, _, err := (robust.Attack{}).Distances(context.Background(), n, n.Start(rng, nn.He), set, rng); err == nil || !strings.Contains(err.Error(), "frozen") {
		t.Errorf("batch normalization: %v", err)
	}
}

func BenchmarkAttack(b *testing.B) {
	for _, width := range []int{8, 24, 72} {
		b.Run(fmt.Sprint(width), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(43, 5))
			n := network(b, nn.Input(2), nn.Dense(width), nn.ReLU(), nn.Dense(width), nn.ReLU(), nn.Dense(2))
			theta, set := everyClass(b, n, rng)
			for b.Loop() {
				if _, _, err := (robust.Attack{Restarts: 1}).Distances(context.Background(), n, theta, set, rng); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func ExampleAttack() {
	// The boundary of 3x_1 + 4x_2 - 5 is at distance 1 from the origin.
	n, _ := nn.New(nn.Input(2), nn.Dense(1))
	theta := []float64{3, 4, -5}
	set := dataset.Set{Name: "two points", X: mat.NewDense(2, 2, []float64{0, 0, 3, 4}), Labels: []int{0, 1}, Classes: 2}
	below, _ := robust.CertifiedDistances(n, theta, set)
	above, _, _ := robust.Attack{}.Distances(context.Background(), n, theta, set, rand.New(rand.NewPCG(1, 2)))
	for k := range below {
		fmt.Printf("point %d: at least %.3f, at most %.3f\n", k, below[k], above[k])
	}
	// Output:
	// point 0: at least 1.000, at most 1.000
	// point 1: at least 4.000, at most 4.000
}
