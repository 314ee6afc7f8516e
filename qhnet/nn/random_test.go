package nn

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"qhlab/qhnet"
)

// drawVector draws a layer that takes vectors, with one of few widths so that
// branches often fit.
func drawVector(t *rapid.T, depth int) []Layer {
	kinds := 14
	if depth == 0 {
		kinds = 10
	}
	width := rapid.SampledFrom([]int{4, 6}).Draw(t, "width")
	options := rapid.SampledFrom([][]Option{nil, {Affine()}, {WithScale()}, {WithShift()}}).Draw(t, "trainable")
	switch rapid.IntRange(0, kinds-1).Draw(t, "layer") {
	case 0:
		return []Layer{Dense(width)}
	case 1:
		return []Layer{Dense(width, NoBias())}
	case 2:
		return []Layer{ReLU()}
	case 3:
		return []Layer{LeakyReLU(0.2)}
	case 4:
		return []Layer{AbsPower(2)}
	case 5:
		return []Layer{Dense(width), BatchNorm(options...)}
	case 6:
		return []Layer{Dense(width), LayerNorm(options...)}
	case 7:
		return []Layer{Dense(width), RMSNorm(options...)}
	case 8:
		return []Layer{Dense(width), GroupNorm(2, options...)}
	case 9:
		return []Layer{rapid.SampledFrom([]Layer{Scale(), Scale(Scalar()), Bias()}).Draw(t, "scale")}
	case 10:
		return []Layer{Residual(append(drawVectors(t, depth-1), Projection())...)}
	case 11:
		return []Layer{Sum(Chain(append(drawVectors(t, depth-1), Dense(width))...), Dense(width))}
	case 12:
		return []Layer{Concat(Chain(drawVectors(t, depth-1)...), Dense(width))}
	}
	return []Layer{Gate(Chain(append(drawVectors(t, depth-1), Dense(width))...), Dense(width))}
}

func drawVectors(t *rapid.T, depth int) []Layer {
	var layers []Layer
	for range rapid.IntRange(1, 3).Draw(t, "layers") {
		layers = append(layers, drawVector(t, depth)...)
	}
	return layers
}

// drawImages draws layers from a 6×6 image to a vector.
func drawImages(t *rapid.T) []Layer {
	layers := []Layer{Conv(2, 3, Padding(rapid.IntRange(0, 1).Draw(t, "padding")), Stride(rapid.IntRange(1, 2).Draw(t, "stride")))}
	switch rapid.IntRange(0, 4).Draw(t, "image layer") {
	case 0:
		layers = append(layers, rapid.SampledFrom([]Layer{BatchNorm(Affine()), BatchNorm(Affine(), Elementwise()), Scale(Elementwise())}).Draw(t, "affine"), ReLU())
	case 1:
		layers = append(layers, GroupNorm(2), ReLU())
	case 2:
		layers = append(layers, MaxPool(2))
	case 3:
		layers = append(layers, Residual(Conv(3, 3, Padding(1)), ReLU(), Conv(2, 3, Stride(2), Padding(1)), Projection()))
	case 4:
		layers = append(layers, AveragePool(2), LeakyReLU(0.5))
	}
	return append(layers, rapid.SampledFrom([]Layer{Flatten(), GlobalAveragePool()}).Draw(t, "end"))
}

// TestRandomNetworks builds networks from random layers and checks that they
// scale and that their derivatives agree with each other. Networks without
// admissible rates, or at a start with zero variance, are passed over, but not
// many of them.
func TestRandomNetworks(t *testing.T) {
	drawn, checked := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		input, layers := Input(4), []Layer(nil)
		if rapid.Bool().Draw(rt, "images") {
			input, layers = Input(1, 6, 6), drawImages(rt)
		}
		layers = append(layers, drawVectors(rt, 2)...)
		layers = append(append([]Layer{input}, layers...), Dense(rapid.IntRange(1, 3).Draw(rt, "outputs")))
		drawn++
		if checkRandom(rt, layers, rapid.Uint64().Draw(rt, "seed")) {
			checked++
		}
	})
	if drawn >= 50 && 2*checked < drawn {
		t.Errorf("only %d of %d networks could be checked", checked, drawn)
	}
	t.Logf("checked %d of %d networks", checked, drawn)
}

// checkRandom tells whether there was something to check.
func checkRandom(t *rapid.T, layers []Layer, seed uint64) bool {
	n := network(t, layers...)
	rng := rand.New(rand.NewPCG(seed, 1))
	x := mat.NewDense(5, n.Inputs(), nil)
	drawNormal(x.RawMatrix().Data, rng, 1)
	e, err := n.Bind(x)
	if err != nil {
		t.Fatal(err)
	}
	theta := n.Start(rng, He)
	for i := range theta {
		theta[i] += 0.2 * rng.NormFloat64()
	}
	rates, err := qhnet.RatesOf(n)
	if err != nil {
		return false
	}
	if _, err := e.Forward(theta); err != nil {
		return false
	}
	checkRandomScaling(t, e, rates, theta, rng)
	checkConserved(t, n, e, theta, rng)
	return checkRandomDerivatives(t, e, theta, rng)
}

func checkRandomScaling(t *rapid.T, e qhnet.Evaluation, rates *qhnet.Rates, theta []float64, rng *rand.Rand) {
	for _, rates := range []*qhnet.Rates{rates, rates.Random(rng)} {
		// Powers and small variances magnify rounding, 1e-16, a thousandfold each.
		if r, err := qhnet.EulerResidual(e, rates, theta); err != nil || r > 1e-9 {
			t.Errorf("Euler's identity is off by %.1e (%v)", r, err)
		}
		if r, err := qhnet.ScalingResidual(e, rng.Float64()-0.5, rates, theta); err != nil || r > 1e-9 {
			t.Errorf("f(ψ_α θ) is off e^α f(θ) by %.1e (%v)", r, err)
		}
	}
}

// checkConserved checks that gradients of outputs are orthogonal to those of
// conserved quantities.
func checkConserved(t failing, n *Network, e qhnet.Evaluation, theta []float64, rng *rand.Rand) {
	w, g, c := normal(rng, len(forward(t, e, theta))), make([]float64, len(theta)), make([]float64, len(theta))
	e.Gradient(g, w)
	for _, q := range append(qhnet.ConservedBlocks(n), qhnet.ConservedUnits(n)...) {
		q.Gradient(c, theta)
		// As for the scaling; of a unit that is dead g·c is 0 exactly.
		if change := math.Abs(floats.Dot(g, c)); change > 1e-9*floats.Norm(g, 2)*floats.Norm(c, 2) {
			t.Errorf("%s changes at rate %.1e", q.Name, change)
		}
	}
}

// checkRandomDerivatives compares derivatives where differences of two steps
// agree, which they do not across a kink.
func checkRandomDerivatives(t *rapid.T, e qhnet.Evaluation, theta []float64, rng *rand.Rand) bool {
	m, outputs := len(theta), len(forward(t, e, theta))
	w, v := normal(rng, outputs), normal(rng, m)
	gradient, hv, jv := make([]float64, m), make([]float64, m), make([]float64, outputs)
	e.HessianVector(hv, w, normal(rng, m)) // leaves adjoints for the next one
	e.HessianVector(hv, w, v)
	e.Directional(jv, v)
	e.Gradient(gradient, w)
	checkGradientTangent(t, e, hv, w, v, rng)
	size := floats.Norm(w, 2)*floats.Norm(jv, 2) + floats.Norm(gradient, 2)*floats.Norm(v, 2)
	if d := math.Abs(floats.Dot(w, jv)-floats.Dot(gradient, v)) / size; d > 1e-12 {
		t.Errorf("⟨w, Jv⟩ and ⟨Jᵀw, v⟩ differ by %.1e of their factors", d)
	}
	both := func(theta []float64) []float64 { // outputs and gradient
		f := forward(t, e, theta)
		g := make([]float64, m)
		e.Gradient(g, w)
		return append(f, g...)
	}
	coarse, fine := difference(both, theta, v), difference(both, theta, floats.ScaleTo(make([]float64, m), 0.5, v))
	floats.Scale(2, fine)
	for _, c := range []struct {
		name              string
		got, coarse, fine []float64
		size              float64
	}{
		{"Directional", jv, coarse[:outputs], fine[:outputs], floats.Norm(jv, 2)},
		{"HessianVector", hv, coarse[outputs:], fine[outputs:], floats.Norm(hv, 2) + floats.Norm(gradient, 2)},
	} {
		if floats.Distance(c.coarse, c.fine, 2) > 1e-7*c.size {
			return false
		}
		if d := floats.Distance(c.got, c.fine, 2) / c.size; d > 1e-6 {
			t.Errorf("%s is off differences by %.1e", c.name, d)
		}
	}
	return true
}

// checkGradientTangent compares it with the sum of its two parts.
func checkGradientTangent(t *rapid.T, e qhnet.Evaluation, hv, w, v []float64, rng *rand.Rand) {
	rates, jv := normal(rng, len(w)), make([]float64, len(w))
	want, got := make([]float64, len(v)), make([]float64, len(v))
	e.Gradient(want, rates)
	size := floats.Norm(want, 2) + floats.Norm(hv, 2)
	floats.Add(want, hv)
	e.Directional(jv, v)
	e.(gradientTangenter).GradientTangent(got, w, rates, v)
	if d := floats.Distance(got, want, 2); d > 1e-12*size { // sums in another order
		t.Errorf("GradientTangent is off the sum of its parts by %.1e", d/size)
	}
}

// TestNamesMeanNothing gives the layers of random networks other names and expects
// the same numbers, bit for bit.
func TestNamesMeanNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		layers := append(drawVectors(rt, 2), Dense(2))
		plain := network(rt, append([]Layer{Input(4)}, layers...)...)
		r := renamer{rt, map[string]bool{}}
		renamed := network(rt, append([]Layer{Input(4)}, r.all(layers)...)...)
		compareStructure(rt, plain, renamed)
		compareNumbers(rt, plain, renamed, rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1)))
	})
}

// renamer names every layer but projections, whose name says what they are.
type renamer struct {
	t    *rapid.T
	used map[string]bool
}

func (r renamer) all(layers []Layer) []Layer {
	renamed := make([]Layer, len(layers))
	for i, l := range layers {
		renamed[i] = r.layer(l)
	}
	return renamed
}

func (r renamer) layer(l Layer) Layer {
	l.inside = r.all(l.inside)
	if l.role == projectionRole {
		return l
	}
	// Words that stand elsewhere in a network, and block names.
	word := rapid.SampledFrom([]string{
		"concatenation", "concatenation of 2 branches", "norm1", "batch normalization", "branch1", "projection1",
		"dense1", "relu1", "first.layer", "norm1.scale", "dense1.weight", "sum1.branch2", "block1.projection.dense1", ".",
	}).Draw(r.t, "name")
	for r.used[word] {
		word += ".x"
	}
	r.used[word] = true
	return Named(word, l)
}

// compareStructure compares what is known of two networks without data.
func compareStructure(t *rapid.T, a, b *Network) {
	if !reflect.DeepEqual(a.Units(), b.Units()) {
		t.Errorf("units %v and %v", a.Units(), b.Units())
	}
	if (a.MixesPoints() == "") != (b.MixesPoints() == "") {
		t.Errorf("points are mixed by %q and by %q", a.MixesPoints(), b.MixesPoints())
	}
	if p, q := nameless(a.Parts()), nameless(b.Parts()); !reflect.DeepEqual(p, q) {
		t.Errorf("parts %+v and %+v", p, q)
	}
	for i, block := range a.Blocks() {
		other := b.Blocks()[i]
		other.Name, other.Layer = block.Name, block.Layer
		if !reflect.DeepEqual(block, other) {
			t.Errorf("block %+v has become %+v", block, b.Blocks()[i])
		}
	}
	p, errA := qhnet.RatesOf(a)
	q, errB := qhnet.RatesOf(b)
	if (errA == nil) != (errB == nil) || errA == nil && !slices.Equal(p.PerBlock(), q.PerBlock()) {
		t.Errorf("rates %v (%v) and %v (%v)", p, errA, q, errB)
	}
}

// nameless copies parts without their names.
func nameless(parts []Part) []Part {
	var all []Part
	for _, part := range parts {
		part.Name, part.Inside = "", nameless(part.Inside)
		all = append(all, part)
	}
	return all
}

// compareNumbers compares outputs, gradients and conserved quantities.
func compareNumbers(t *rapid.T, a, b *Network, rng *rand.Rand) {
	x, theta := mat.NewDense(5, a.Inputs(), normal(rng, 5*a.Inputs())), normal(rng, qhnet.NumParameters(a))
	w := normal(rng, 5*a.Outputs())
	var values [2][]float64
	for i, n := range []*Network{a, b} {
		for _, q := range append(qhnet.ConservedBlocks(n), qhnet.ConservedUnits(n)...) {
			values[i] = append(values[i], q.Value(theta))
		}
		e, err := n.Bind(x)
		if err != nil {
			t.Fatal(err)
		}
		if f, err := e.Forward(theta); err == nil { // no point has zero variance
			g := make([]float64, len(theta))
			e.Gradient(g, w)
			values[i] = append(append(values[i], f...), g...)
		}
	}
	if !slices.Equal(values[0], values[1]) {
		t.Errorf("conserved quantities, outputs and gradients\n%v\n%v", values[0], values[1])
	}
}

// Units do not hide behind the name of a layer or of a function.
func TestUnitsBehindNames(t *testing.T) {
	identity := Activation("concatenation", 1, func(h float64) float64 { return h }, func(float64) float64 { return 1 }, func(float64) float64 { return 0 })
	for name, layers := range map[string][]Layer{
		"a function called concatenation": {Input(3), Dense(4), identity, Dense(2)},
		"a layer called concatenation":    {Input(3), Dense(4), Named("concatenation", ReLU()), Dense(2)},
		"a layer called first.layer":      {Input(3), Named("first.layer", Dense(4)), ReLU(), Dense(2)},
		"a scale of a layer called n.1":   {Input(3), Dense(4, NoBias()), Named("n.1", BatchNorm(Affine())), ReLU(), Dense(2)},
	} {
		n, e, theta, rng := architecture{name: name, points: 6, layers: layers}.build(t)
		if units := qhnet.ConservedUnits(n); len(units) != 4 {
			t.Errorf("%s: %d conserved quantities of units, want 4", name, len(units))
		}
		checkConserved(t, n, e, theta, rng)
	}
}

// A normalization in a branch mixes the units around it.
func TestUnitsAroundBranches(t *testing.T) {
	for _, c := range []struct {
		layers []Layer
		want   int
	}{
		{[]Layer{Input(3), Dense(4), Gate(Chain(), Chain()), Dense(2)}, 4},
		{[]Layer{Input(3), Dense(4), Gate(LayerNorm(), Chain()), Dense(2)}, 0},
		{[]Layer{Input(2, 1, 3), Conv(4, 1), Attention(GroupNorm(2), GroupNorm(2), Chain()), Flatten(), Dense(2)}, 0},
		{[]Layer{Input(2, 3, 3), Conv(4, 1, NoBias()), Scale(Elementwise()), Conv(2, 3), Flatten(), Dense(2)}, 2}, // those of the second convolution
		{[]Layer{Input(3), Dense(4, NoBias()), Scale(Scalar()), Dense(2)}, 1},                                     // the scalar and all that reads it
	} {
		n, e, theta, rng := architecture{name: "units", points: 6, layers: c.layers}.build(t)
		if units := qhnet.ConservedUnits(n); len(units) != c.want {
			t.Errorf("%v\n%d conserved quantities of units, want %d", n, len(units), c.want)
		}
		checkConserved(t, n, e, theta, rng)
	}
}
