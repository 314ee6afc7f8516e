package qhnet

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
)

// randomSet draws n points of d coordinates with two classes.
func randomSet(rng *rand.Rand, n, d int) dataset.Set {
	set := dataset.Set{Name: "random", X: mat.NewDense(n, d, nil), Labels: make([]int, n), Classes: 2}
	for k := range n {
		set.Labels[k] = k % 2
		for j := range d {
			set.X.Set(k, j, rng.NormFloat64())
		}
	}
	return set
}

func randomVector(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	return v
}

// marginCases are margins of every kind at small sizes.
func marginCases(t *testing.T, rng *rand.Rand) map[string]*Margins {
	t.Helper()
	cases := map[string]*Margins{}
	add := func(name string, m *Margins, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		cases[name] = m
	}
	q, err := NewMargins(Diagonal(1, 2, 3), randomSet(rng, 5, 3))
	add("binary", q, err)
	q, err = NewBallMargins(Diagonal(1, 2, 3), randomSet(rng, 4, 3), 0.3)
	add("balls", q, err)
	q, err = NewBallMargins(Diagonal(1, 2).WithBias(), randomSet(rng, 4, 2), 0.3)
	add("balls with bias", q, err)
	net, err := NewNetwork(Input(3), Dense(4, NoBias()), RMSNorm(), Dense(3, NoBias()))
	if err != nil {
		t.Fatal(err)
	}
	three := randomSet(rng, 6, 3)
	three.Labels, three.Classes = []int{0, 1, 2, 2, 1, 0}, 3
	q, err = NewMargins(net, three)
	add("three classes", q, err)
	return cases
}

func TestMarginsDerivatives(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for name, q := range marginCases(t, rng) {
		m := NumParameters(q.Model())
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
	model := Diagonal(1, 2, 1).WithBias()
	centres := randomSet(rng, 2, 3)
	const radius = 0.4
	q, err := NewBallMargins(model, centres, radius)
	if err != nil {
		t.Fatal(err)
	}
	theta := randomVector(rng, NumParameters(model))
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
	at, err := NewMargins(model, nearest)
	if err != nil {
		t.Fatal(err)
	}
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
	_, narrow := NewMargins(Diagonal(1, 2, 3), good)
	_, classes := NewMargins(Diagonal(1, 2), label)
	_, empty := NewMargins(Diagonal(1), dataset.Set{})
	_, radius := NewBallMargins(Diagonal(1, 1), good, -1)
	for want, err := range map[string]error{"takes 3": narrow, "label 2": classes, "no points": empty, "radius": radius} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	q, err := NewBallMargins(Diagonal(2, 2), good, 0.1)
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
		m := NumParameters(q.Model())
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
	Evaluation
	directional *int
}

func (c counting) Directional(dst, v []float64) { *c.directional++; c.Evaluation.Directional(dst, v) }

// Only balls bend the margins, and only they need a forward-mode pass.
func TestHessianVectorPassesForwardOnlyForBalls(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 7))
	for name, q := range marginCases(t, rng) {
		calls, m := 0, NumParameters(q.Model())
		q.outputs = counting{q.outputs, &calls}
		if _, err := q.Forward(randomVector(rng, m)); err != nil {
			t.Fatal(err)
		}
		q.HessianVector(make([]float64, m), randomVector(rng, q.Len()), randomVector(rng, m))
		if strings.HasPrefix(name, "balls") != (calls == 1) {
			t.Errorf("%s: %d forward-mode passes", name, calls)
		}
	}
}

// TestFieldJacobian compares the exact Jacobian with differences of the field.
func TestFieldJacobian(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	const value = 0.3
	for name, margins := range marginCases(t, rng) {
		for _, loss := range []Loss{Exponential{}, Logistic{}} {
			for _, clock := range []Clock{Time, Scaled, LogLoss, LogLogLoss, ArcLength} {
				f := newField(margins, loss)
				m := NumParameters(margins.Model())
				theta := randomVector(rng, m)
				exact := mat.NewDense(m, m, nil)
				if err := f.jacobian(exact, clock, value, theta); err != nil {
					t.Fatal(err)
				}
				up, down := make([]float64, m), make([]float64, m)
				for i := range theta {
					const h = 1e-6
					old := theta[i]
					theta[i] = old + h
					if err := f.derivative(up, clock, value, theta); err != nil {
						t.Fatal(err)
					}
					theta[i] = old - h
					if err := f.derivative(down, clock, value, theta); err != nil {
						t.Fatal(err)
					}
					theta[i] = old
					for r := range m {
						want := (up[r] - down[r]) / (2 * h)
						// Differences over h of values good to 1e-16 are good to 1e-10, but
						// for 1/‖g‖² and its powers of ten.
						if got := exact.At(r, i); math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
							t.Fatalf("%s, %T, %v: Jacobian (%d,%d) is %v, differences give %v", name, loss, clock, r, i, got, want)
						}
					}
				}
			}
		}
	}
}

// TestFieldLowRank uses a model linear in θ, where the low-rank part leaves
// nothing out.
func TestFieldLowRank(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	model := Diagonal(1, 1, 1, 1)
	points, err := NewMargins(model, randomSet(rng, 3, 4))
	if err != nil {
		t.Fatal(err)
	}
	balls, err := NewBallMargins(model, randomSet(rng, 3, 4), 0.3)
	if err != nil {
		t.Fatal(err)
	}
	theta := randomVector(rng, 4)
	for i, clock := range []Clock{Time, Time, Scaled, Scaled, LogLoss, LogLoss, LogLogLoss, LogLogLoss, ArcLength, ArcLength} {
		margins := points
		if i%2 == 1 {
			margins = balls
		}
		f := newField(margins, Exponential{})
		exact := mat.NewDense(4, 4, nil)
		if err := f.jacobian(exact, clock, 0.3, theta); err != nil {
			t.Fatal(err)
		}
		rank := margins.rank()
		u, k := mat.NewDense(rank, 4, nil), mat.NewDense(rank, rank, nil)
		if err := f.lowRank(u, k, clock, 0.3, theta); err != nil {
			t.Fatal(err)
		}
		var ku, uku mat.Dense
		ku.Mul(k, u)
		uku.Mul(u.T(), &ku)
		if !mat.EqualApprox(exact, &uku, 1e-12*(1+mat.Norm(exact, 2))) {
			t.Errorf("%v: the low-rank form is\n%v, want\n%v", clock, mat.Formatted(&uku), mat.Formatted(exact))
		}
	}
}
