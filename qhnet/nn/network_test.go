package nn

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/vector"
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
	{"sum of hidden branches", 6, []Layer{Input(4), Dense(5), Sum(Chain(ReLU(), Dense(3)), Chain(Dense(4), AbsPower(2), Dense(3)), Dense(3)), Dense(2)}},
	{"concatenated hidden branches", 6, []Layer{Input(4), Dense(5), Concat(Chain(ReLU(), Dense(3)), Chain(), Dense(2)), ReLU(), Dense(2)}},
	{"concatenated images", 3, []Layer{Input(2, 5, 5), Concat(Conv(3, 3, Padding(1)), Chain(), Chain(Conv(2, 1), ReLU())), MaxPool(2), Flatten(), Dense(2)}},
	{"gated hidden layer", 6, []Layer{Input(4), Dense(5), ReLU(), Gate(Dense(5), Chain()), Dense(2)}},
	{"gated linear unit", 6, []Layer{Input(4), Gate(Dense(5), Chain(Dense(5), ReLU())), Dense(2)}},
	{"batch normalization", 7, []Layer{Input(4), Dense(5), BatchNorm(), ReLU(), Dense(2)}},
	{"batch normalization, affine", 7, []Layer{Input(4), Dense(5), BatchNorm(Affine()), ReLU(), Dense(5), BatchNorm(Affine()), ReLU(), Dense(2)}},
	{"batch normalization of the input", 7, []Layer{Input(4), BatchNorm(Affine()), Dense(5), ReLU(), Dense(2)}},
	{"layer normalization", 5, []Layer{Input(4), Dense(6), LayerNorm(), ReLU(), Dense(2)}},
	{"layer normalization, shift", 5, []Layer{Input(4), Dense(6), LayerNorm(WithShift()), ReLU(), Dense(2)}},
	{"RMS normalization", 5, []Layer{Input(4), Dense(6), RMSNorm(), Dense(3)}},
	{"RMS normalization, scale", 5, []Layer{Input(4), Dense(6), ReLU(), Dense(6), RMSNorm(WithScale()), Dense(3)}},
	{"group normalization, affine", 5, []Layer{Input(4), Dense(6), GroupNorm(2, Affine()), ReLU(), Dense(3)}},
	{"pre-normalized residual block", 7, []Layer{Input(4), Dense(5), Residual(BatchNorm(Affine()), ReLU(), Dense(5)), LayerNorm(), Dense(2)}},
	{"normalization with ε of the input", 5, []Layer{Input(4), LayerNorm(Epsilon(0.1)), Dense(5), ReLU(), Dense(2)}},
	{"convolution", 3, []Layer{Input(2, 5, 6), Conv(3, 3), ReLU(), Flatten(), Dense(2)}},
	{"convolution, stride and padding", 3, []Layer{Input(2, 5, 6), Conv(3, 3, Stride(2), Padding(1)), ReLU(), Conv(4, 2, NoBias()), GlobalAveragePool(), Dense(2)}},
	{"convolution wider than its image", 3, []Layer{Input(1, 2, 3), Conv(2, 5, Padding(3), Stride(3)), Flatten(), Dense(1)}},
	{"max pooling", 3, []Layer{Input(1, 6, 6), Conv(3, 3, Padding(1)), ReLU(), MaxPool(2), Conv(3, 2), MaxPool(2, Stride(1)), Flatten(), Dense(2)}},
	{"max pooling with padding", 3, []Layer{Input(1, 6, 5), Conv(3, 3), MaxPool(3, Stride(2), Padding(1)), Flatten(), Dense(2)}},
	{"average pooling", 3, []Layer{Input(1, 6, 6), Conv(3, 3, Padding(1)), AbsPower(2), AveragePool(2), Conv(3, 2), AveragePool(2, Stride(1)), Flatten(), Dense(2)}},
	{"pooled input", 3, []Layer{Input(2, 4, 4), MaxPool(2), Conv(2, 2), Flatten(), Dense(2)}},
	{"convolution with batch normalization", 3, []Layer{Input(1, 5, 5), Conv(3, 3, NoBias()), BatchNorm(Affine()), ReLU(), GlobalAveragePool(), Dense(2)}},
	{"convolution with group normalization", 3, []Layer{Input(1, 5, 5), Conv(4, 3), GroupNorm(2, Affine()), ReLU(), Flatten(), Dense(2)}},
	{"convolutional residual block", 3, []Layer{Input(1, 6, 6), Conv(2, 3), Residual(Conv(3, 3, Padding(1), Stride(2)), ReLU(), Conv(3, 3, Padding(1)), Projection()), GlobalAveragePool(), Dense(2)}},
	{"small residual network", 4, smallResNet()},
	{"scalar scale at the end of a residual block", 5, []Layer{Input(4), Dense(4), Residual(Dense(6), ReLU(), Dense(4), Scale(Scalar())), Dense(2)}},
	{"scalar scale of an image", 3, []Layer{Input(2, 4, 4), Conv(3, 3), Scale(Scalar()), ReLU(), Flatten(), Dense(2)}},
	{"elementwise layer normalization of an image", 3, []Layer{Input(2, 5, 5), Conv(3, 3), LayerNorm(Affine(), Elementwise()), ReLU(), Flatten(), Dense(2)}},
	{"elementwise batch normalization, scale and bias of images", 4, []Layer{Input(2, 5, 5), Conv(3, 3), BatchNorm(WithScale(), Elementwise()), Bias(Elementwise()), ReLU(), Scale(Elementwise()), Conv(2, 3), Flatten(), Dense(2)}},
	{"attention with fixed queries and keys", 3, []Layer{Input(3, 2, 3), Attention(Chain(), Chain(), Conv(4, 1)), ReLU(), GlobalAveragePool(), Dense(2)}},
	{"attention with normalized queries and keys", 3, []Layer{Input(3, 1, 4), Conv(4, 1), Attention(Chain(Conv(5, 1), GroupNorm(5)), Chain(Conv(5, 1), RMSNorm()), Chain()), ReLU(), Flatten(), Dense(2)}},
	{"gated input", 6, []Layer{Input(4), Gate(Dense(4), Chain()), Bias(), Dense(2)}},
}

// smallResNet is ResNet-18 with two stages of one block instead of four of two,
// and 3 and 4 channels instead of 64 to 512.
func smallResNet() []Layer { return ResNet(Input(1, 6, 6), []int{3, 4}, 1, 2) }

// build connects an architecture and draws parameters, none of them 0, and data.
func (a architecture) build(t testing.TB) (*Network, *Evaluation, []float64, *rand.Rand) {
	t.Helper()
	n := network(t, a.layers...)
	name := fnv.New64()
	name.Write([]byte(a.name)) // so that the start stays when the table grows
	rng := rand.New(rand.NewPCG(name.Sum64(), 1))
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
	return n, e.(*Evaluation), theta, rng
}

// failing is what testing and rapid have in common for helpers.
type failing interface {
	Helper()
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

func network(t failing, layers ...Layer) *Network {
	t.Helper()
	n, err := New(layers...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mustRates(t failing, m qhnet.Model) *qhnet.Rates {
	t.Helper()
	rates, err := qhnet.RatesOf(m)
	if err != nil {
		t.Fatal(err)
	}
	return rates
}

// normal returns n independent normal numbers.
func normal(rng *rand.Rand, n int) []float64 {
	s := make([]float64, n)
	drawNormal(s, rng, 1)
	return s
}

// forward fails the test if θ cannot be evaluated, and copies the outputs.
func forward(t failing, e qhnet.Evaluation, theta []float64) []float64 {
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

// difference returns the derivative of f at θ along v by the central difference
// of fourth order. With h = 1e-4 its truncation, h⁴f⁽⁵⁾/30, and rounding, 1e-16/h,
// are both near 1e-12 of f.
func difference(f func(theta []float64) []float64, theta, v []float64) []float64 {
	const h = 1e-4
	d := f(along(theta, -2*h, v))
	floats.AddScaled(d, -8, f(along(theta, -h, v)))
	floats.AddScaled(d, 8, f(along(theta, h, v)))
	floats.AddScaled(d, -1, f(along(theta, 2*h, v)))
	floats.Scale(1/(12*h), d)
	return d
}

// gradientTangenter is an evaluation that differentiates gradients in one pass.
type gradientTangenter interface {
	GradientTangent(dst, weights, tangentWeights, v []float64)
}

// checkDerivatives compares every derivative with differences and with each
// other.
func checkDerivatives(t testing.TB, e qhnet.Evaluation, theta []float64, rng *rand.Rand) {
	t.Helper()
	const tolerance = 1e-7 // leaves room for derivatives of fifth order near 1e5
	m, outputs := len(theta), len(forward(t, e, theta))
	w, v := normal(rng, outputs), normal(rng, m)
	gradient, hv, jv := make([]float64, m), make([]float64, m), make([]float64, outputs)
	e.Directional(jv, v)
	e.HessianVector(hv, w, v)
	e.Gradient(gradient, w)

	value := func(theta []float64) []float64 { return forward(t, e, theta) }
	if d := distance(jv, difference(value, theta, v)); d > tolerance {
		t.Errorf("Directional is off differences of outputs by %.1e", d)
	}
	slopes := make([]float64, m)
	for i := range slopes {
		unit := make([]float64, m)
		unit[i] = 1
		slopes[i] = floats.Dot(w, difference(value, theta, unit))
	}
	if d := distance(gradient, slopes); d > tolerance {
		t.Errorf("Gradient is off differences of outputs by %.1e", d)
	}
	slope := func(theta []float64) []float64 {
		forward(t, e, theta)
		g := make([]float64, m)
		e.Gradient(g, w)
		return g
	}
	// A Hessian may be 0, so the gradient sets the size.
	if d := floats.Distance(hv, difference(slope, theta, v), 2) / (floats.Norm(hv, 2) + floats.Norm(gradient, 2)); d > tolerance {
		t.Errorf("HessianVector is off differences of gradients by %.1e", d)
	}
	dw, both, moved := normal(rng, outputs), make([]float64, m), make([]float64, m)
	forward(t, e, theta)
	e.(gradientTangenter).GradientTangent(both, w, dw, v)
	e.HessianVector(hv, w, v)
	e.Gradient(moved, dw)
	if d := distance(both, floats.AddTo(make([]float64, m), hv, moved)); d > 1e-13 { // the same sums in another order
		t.Errorf("GradientTangent is off HessianVector and Gradient by %.1e", d)
	}
	// Both products are sums of the same terms in another order.
	size := floats.Norm(w, 2)*floats.Norm(jv, 2) + floats.Norm(gradient, 2)*floats.Norm(v, 2)
	if d := math.Abs(floats.Dot(w, jv)-floats.Dot(gradient, v)) / size; d > 1e-12 {
		t.Errorf("⟨w, Jv⟩ and ⟨Jᵀw, v⟩ differ by %.1e of their factors", d)
	}
}

func TestDerivatives(t *testing.T) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			_, e, theta, rng := a.build(t)
			checkDerivatives(t, e, theta, rng)
		})
	}
}

// TestConstructionErrors checks that a layer that does not fit is named, with
// the shapes.
func TestConstructionErrors(t *testing.T) {
	image := Input(3, 8, 8)
	for _, c := range []struct {
		layers []Layer
		want   []string
	}{
		{nil, []string{"the first is Input"}},
		{[]Layer{Dense(2)}, []string{"dense", "must be Input"}},
		{[]Layer{Input(2, 2)}, []string{"2 dimensions"}},
		{[]Layer{Input(0)}, []string{"shape 0"}},
		{[]Layer{Input(2), Dense(3), Input(3)}, []string{"input1", "first"}},
		{[]Layer{Input(2), Dense(0)}, []string{"dense1", "0 units"}},
		{[]Layer{image, Dense(4)}, []string{"dense1", "3×8×8", "Flatten"}},
		{[]Layer{image, Conv(4, 3)}, []string{"conv1", "4×6×6", "outputs are a vector"}},
		{[]Layer{image, Conv(4, 11, Padding(1))}, []string{"conv1", "11×11", "3×8×8", "padding 1"}},
		{[]Layer{image, Conv(0, 3)}, []string{"conv1", "0 channels"}},
		{[]Layer{image, Conv(4, 3, Stride(0))}, []string{"conv1", "stride 0"}},
		{[]Layer{Input(5), Conv(4, 3)}, []string{"conv1", "its input is 5"}},
		{[]Layer{image, MaxPool(9)}, []string{"maxpool1", "9×9", "3×8×8"}},
		{[]Layer{image, MaxPool(2, Padding(2))}, []string{"maxpool1", "padding 2"}},
		{[]Layer{image, AveragePool(9)}, []string{"averagepool1", "9×9", "3×8×8"}},
		{[]Layer{image, AveragePool(2, Padding(1))}, []string{"averagepool1", "Padding"}},
		{[]Layer{Input(5), GlobalAveragePool()}, []string{"globalpool1", "its input is 5"}},
		{[]Layer{Input(2), Dense(4), Residual(Dense(3)), Dense(1)}, []string{"block1", "skip", "4", "body", "3"}},
		{[]Layer{image, Residual(Conv(4, 3)), Flatten()}, []string{"block1", "3×8×8", "4×6×6"}},
		{[]Layer{image, Residual(Conv(4, 3), Projection()), Flatten()}, []string{"block1", "projection", "3×8×8", "4×6×6"}},
		{[]Layer{Input(2), Residual(Dense(2), Projection(), Projection())}, []string{"block1", "two projections"}},
		{[]Layer{Input(2), Projection()}, []string{"projection1", "outside"}},
		{[]Layer{Input(2), Residual(Dense(2), Conv(1, 1))}, []string{"block1.conv1", "its input is 2"}},
		{[]Layer{Input(2), Sum(Dense(2), Dense(3))}, []string{"sum1", "2", "3"}},
		{[]Layer{Input(2), Sum()}, []string{"sum1", "no branches"}},
		{[]Layer{Input(2), Gate(Dense(2), Dense(3))}, []string{"gate1", "2", "3"}},
		{[]Layer{image, Concat(Conv(2, 1), Conv(2, 3))}, []string{"concat1", "branch 2", "2×6×6", "2×8×8"}},
		{[]Layer{image, Attention(Conv(2, 1), Conv(3, 1), Chain())}, []string{"attention1", "2×8×8", "3×8×8"}},
		{[]Layer{Input(4), Attention(Chain(), Chain(), Chain())}, []string{"attention1", "images"}},
		{[]Layer{{}}, []string{"zero Layer", "must be Input"}},
		{[]Layer{Input(2), Dense(3), {}, Dense(1)}, []string{"a zero Layer follows dense1"}},
		{[]Layer{Input(2), Dense(3), Residual(ReLU(), Named("x", Layer{})), Dense(1)}, []string{"a zero Layer follows block1.relu1"}},
		{[]Layer{Input(2), Dense(3), Sum(Layer{}), Dense(1)}, []string{"a zero Layer follows the start of sum1"}},
		{[]Layer{Input(2), Dense(3, Scalar()), Dense(1)}, []string{"dense1", "Scalar"}},
		{[]Layer{Input(2), Bias(Scalar()), Dense(1)}, []string{"bias1", "Scalar"}},
		{[]Layer{Input(6), GroupNorm(4)}, []string{"norm1", "6", "4 groups"}},
		{[]Layer{Input(6), LayerNorm(Epsilon(-1))}, []string{"norm1", "ε = -1"}},
		{[]Layer{Input(6), LayerNorm(Stride(2))}, []string{"norm1", "Stride"}},
		{[]Layer{Input(6), Dense(2, Affine())}, []string{"dense1", "Affine"}},
		{[]Layer{Input(6), AbsPower(0.5)}, []string{"abspower1", "degree 0.5"}},
		{[]Layer{Input(6), LeakyReLU(math.NaN())}, []string{"leakyrelu1", "NaN"}},
		{[]Layer{Input(6), Named("a", Dense(2)), Named("a", Dense(2))}, []string{`"a"`}},
	} {
		_, err := New(c.layers...)
		if err == nil {
			t.Errorf("%v: no error", c.layers)
			continue
		}
		for _, want := range append(c.want, "qhnet:") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v: error %q does not mention %q", c.layers, err, want)
			}
		}
	}
}

func TestDataErrors(t *testing.T) {
	n := network(t, Input(2), Dense(3), ReLU(), Dense(1))
	for _, c := range []struct {
		x    *mat.Dense
		want string
	}{
		{nil, "no points"},
		{&mat.Dense{}, "no points"},
		{mat.NewDense(4, 3, nil), "takes points of 2 (2 entries), the data is 4×3"},
		{mat.NewDense(2, 2, []float64{0, 1, 2, math.NaN()}), "entry 1 of point 1 is NaN"},
		{mat.NewDense(1, 2, []float64{math.Inf(-1), 0}), "entry 0 of point 0 is -Inf"},
	} {
		if _, err := n.Bind(c.x); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	e, err := n.Bind(mat.NewDense(1, 2, []float64{1, 2}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]string{
		1:  "parameter 1 of dense1.weight is NaN",
		8:  "parameter 2 of dense1.bias is NaN",
		12: "parameter 0 of dense2.bias is NaN",
	} {
		theta := make([]float64, qhnet.NumParameters(n))
		theta[i] = math.NaN()
		if _, err := e.Forward(theta); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	huge := make([]float64, qhnet.NumParameters(n))
	vector.Fill(huge, 1e200)
	if _, err := e.Forward(huge); err == nil || !strings.Contains(err.Error(), "dense2: the output at point 0 is +Inf") {
		t.Errorf("error %v for an overflow", err)
	}
}

// TestMisuse checks that mistakes of the programmer panic with a message.
func TestMisuse(t *testing.T) {
	a := architecture{points: 3, layers: []Layer{Input(2), Dense(1)}}
	_, e, theta, _ := a.build(t)
	mustPanic := func(want string, f func()) {
		t.Helper()
		defer func() {
			t.Helper()
			if got, _ := recover().(string); !strings.HasPrefix(got, "qhnet: ") || !strings.Contains(got, want) {
				t.Errorf("panic %q, want %q", got, want)
			}
		}()
		f()
	}
	mustPanic("Gradient before", func() { e.Gradient(theta, make([]float64, 3)) })
	mustPanic("length of theta is 2, want 3", func() { e.Forward(theta[:2]) })
	forward(t, e, theta)
	mustPanic("length of weights is 2, want 3", func() { e.Gradient(make([]float64, 3), make([]float64, 2)) })
	mustPanic("length of v is 1, want 3", func() { e.Directional(make([]float64, 3), make([]float64, 1)) })
	mustPanic(`no layer "dense7"`, func() { e.Layer("dense7") })
	mustPanic("entry 1 of point 2 is NaN", func() { e.SetInputs(mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, math.NaN()})) })
	forward(t, e, theta)
	mustPanic("zero Option", func() { Dense(2, Option{}) })
	mustPanic("dst is 1×1, not 3×3", func() { e.Jacobian(mat.NewDense(1, 1, nil)) })
}
