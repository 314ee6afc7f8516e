package nn

import (
	"context"
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
)

// signedSquare is h|h|, homogeneous of degree 2.
func signedSquare() Layer {
	return Activation("signedsquare", 2,
		func(h float64) float64 { return h * math.Abs(h) },
		func(h float64) float64 { return 2 * math.Abs(h) },
		func(h float64) float64 { return math.Copysign(2, h) })
}

// swish is h/(1 + e^{-h}), homogeneous of no degree.
func swish() Layer {
	logistic := func(h float64) float64 { return 1 / (1 + math.Exp(-h)) }
	return Activation("swish", 0,
		func(h float64) float64 { return h * logistic(h) },
		func(h float64) float64 { s := logistic(h); return s + h*s*(1-s) },
		func(h float64) float64 { s := logistic(h); return s * (1 - s) * (2 + h*(1-2*s)) })
}

func TestActivationDerivatives(t *testing.T) {
	rng := rand.New(rand.NewPCG(52, 5))
	for _, l := range []Layer{signedSquare(), swish()} {
		_, e, theta, _ := architecture{points: 4, layers: []Layer{Input(3), Dense(5), l, Dense(1)}}.build(t)
		checkDerivatives(t, e, theta, rng)
	}
}

// With the functions of AbsPower it is AbsPower.
func TestActivationAgainstAPower(t *testing.T) {
	square := Activation("square", 2,
		func(h float64) float64 { return h * h },
		func(h float64) float64 { return 2 * h },
		func(float64) float64 { return 2 })
	rng := rand.New(rand.NewPCG(53, 5))
	x, theta := mat.NewDense(6, 3, normal(rng, 18)), normal(rng, 3*5+5*2)
	var values [2][]float64
	for i, l := range []Layer{square, AbsPower(2)} {
		n := network(t, Input(3), Dense(5, NoBias()), l, Dense(2, NoBias()))
		e, err := n.Bind(x)
		if err != nil {
			t.Fatal(err)
		}
		values[i] = append(forward(t, e, theta), mustRates(t, n).PerBlock()...)
	}
	if !floats.Equal(values[0], values[1]) {
		t.Errorf("outputs and rates\n%v, of AbsPower\n%v", values[0], values[1])
	}
}

// Without a degree nothing before the layer scales.
func TestActivationWithoutDegree(t *testing.T) {
	n := network(t, Input(3), Dense(5), swish(), Dense(1))
	rates := mustRates(t, n)
	if got := rates.PerBlock(); !floats.Equal(got, []float64{0, 0, 1, 1}) {
		t.Errorf("rates %v, want 0 0 1 1", got)
	}
	if err := rates.Strict(); err == nil || !strings.Contains(err.Error(), "swish1") {
		t.Errorf("the layer that pins the rates: %v", err)
	}
	if text := n.String(); !strings.Contains(text, "swish1") {
		t.Errorf("the table does not name it:\n%s", text)
	}
}

func TestActivationErrors(t *testing.T) {
	identity := func(h float64) float64 { return h }
	one := func(float64) float64 { return 1 }
	zero := func(float64) float64 { return 0 }
	for _, test := range []struct {
		layer Layer
		want  string
	}{
		{Activation("half", 0.5, identity, one, zero), "half1: has degree 0.5"},
		{Activation("two", 2, identity, one, zero), "two1: has the value -2.6 at -2.6; of degree 2 it would be -5.2"},
		{Activation("slope", 1, identity, zero, zero), "slope1: has slope 0 at -1.3, but differences of its values give"},
		{Activation("curvature", 1, identity, one, one), "curvature1: has curvature 1 at -1.3, but differences of its slope give 0"},
		{Activation("NaN", 0, math.Sqrt, one, zero), "NaN1: has slope 1 at -1.3, but differences of its values give NaN"},
		{Activation("a.b", 1, identity, one, zero), `called "a.b"; use a name without dots`},
	} {
		if _, err := New(Input(2), test.layer, Dense(1)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want an error with %q", err, test.want)
		}
	}
	defer func() {
		if r := recover(); !strings.Contains(fmt.Sprint(r), `Activation "nil"`) {
			t.Errorf("panic %v", r)
		}
	}()
	Activation("nil", 1, identity, nil, zero)
}

// TestRoundedRectifier checks the operator: values within 3/16 (1 - leak) δ of the
// rectifier's, adjoints that are the transpose of tangents, and tangents that are the
// derivatives of values and of adjoints.
func TestRoundedRectifier(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	const points, entries, width = 4, 9, 0.8
	const n = points * entries
	all := span{0, points, 0, true}
	for _, leak := range []float64{0, 0.2, -0.5} {
		draw := func() [quantities][]float64 {
			var data [quantities][]float64
			for q := range data {
				data[q] = normal(rng, n)
			}
			return data
		}
		in := &signal{width: entries, trainable: true, data: draw()}
		out := &signal{width: entries, trainable: true, data: draw()}
		clear(in.row(values, 0)[1:]) // one entry beyond the ramp, all others at its middle
		o := &roundedRectifier{
			in: in, out: out, leak: leak, width: width,
			slope: make([]float64, n), share: make([]float64, n), reach: make([]float64, points),
		}
		if err := o.forward(all); err != nil {
			t.Fatal(err)
		}
		largest := 0.0 // distance in units of the bound
		for i, h := range in.data[values] {
			exact := h
			if h < 0 {
				exact *= leak
			}
			reach := width * floats.Norm(in.row(values, i/entries), 2) / 3
			largest = max(largest, math.Abs(out.data[values][i]-exact)/((1-leak)*reach*3/16))
		}
		if math.Abs(largest-1) > 1e-12 { // the bound is attained at h = 0
			t.Errorf("leak %v: values are up to %v of 3/16 (1 - leak) δ from the rectifier's", leak, largest)
		}
		o.tangent(all)
		o.reverse(all)
		forth, back := floats.Dot(out.data[tangents], out.data[adjoints]), floats.Dot(in.data[tangents], in.data[adjoints])
		if math.Abs(forth-back) > 1e-13*n {
			t.Errorf("leak %v: ⟨Jv, w⟩ = %v, ⟨v, Jᵀw⟩ = %v", leak, forth, back)
		}
		o.reverseTangent(all)
		const h = 1e-6 // no entry is that close to the end of its ramp
		h0, adjoint0 := slices.Clone(in.data[values]), slices.Clone(out.data[adjoints])
		ends := map[float64][2][]float64{}
		for _, side := range []float64{-h, h} {
			floats.AddScaledTo(in.data[values], h0, side, in.data[tangents])
			floats.AddScaledTo(out.data[adjoints], adjoint0, side, out.data[adjointTangents])
			if err := o.forward(all); err != nil {
				t.Fatal(err)
			}
			o.reverse(all)
			ends[side] = [2][]float64{slices.Clone(out.data[values]), slices.Clone(in.data[adjoints])}
		}
		for k, have := range [2][]float64{out.data[tangents], in.data[adjointTangents]} {
			for i := range have {
				// Truncation is h², rounding 1e-16/h, of values of order one.
				if want := (ends[h][k][i] - ends[-h][k][i]) / (2 * h); math.Abs(have[i]-want) > 1e-8*(1+math.Abs(want)) {
					t.Errorf("leak %v: entry %d of tangent %d is %v, differences give %v", leak, i, k, have[i], want)
				}
			}
		}
	}
}

// TestRoundedKinksKeepIdentities checks what rounding promises of a network:
// Euler's identity exactly, and that width 0 restores the kinks.
func TestRoundedKinksKeepIdentities(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	set := dataset.XOR(15, 0.3, rng)
	for name, layers := range map[string][]Layer{
		"relu":  {Input(2), Dense(8), ReLU(), Dense(8), ReLU(), Dense(1)},
		"leaky": {Input(2), Dense(8), LeakyReLU(0.2), Dense(8), LeakyReLU(0.2), Dense(1)},
	} {
		net := network(t, layers...)
		theta := net.Start(rng, He)
		margins, err := qhnet.NewMargins(net, set)
		if err != nil {
			t.Fatal(err)
		}
		q, err := margins.Forward(theta)
		if err != nil {
			t.Fatal(err)
		}
		q = slices.Clone(q)
		if !margins.RoundKinks(0.3) {
			t.Fatalf("%s: no kinks found", name)
		}
		p, err := margins.Forward(theta)
		if err != nil {
			t.Fatal(err)
		}
		if floats.Equal(p, q) {
			t.Errorf("%s: rounding changes nothing", name)
		}
		lambda, mu, g := mustRates(t, net).PerParameter(), normal(rng, len(q)), make([]float64, len(theta))
		margins.Gradient(g, mu)
		euler := 0.0
		for i, l := range lambda {
			euler += l * theta[i] * g[i]
		}
		if want := floats.Dot(mu, p); math.Abs(euler-want) > 1e-13*floats.Norm(mu, 1)*floats.Norm(p, math.Inf(1)) {
			t.Errorf("%s: ⟨Λθ, Σ μ∇q⟩ = %v, Σ μ q = %v", name, euler, want)
		}
		margins.RoundKinks(0)
		if p, err = margins.Forward(theta); err != nil || !floats.Equal(p, q) {
			t.Errorf("%s: width 0 does not restore the kinks: %v", name, err)
		}
	}
}

// TestReLUFlow integrates a biased ReLU network through many sliding kinks.
func TestReLUFlow(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	net := network(t, Input(2), Dense(24), ReLU(), Dense(24), ReLU(), Dense(1))
	q, err := qhnet.NewMargins(net, dataset.XOR(20, 0.25, rng))
	if err != nil {
		t.Fatal(err)
	}
	tr, err := qhnet.Flow{Margins: q, Start: net.Start(rng, He), Until: 1e6, Tolerance: 1e-4}.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if u := tr.Last().LogInverse(); math.Abs(u/1e6-1) > 1e-3 { // ten tolerances
		t.Errorf("ended at log(1/L) = %v", u)
	}
	if tr.Work.Evaluations > 100_000 { // the square root of the stiffness 1e6, times about 50 steps
		t.Errorf("took %d evaluations", tr.Work.Evaluations)
	}
	best := 0.0
	for i, margin := range tr.SmoothedMargin(mustRates(t, net)) {
		if margin < best*(1-1e-4) { // the tolerance
			t.Fatalf("the smoothed margin falls from %v to %v at log(1/L) = %v", best, margin, tr.Points[i].LogInverse())
		}
		best = max(best, margin)
	}
	if best == 0 {
		t.Error("no smoothed margin")
	}
}
