package qhnet_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/ode"
)

// twoBallFlow is f = w_H·x_H + a (w_R·x_R) on balls around ±μ, μ = (1, 0.6).
func twoBallFlow(t testing.TB, radius float64) qhnet.Flow {
	t.Helper()
	model := nn.Groups(nn.Group{Name: "H", Coordinates: []int{0}, Depth: 1}, nn.Group{Name: "R", Coordinates: []int{1}, Depth: 2})
	q, err := qhnet.NewBallMargins(model, twoBallSet(), radius)
	if err != nil {
		t.Fatal(err)
	}
	return qhnet.Flow{Margins: q, Start: []float64{0.1, 0.3, 0.2}, Until: 1e3}
}

func twoBallSet() dataset.Set {
	return dataset.Set{Name: "two balls", X: mat.NewDense(2, 2, []float64{1, 0.6, -1, -0.6}), Labels: []int{1, 0}, Classes: 2}
}

func TestFlowReachesTheAsymmetricDirection(t *testing.T) {
	for _, radius := range []float64{0.3, 0.8} {
		flow := twoBallFlow(t, radius)
		flow.Until = 1e8
		tr := run(t, flow)
		beta := flow.Margins.Model().(*nn.Product).Coefficients(nil, tr.Last().Theta)
		floats.Scale(1/floats.Norm(beta, 2), beta)
		want := []float64{0, 1}
		if radius > 0.6 {
			want = []float64{math.Sqrt(radius*radius-0.36) / radius, 0.6 / radius}
		}
		t.Logf("r=%v: work %+v, points %d, log t - u = %v", radius, tr.Work, len(tr.Points), tr.Last().LogTime-tr.Last().LogInverse())
		// The direction converges like 1/log(1/L), to 1e-8 times a constant.
		if distance := floats.Distance(beta, want, 2); distance > 1e-6 {
			t.Errorf("r = %v: direction off by %v at log(1/L) = %v", radius, distance, tr.Last().LogInverse())
		}
	}
}

// TestFlowGoesOnForHundredDecades uses one constraint a ball, where nothing but
// the range of float64 ends the flow: both classes have the same margin, bit for
// bit. If the highest rate is needed, its balance with the rest is a difference
// that rounding hides from log(1/L) = 1e16 on.
func TestFlowGoesOnForHundredDecades(t *testing.T) {
	for radius, until := range map[float64]float64{0.3: 1e100, 0.8: 1e14} {
		flow := twoBallFlow(t, radius)
		flow.Until = until
		tr := run(t, flow)
		// The clock log log(1/L) ends where it is told, but log(1/L) drifts from it by
		// the tolerance 1e-8 of a step.
		if last := tr.Last().LogInverse(); math.Abs(last/until-1) > 1e-6 {
			t.Errorf("r = %v: log(1/L) = %v, want %v", radius, last, until)
		}
		if drift := tr.Drift(qhnet.ConservedUnits(flow.Margins.Model())); radius == 0.3 && drift[len(drift)-1] > 1e-7 {
			t.Errorf("r = %v: conserved quantities drift by %v", radius, drift[len(drift)-1])
		}
	}
}

func TestFlowClocksTraceOnePath(t *testing.T) {
	at := func(clock qhnet.Clock) qhnet.Point {
		flow := twoBallFlow(t, 0.8)
		flow.Until, flow.Clock, flow.Tolerance = 8, clock, 1e-10
		if clock == qhnet.LogLogLoss {
			flow.Start = []float64{1, 1.5, 1.4}
		}
		tr, err := flow.Run(context.Background())
		if err != nil {
			t.Fatalf("%v: %v", clock, err)
		}
		return tr.Last()
	}
	want := at(qhnet.Automatic)
	// With the tolerance 1e-10 of a step paths agree to some hundred of it; the time
	// is a quadrature over the steps, which differ.
	for _, clock := range []qhnet.Clock{qhnet.Time, qhnet.Scaled, qhnet.LogLoss, qhnet.ArcLength} {
		got := at(clock)
		if !floats.EqualApprox(got.Theta, want.Theta, 1e-7) {
			t.Errorf("%v ends at %v, %v ends at %v", clock, got.Theta, qhnet.Automatic, want.Theta)
		}
		if math.Abs(got.LogTime-want.LogTime) > 1e-5 || math.Abs(got.Scaled-want.Scaled) > 1e-5*want.Scaled {
			t.Errorf("%v: log t = %v, s = %v, but %v says %v, %v", clock, got.LogTime, got.Scaled, qhnet.Automatic, want.LogTime, want.Scaled)
		}
	}
	if got := at(qhnet.LogLogLoss); math.Abs(got.LogInverse()-8) > 1e-8 {
		t.Errorf("log log(1/L) ends at log(1/L) = %v, want 8", got.LogInverse())
	}
}

func TestFlowRefuses(t *testing.T) {
	infinite := twoBallFlow(t, 0.8)
	infinite.Start = []float64{1, math.Inf(1), 1}
	zeroOverBalls := twoBallFlow(t, 0.8)
	zeroOverBalls.Start = []float64{0, 0, 0}
	backward := twoBallFlow(t, 0.8)
	backward.Until = -3
	early := twoBallFlow(t, 0.8)
	early.Clock, early.Start = qhnet.LogLogLoss, []float64{-1, 1, 1}
	point := dataset.Set{Name: "point", X: mat.NewDense(1, 2, []float64{1, 2}), Labels: []int{1}, Classes: 2}
	huge := qhnet.Flow{Margins: bind(t, nn.Diagonal(1, 2), point), Start: []float64{-1e30, 1e30, -2e30}, Until: 1e3} // q of the spacing 1e44
	for want, flow := range map[string]qhnet.Flow{"where the event says 1": huge, "parameter 0 of R.weight is +Inf": infinite, "β is zero": zeroOverBalls, "Until = -3": backward, "L < 1": early} {
		if _, err := flow.Run(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestFlowNotSeparable(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	set := randomSet(rng, 30, 2)
	q := bind(t, nn.Diagonal(1, 2), set)
	tr, err := qhnet.Flow{Margins: q, Start: []float64{0.1, 0.2, 0.3}, Until: 100}.Run(context.Background())
	var failure *qhnet.NotSeparatedError
	if !errors.As(err, &failure) {
		t.Fatalf("got %v", err)
	}
	if failure.SmallestNL < 1 || len(failure.Violated) == 0 || len(tr.Points) < 2 {
		t.Errorf("%+v with %d points recorded", failure, len(tr.Points))
	}
}

// unknown hides what a loss says about separation.
type unknown struct{ qhnet.Loss }

// TestFlowSeparatedMeansAllMarginsPositive starts where nL < 1 in the logistic loss
// although a point is misclassified.
func TestFlowSeparatedMeansAllMarginsPositive(t *testing.T) {
	set := dataset.Set{Name: "axes", X: mat.NewDense(2, 2, []float64{1, 0, 0, -1}), Labels: []int{1, 0}, Classes: 2}
	q := bind(t, nn.Diagonal(1, 1), set)
	for _, loss := range []qhnet.Loss{qhnet.Exponential{}, qhnet.Logistic{}, unknown{qhnet.Exponential{}}, unknown{qhnet.Logistic{}}} {
		for _, clock := range []qhnet.Clock{qhnet.Automatic, qhnet.Time, qhnet.Scaled, qhnet.LogLoss, qhnet.ArcLength} {
			tr, err := qhnet.Flow{Margins: q, Start: []float64{-0.3, 3}, Until: 20, Loss: loss, Clock: clock}.Run(context.Background())
			if err != nil {
				t.Fatalf("%T, %v: %v", loss, clock, err)
			}
			if tr.Separated == nil || !(tr.Separated.Margin > 0) {
				t.Errorf("%T, %v: separated at %+v", loss, clock, tr.Separated)
			}
			for _, p := range tr.Points {
				if p.LogTime < tr.Separated.LogTime && p.Margin > 0.1 { // a loss separates below margin 0.1 here
					t.Errorf("%T, %v: separated at %+v, after %+v", loss, clock, tr.Separated, p)
				}
			}
		}
		d := qhnet.Descent{Margins: q, Start: []float64{-0.3, 3}, Steps: 1000, Loss: loss, Optimizer: &qhnet.LossScaled{Step: 0.01}}
		if tr, err := d.Run(context.Background()); err != nil || tr.Separated == nil || !(tr.Separated.Margin > 0) {
			t.Errorf("%T: the descent separates at %+v: %v", loss, tr.Separated, err)
		}
	}
}

func TestFlowAsksStopInEveryClock(t *testing.T) {
	for _, clock := range []qhnet.Clock{qhnet.Automatic, qhnet.Time, qhnet.Scaled, qhnet.LogLoss, qhnet.LogLogLoss, qhnet.ArcLength} {
		flow := twoBallFlow(t, 0.8)
		flow.Start, flow.Clock = []float64{1, 1.5, 1.4}, clock
		flow.Stop = func(tr *qhnet.Trajectory) bool { return len(tr.Points) >= 4 }
		tr, err := flow.Run(context.Background())
		// The stopping step may add a point of its own end.
		if err != nil || tr.Status != ode.Stopped || len(tr.Points) < 4 || len(tr.Points) > 5 {
			t.Errorf("%v: %v with %d points, %v", clock, tr.Status, len(tr.Points), err)
		}
	}
}

// A linear model may start at zero, where the gradient does not vanish.
func TestLinearFlowFromZero(t *testing.T) {
	set, _ := dataset.Separable(20, 3, 0.5, rand.New(rand.NewPCG(4, 4)))
	q := bind(t, nn.Diagonal(1, 1, 1), set)
	for _, clock := range []qhnet.Clock{qhnet.Automatic, qhnet.Scaled, qhnet.LogLoss} {
		tr, err := qhnet.Flow{Margins: q, Start: make([]float64, 3), Until: 100, Clock: clock}.Run(context.Background())
		// The end is located up to the tolerance 1e-8 of a step, relative to 100.
		if err != nil || math.Abs(tr.Last().LogInverse()-100) > 1e-5 { // some steps of tolerance 1e-8, relative to 100
			t.Errorf("%v: log(1/L) = %v, %v", clock, tr.Last().LogInverse(), err)
		}
	}
}

func TestFlowPastItsEndIsRefused(t *testing.T) {
	for _, clock := range []qhnet.Clock{qhnet.Automatic, qhnet.Time, qhnet.Scaled, qhnet.LogLoss, qhnet.LogLogLoss, qhnet.ArcLength} {
		flow := twoBallFlow(t, 0.8)
		flow.Start, flow.Clock, flow.Until, flow.MaxSteps = []float64{10, 2, 5}, clock, 2, 1000
		if _, err := flow.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "not below Flow.Until = 2") {
			t.Errorf("%v: %v", clock, err)
		}
	}
}

func TestFlowOutOfSteps(t *testing.T) {
	flow := twoBallFlow(t, 0.8)
	flow.Start, flow.MaxSteps = []float64{-1, -1, 1}, 4
	tr, err := flow.Run(context.Background())
	unseparated, failure := new(qhnet.NotSeparatedError), new(ode.Failure)
	if !errors.As(err, &unseparated) || !errors.As(err, &failure) || failure.Status != ode.StepLimit || tr.Status != ode.StepLimit ||
		strings.Contains(err.Error(), "rest") || !strings.Contains(err.Error(), "MaxSteps") || !strings.Contains(err.Error(), "of the steps were limited by R.") {
		t.Errorf("after four steps: %v", err)
	}
}

// Explicit methods need no linearization, which takes memory of the size of the
// outputs times that of θ.
func TestExplicitMethodsHaveNoLinearization(t *testing.T) {
	for _, method := range []ode.Method{ode.DormandPrince{}, ode.RKC{}, ode.RadauIIA{}, ode.Auto{}} {
		flow := twoBallFlow(t, 0.8)
		flow.Method = method
		first, late, err := flow.Linearizations()
		_, implicit := map[string]bool{"RadauIIA": true, "Auto": true}[method.String()]
		if err != nil || (first != nil) != implicit || (late != nil) != implicit {
			t.Errorf("%v: linearizations %T and %T, %v", method, first, late, err)
		}
	}
}

// TestFlowKeepsItsMargins: the flow rounds kinks on a copy, which the trajectory has.
func TestFlowKeepsItsMargins(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	net := network(t, nn.Input(2), nn.Dense(4), nn.ReLU(), nn.Dense(1))
	q := bind(t, net, dataset.XOR(5, 0.25, rng))
	start := net.Start(rng, nn.He)
	before, err := q.Forward(start)
	if err != nil {
		t.Fatal(err)
	}
	before = append([]float64(nil), before...)
	tr := run(t, qhnet.Flow{Margins: q, Start: start, Until: 3, KinkWidth: 0.5})
	after, err := q.Forward(start)
	if err != nil || !floats.Equal(after, before) {
		t.Errorf("the margins change from %v to %v, %v", before, after, err)
	}
	walked, err := tr.Margins().Forward(start)
	if err != nil || floats.Min(walked) != tr.Points[0].Margin || floats.Equal(walked, before) {
		t.Errorf("the trajectory's margins are %v, the smallest recorded was %v, %v", walked, tr.Points[0].Margin, err)
	}
}

// Two runs that move the same margins at the same time would both come out wrong.
func TestTwoRunsOfOneMargins(t *testing.T) {
	flow := twoBallFlow(t, 0.8)
	flow.Until = 10
	descent := qhnet.Descent{Margins: flow.Margins, Start: flow.Start, Optimizer: &qhnet.GradientDescent{Step: 0.1}, Steps: 5}
	for name, other := range map[string]func() (*qhnet.Trajectory, error){
		"flow":    func() (*qhnet.Trajectory, error) { return flow.Run(context.Background()) },
		"descent": func() (*qhnet.Trajectory, error) { return descent.Run(context.Background()) },
	} {
		during, refused := flow, any(nil)
		during.Stop = func(*qhnet.Trajectory) bool {
			defer func() { refused = recover() }()
			_, err := other()
			t.Errorf("a %s during a flow gives %v", name, err)
			return true
		}
		run(t, during)
		if text, _ := refused.(string); !strings.Contains(text, "the same Margins at the same time") {
			t.Errorf("a %s during a flow panics with %v", name, refused)
		}
		if _, err := other(); err != nil {
			t.Errorf("a %s after a flow: %v", name, err)
		}
	}
}

// valued is an evaluation whose values cannot be compared, as some of a user's model.
type valued struct {
	qhnet.Evaluation
	memory []float64
}

func TestFlowOfAnEvaluationThatIsAValue(t *testing.T) {
	flow := twoBallFlow(t, 0.8)
	flow.Margins.Wrap(func(e qhnet.Evaluation) qhnet.Evaluation { return valued{e, nil} })
	run(t, flow)
}

// TestFlowsOfThreeClasses walks far in the clock t, whose steps grow by a constant
// factor, and elsewhere.
func TestFlowsOfThreeClasses(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 1))
	clusters := dataset.GaussianClusters(mat.NewDense(3, 2, []float64{3, 0, -1.5, 2.6, -1.5, -2.6}), 5, 0.5, rng)
	net := network(t, nn.Input(2), nn.Dense(5, nn.NoBias()), nn.RMSNorm(), nn.Dense(3, nn.NoBias()))
	q := bind(t, net, clusters)
	start := net.Start(rng, nn.He)
	var ends []qhnet.Point
	for _, clock := range []qhnet.Clock{qhnet.Time, qhnet.Automatic} {
		tr, err := qhnet.Flow{Margins: q, Start: start, Until: 500, Clock: clock}.Run(context.Background())
		if err != nil {
			t.Fatalf("%v: %v", clock, err)
		}
		ends = append(ends, tr.Last())
	}
	// Both end at Until within the tolerance 1e-8 of a step.
	if a, b := ends[0], ends[1]; math.Abs(a.LogInverse()-500) > 1e-4 || floats.Distance(a.Theta, b.Theta, 2) > 1e-5*floats.Norm(b.Theta, 2) || math.Abs(a.LogTime-b.LogTime) > 1e-3 {
		t.Errorf("%v ends at %+v, %v at %+v", qhnet.Time, a, qhnet.Automatic, b)
	}
}

// TestABiasThatIsGivenUpDoesNotStall: on three points at the corners of a triangle the
// bias goes to 0 while the weights grow like u. Accurate below the rounding of its own
// gradient, it would cost a hundred thousand steps.
func TestABiasThatIsGivenUpDoesNotStall(t *testing.T) {
	h := math.Sqrt(3) / 2
	triangle := dataset.Set{Name: "triangle", X: mat.NewDense(3, 2, []float64{1, 0, -0.5, h, -0.5, -h}), Labels: []int{0, 1, 2}, Classes: 3}
	net := network(t, nn.Input(2), nn.Dense(3))
	start := net.Start(rand.New(rand.NewPCG(1, 3)), nn.He)
	for _, method := range []ode.Method{nil, ode.RadauIIA{}} {
		tr := run(t, qhnet.Flow{Margins: bind(t, net, triangle), Start: start, Until: 1e6, Method: method, MaxSteps: 4000})
		// The flow keeps the mean weight of the classes, so compare the differences.
		weights := tr.Last().Theta
		if spread := floats.Norm(weights[6:], 2) / floats.Norm(weights[:6], 2); spread > 1e-4 {
			t.Errorf("%v: the bias has %.1e of the size of the weights", method, spread)
		}
	}
}

// deepBiased is a network of two hidden layers with biases everywhere.
func deepBiased(t *testing.T) *nn.Network {
	t.Helper()
	return network(t, nn.Input(2), nn.Dense(8), nn.ReLU(), nn.Dense(8), nn.ReLU(), nn.Dense(1))
}

// TestFlowSlidesAtTheFootOfAKink follows a flow in which the output bias grows like
// log(1/L) and ties the margins of one class. Units slide along their kinks where
// support vectors push them off with weights 1e8 times those that hold them: stiff
// beyond 1e9, at a distance of 1e-8 from where nothing is.
func TestFlowSlidesAtTheFootOfAKink(t *testing.T) {
	until := 1e6
	if testing.Short() {
		until = 1e2
	}
	net := deepBiased(t)
	margins := bind(t, net, dataset.XOR(10, 0.25, rand.New(rand.NewPCG(3, 0))))
	start := net.Start(rand.New(rand.NewPCG(3, 1)), nn.Rescaled(0.3, nn.He))
	tr := run(t, qhnet.Flow{Margins: margins, Start: start, Until: until, PerDecade: 4, MaxSteps: 100_000})
	t.Logf("%+v", tr.Work)
	if u := tr.Last().LogInverse(); math.Abs(u-until) > 1e-5*until {
		t.Errorf("the flow ends at log(1/L) = %v", u)
	}
}

// TestUnbalancedFlowConserves checks that errors of many steps do not add up to more
// than the tolerance of one in the quantities that the flow conserves.
func TestUnbalancedFlowConserves(t *testing.T) {
	net, until := deepBiased(t), 1e6
	if testing.Short() {
		until = 1e3
	}
	for layer := range 3 {
		rng := rand.New(rand.NewPCG(2, 1))
		set, _ := dataset.Separable(10, 2, 0.3, rng)
		start := net.Start(rng, nn.Glorot)
		floats.Scale(4, net.Blocks()[2*layer].Of(start))
		tr := run(t, qhnet.Flow{Margins: bind(t, net, set), Start: start, Until: until, Tolerance: 1e-7})
		if drift := floats.Max(tr.Drift(qhnet.ConservedBlocks(net))); drift > 1e-7 {
			t.Errorf("layer %d × 4: conserved sums drift by %.1e", layer+1, drift)
		}
	}
}

// TestFlowOfFewPoints: one point, one class of several, and a residual body behind a
// scale that starts at zero, as in ReZero.
func TestFlowOfFewPoints(t *testing.T) {
	points := mat.NewDense(2, 2, []float64{1, 2, 3, -1})
	for name, set := range map[string]dataset.Set{
		"one point":          {X: mat.NewDense(1, 2, []float64{1, 2}), Labels: []int{1}, Classes: 2},
		"one class of two":   {X: points, Labels: []int{0, 0}, Classes: 2},
		"one class of three": {X: points, Labels: []int{2, 2}, Classes: 3},
	} {
		outputs := 1 + 2*(set.Classes-2)
		net := network(t, nn.Input(2), nn.Dense(4, nn.NoBias()), nn.ReLU(), nn.Residual(nn.Dense(4, nn.NoBias()), nn.Scale(nn.Scalar())), nn.Dense(outputs))
		start := net.Start(rand.New(rand.NewPCG(1, 1)), nn.He)
		for _, b := range net.Blocks() {
			if strings.HasSuffix(b.Name, "scale") {
				clear(b.Of(start))
			}
		}
		tr := run(t, qhnet.Flow{Margins: bind(t, net, set), Start: start, Until: 1e4})
		if u := tr.Last().LogInverse(); math.Abs(u-1e4) > 1 || tr.Last().Margin < 1e3 {
			t.Errorf("%s: the flow ends at log(1/L) = %v with the margin %v", name, u, tr.Last().Margin)
		}
	}
}

// TestFlowOfDirectionsPastRounding: below a batch normalization only directions matter,
// which late in the flow are known no better than the rounding of the margins.
func TestFlowOfDirectionsPastRounding(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 3))
	clusters := dataset.GaussianClusters(mat.NewDense(3, 2, []float64{2, 0, -1, 1.7, -1, -1.7}), 4, 0.5, rng)
	net := network(t, nn.Input(2), nn.Dense(8), nn.BatchNorm(), nn.ReLU(), nn.Dense(3))
	tr := run(t, qhnet.Flow{Margins: bind(t, net, clusters), Start: net.Start(rng, nn.He), Until: 1e6, PerDecade: 2})
	if u := tr.Last().LogInverse(); math.Abs(u-1e6) > 100 {
		t.Errorf("the flow ends at log(1/L) = %v", u)
	}
}

// TestFlowOfRandomLabels: before the points are separated the flow is stiff as well, more
// so where margins are huge. Those that do not arrive must say what makes them slow.
func TestFlowOfRandomLabels(t *testing.T) {
	for _, c := range []struct {
		scale                float64
		maxSteps, mustArrive int
	}{{1e-6, 500, 0}, {1, 0, 6}, {1e4, 0, 1}, {1e6, 500, 0}} {
		arrived := 0
		for seed := range uint64(6) {
			rng := rand.New(rand.NewPCG(seed, 3))
			set := randomSet(rng, 12, 2)
			set.X.Scale(c.scale, set.X)
			for k := range set.Labels[2:] {
				set.Labels[2+k] = rng.IntN(2)
			}
			net := network(t, nn.Input(2), nn.Dense(12), nn.ReLUPower(2), nn.Dense(1))
			tr, err := qhnet.Flow{Margins: bind(t, net, set), Start: net.Start(rng, nn.He), Until: 1e5, PerDecade: 2, MaxSteps: c.maxSteps}.Run(context.Background())
			if err == nil {
				arrived++
			} else if !strings.Contains(err.Error(), "standardize the data") {
				t.Errorf("data × %v, seed %d: %v", c.scale, seed, err)
			}
			limited, attempts := 0, tr.Work.Steps+tr.Work.Rejected
			for _, n := range tr.Work.Limited {
				limited += n
			}
			if limited > attempts || limited < attempts/2 {
				t.Errorf("data × %v, seed %d: blocks have limited %v of %d steps", c.scale, seed, tr.Work.Limited, attempts)
			}
		}
		if t.Logf("data × %v: %d of 6 arrive", c.scale, arrived); arrived < c.mustArrive {
			t.Errorf("data × %v: %d of 6 arrive", c.scale, arrived)
		}
	}
}
