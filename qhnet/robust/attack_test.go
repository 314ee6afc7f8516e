package robust_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
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
		set.Labels[k] = qhnet.Class(f[k*n.Outputs() : (k+1)*n.Outputs()])
	}
	return set
}

// nearest searches the plane around a point for another class, ray by ray, at radii
// up to 10 that grow by 1% from near the distance to compare with, and by 4% below.
func nearest(t *testing.T, n *nn.Network, theta, point []float64, label int, compare float64) float64 {
	const rays = 400
	x := mat.NewDense(rays, 2, nil)
	for r := 0.01; r < 10; r *= 1.04 {
		if r > 0.7*compare {
			r *= 1.01 / 1.04
		}
		for i := range rays {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / rays)
			x.SetRow(i, []float64{point[0] + r*cos, point[1] + r*sin})
		}
		classes, err := qhnet.Predict(n, theta, x)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(classes, func(c int) bool { return c != label }) {
			return r
		}
	}
	return math.Inf(1)
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

var draws = flag.Int("draws", 2, "random networks of each architecture to attack")

// In the plane nothing is missed, and nothing is farther than brute force finds it.
func TestAttackAgainstExhaustiveSearch(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 5))
	points, worst := 0, 0.0
	architectures := [][]nn.Layer{
		{nn.Input(2), nn.Dense(3), nn.ReLU(), nn.Dense(2)},
		{nn.Input(2), nn.Dense(16), nn.ReLU(), nn.Dense(2)},
		{nn.Input(2), nn.Concat(nn.Chain(nn.Dense(4), nn.ReLU()), nn.Dense(2)), nn.Dense(4), nn.ReLU(), nn.Dense(2)},
		{nn.Input(2), nn.Dense(8), nn.ReLU(), nn.Dense(1)},
		{nn.Input(2), nn.Dense(8), nn.ReLU(), nn.Dense(8), nn.LeakyReLU(0.1), nn.Dense(3)},
		{nn.Input(2), nn.Dense(6), nn.Residual(nn.Dense(6), nn.ReLU(), nn.Dense(6)), nn.ReLU(), nn.Dense(3)},
		{nn.Input(2), nn.Dense(6), nn.ReLUPower(2), nn.Dense(3), nn.LayerNorm(), nn.Dense(3)},
		{nn.Input(2), nn.Dense(6), nn.RMSNorm(), nn.ReLU(), nn.Dense(2)},
		{nn.Input(2), nn.Dense(5), nn.ReLU(), nn.Dense(5), nn.ReLU(), nn.Dense(1)},
	}
	for trial := range *draws * len(architectures) {
		n := network(t, architectures[trial%len(architectures)]...)
		theta, set := everyClass(t, n, rng)
		upper, adversary, err := robust.Attack{}.Distances(context.Background(), n, theta, set, rng)
		if err != nil {
			t.Fatal(err)
		}
		classes, err := qhnet.Predict(n, theta, adversary)
		if err != nil {
			t.Fatal(err)
		}
		lower, refused := robust.CertifiedDistances(n, theta, set)
		for k := range upper {
			point := set.X.RawRowView(k)
			truth := nearest(t, n, theta, point, set.Labels[k], upper[k])
			if points++; !math.IsInf(truth, 1) {
				worst = math.Max(worst, upper[k]/truth)
			}
			if math.IsInf(upper[k], 1) {
				continue
			}
			if d := floats.Distance(adversary.RawRowView(k), point, 2); d != upper[k] || classes[k] == set.Labels[k] {
				t.Errorf("point %d: the adversary is at %v, not %v, and has class %d of %d", k, d, upper[k], classes[k], set.Labels[k])
			}
			if refused == nil && !(lower[k] <= upper[k]) {
				t.Errorf("point %d: certified %v, attacked at %v", k, lower[k], upper[k])
			}
		}
	}
	if t.Logf("the worst of %d points is %.4f times as far", points, worst); worst > 1.01 {
		t.Errorf("of %d attacks the worst is %v times as far as brute force", points, worst)
	}
}

// In space too.
func TestAttackInSpace(t *testing.T) {
	rng := rand.New(rand.NewPCG(49, 5))
	n := network(t, nn.Input(3), nn.Dense(6), nn.ReLU(), nn.Dense(2))
	directions := gaussian(rng, 2000, 3)
	x := mat.NewDense(2000, 3, nil)
	for range 2 {
		theta := mat.Col(nil, 0, gaussian(rng, qhnet.NumParameters(n), 1))
		set := labelled(t, n, theta, gaussian(rng, 4, 3))
		upper, _, err := robust.Attack{}.Distances(context.Background(), n, theta, set, rng)
		if err != nil {
			t.Fatal(err)
		}
		for k, y := range set.Labels {
			for r := 0.01; r < math.Min(10, upper[k]/1.01); r *= 1.05 {
				for i := range directions.RawMatrix().Rows {
					u := directions.RawRowView(i)
					floats.AddScaledTo(x.RawRowView(i), set.X.RawRowView(k), r/floats.Norm(u, 2), u)
				}
				if classes, _ := qhnet.Predict(n, theta, x); slices.Contains(classes, 1-y) {
					t.Errorf("point %d: another class at %v, the attack found %v", k, r, upper[k])
					break
				}
			}
		}
	}
}

// In more dimensions the attack is local, and exact on a hyperplane.
func TestAttackOfManyDimensions(t *testing.T) {
	rng := rand.New(rand.NewPCG(50, 5))
	n := network(t, nn.Input(20), nn.Dense(1))
	theta := mat.Col(nil, 0, gaussian(rng, 21, 1))
	set := labelled(t, n, theta, gaussian(rng, 10, 20))
	upper, _, err := robust.Attack{}.Distances(context.Background(), n, theta, set, rng)
	if err != nil {
		t.Fatal(err)
	}
	for k := range upper {
		exact := math.Abs(floats.Dot(theta[:20], set.X.RawRowView(k))+theta[20]) / floats.Norm(theta[:20], 2)
		if upper[k] < exact || upper[k] > exact*(1+1e-6) {
			t.Errorf("point %d: attacked at %v, exact %v", k, upper[k], exact)
		}
	}
}

// A point on the boundary has class 0, as Predict says, and is next to class 1.
func TestAttackOfTies(t *testing.T) {
	n := network(t, nn.Input(2), nn.Dense(1))
	theta := []float64{1, 2, -3}
	x := mat.NewDense(2, 2, []float64{1, 1, 1, 1})
	set := dataset.Set{Name: "tie", X: x, Labels: []int{0, 1}, Classes: 2}
	upper, adversary, err := robust.Attack{}.Distances(context.Background(), n, theta, set, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	classes, _ := qhnet.Predict(n, theta, adversary)
	share, _ := qhnet.Accuracy(n, theta, set)
	if !(upper[0] > 0 && upper[0] < 1e-9) || upper[1] != 0 || classes[0] != 1 || share != 0.5 {
		t.Errorf("distances %v to classes %v, accuracy %v", upper, classes, share)
	}
}

func TestAttackRefusesSettings(t *testing.T) {
	n := network(t, nn.Input(2), nn.Dense(1))
	set := dataset.Set{Name: "one", X: mat.NewDense(1, 2, []float64{1, 1}), Labels: []int{1}, Classes: 2}
	if _, _, err := (robust.Attack{Restarts: -1}).Distances(context.Background(), n, []float64{1, 1, 0}, set, rand.New(rand.NewPCG(1, 1))); err == nil || !strings.Contains(err.Error(), "Restarts = -1") {
		t.Errorf("no restarts: %v", err)
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
