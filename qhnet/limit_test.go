package qhnet_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/ode"
)

func bind(t testing.TB, m qhnet.Model, set dataset.Set) *qhnet.Margins {
	t.Helper()
	margins, err := qhnet.NewMargins(m, set)
	if err != nil {
		t.Fatal(err)
	}
	return margins
}

func bindBalls(t testing.TB, m qhnet.Model, b qhnet.TwoBalls) *qhnet.Margins {
	t.Helper()
	margins, err := qhnet.NewBallMargins(m, b.Centers(), b.Radius)
	if err != nil {
		t.Fatal(err)
	}
	return margins
}

func canonical(t testing.TB, m qhnet.Model) []float64 {
	t.Helper()
	rates, err := qhnet.RatesOf(m)
	if err != nil {
		t.Fatal(err)
	}
	return rates.Expand()
}

func run(t testing.TB, f qhnet.Flow) *qhnet.Trajectory {
	t.Helper()
	if f.Method == nil {
		f.Method = ode.RadauIIA{}
	}
	tr, err := f.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// directionOf returns β/‖β‖ of a linear model, without a bias.
func directionOf(m *qhnet.Product, theta []float64) []float64 {
	beta := m.Coefficients(nil, theta)[:m.Inputs()]
	floats.Scale(1/floats.Norm(beta, 2), beta)
	return beta
}

// alignedStart draws parameters of a two-ball model near a separating direction.
// From elsewhere the flow may shrink β to zero, where the exact worst-case margin
// has a kink and its gradient points to zero from every side.
func alignedStart(b qhnet.TwoBalls, model *qhnet.Product, rng *rand.Rand) []float64 {
	for {
		theta := make([]float64, qhnet.NumParameters(model))
		for i := range theta {
			theta[i] = 0.2 + 0.6*rng.Float64()
		}
		for _, block := range model.Blocks() {
			for _, g := range b.Groups(1, 1) {
				if g.Name != block.Layer || block.Kind != "weight" {
					continue
				}
				for k, j := range g.Coordinates {
					theta[block.Offset+k] = b.Center[j] * (0.6 + 0.8*rng.Float64())
				}
			}
		}
		if b.RobustnessOf(model.Coefficients(nil, theta)) > 0 {
			return theta
		}
	}
}

// The direction converges like 1/log(1/L) here, so 1e-6 at log(1/L) = 1e8 leaves
// a factor of 100 for the constant.
func TestFlowEndsAtTheClosedFormOfTwoBalls(t *testing.T) {
	rng := rand.New(rand.NewPCG(20, 5))
	for trial := range 20 {
		b := randomBalls(rng, trial%2 == 0)
		model := qhnet.Groups(b.Groups(1, 2)...)
		tr := run(t, qhnet.Flow{Margins: bindBalls(t, model, b), Start: alignedStart(b, model, rng), Until: 1e8, PerDecade: 2})
		beta := directionOf(model, tr.Last().Theta)
		if e := floats.Distance(beta, b.Direction(nil), 2); e > 1e-6 {
			t.Errorf("%+v: the direction is off by %.1e", b, e)
		}
		if e := math.Abs(b.RobustnessOf(beta) - b.Robustness()); e > 1e-6 {
			t.Errorf("%+v: the robustness is off by %.1e", b, e)
		}
	}
}

// The table of the two-ball problem, to its six digits.
func TestFlowRobustnessInSixDigits(t *testing.T) {
	for radius, want := range map[float64]float64{0.3: 0.300000, 0.5: 0.100000, 0.7: 0.329364, 0.8: 0.311438, 0.9: 0.245356, 1.0: 0.160000} {
		b := qhnet.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: radius}
		model := qhnet.Groups(b.Groups(1, 2)...)
		tr := run(t, qhnet.Flow{Margins: bindBalls(t, model, b), Start: []float64{0.5, 0.6, 0.4}, Until: 1e9, PerDecade: 2})
		if got := b.RobustnessOf(model.Coefficients(nil, tr.Last().Theta)); math.Abs(got-want) > 0.6e-6 {
			t.Errorf("r = %v: robustness %.7f, want %.6f", radius, got, want)
		}
	}
}

// Samples have their own optimum, which the cascade finds without a flow.
func TestFlowOnSampledBalls(t *testing.T) {
	b := qhnet.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}
	model := qhnet.Groups(b.Groups(1, 2)...)
	set := b.Sample(64, rand.New(rand.NewPCG(21, 5)))
	_, c := cascade(t, set, 0, false, b.Groups(1, 2)...)
	tr := run(t, qhnet.Flow{Margins: bind(t, model, set), Start: []float64{0.5, 0.6, 0.4}, Until: 1e6, PerDecade: 2, Tolerance: 1e-10})
	// Competition between support vectors leaves an error of a few 1/log(1/L).
	if e := floats.Distance(directionOf(model, tr.Last().Theta), c.Direction(), 2); e > 1e-5 {
		t.Errorf("the direction is off the sampled optimum by %.1e", e)
	}
	if e := floats.Distance(b.Direction(nil), c.Direction(), 2); e < 1e-4 {
		t.Errorf("the sampled optimum is %.1e from the exact one: the sample is too good to tell them apart", e)
	}
}

func TestCascadeIsTheFlowsLimit(t *testing.T) {
	cases := []struct {
		name   string
		d      int
		seeds  []uint64 // whose last stage has no support vector with zero multiplier
		groups []qhnet.Group
	}{
		{"ℓ2, two stages", 5, []uint64{0, 3}, []qhnet.Group{
			{Coordinates: []int{0, 1}, Depth: 1},
			{Coordinates: []int{2, 3, 4}, Depth: 2}}},
		{"ℓ1, two stages", 5, []uint64{0}, []qhnet.Group{
			{Coordinates: []int{0, 1}, Depth: 1},
			{Coordinates: []int{2, 3, 4}, Depth: 2, Elementwise: true}}},
		{"ℓ2, three stages", 5, []uint64{0, 2}, []qhnet.Group{
			{Coordinates: []int{0}, Depth: 1},
			{Coordinates: []int{1, 2}, Depth: 2},
			{Coordinates: []int{3, 4}, Depth: 8}}},
		{"ℓ1, three stages", 4, []uint64{1, 3}, []qhnet.Group{
			{Coordinates: []int{0}, Depth: 1},
			{Coordinates: []int{1, 2}, Depth: 2, Elementwise: true},
			{Coordinates: []int{3}, Depth: 8}}},
	}
	for _, test := range cases {
		for _, seed := range test.seeds {
			rng := rand.New(rand.NewPCG(seed, 30))
			set := separable(rng, 12, test.d)
			_, c := cascade(t, set, 0, false, test.groups...)
			model := qhnet.Groups(test.groups...)
			start := unbalancedStart(model, rng)
			// Late, one step of θ that keeps q to O(1) is 1/log(1/L) of θ.
			tr := run(t, qhnet.Flow{Margins: bind(t, model, set), Start: start, Until: 1e7, PerDecade: 1, Tolerance: 1e-11})
			if e := floats.Distance(directionOf(model, tr.Last().Theta), c.Direction(), 2); e > 1e-6 {
				t.Errorf("%s, seed %d: the flow is %.1e from the cascade\n%v", test.name, seed, e, c)
			}
		}
	}
}

// unbalancedStart draws every product from one small factor of random sign and
// others near one, so that the small factor can still change its sign.
func unbalancedStart(model *qhnet.Product, rng *rand.Rand) []float64 {
	start := make([]float64, qhnet.NumParameters(model))
	for i := range start {
		start[i] = 1 + 0.1*rng.NormFloat64()
	}
	for _, b := range model.Blocks() {
		if strings.HasSuffix(b.Name, ".weight") || strings.HasSuffix(b.Name, ".factor1") {
			for i := range b.Of(start) {
				start[b.Offset+i] = 0.1 * rng.NormFloat64()
			}
		}
	}
	return start
}

// f = w1 w2 x + b on x = 1 (y = -1) and x = 2 (y = +1): the bias is needed.
func TestFlowKeepsANeededBias(t *testing.T) {
	model := qhnet.Diagonal(2).WithBias()
	margins := bind(t, model, line(1, 2))
	tr := run(t, qhnet.Flow{Margins: margins, Start: []float64{0.5, 0.4, 0.1}, Until: 3e6, PerDecade: 2, Tolerance: 1e-11})
	c, err := qhnet.Certify(margins, canonical(t, model), tr.Last().Theta, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := model.Coefficients(nil, c.Theta)
	w, b := qhnet.BiasOnLine(1, 2)
	// Two support vectors whose margins differ by O(1) of log(1/L) = 1e7.
	if math.Abs(got[0]-w) > 1e-6 || math.Abs(got[1]-b) > 1e-6 || math.Abs(-got[1]/got[0]-1.5) > 1e-6 {
		t.Errorf("(w, b) = %v, want (%v, %v)\n%v", got, w, b, c)
	}
}
