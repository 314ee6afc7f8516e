package robust_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/robust"
)

// On a linear function the lower bound, the attack and the formula agree.
func TestDistancesOfALinearFunction(t *testing.T) {
	rng := rand.New(rand.NewPCG(40, 5))
	n := network(t, nn.Input(3), nn.Dense(1))
	theta := []float64{1, -2, 0.5, 0.3}
	set := labelled(t, n, theta, gaussian(rng, 30, 3))
	lower, err := robust.CertifiedDistances(n, theta, set)
	if err != nil {
		t.Fatal(err)
	}
	upper, _, err := robust.Attack{Restarts: 1}.Distances(context.Background(), n, theta, set, rng)
	if err != nil {
		t.Fatal(err)
	}
	exact := make([]float64, set.Len())
	for k := range exact {
		exact[k] = math.Abs(floats.Dot(theta[:3], set.X.RawRowView(k))+theta[3]) / floats.Norm(theta[:3], 2)
		if math.Abs(lower[k]-exact[k]) > 1e-12 {
			t.Errorf("point %d: certified %v, exact %v", k, lower[k], exact[k])
		}
		// The tangent's nearest point is the answer, up to the 1e-6 beyond it.
		if math.Abs(upper[k]-exact[k]) > 1e-5*exact[k] {
			t.Errorf("point %d: attacked at %v, exact %v", k, upper[k], exact[k])
		}
	}
}

// A margin that depends on nothing is never crossed from above, and is crossed
// already where it is 0.
func TestDistancesOfAConstant(t *testing.T) {
	n := network(t, nn.Input(1), nn.Dense(2))
	set := dataset.Set{Name: "one", X: mat.NewDense(1, 1, []float64{3}), Labels: []int{1}, Classes: 2}
	for _, test := range []struct{ margin, want float64 }{{2, math.Inf(1)}, {0, 0}, {-1, 0}} {
		lower, err := robust.CertifiedDistances(n, []float64{1, 1, 0, test.margin}, set)
		if err != nil || lower[0] != test.want {
			t.Errorf("the margin is %v everywhere: distance %v, %v, want %v", test.margin, lower, err, test.want)
		}
	}
}

// Distances need no class to have points, and no data that can be separated.
func TestDistancesOfAnyPoints(t *testing.T) {
	rng := rand.New(rand.NewPCG(44, 5))
	n := network(t, nn.Input(2), nn.Dense(3))
	theta := n.Start(rng, nn.He)
	set := dataset.Set{Name: "class 1", X: gaussian(rng, 3, 2), Labels: []int{1, 1, 1}, Classes: 3}
	if _, err := robust.CertifiedDistances(n, theta, set); err != nil {
		t.Error(err)
	}
	if _, _, err := (robust.Attack{Restarts: 1}).Distances(context.Background(), n, theta, set, rng); err != nil {
		t.Error(err)
	}
	set.Labels[0] = 3
	if _, err := robust.CertifiedDistances(n, theta, set); err == nil || !strings.Contains(err.Error(), "label 3") {
		t.Errorf("a label out of range: %v", err)
	}
}

// The identity has margins x_y - x_c of Lipschitz constant √2.
func TestDistancesOfANetworkWithoutLayers(t *testing.T) {
	n := network(t, nn.Input(3))
	set := dataset.Set{Name: "one", X: mat.NewDense(1, 3, []float64{5, 1, 2}), Labels: []int{0}, Classes: 3}
	lower, err := robust.CertifiedDistances(n, nil, set)
	if err != nil || math.Abs(lower[0]-3/math.Sqrt2) > 1e-15 {
		t.Errorf("distance %v, %v", lower, err)
	}
}

func TestCertifiedDistancesRefuse(t *testing.T) {
	n := network(t, nn.Input(2), nn.Dense(4), nn.LayerNorm(), nn.Dense(1))
	rng := rand.New(rand.NewPCG(42, 5))
	theta := n.Start(rng, nn.He)
	x := mat.NewDense(2, 2, []float64{1, 0, 0, 1})
	set := dataset.Set{Name: "two", X: x, Labels: []int{0, 1}, Classes: 2}
	if _, err := robust.CertifiedDistances(n, theta, set); err == nil || !strings.Contains(err.Error(), "norm") {
		t.Errorf("layer normalization: %v", err)
	}
}

// quotients returns the constant that a certificate of a network with one output
// has used, the same at all points, and the largest of many difference quotients
// |f(x) - f(z)|/‖x - z‖, of near and far pairs.
func quotients(t testing.TB, n *nn.Network, theta []float64, rng *rand.Rand) (constant, largest float64) {
	t.Helper()
	const pairs = 500
	x := gaussian(rng, 2*pairs, n.Inputs())
	for k := range pairs {
		near := math.Pow(10, 1-4*rng.Float64())
		floats.Scale(near, x.RawRowView(pairs+k))
		floats.Scale(1+near, x.RawRowView(k))
		floats.Add(x.RawRowView(pairs+k), x.RawRowView(k))
	}
	set := labelled(t, n, theta, x)
	lower, err := robust.CertifiedDistances(n, theta, set)
	if err != nil {
		t.Fatal(err)
	}
	e, err := n.Bind(x)
	if err != nil {
		t.Fatal(err)
	}
	f, err := e.Forward(theta)
	if err != nil {
		t.Fatal(err)
	}
	constant = math.Abs(f[0]) / lower[0]
	for k := range lower {
		if math.Abs(lower[k]*constant-math.Abs(f[k])) > 1e-12*math.Abs(f[k]) {
			t.Errorf("point %d: %v is certified for a margin of %v, but the first point's constant is %v", k, lower[k], f[k], constant)
		}
	}
	for k := range pairs {
		apart := floats.Distance(x.RawRowView(k), x.RawRowView(pairs+k), 2)
		largest = math.Max(largest, math.Abs(f[k]-f[pairs+k])/apart)
	}
	return constant, largest
}

// No difference quotient exceeds the constant.
func TestCertifiedDistancesAgainstQuotients(t *testing.T) {
	rng := rand.New(rand.NewPCG(46, 5))
	for name, layers := range map[string][]nn.Layer{
		"leaky":              {nn.Input(3), nn.Dense(6), nn.LeakyReLU(0.2), nn.Dense(5), nn.LeakyReLU(-0.5), nn.Dense(1)},
		"steep leaks":        {nn.Input(3), nn.Dense(6), nn.LeakyReLU(2.5), nn.Dense(5), nn.LeakyReLU(-3), nn.Dense(1)},
		"residual":           {nn.Input(3), nn.Residual(nn.Dense(5), nn.ReLU(), nn.Dense(3)), nn.Bias(), nn.Dense(1)},
		"projection":         {nn.Input(3), nn.Residual(nn.Dense(5), nn.LeakyReLU(-2), nn.Dense(4), nn.Projection()), nn.ReLU(), nn.Dense(1)},
		"projection first":   {nn.Input(3), nn.Residual(nn.Projection(nn.Dense(4), nn.LeakyReLU(2)), nn.Dense(4)), nn.Dense(1)},
		"projections nested": {nn.Input(2), nn.Residual(nn.Residual(nn.Dense(4), nn.ReLU(), nn.Projection()), nn.Dense(3), nn.Projection(nn.Dense(5), nn.ReLU(), nn.Dense(3))), nn.Dense(1)},
		"branches":           {nn.Input(3), nn.Sum(nn.Chain(nn.Dense(4), nn.LeakyReLU(1.5), nn.Dense(2)), nn.Dense(2), nn.Chain(nn.Dense(2), nn.ReLU())), nn.Dense(1)},
		"no dense end":       {nn.Input(3), nn.Dense(1), nn.LeakyReLU(4)},
	} {
		n := network(t, layers...)
		for range 5 {
			theta := mat.Col(nil, 0, gaussian(rng, qhnet.NumParameters(n), 1))
			if constant, largest := quotients(t, n, theta, rng); !(largest <= constant*(1+1e-9)) { // differences of near points round
				t.Errorf("%s: a quotient of %v, but the constant is %v", name, largest, constant)
			}
		}
	}
}

// In one dimension the constant is a slope of the function, where all signs agree.
func TestCertifiedDistancesAreSharp(t *testing.T) {
	rng := rand.New(rand.NewPCG(47, 5))
	one := nn.Dense(1, nn.NoBias())
	for _, test := range []struct {
		layers []nn.Layer
		theta  []float64
		want   float64
	}{
		{[]nn.Layer{one, nn.LeakyReLU(0.3), one}, []float64{2, -3}, 6},
		{[]nn.Layer{one, nn.LeakyReLU(2.5), one}, []float64{2, -3}, 15},
		{[]nn.Layer{one, nn.LeakyReLU(-4), one}, []float64{2, -3}, 24},
		{[]nn.Layer{nn.Residual(one, nn.ReLU(), one), one}, []float64{2, 3, -5}, 35},                             // 5 (1 + 6)
		{[]nn.Layer{nn.Residual(one, nn.LeakyReLU(2.5), one, nn.Projection()), one}, []float64{2, 3, 7, 5}, 110}, // 5 (7 + 15)
		{[]nn.Layer{nn.Residual(nn.Projection(one, one), one), one}, []float64{2, 3, 7, 5}, 115},                 // 5 (2 + 21)
		{[]nn.Layer{nn.Sum(nn.Chain(one, one), nn.Chain(), one), one}, []float64{2, 3, 7, 5}, 70},                // 5 (6 + 1 + 7)
	} {
		n := network(t, append([]nn.Layer{nn.Input(1)}, test.layers...)...)
		constant, largest := quotients(t, n, test.theta, rng)
		if math.Abs(constant-test.want) > 1e-12*test.want || math.Abs(largest-test.want) > 1e-9*test.want {
			t.Errorf("%v: the constant is %v, the largest quotient %v, want %v", test.theta, constant, largest, test.want)
		}
	}
}

// Distances depend on the layers and not on what they are called.
func TestCertifiedDistancesDoNotDependOnNames(t *testing.T) {
	build := func(name func(nn.Layer) nn.Layer) []nn.Layer {
		return []nn.Layer{
			nn.Input(3), name(nn.Dense(6)), name(nn.LeakyReLU(0.3)),
			name(nn.Residual(name(nn.Dense(5)), name(nn.ReLU()), name(nn.Dense(4, nn.NoBias())), nn.Projection(name(nn.Dense(4))))),
			name(nn.Sum(name(nn.Chain(name(nn.Dense(3)), name(nn.Bias()))), name(nn.Dense(3)))), name(nn.Linear()), name(nn.Dense(3)),
		}
	}
	rng := rand.New(rand.NewPCG(48, 5))
	plain := network(t, build(func(l nn.Layer) nn.Layer { return l })...)
	theta, x := mat.Col(nil, 0, gaussian(rng, qhnet.NumParameters(plain), 1)), gaussian(rng, 10, 3)
	set := labelled(t, plain, theta, x)
	want, err := robust.CertifiedDistances(plain, theta, set)
	if err != nil || floats.Min(want) <= 0 {
		t.Fatal(want, err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		count := 0
		renamed, err := nn.New(build(func(l nn.Layer) nn.Layer {
			word := rapid.SampledFrom([]string{"concatenation", "norm1", "branch1", "dense1.weight", "residual block", "projection1", "a.b"}).Draw(rt, "name")
			count++
			return nn.Named(word+strings.Repeat(".x", count), l)
		})...)
		if err != nil {
			rt.Fatal(err)
		}
		if got, err := robust.CertifiedDistances(renamed, theta, set); err != nil || !slices.Equal(got, want) {
			rt.Errorf("distances %v, %v, by automatic names %v\n%v", got, err, want, renamed)
		}
	})
}
