package oracle_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/oracle"
)

func curvature(t *testing.T, margins *qhnet.Margins, theta []float64) *oracle.Curvature {
	t.Helper()
	rates := mustRates(t, margins.Model())
	c, err := qhnet.Certify(margins, rates, theta, &qhnet.CertificateSettings{Epsilon: 1e-6})
	if err != nil {
		t.Fatal(err)
	}
	curved, err := oracle.CurvatureOf(margins, rates, c)
	if err != nil {
		t.Fatalf("%v\n%v", err, c)
	}
	return curved
}

// oneHot is a network of free features of the given length, one vector a class, normalized.
func oneHot(t *testing.T, classes, d int) *qhnet.Margins {
	t.Helper()
	n, err := nn.New(nn.Input(classes), nn.Dense(d, nn.NoBias()), nn.RMSNorm(), nn.Dense(classes, nn.NoBias()))
	if err != nil {
		t.Fatal(err)
	}
	set := dataset.Set{Name: "one-hot", X: mat.NewDense(classes, classes, nil), Labels: make([]int, classes), Classes: classes}
	for k := range classes {
		set.X.Set(k, k, 1)
		set.Labels[k] = k
	}
	return bind(t, n, set)
}

// Four features at right angles in a plane of R³, of length √3, with W = H/3: a KKT point
// with margins 1, 1, 2 and multipliers 1/6, but a saddle.
func TestCurvatureOfTheSquare(t *testing.T) {
	margins := oneHot(t, 4, 3)
	r := math.Sqrt(3)
	h := [4][3]float64{{r, 0, 0}, {0, r, 0}, {-r, 0, 0}, {0, -r, 0}}
	theta := make([]float64, 24)
	for c := range 4 {
		for j := range 3 {
			theta[4*j+c], theta[12+3*c+j] = h[c][j], h[c][j]/3
		}
	}
	rates := mustRates(t, margins.Model())
	c, err := qhnet.Certify(margins, rates, theta, &qhnet.CertificateSettings{Epsilon: 1e-6})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range c.Support {
		if math.Abs(c.Fitted.Multipliers[j]-1.0/6) > 1e-12 {
			t.Errorf("multiplier %v, want 1/6", c.Fitted.Multipliers[j])
		}
	}
	curved := curvature(t, margins, theta)
	if curved.Verdict != oracle.Saddle || curved.Smallest > -1e-3 || math.Abs(curved.Fall/-curved.Smallest-1) > 0.01 {
		t.Errorf("%+v, want a saddle where the objective falls by its eigenvalue", curved)
	}
}

func TestCurvatureOfTwoBalls(t *testing.T) {
	for _, depths := range [][2]int{{1, 2}, {1, 3}, {2, 3}} {
		for _, radius := range []float64{0.7, 0.8, 0.9} {
			b := exampleBall
			b.Radius = radius
			model := nn.Groups(b.Groups(depths[0], depths[1])...)
			margins := bindBalls(t, model, b)
			rates := mustRates(t, model)
			c, err := oracle.SolveDirect(context.Background(), margins, rates, b.Start(model, 1))
			if err != nil {
				t.Fatal(err)
			}
			if curved := curvature(t, margins, c.Theta); curved.Verdict != oracle.Minimum {
				t.Errorf("depths %v, radius %v: %+v", depths, radius, curved)
			}
		}
	}
}

// Each coefficient is a product of two factors, so each axis holds a KKT point. Only that of
// the larger input is a minimum.
func TestCurvatureOfTheAxis(t *testing.T) {
	set := dataset.Set{Name: "axis", X: mat.NewDense(2, 2, []float64{1, 2, -1, -2}), Labels: []int{1, 0}, Classes: 2}
	margins := bind(t, nn.Diagonal(2, 2), set)
	// β = (1, 0) with margins 1: Λ = 1/2, μ = 1/2 together. Along β_2 = u v the Hessian has
	// the eigenvalues 1/2 ∓ 2/2.
	curved := curvature(t, margins, []float64{1, 1, 0, 0})
	if curved.Verdict != oracle.Saddle || math.Abs(curved.Smallest+0.5) > 1e-9 || math.Abs(curved.Fall-0.5) > 0.01 {
		t.Errorf("%+v, want a saddle with the eigenvalue -1/2", curved)
	}
	// β = (0, 1/2) puts all on the larger coordinate.
	root := math.Sqrt(0.5)
	if curved := curvature(t, margins, []float64{0, 0, root, root}); curved.Verdict != oracle.Minimum || curved.Smallest < 0.1 {
		t.Errorf("%+v, want a minimum", curved)
	}
}

// Collapse can be turned in the feature space, which scalings do not explain.
func TestCurvatureLeavesRotationsUndecided(t *testing.T) {
	margins := oneHot(t, 3, 3)
	n := margins.Model().(*nn.Network)
	c, err := oracle.SolveDirect(context.Background(), margins, mustRates(t, n), n.Start(rand.New(rand.NewPCG(1, 1)), nn.Glorot))
	if err != nil {
		t.Fatal(err)
	}
	if curved := curvature(t, margins, c.Theta); curved.Verdict != oracle.Undecided || curved.Flat < 6 { // 3 rotations, 3 lengths
		t.Errorf("%+v", curved)
	}
}

// One ReLU unit serves two points at an angle φ, and a second has weights zero. There the
// margins have a kink. The second unit pays beyond 120°: the objective falls along it by
// 1/(4 cos(φ/2)) - ½.
func TestCurvatureAtAKink(t *testing.T) {
	for _, degrees := range []float64{105, 115, 125, 140, 160} {
		sin, cos := math.Sincos(degrees * math.Pi / 360)
		set := dataset.Set{Name: "two points", X: mat.NewDense(2, 2, []float64{sin, cos, -sin, cos}), Labels: []int{1, 1}, Classes: 2}
		net, err := nn.New(nn.Input(2), nn.Dense(2, nn.NoBias()), nn.ReLU(), nn.Dense(1, nn.NoBias()))
		if err != nil {
			t.Fatal(err)
		}
		margins, fall := bind(t, net, set), 1/(4*cos)-0.5
		one := curvature(t, margins, []float64{0, 1, 0, 0, 1, 0})
		switch {
		case !one.Kinked, fall < 0 && one.Verdict != oracle.Undecided:
			t.Errorf("%v°: %+v, want undecided at a kink", degrees, one)
		case fall > 0 && (one.Verdict != oracle.Saddle || math.Abs(one.Fall-fall) > 0.02*fall):
			t.Errorf("%v°: %+v, want a saddle and a fall of %v", degrees, one, fall)
		}
		two := curvature(t, margins, []float64{sin, cos, -sin, cos, 1, 1})
		if two.Verdict != oracle.Minimum || two.Kinked {
			t.Errorf("%v°: %+v, want a minimum", degrees, two)
		}
	}
}

func TestCurvatureRefuses(t *testing.T) {
	model := nn.Groups(exampleBall.Groups(1, 2)...)
	margins, rates := bindBalls(t, model, exampleBall), mustRates(t, model)
	c, err := qhnet.Certify(margins, rates, []float64{1, 1, 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oracle.CurvatureOf(margins, rates, c); err == nil {
		t.Errorf("a point with stationarity %v passes", c.Fitted.Stationarity)
	}
}
