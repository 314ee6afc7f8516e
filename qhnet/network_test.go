package qhnet

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// architecture is a network whose rates exist, with a number of points to
// evaluate it at.
type architecture struct {
	name   string
	points int
	layers []Layer
}

// architectures is the table every check of this package walks through.
var architectures = []architecture{
	{"linear", 5, []Layer{Input(4), Dense(1, NoBias())}},
	{"linear with bias, 3 classes", 5, []Layer{Input(4), Dense(3)}},
	{"bias as its own layer", 5, []Layer{Input(4), Dense(3, NoBias()), Bias()}},
	{"ReLU, one hidden layer", 6, []Layer{Input(3), Dense(8), ReLU(), Dense(1)}},
	{"ReLU, three layers without biases", 6, []Layer{Input(3), Dense(8, NoBias()), ReLU(), Dense(7, NoBias()), ReLU(), Dense(2, NoBias())}},
	{"ReLU, three layers with biases", 6, []Layer{Input(2), Dense(8), ReLU(), Dense(8), ReLU(), Dense(1)}},
	{"leaky ReLU", 6, []Layer{Input(3), Dense(6), LeakyReLU(0.1), Dense(5), Linear(), Dense(2)}},
	{"cubes and squares", 4, []Layer{Input(3), Dense(6), AbsPower(3), Dense(5), ReLUPower(2), Dense(2)}},
	{"absolute value and square", 4, []Layer{Input(3), Dense(6), AbsPower(1), Dense(5), AbsPower(2), Dense(2)}},
	{"power 2.5", 4, []Layer{Input(3), Dense(6), AbsPower(2.5), Dense(2)}},
	{"activation of the input", 5, []Layer{Input(3), ReLU(), Dense(4), ReLU(), Dense(2)}},
	{"tanh features of the input", 5, []Layer{Input(3), Tanh(), Dense(4), ReLU(), Dense(2)}},
	{"trainable scale", 5, []Layer{Input(3), Dense(4), ReLU(), Scale(), Dense(2, NoBias())}},
	{"residual block", 6, []Layer{Input(4), Dense(5), Residual(Dense(6), ReLU(), Dense(5)), ReLU(), Dense(2)}},
	{"residual block with projection", 6, []Layer{Input(4), Dense(5), ReLU(), Residual(Dense(6), ReLU(), Dense(3), Projection()), Dense(2)}},
	{"residual block at the input", 6, []Layer{Input(4), Residual(Dense(6), ReLU(), Dense(4)), Dense(1)}},
	{"sum of branches", 6, []Layer{Input(4), Sum(Chain(Dense(5), ReLU(), Dense(3)), Dense(3), Chain(AbsPower(2), Dense(3))), Dense(2)}},
	{"gated linear unit", 6, []Layer{Input(4), Gate(Dense(5), Chain(Dense(5), ReLU())), Dense(2)}},
	{"gated input", 6, []Layer{Input(4), Gate(Dense(4), Chain()), Bias(), Dense(2)}},
}

// build connects an architecture and draws parameters, none of them 0, and data.
func (a architecture) build(t testing.TB, seed uint64) (*Network, *NetworkEvaluation, []float64, *rand.Rand) {
	t.Helper()
	n, err := NewNetwork(a.layers...)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	x := mat.NewDense(a.points, n.Inputs(), nil)
	drawNormal(x.RawMatrix().Data, rng, 1)
	e, err := n.Bind(x)
	if err != nil {
		t.Fatal(err)
	}
	theta := n.Start(rng, Glorot)
	for i := range theta {
		theta[i] += 0.3 * rng.NormFloat64()
	}
	return n, e.(*NetworkEvaluation), theta, rng
}

// normal returns n independent normal numbers.
func normal(rng *rand.Rand, n int) []float64 {
	s := make([]float64, n)
	drawNormal(s, rng, 1)
	return s
}

// forward fails the test if θ cannot be evaluated, and copies the outputs.
func forward(t testing.TB, e Evaluation, theta []float64) []float64 {
	t.Helper()
	f, err := e.Forward(theta)
	if err != nil {
		t.Fatal(err)
	}
	return append([]float64(nil), f...)
}

// distance is ‖a - b‖ relative to the larger norm.
func distance(a, b []float64) float64 {
	scale := max(floats.Norm(a, 2), floats.Norm(b, 2))
	if scale == 0 {
		return 0
	}
	return floats.Distance(a, b, 2) / scale
}

func along(theta []float64, h float64, v []float64) []float64 {
	return floats.AddScaledTo(make([]float64, len(theta)), theta, h, v)
}

// checkDerivatives compares every derivative with differences and with each
// other.
func checkDerivatives(t *testing.T, e Evaluation, theta []float64, rng *rand.Rand) {
	t.Helper()
	// Central differences of step h are off by h²·f''' ~ 1e-10 and by rounding,
	// 1e-16/h ~ 1e-11; the bound leaves room for large third derivatives.
	const h, tolerance = 1e-5, 1e-7
	m, outputs := len(theta), len(forward(t, e, theta))
	w, v := normal(rng, outputs), normal(rng, m)
	gradient, hv, jv := make([]float64, m), make([]float64, m), make([]float64, outputs)

	e.Directional(jv, v)
	e.HessianVector(hv, w, v)
	e.Gradient(gradient, w)
	up, down := forward(t, e, along(theta, h, v)), forward(t, e, along(theta, -h, v))
	floats.Sub(up, down)
	floats.Scale(0.5/h, up)
	if d := distance(jv, up); d > tolerance {
		t.Errorf("Directional is off differences of outputs by %.1e", d)
	}
	a, b := floats.Dot(w, jv), floats.Dot(gradient, v)
	if d := math.Abs(a-b) / (floats.Norm(w, 2)*floats.Norm(jv, 2) + floats.Norm(gradient, 2)*floats.Norm(v, 2)); d > 1e-13 {
		t.Errorf("⟨w, Jv⟩ = %v, ⟨Jᵀw, v⟩ = %v, off by %.1e of their factors", a, b, d)
	}
	differences := make([]float64, m)
	for i := range theta {
		unit := make([]float64, m)
		unit[i] = 1
		up, down := forward(t, e, along(theta, h, unit)), forward(t, e, along(theta, -h, unit))
		floats.Sub(up, down)
		differences[i] = floats.Dot(w, up) / (2 * h)
	}
	if d := distance(gradient, differences); d > tolerance {
		t.Errorf("Gradient is off differences of outputs by %.1e", d)
	}
	plus, minus := make([]float64, m), make([]float64, m)
	forward(t, e, along(theta, h, v))
	e.Gradient(plus, w)
	forward(t, e, along(theta, -h, v))
	e.Gradient(minus, w)
	floats.Sub(plus, minus)
	floats.Scale(0.5/h, plus)
	if d := distance(hv, plus); d > tolerance {
		t.Errorf("HessianVector is off differences of gradients by %.1e", d)
	}
}

func TestDerivatives(t *testing.T) {
	for i, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			_, e, theta, rng := a.build(t, uint64(i))
			checkDerivatives(t, e, theta, rng)
		})
	}
}
