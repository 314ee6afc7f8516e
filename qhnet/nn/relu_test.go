package nn

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
)

// TestRoundedRectifier checks the operator with δ held fixed: values within
// (1 - leak) δ/8 of the rectifier's, tangents that are the derivatives of values and
// of adjoints.
func TestRoundedRectifier(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	const points, entries = 4, 9
	all := span{0, points, 0}
	for _, leak := range []float64{0, 0.2, -0.5} {
		draw := func() []float64 { return normal(rng, points*entries) }
		in := &signal{width: entries, trainable: true, value: draw(), derivative: draw(), adjoint: draw(), adjointTangent: draw()}
		out := &signal{width: entries, trainable: true, value: draw(), derivative: draw(), adjoint: draw(), adjointTangent: draw()}
		o := newRoundedOperator(in, out, leak, 0.8) // wide enough that many entries are on a ramp
		if err := o.forward(nil, all); err != nil {
			t.Fatal(err)
		}
		largest := 0.0 // distance in units of the bound
		for i, h := range in.value {
			exact := h
			if h < 0 {
				exact *= leak
			}
			reach := 0.8 * floats.Norm(row(in.value, i/entries, entries), 2) / 3 // 3 = √entries
			largest = max(largest, math.Abs(out.value[i]-exact)/((1-leak)*reach/8))
		}
		if largest > 1+1e-12 || largest < 0.9 { // the bound is attained at |h| = δ/2
			t.Errorf("leak %v: values are up to %v of (1 - leak) δ/8 from the rectifier's", leak, largest)
		}
		o.tangent(nil, nil, all)
		o.reverseTangent(nil, nil, all)
		const h = 1e-6 // no entry is that close to the end of its ramp
		h0, adjoint0 := slices.Clone(in.value), slices.Clone(out.adjoint)
		ends := map[float64][2][]float64{}
		for _, side := range []float64{-h, h} {
			floats.AddScaledTo(in.value, h0, side, in.derivative)
			floats.AddScaledTo(out.adjoint, adjoint0, side, out.adjointTangent)
			for k := range points { // forward without a new δ
				reach := 0.8 * floats.Norm(row(h0, k, entries), 2) / 3
				o.round(row(o.slope, k, entries), row(o.bend, k, entries), row(in.value, k, entries), reach)
			}
			o.pass(out.value, in.value, all)
			o.reverse(nil, all)
			ends[side] = [2][]float64{slices.Clone(out.value), slices.Clone(in.adjoint)}
		}
		for k, have := range [2][]float64{out.derivative, in.adjointTangent} {
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
