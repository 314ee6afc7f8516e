package qhnet_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/ode"
	"qhlab/qhnet/oracle"
)

// line has one point of each class on a line.
func line(left, right float64) dataset.Set {
	return dataset.Set{Name: "line", X: mat.NewDense(2, 1, []float64{left, right}), Labels: []int{0, 1}, Classes: 2}
}

// separable draws n points that a random hyperplane through the origin separates.
func separable(rng *rand.Rand, n, d int) dataset.Set {
	normal := randomVector(rng, d)
	set := dataset.Set{Name: "separable", X: mat.NewDense(n, d, nil), Labels: make([]int, n), Classes: 2}
	for k := 0; k < n; {
		x := randomVector(rng, d)
		s := floats.Dot(x, normal) / floats.Norm(normal, 2)
		if math.Abs(s) > 0.2 && (k > 1 || s > 0 == (k == 1)) {
			set.X.SetRow(k, x)
			if s > 0 {
				set.Labels[k] = 1
			}
			k++
		}
	}
	return set
}

// randomBalls draws two balls on a chosen side of r = m2.
func randomBalls(rng *rand.Rand, discard bool) oracle.TwoBalls {
	for {
		d := 2 + rng.IntN(5)
		b := oracle.TwoBalls{Center: randomVector(rng, d)}
		b.High = rng.Perm(d)[:1+rng.IntN(d-1)]
		b.Radius = floats.Norm(b.Center, 2) * (0.05 + 0.9*rng.Float64())
		if b.Discards() == discard {
			return b
		}
	}
}

// cascade solves for the limit of a model without bias, which must satisfy its margins.
func cascade(t *testing.T, set dataset.Set, groups ...nn.Group) *oracle.Cascade {
	t.Helper()
	margins, err := oracle.NewLinearMargins(set, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	c, err := oracle.SolveCascade(margins, groups...)
	if err != nil {
		t.Fatal(err)
	}
	if q := floats.Min(margins.Of(nil, c.Coefficients)); math.Abs(q-1) > 1e-9 {
		t.Errorf("the smallest margin is %v, want 1", q)
	}
	return c
}

// directionOf returns β/‖β‖ of a linear model, without a bias.
func directionOf(m *nn.Product, theta []float64) []float64 {
	beta := m.Coefficients(nil, theta)[:m.Inputs()]
	floats.Scale(1/floats.Norm(beta, 2), beta)
	return beta
}

// alignedStart draws parameters of a two-ball model near a separating direction.
// From elsewhere the flow may shrink β to zero, where the exact worst-case margin
// has a kink and its gradient points to zero from every side.
func alignedStart(b oracle.TwoBalls, model *nn.Product, rng *rand.Rand) []float64 {
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
		model := nn.Groups(b.Groups(1, 2)...)
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
		b := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: radius}
		model := nn.Groups(b.Groups(1, 2)...)
		tr := run(t, qhnet.Flow{Margins: bindBalls(t, model, b), Start: []float64{0.5, 0.6, 0.4}, Until: 1e9, PerDecade: 2})
		if got := b.RobustnessOf(model.Coefficients(nil, tr.Last().Theta)); math.Abs(got-want) > 0.6e-6 {
			t.Errorf("r = %v: robustness %.7f, want %.6f", radius, got, want)
		}
	}
}

// Samples have their own optimum, which the cascade finds without a flow.
func TestFlowOnSampledBalls(t *testing.T) {
	b := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}
	model := nn.Groups(b.Groups(1, 2)...)
	set := b.Sample(64, rand.New(rand.NewPCG(21, 5)))
	c := cascade(t, set, b.Groups(1, 2)...)
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
		groups []nn.Group
	}{
		{"ℓ2, two stages", 5, []uint64{0, 3}, []nn.Group{
			{Coordinates: []int{0, 1}, Depth: 1},
			{Coordinates: []int{2, 3, 4}, Depth: 2}}},
		{"ℓ1, two stages", 5, []uint64{0}, []nn.Group{
			{Coordinates: []int{0, 1}, Depth: 1},
			{Coordinates: []int{2, 3, 4}, Depth: 2, Elementwise: true}}},
		{"ℓ2, three stages", 5, []uint64{0, 2}, []nn.Group{
			{Coordinates: []int{0}, Depth: 1},
			{Coordinates: []int{1, 2}, Depth: 2},
			{Coordinates: []int{3, 4}, Depth: 8}}},
		{"ℓ1, three stages", 4, []uint64{1, 3}, []nn.Group{
			{Coordinates: []int{0}, Depth: 1},
			{Coordinates: []int{1, 2}, Depth: 2, Elementwise: true},
			{Coordinates: []int{3}, Depth: 8}}},
	}
	for _, test := range cases {
		for _, seed := range test.seeds {
			rng := rand.New(rand.NewPCG(seed, 30))
			set := separable(rng, 12, test.d)
			c := cascade(t, set, test.groups...)
			model := nn.Groups(test.groups...)
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
func unbalancedStart(model *nn.Product, rng *rand.Rand) []float64 {
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
	model := nn.Diagonal(2).WithBias()
	margins := bind(t, model, line(1, 2))
	tr := run(t, qhnet.Flow{Margins: margins, Start: []float64{0.5, 0.4, 0.1}, Until: 3e6, PerDecade: 2, Tolerance: 1e-11})
	c, err := qhnet.Certify(margins, mustRates(t, model), tr.Last().Theta, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := model.Coefficients(nil, c.Theta)
	w, b := oracle.BiasOnLine(1, 2)
	// Two support vectors whose margins differ by O(1) of log(1/L) = 1e7.
	if math.Abs(got[0]-w) > 1e-6 || math.Abs(got[1]-b) > 1e-6 || math.Abs(-got[1]/got[0]-1.5) > 1e-6 {
		t.Errorf("(w, b) = %v, want (%v, %v)\n%v", got, w, b, c)
	}
}

// kktCase is a flow whose residuals must fall like (log 1/L)^law:
//
//	-2Δλ     the gap between the highest rate and the next
//	-1       competition between support vectors
//	-λ_max   weights that stand still, such as those of a ReLU unit that is
//	         inactive on all points, whose share falls as the others grow
//
// whichever is slowest.
type kktCase struct {
	name      string
	margins   *qhnet.Margins
	start     []float64
	discarded []string
	law       float64
	balls     bool // one exact constraint: no competition
}

func networkCase(t *testing.T, name string, law float64, discarded []string, layers ...nn.Layer) kktCase {
	n := network(t, append([]nn.Layer{nn.Input(2)}, layers...)...)
	set := separable(rand.New(rand.NewPCG(50, 5)), 8, 2)
	start := n.Start(rand.New(rand.NewPCG(51, 5)), nn.He)
	return kktCase{name, bind(t, n, set), start, discarded, law, false}
}

func kktCases(t *testing.T) []kktCase {
	plain := nn.NoBias()
	needed := oracle.TwoBalls{Center: []float64{1, -0.2, 0.6}, High: []int{0, 1}, Radius: 0.8}
	shared := nn.Groups(needed.Groups(1, 2)...)
	deeper := nn.Groups(needed.Groups(1, 3)...)
	sampled := nn.Groups(exampleBall.Groups(1, 2)...)
	points := exampleBall.Sample(12, rand.New(rand.NewPCG(52, 5)))
	bias := nn.Diagonal(2).WithBias()
	return []kktCase{
		{"shared scale, exact balls", bindBalls(t, shared, needed), needed.Start(shared, 1), nil, -1, true},
		{"two shared scales, exact balls", bindBalls(t, deeper, needed), needed.Start(deeper, 1), nil, -4. / 3, true},
		{"shared scale, sampled balls", bind(t, sampled, points), exampleBall.Start(sampled, 1), nil, -1, false},
		{"line with a needed bias", bind(t, bias, line(1, 2)), []float64{0.5, 0.4, 0.1}, nil, -1, false},
		networkCase(t, "ReLU net", -1./3, nil,
			nn.Dense(6, plain), nn.ReLU(), nn.Dense(6, plain), nn.ReLU(), nn.Dense(1, plain)),
		networkCase(t, "biased ReLU net", -1./3, []string{"dense2.bias", "dense3.bias"},
			nn.Dense(6), nn.ReLU(), nn.Dense(6), nn.ReLU(), nn.Dense(1)),
		networkCase(t, "residual net", -1./3, []string{"block1.projection.dense1.weight"},
			nn.Residual(nn.Dense(6, plain), nn.ReLU(), nn.Dense(6, plain), nn.ReLU(), nn.Dense(1, plain), nn.Projection())),
		networkCase(t, "layer normalization", -1, nil,
			nn.Dense(6), nn.LayerNorm(), nn.Dense(1, plain)),
	}
}

func TestKKTResidualsFallAsPredicted(t *testing.T) {
	for _, c := range kktCases(t) {
		// A residual of 3e-7 is that of the limit only in a flow that is followed closer.
		flow := qhnet.Flow{Margins: c.margins, Start: c.start, Until: 1e6, PerDecade: 4, Tolerance: 1e-11}
		if c.balls {
			flow.Method = ode.RadauIIA{}
		}
		tr, err := flow.Run(t.Context())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		rates := mustRates(t, c.margins.Model())
		rates = rates.Without(c.discarded...)
		var u, stationarity, complementarity []float64
		var last *qhnet.Certificate
		for _, p := range tr.Since(1e4).Points {
			if last, err = qhnet.Certify(tr.Margins(), rates, p.Theta, nil); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			u = append(u, math.Log(p.LogInverse()))
			stationarity = append(stationarity, math.Log(last.Softmax.Stationarity))
			complementarity = append(complementarity, math.Log(last.Softmax.Complementarity))
		}
		_, slope := stat.LinearRegression(u, stationarity, nil, false)
		// What competes with the law at log(1/L) = 1e4 has not quite died out.
		if math.Abs(slope-c.law) > 0.02 {
			t.Errorf("%s: stationarity falls with slope %.3f, the law says %.3f", c.name, slope, c.law)
		}
		if c.law <= -1 && last.Softmax.Stationarity > 1e-5 {
			t.Errorf("%s: stationarity %.1e at log(1/L) = 1e6", c.name, last.Softmax.Stationarity)
		}
		if last.Softmax.Complementarity > 1e-5 {
			t.Errorf("%s: complementarity %.1e at log(1/L) = 1e6", c.name, last.Softmax.Complementarity)
		}
		if last.Softmax.Complementarity < 1e-12 {
			continue // one value of q on all points
		}
		if _, slope := stat.LinearRegression(u, complementarity, nil, false); math.Abs(slope+1) > 0.05 {
			t.Errorf("%s: complementarity falls with slope %.3f, the law says -1", c.name, slope)
		}
	}
}

// Direction and stationarity converge like (log 1/L)^{-2Δλ}, with Δλ the gap
// between the two rates.
func TestRateGapLaw(t *testing.T) {
	ball := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}
	for _, depth := range [][2]int{{1, 2}, {1, 3}, {1, 4}, {2, 4}, {2, 3}, {1, 6}, {2, 5}, {2, 6}, {3, 6}} {
		model := nn.Diagonal(depth[0], depth[1])
		margins := bindBalls(t, model, ball)
		start := make([]float64, qhnet.NumParameters(model))
		for i := range start {
			start[i] = 0.8 + 0.05*float64(i)
		}
		const tolerance = 1e-11
		tr := run(t, qhnet.Flow{Margins: margins, Start: start, Until: 1e7, PerDecade: 4, Tolerance: tolerance})
		rates := mustRates(t, model)
		var u []float64
		falling := map[string][]float64{}
		record := func(name string, v float64) { falling[name] = append(falling[name], math.Log(v)) }
		law := -2 * (1/float64(depth[0]) - 1/float64(depth[1]))
		for _, p := range tr.Since(1e2).Points {
			if math.Pow(p.LogInverse(), law) < 10*tolerance {
				break // what is left is the solver's error
			}
			c, err := qhnet.Certify(margins, rates, p.Theta, nil)
			if err != nil {
				t.Fatal(err)
			}
			u = append(u, math.Log(p.LogInverse()))
			record("direction", floats.Distance(directionOf(model, p.Theta), ball.Direction(nil), 2))
			record("fitted stationarity", c.Fitted.Stationarity)
			record("softmax stationarity", c.Softmax.Stationarity)
		}
		for name, y := range falling {
			if _, slope := stat.LinearRegression(u, y, nil, false); math.Abs(slope-law) > 0.05 {
				t.Errorf("depths %v: the %s falls with slope %.3f, the law says %.3f", depth, name, slope, law)
			}
		}
	}
}
