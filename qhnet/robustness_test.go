package qhnet_test

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
)

func network(t testing.TB, layers ...qhnet.Layer) *qhnet.Network {
	t.Helper()
	n, err := qhnet.NewNetwork(layers...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// labelled gives points the classes a network sees in them, so that every
// margin is positive.
func labelled(t testing.TB, n *qhnet.Network, theta []float64, x *mat.Dense) dataset.Set {
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

// On a linear function the lower bound, the attack and the formula agree.
func TestDistancesOfALinearFunction(t *testing.T) {
	rng := rand.New(rand.NewPCG(40, 5))
	n := network(t, qhnet.Input(3), qhnet.Dense(1))
	theta := []float64{1, -2, 0.5, 0.3}
	set := labelled(t, n, theta, gaussian(rng, 30, 3))
	lower, err := qhnet.CertifiedDistances(n, theta, set)
	if err != nil {
		t.Fatal(err)
	}
	upper, _, err := qhnet.Attack{Restarts: 1}.Distances(context.Background(), n, theta, set, rng)
	if err != nil {
		t.Fatal(err)
	}
	model := qhnet.Diagonal(1, 1, 1).WithBias()
	exact, err := qhnet.LinearDistances(model, theta, set)
	if err != nil {
		t.Fatal(err)
	}
	for k := range exact {
		if math.Abs(lower[k]-exact[k]) > 1e-12 {
			t.Errorf("point %d: certified %v, exact %v", k, lower[k], exact[k])
		}
		// The tangent's nearest point is the answer, up to the 1e-6 beyond it.
		if math.Abs(upper[k]-exact[k]) > 1e-5*exact[k] {
			t.Errorf("point %d: attacked at %v, exact %v", k, upper[k], exact[k])
		}
	}
}

// nearest searches the plane around a point for another class, ray by ray.
func nearest(t *testing.T, n *qhnet.Network, theta, point []float64, label int) float64 {
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
func smallestMargins(t *testing.T, n *qhnet.Network, theta []float64, x *mat.Dense, labels []int) []float64 {
	m := bind(t, n, dataset.Set{Name: "adversaries", X: x, Labels: labels, Classes: max(2, n.Outputs())})
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
func everyClass(t testing.TB, n *qhnet.Network, rng *rand.Rand) ([]float64, dataset.Set) {
	t.Helper()
	for range 1000 {
		theta := n.Start(rng, qhnet.He)
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
	for _, layers := range [][]qhnet.Layer{
		{qhnet.Input(2), qhnet.Dense(8), qhnet.ReLU(), qhnet.Dense(1)},
		{qhnet.Input(2), qhnet.Dense(8), qhnet.ReLU(), qhnet.Dense(2)},
		{qhnet.Input(2), qhnet.Dense(8), qhnet.ReLU(), qhnet.Dense(8), qhnet.LeakyReLU(0.1), qhnet.Dense(3)},
		{qhnet.Input(2), qhnet.Dense(6), qhnet.Residual(qhnet.Dense(6), qhnet.ReLU(), qhnet.Dense(6)), qhnet.ReLU(), qhnet.Dense(3)},
	} {
		n := network(t, layers...)
		theta, set := everyClass(t, n, rng)
		upper, adversary, err := qhnet.Attack{}.Distances(context.Background(), n, theta, set, rng)
		if err != nil {
			t.Fatal(err)
		}
		lower, err := qhnet.CertifiedDistances(n, theta, set)
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

// A margin that depends on nothing is never crossed from above, and is crossed
// already where it is 0.
func TestDistancesOfAConstant(t *testing.T) {
	n := network(t, qhnet.Input(1), qhnet.Dense(2))
	set := dataset.Set{Name: "one", X: mat.NewDense(1, 1, []float64{3}), Labels: []int{1}, Classes: 2}
	for _, test := range []struct{ margin, want float64 }{{2, math.Inf(1)}, {0, 0}, {-1, 0}} {
		lower, err := qhnet.CertifiedDistances(n, []float64{1, 1, 0, test.margin}, set)
		if err != nil || lower[0] != test.want {
			t.Errorf("the margin is %v everywhere: distance %v, %v, want %v", test.margin, lower, err, test.want)
		}
	}
}

// Distances need no class to have points, and no data that can be separated.
func TestDistancesOfAnyPoints(t *testing.T) {
	rng := rand.New(rand.NewPCG(44, 5))
	n := network(t, qhnet.Input(2), qhnet.Dense(3))
	theta := n.Start(rng, qhnet.He)
	set := dataset.Set{Name: "class 1", X: gaussian(rng, 3, 2), Labels: []int{1, 1, 1}, Classes: 3}
	if _, err := qhnet.CertifiedDistances(n, theta, set); err != nil {
		t.Error(err)
	}
	if _, _, err := (qhnet.Attack{Restarts: 1}).Distances(context.Background(), n, theta, set, rng); err != nil {
		t.Error(err)
	}
	same := dataset.Set{Name: "same", X: mat.NewDense(2, 1, []float64{2, 2}), Labels: []int{0, 1}, Classes: 2}
	got, err := qhnet.LinearDistances(qhnet.Diagonal(1), []float64{1}, same)
	if err != nil || !floats.Equal(got, []float64{-2, 2}) {
		t.Errorf("one input with both labels: distances %v, %v", got, err)
	}
	one := dataset.Set{Name: "one", X: mat.NewDense(1, 1, []float64{3}), Labels: []int{1}, Classes: 2}
	if got, err := qhnet.LinearDistances(qhnet.Diagonal(1), []float64{1}, one); err != nil || got[0] != 3 {
		t.Errorf("a single point: distances %v, %v", got, err)
	}
	set.Labels[0] = 3
	if _, err := qhnet.CertifiedDistances(n, theta, set); err == nil || !strings.Contains(err.Error(), "label 3") {
		t.Errorf("a label out of range: %v", err)
	}
}

// The identity has margins x_y - x_c of Lipschitz constant √2.
func TestDistancesOfANetworkWithoutLayers(t *testing.T) {
	n := network(t, qhnet.Input(3))
	set := dataset.Set{Name: "one", X: mat.NewDense(1, 3, []float64{5, 1, 2}), Labels: []int{0}, Classes: 3}
	lower, err := qhnet.CertifiedDistances(n, nil, set)
	if err != nil || math.Abs(lower[0]-3/math.Sqrt2) > 1e-15 {
		t.Errorf("distance %v, %v", lower, err)
	}
}

func TestAttackStops(t *testing.T) {
	rng := rand.New(rand.NewPCG(45, 5))
	n := network(t, qhnet.Input(3), qhnet.Dense(1))
	theta := []float64{1, -2, 0.5, 0.3}
	set := labelled(t, n, theta, gaussian(rng, 4, 3))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	upper, adversary, err := qhnet.Attack{}.Distances(ctx, n, theta, set, rng)
	if !errors.Is(err, context.Canceled) || !math.IsInf(upper[0], 1) || !mat.Equal(adversary, set.X) {
		t.Errorf("a cancelled attack: %v, %v", upper, err)
	}
}

func TestCertifiedDistancesRefuse(t *testing.T) {
	n := network(t, qhnet.Input(2), qhnet.Dense(4), qhnet.LayerNorm(), qhnet.Dense(1))
	rng := rand.New(rand.NewPCG(42, 5))
	theta := n.Start(rng, qhnet.He)
	x := mat.NewDense(2, 2, []float64{1, 0, 0, 1})
	set := dataset.Set{Name: "two", X: x, Labels: []int{0, 1}, Classes: 2}
	if _, err := qhnet.CertifiedDistances(n, theta, set); err == nil || !strings.Contains(err.Error(), "norm") {
		t.Errorf("layer normalization: %v", err)
	}
	n = network(t, qhnet.Input(2), qhnet.Dense(4), qhnet.BatchNorm(), qhnet.Dense(1))
	if _, _, err := (qhnet.Attack{}).Distances(context.Background(), n, n.Start(rng, qhnet.He), set, rng); err == nil || !strings.Contains(err.Error(), "frozen") {
		t.Errorf("batch normalization: %v", err)
	}
}

func BenchmarkAttack(b *testing.B) {
	for _, width := range []int{8, 24, 72} {
		b.Run(fmt.Sprint(width), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(43, 5))
			n := network(b, qhnet.Input(2), qhnet.Dense(width), qhnet.ReLU(), qhnet.Dense(width), qhnet.ReLU(), qhnet.Dense(2))
			theta, set := everyClass(b, n, rng)
			for b.Loop() {
				if _, _, err := (qhnet.Attack{Restarts: 1}).Distances(context.Background(), n, theta, set, rng); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func ExampleAttack() {
	// The boundary of 3x_1 + 4x_2 - 5 is at distance 1 from the origin.
	n, _ := qhnet.NewNetwork(qhnet.Input(2), qhnet.Dense(1))
	theta := []float64{3, 4, -5}
	set := dataset.Set{Name: "two points", X: mat.NewDense(2, 2, []float64{0, 0, 3, 4}), Labels: []int{0, 1}, Classes: 2}
	below, _ := qhnet.CertifiedDistances(n, theta, set)
	above, _, _ := qhnet.Attack{}.Distances(context.Background(), n, theta, set, rand.New(rand.NewPCG(1, 2)))
	for k := range below {
		fmt.Printf("point %d: at least %.3f, at most %.3f\n", k, below[k], above[k])
	}
	// Output:
	// point 0: at least 1.000, at most 1.000
	// point 1: at least 4.000, at most 4.000
}
