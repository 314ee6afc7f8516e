package qhnet_test

import (
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
)

func ExampleAccuracy() {
	// The boundary x_1 = 0 is right about three points of four.
	model := nn.Diagonal(1, 1)
	theta := []float64{1, 0}
	set := dataset.Set{Name: "four", X: mat.NewDense(4, 2, []float64{1, 0, 2, 1, -1, 3, 1, -1}), Labels: []int{1, 1, 0, 0}, Classes: 2}
	classes, _ := qhnet.Predict(model, theta, set.X)
	accuracy, _ := qhnet.Accuracy(model, theta, set)
	fmt.Println(classes, accuracy)
	// Output: [1 1 0 1] 0.75
}

// randomSet draws n points of d coordinates with two classes.
func randomSet(rng *rand.Rand, n, d int) dataset.Set {
	set := dataset.Set{Name: "random", X: gaussian(rng, n, d), Labels: make([]int, n), Classes: 2}
	for k := range n {
		set.Labels[k] = k % 2
	}
	return set
}

// marginCases are margins of every kind at small sizes.
func marginCases(t *testing.T, rng *rand.Rand) map[string]*qhnet.Margins {
	t.Helper()
	balls := func(m qhnet.Model, centres dataset.Set) *qhnet.Margins {
		q, err := qhnet.NewBallMargins(m, centres, 0.3)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	cases := map[string]*qhnet.Margins{
		"binary":          bind(t, nn.Diagonal(1, 2, 3), randomSet(rng, 5, 3)),
		"balls":           balls(nn.Diagonal(1, 2, 3), randomSet(rng, 4, 3)),
		"balls with bias": balls(nn.Diagonal(1, 2).WithBias(), randomSet(rng, 4, 2)),
	}
	net := network(t, nn.Input(3), nn.Dense(4, nn.NoBias()), nn.RMSNorm(), nn.Dense(3, nn.NoBias()))
	three := randomSet(rng, 6, 3)
	three.Labels, three.Classes = []int{0, 1, 2, 2, 1, 0}, 3
	cases["three classes"] = bind(t, net, three)
	return cases
}

func TestMarginsDerivatives(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for name, q := range marginCases(t, rng) {
		m := qhnet.NumParameters(q.Model())
		theta, v, mu := randomVector(rng, m), randomVector(rng, m), randomVector(rng, q.Len())
		at := func(h float64) (value, gradient []float64) {
			p := make([]float64, m)
			floats.AddScaledTo(p, theta, h, v)
			f, err := q.Forward(p)
			if err != nil {
				t.Fatal(err)
			}
			gradient = make([]float64, m)
			q.Gradient(gradient, mu)
			return append([]float64(nil), f...), gradient
		}
		const h = 1e-5 // central differences: error about h² plus 1e-16/h
		up, gradientUp := at(h)
		down, gradientDown := at(-h)
		_, gradient := at(0)
		directional, hessian := make([]float64, q.Len()), make([]float64, m)
		q.Directional(directional, v)
		q.HessianVector(hessian, mu, v)
		for j := range directional {
			if want := (up[j] - down[j]) / (2 * h); math.Abs(directional[j]-want) > 1e-8 {
				t.Errorf("%s: derivative of margin %d is %v, differences give %v", name, j, directional[j], want)
			}
		}
		// The same sums in two orders.
		if a, b := floats.Dot(gradient, v), floats.Dot(mu, directional); math.Abs(a-b) > 1e-12*(1+math.Abs(a)) {
			t.Errorf("%s: ⟨Σ μ∇q, v⟩ = %v but Σ μ⟨∇q, v⟩ = %v", name, a, b)
		}
		for i := range hessian {
			if want := (gradientUp[i] - gradientDown[i]) / (2 * h); math.Abs(hessian[i]-want) > 1e-7 {
				t.Errorf("%s: Hessian-vector entry %d is %v, differences give %v", name, i, hessian[i], want)
			}
		}
	}
}

func TestBallMarginIsTheWorstCase(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 2))
	model := nn.Diagonal(1, 2, 1).WithBias()
	centres := randomSet(rng, 2, 3)
	const radius = 0.4
	q, err := qhnet.NewBallMargins(model, centres, radius)
	if err != nil {
		t.Fatal(err)
	}
	theta := randomVector(rng, qhnet.NumParameters(model))
	worst, err := q.Forward(theta)
	if err != nil {
		t.Fatal(err)
	}
	beta := model.Coefficients(nil, theta)[:3]
	nearest := dataset.Set{X: mat.DenseCopyOf(centres.X), Labels: centres.Labels, Classes: 2}
	for k, label := range centres.Labels {
		y := float64(2*label - 1)
		floats.AddScaled(nearest.X.RawRowView(k), -y*radius/floats.Norm(beta, 2), beta)
	}
	at := bind(t, model, nearest)
	got, err := at.Forward(theta)
	if err != nil {
		t.Fatal(err)
	}
	if !floats.EqualApprox(got, worst, 1e-14) {
		t.Errorf("margins at the nearest points of the balls %v, ball margins %v", got, worst)
	}
}

func TestMarginsRefuse(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 3))
	good := randomSet(rng, 4, 2)
	label := good
	label.Labels, label.Classes = []int{0, 1, 2, 0}, 3
	_, narrow := qhnet.NewMargins(nn.Diagonal(1, 2, 3), good)
	_, classes := qhnet.NewMargins(nn.Diagonal(1, 2), label)
	_, empty := qhnet.NewMargins(nn.Diagonal(1), dataset.Set{})
	_, radius := qhnet.NewBallMargins(nn.Diagonal(1, 1), good, -1)
	_, fixed := qhnet.NewMargins(network(t, nn.Input(2), nn.ReLU()), good)
	for want, err := range map[string]error{"has no parameters": fixed, "takes 3": narrow, "label 2": classes, "no points": empty, "radius": radius} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	q, err := qhnet.NewBallMargins(nn.Diagonal(2, 2), good, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Forward(make([]float64, 4)); err == nil || !strings.Contains(err.Error(), "β is zero") {
		t.Errorf("a zero predictor over balls gives %v", err)
	}
}

func TestMarginsAllocateNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 4))
	for name, q := range marginCases(t, rng) {
		m := qhnet.NumParameters(q.Model())
		theta, v, mu := randomVector(rng, m), randomVector(rng, m), randomVector(rng, q.Len())
		dst := make([]float64, m)
		if n := testing.AllocsPerRun(5, func() {
			if _, err := q.Forward(theta); err != nil {
				t.Fatal(err)
			}
			q.Gradient(dst, mu)
			q.HessianVector(dst, mu, v)
		}); n != 0 {
			t.Errorf("%s: %v allocations an evaluation", name, n)
		}
	}
}

// counting counts forward-mode passes.
type counting struct {
	qhnet.Evaluation
	directional *int
}

func (c counting) Directional(dst, v []float64) { *c.directional++; c.Evaluation.Directional(dst, v) }

// Only balls bend the margins, and only they need a forward-mode pass.
func TestHessianVectorPassesForwardOnlyForBalls(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 7))
	for name, q := range marginCases(t, rng) {
		calls, m := 0, qhnet.NumParameters(q.Model())
		q.Wrap(func(e qhnet.Evaluation) qhnet.Evaluation { return counting{e, &calls} })
		if _, err := q.Forward(randomVector(rng, m)); err != nil {
			t.Fatal(err)
		}
		q.HessianVector(make([]float64, m), randomVector(rng, q.Len()), randomVector(rng, m))
		if strings.HasPrefix(name, "balls") != (calls == 1) {
			t.Errorf("%s: %d forward-mode passes", name, calls)
		}
	}
}

// A prediction is right exactly where the point's margins are positive.
func TestPredictAgreesWithMargins(t *testing.T) {
	rng := rand.New(rand.NewPCG(50, 5))
	for outputs := 1; outputs <= 4; outputs++ {
		n := network(t, nn.Input(3), nn.Dense(5), nn.ReLU(), nn.Dense(outputs))
		theta := n.Start(rng, nn.He)
		set := dataset.Set{Name: "random", X: gaussian(rng, 40, 3), Labels: make([]int, 40), Classes: max(outputs, 2)}
		for k := range set.Labels {
			set.Labels[k] = k % set.Classes
		}
		classes, err := qhnet.Predict(n, theta, set.X)
		if err != nil {
			t.Fatal(err)
		}
		right := 0
		margins := bind(t, n, set)
		all, err := margins.Forward(theta)
		if err != nil {
			t.Fatal(err)
		}
		for k := range set.Labels {
			q := floats.Min(all[k*margins.PerPoint() : (k+1)*margins.PerPoint()])
			if (classes[k] == set.Labels[k]) != (q > 0) {
				t.Errorf("%d outputs: point %d of class %d has margin %v and is predicted as %d", outputs, k, set.Labels[k], q, classes[k])
			}
			if q > 0 {
				right++
			}
		}
		if accuracy, err := qhnet.Accuracy(n, theta, set); err != nil || accuracy != float64(right)/40 {
			t.Errorf("%d outputs: accuracy %v, %v, want %d/40", outputs, accuracy, err, right)
		}
	}
}

func TestPredictTies(t *testing.T) {
	x := mat.NewDense(1, 1, []float64{1})
	for outputs, want := range map[int]int{1: 0, 3: 0} {
		n := network(t, nn.Input(1), nn.Dense(outputs))
		if got, err := qhnet.Predict(n, make([]float64, 2*outputs), x); err != nil || !slices.Equal(got, []int{want}) {
			t.Errorf("%d outputs that are all 0: class %v, %v", outputs, got, err)
		}
	}
}

func TestAccuracyOnSomeClasses(t *testing.T) {
	n := network(t, nn.Input(1), nn.Dense(3, nn.NoBias()))
	theta := []float64{1, 2, 3} // the largest output is the last where x > 0, else the first
	set := dataset.Set{Name: "class 2", X: mat.NewDense(2, 1, []float64{1, -1}), Labels: []int{2, 2}, Classes: 3}
	if accuracy, err := qhnet.Accuracy(n, theta, set); err != nil || accuracy != 0.5 {
		t.Errorf("accuracy %v, %v, want 1/2", accuracy, err)
	}
	for _, test := range []struct {
		want  string
		spoil func(*dataset.Set)
	}{
		{"class 2: 2 rows but 1 labels", func(s *dataset.Set) { s.Labels = s.Labels[:1] }},
		{"label 3, but a model with 3 output(s)", func(s *dataset.Set) { s.Labels[1], s.Classes = 3, 4 }},
		{"entry 0 of point 1 is NaN", func(s *dataset.Set) { s.X.Set(1, 0, math.NaN()) }},
		{"points of 1", func(s *dataset.Set) { s.X = mat.NewDense(2, 2, nil) }},
	} {
		set := set
		set.X, set.Labels = mat.DenseCopyOf(set.X), slices.Clone(set.Labels)
		test.spoil(&set)
		if _, err := qhnet.Accuracy(n, theta, set); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want an error with %q", err, test.want)
		}
	}
}
