package collapse_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/collapse"
	"qhlab/qhnet/nn"
)

func ExampleIdealProblem() {
	ideal := collapse.IdealProblem{Classes: 4, PerClass: 2, Features: 6, Normalization: collapse.RMS}
	network, err := ideal.Network()
	if err != nil {
		fmt.Println(err)
		return
	}
	theta, _ := ideal.Collapsed()
	meter, _ := collapse.NewMeter(network, ideal.Set())
	c, _ := meter.At(theta)
	fmt.Printf("1/‖W‖ = %.6f\n", 1/mat.Norm(meter.Classifier(theta), 2))
	fmt.Println("an ETF:", c.MeanETF < 1e-12, c.WeightETF < 1e-12)
	// Output:
	// 1/‖W‖ = 1.632993
	// an ETF: true true
}

// solved is an ideal problem with a closed form and its value of ‖W‖²_F.
type solved struct {
	collapse.IdealProblem
	weight float64
}

func idealProblems() map[string]solved {
	all := map[string]solved{}
	for _, classes := range []int{2, 3, 4, 7, 10} {
		for _, extra := range []int{0, 3} {
			for _, normalization := range []collapse.Normalization{
				collapse.Batch, collapse.Layer, collapse.RMS, collapse.Batch.WithScale(), collapse.RMS.WithScale(), collapse.None,
			} {
				d := classes - 1 + extra
				if normalization == collapse.Layer {
					d++
				}
				c := float64(classes)
				p := collapse.IdealProblem{Classes: classes, PerClass: 3, Features: d, Normalization: normalization, Bias: extra == 0}
				weight := (c - 1) * (c - 1) / (c * float64(d))
				switch normalization {
				case collapse.Batch.WithScale():
					weight = (c - 1) / math.Sqrt(c)
				case collapse.RMS.WithScale():
					weight = math.Pow(c-1, 1.5) / math.Sqrt(c*float64(d))
				case collapse.None:
					weight = (c - 1) * math.Sqrt(3)
				}
				all[fmt.Sprintf("%v, C=%d, d=%d", normalization, classes, d)] = solved{p, weight}
			}
		}
	}
	return all
}

func TestCollapsedPointsOfTheIdealProblem(t *testing.T) {
	for name, p := range idealProblems() {
		t.Run(name, func(t *testing.T) {
			network, err := p.Network()
			if err != nil {
				t.Fatal(err)
			}
			theta, err := p.Collapsed()
			if err != nil {
				t.Fatal(err)
			}
			margins, err := qhnet.NewMargins(network, p.Set())
			if err != nil {
				t.Fatal(err)
			}
			q, err := margins.Forward(theta)
			if err != nil {
				t.Fatal(err)
			}
			// Sums of at most d = 13 products: some 1e-15.
			const rounding = 1e-13
			if math.Abs(floats.Min(q)-1) > rounding || math.Abs(floats.Max(q)-1) > rounding {
				t.Errorf("margins from %v to %v, want 1", floats.Min(q), floats.Max(q))
			}
			meter, err := collapse.NewMeter(network, p.Set())
			if err != nil {
				t.Fatal(err)
			}
			if got := math.Pow(mat.Norm(meter.Classifier(theta), 2), 2); math.Abs(got-p.weight) > rounding*p.weight {
				t.Errorf("‖W‖² = %v, want %v", got, p.weight)
			}
			c, err := meter.At(theta)
			if err != nil {
				t.Fatal(err)
			}
			for metric, v := range metricsOf(c) {
				if !(v < 1e-12) {
					t.Errorf("%s = %g", metric, v)
				}
			}
		})
	}
}

// At a solution the gradient of the objective must lie in the cone of the
// margins' gradients; by the symmetry of the classes all multipliers are equal.
func TestCollapsedPointsAreStationary(t *testing.T) {
	for name, p := range idealProblems() {
		network, err := p.Network()
		if err != nil {
			t.Fatal(err)
		}
		theta, err := p.Collapsed()
		if err != nil {
			t.Fatal(err)
		}
		margins, err := qhnet.NewMargins(network, p.Set())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := margins.Forward(theta); err != nil {
			t.Fatal(err)
		}
		total := make([]float64, len(theta))
		equal := make([]float64, margins.Len())
		for i := range equal {
			equal[i] = 1 / float64(len(equal))
		}
		margins.Gradient(total, equal)
		objective := make([]float64, len(theta))
		for _, b := range network.Blocks() {
			weighted := b.Name == "classifier.weight" || b.Name == "normalization.scale" || p.Normalization == collapse.None
			if weighted && b.Name != "classifier.bias" {
				copy(b.Of(objective), b.Of(theta))
			}
		}
		// Σ λ θ·∇q = q = 1 fixes the multiplier: ‖objective‖² λ_max = μ.
		mu := floats.Dot(objective, objective) / floats.Dot(objective, total)
		floats.AddScaled(objective, -mu, total)
		if residual := floats.Norm(objective, 2) / floats.Norm(theta, 2); residual > 1e-13 {
			t.Errorf("%s: stationarity %g", name, residual)
		}
	}
}

func TestIdealProblemErrors(t *testing.T) {
	for want, p := range map[string]collapse.IdealProblem{
		"1 classes of 2 points":                     {Classes: 1, PerClass: 2, Features: 3},
		"2 classes of 0 points":                     {Classes: 2, Features: 3},
		"2 features have no room for the ETF of 4":  {Classes: 4, PerClass: 2, Features: 2},
		"3 features have no room for the ETF of 4 ": {Classes: 4, PerClass: 2, Features: 3, Normalization: collapse.Layer},
		"sum to zero do not collapse":               {Classes: 3, PerClass: 2, Features: 4, Normalization: collapse.Layer.WithScale()},
		"a scale needs a normalization before it":   {Classes: 3, PerClass: 2, Features: 4, Normalization: collapse.None.WithScale()},
		"there is no Normalization(4)":              {Classes: 3, PerClass: 2, Features: 4, Normalization: collapse.RMS + 1},
	} {
		_, err := p.Collapsed()
		wantError(t, want, err)
	}
}

// idealFlow is the flow of an ideal problem from a small classifier: the flow
// conserves Σ_c w_c, so it stays of the size that the classifier starts with.
type idealFlow struct {
	network    *nn.Network
	margins    *qhnet.Margins
	meter      *collapse.Meter
	trajectory *qhnet.Trajectory
	rates      *qhnet.Rates
}

func flowIdeal(t *testing.T, p collapse.IdealProblem, w0, until float64) idealFlow {
	t.Helper()
	var f idealFlow
	var err error
	if f.network, err = p.Network(); err != nil {
		t.Fatal(err)
	}
	if f.margins, err = qhnet.NewMargins(f.network, p.Set()); err != nil {
		t.Fatal(err)
	}
	if f.meter, err = collapse.NewMeter(f.network, p.Set()); err != nil {
		t.Fatal(err)
	}
	if f.rates, err = qhnet.RatesOf(f.network); err != nil {
		t.Fatal(err)
	}
	start := f.network.Start(rand.New(rand.NewPCG(1, 1)), nn.Glorot)
	floats.Scale(w0, f.block(t, "classifier.weight").Of(start))
	f.trajectory, err = qhnet.Flow{Margins: f.margins, Start: start, Until: until}.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f idealFlow) block(t *testing.T, name string) qhnet.Block {
	t.Helper()
	i := slices.IndexFunc(f.network.Blocks(), func(b qhnet.Block) bool { return b.Name == name })
	if i < 0 {
		t.Fatalf("no block %q", name)
	}
	return f.network.Blocks()[i]
}

func (f idealFlow) end(t *testing.T) (theta []float64, c collapse.Metrics, margin float64) {
	t.Helper()
	last := f.trajectory.Last()
	c, err := f.meter.At(last.Theta)
	if err != nil {
		t.Fatal(err)
	}
	return last.Theta, c, last.Margin / mat.Norm(f.meter.Classifier(last.Theta), 2)
}

// Without a trainable scale the flow ends at the ETF with the margin
// √(C d)/(C-1). Features relax at once; W reaches the ETF like 1/log(1/L),
// because the start's Σ_c w_c stays.
func TestFlowOfTheIdealProblemReachesTheETF(t *testing.T) {
	for _, p := range []collapse.IdealProblem{
		{Classes: 3, Features: 2, Normalization: collapse.Batch},
		{Classes: 3, Features: 4, Normalization: collapse.Layer},
		{Classes: 3, Features: 4, Normalization: collapse.RMS},
		{Classes: 4, Features: 3, Normalization: collapse.Batch},
		{Classes: 4, Features: 6, Normalization: collapse.Layer},
		{Classes: 4, Features: 6, Normalization: collapse.RMS},
		{Classes: 7, Features: 6, Normalization: collapse.Batch},
		{Classes: 7, Features: 7, Normalization: collapse.Layer},
		{Classes: 7, Features: 6, Normalization: collapse.RMS},
		{Classes: 10, Features: 9, Normalization: collapse.RMS},
	} {
		t.Run(fmt.Sprintf("C=%d", p.Classes), func(t *testing.T) {
			if p.Classes > 4 && testing.Short() {
				t.Skip("a few seconds for hundreds of parameters")
			}
			p.PerClass = 2
			f := flowIdeal(t, p, 1e-3, 1e4)
			theta, c, margin := f.end(t)
			for name, v := range metricsOf(c) {
				if !(v < 1e-6) {
					t.Errorf("%s = %g", name, v)
				}
			}
			if want := math.Sqrt(float64(p.Classes*p.Features)) / float64(p.Classes-1); math.Abs(margin-want) > 1e-6 {
				t.Errorf("q_min/‖W‖ = %v, want %v", margin, want)
			}
			f.checkKKT(t, theta, 1e-5)
		})
	}
}

var classes = flag.Int("classes", 4, "flows of the ideal problem with bias have up to so many classes and features")

// With a bias too, flows reach log(1/L) = 1e5 under
// every normalization, but where features can only be ±1: in one dimension, or in two
// that sum to zero, those of both classes may have the same sign for good, at rest or
// creeping.
func TestFlowsOfTheIdealProblemWithBiasArrive(t *testing.T) {
	flows, most := 0, *classes
	if testing.Short() {
		most = 3
	}
	for _, n := range []collapse.Normalization{collapse.None, collapse.Batch, collapse.Layer, collapse.RMS,
		collapse.Batch.WithScale(), collapse.Layer.WithScale(), collapse.RMS.WithScale()} {
		for i := range (most - 1) * most {
			p := collapse.IdealProblem{Classes: 2 + i/most, PerClass: 2, Features: 1 + i%most, Normalization: n, Bias: true}
			net, err := p.Network()
			if err != nil {
				continue // no room for an ETF
			}
			q, err := qhnet.NewMargins(net, p.Set())
			if err != nil {
				t.Fatal(err)
			}
			start := net.Start(rand.New(rand.NewPCG(1, 3)), nn.He)
			tr, err := qhnet.Flow{Margins: q, Start: start, Until: 1e5, PerDecade: 2}.Run(t.Context())
			flows++
			signs := p.Features == 1 || p.Features == 2 && (n == collapse.Layer || n == collapse.Layer.WithScale())
			var rest *qhnet.NotSeparatedError
			if err != nil && !(signs && errors.As(err, &rest)) {
				t.Errorf("%+v: %v", p, err)
			} else if err == nil && math.Abs(tr.Last().LogInverse()-1e5) > 10 {
				t.Errorf("%+v: the flow ends at log(1/L) = %v", p, tr.Last().LogInverse())
			}
		}
	}
	t.Logf("%d flows", flows)
}

func (f idealFlow) checkKKT(t *testing.T, theta []float64, tolerance float64) {
	t.Helper()
	certificate, err := qhnet.Certify(f.margins, f.rates, theta, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := certificate.Softmax.Stationarity; !(r < tolerance) {
		t.Errorf("stationarity %g with the flow's own multipliers", r)
	}
	if r := certificate.Softmax.Complementarity; !(r < tolerance) {
		t.Errorf("complementarity %g with the flow's own multipliers", r)
	}
}

// Under batch normalization with more features than an ETF needs, columns of M
// keep their norms and have angles to choose; they turn only as fast as W grows, so
// the angles approach those of the ETF like a power of log(1/L) that depends on the
// start. The margin is second order in them.
func TestFlowUnderBatchNormalizationWithSpareFeatures(t *testing.T) {
	p := collapse.IdealProblem{Classes: 3, PerClass: 2, Features: 6, Normalization: collapse.Batch}
	f := flowIdeal(t, p, 0.1, 1e5)
	theta, c, margin := f.end(t)
	if want := math.Sqrt(18) / 2; math.Abs(margin-want) > 1e-6 {
		t.Errorf("q_min/‖W‖ = %v, want %v", margin, want)
	}
	if c.NC1 > 1e-12 || c.NC3 > 1e-6 || c.NC4 != 0 || c.MeanETF > 1e-3 {
		t.Errorf("at log(1/L) = 1e5\n%v", c)
	}
	early, err := f.meter.At(f.trajectory.Since(1e3).Points[0].Theta)
	if err != nil {
		t.Fatal(err)
	}
	// Two decades later: at least one decade less.
	if c.MeanETF > 0.1*early.MeanETF {
		t.Errorf("ETF distance went from %g to %g", early.MeanETF, c.MeanETF)
	}
	f.checkKKT(t, theta, 1e-3)
}

// With RMS normalization and a trainable scale the norm to minimize is the sum
// of the columns' norms: C-1 features are kept, and the output bias, of rate 1
// beside 1/2, is discarded.
func TestScaleKeepsAsManyFeaturesAsAnETFNeeds(t *testing.T) {
	const classes, d = 4, 6
	p := collapse.IdealProblem{Classes: classes, PerClass: 2, Features: d, Normalization: collapse.RMS.WithScale(), Bias: true}
	f := flowIdeal(t, p, 1, 1e5)
	theta, c, _ := f.end(t)
	h, err := f.meter.Features(theta)
	if err != nil {
		t.Fatal(err)
	}
	kept, dropped := 0, 0
	for j := range d {
		switch share := math.Pow(mat.Norm(h.ColView(j), 2)/mat.Norm(h, 2), 2); {
		case share > 1e-3:
			kept++
		case share < 1e-6:
			dropped++
		}
	}
	if kept != classes-1 || kept+dropped != d {
		t.Errorf("%d features above a share of 1e-3 and %d below 1e-6, of %d; want %d kept", kept, dropped, d, classes-1)
	}
	if c.NC1 > 1e-6 || c.MeanETF > 1e-3 {
		t.Errorf("the features kept must form an ETF\n%v", c)
	}
	f.checkColumnsConserved(t)
	early := f.trajectory.Since(100).Points[0].Theta
	if a, b := f.biasShare(t, early), f.biasShare(t, theta); !(b < a/10) {
		t.Errorf("the share of the bias went from %g to %g", a, b)
	}
}

// checkColumnsConserved compares ‖w_j‖² - γ_j² with its value at the start, beside
// the size of its terms.
func (f idealFlow) checkColumnsConserved(t *testing.T) {
	t.Helper()
	scale := f.block(t, "normalization.scale")
	invariant := func(theta []float64, j int) (difference, size float64) {
		w, g := mat.Norm(f.meter.Classifier(theta).ColView(j), 2), scale.Of(theta)[j]
		return w*w - g*g, w*w + g*g
	}
	start, end := f.trajectory.Points[0].Theta, f.trajectory.Last().Theta
	for j := range scale.Len() {
		before, _ := invariant(start, j)
		after, size := invariant(end, j)
		// The solver's relative tolerance is 1e-8 a step, some 300 steps.
		if math.Abs(after-before) > 1e-5*size {
			t.Errorf("column %d: ‖w‖² - γ² went from %g to %g beside terms of %g", j, before, after, size)
		}
	}
}

// biasShare is ‖b̂‖² in normalized parameters.
func (f idealFlow) biasShare(t *testing.T, theta []float64) float64 {
	t.Helper()
	normalized, _, err := qhnet.Normalize(nil, f.rates, theta)
	if err != nil {
		t.Fatal(err)
	}
	b := f.block(t, "classifier.bias").Of(normalized)
	return floats.Dot(b, b)
}

// Every normalization makes features of the moments it is for, times the scale.
func TestFeaturesOfEveryNormalization(t *testing.T) {
	const classes, d = 3, 5
	for _, normalization := range []collapse.Normalization{collapse.None, collapse.Batch, collapse.Layer, collapse.RMS} {
		for _, scaled := range []bool{false, true} {
			p := collapse.IdealProblem{Classes: classes, PerClass: 4, Features: d, Normalization: normalization}
			if scaled {
				p.Normalization = normalization.WithScale()
			}
			n, err := p.Network()
			if normalization == collapse.None && scaled {
				wantError(t, "a scale needs a normalization", err)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			meter, err := collapse.NewMeter(n, p.Set())
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(2, 1))
			theta := n.Start(rng, nn.Glorot)
			unscaled := slices.Repeat([]float64{1}, d)
			for _, b := range n.Blocks() {
				if b.Kind == "scale" {
					copy(b.Of(theta), []float64{2, 3, 5, 7, 11})
					copy(unscaled, b.Of(theta))
				}
			}
			if scaled != (unscaled[0] == 2) {
				t.Errorf("%v: the scale is %v", p.Normalization, unscaled)
			}
			h, err := meter.Features(theta)
			if err != nil {
				t.Fatal(err)
			}
			h.Apply(func(_, j int, v float64) float64 { return v / unscaled[j] }, h)
			checkMoments(t, normalization, h)
		}
	}
}

// checkMoments checks means of 0 and mean squares of 1, to rounding.
func checkMoments(t *testing.T, normalization collapse.Normalization, h *mat.Dense) {
	t.Helper()
	var groups mat.Matrix
	switch normalization {
	case collapse.None:
		return
	case collapse.Batch:
		groups = h // one a column
	default:
		groups = h.T()
	}
	entries, count := groups.Dims()
	for j := range count {
		group := mat.Col(nil, j, groups)
		if square := floats.Dot(group, group) / float64(entries); math.Abs(square-1) > 1e-14 {
			t.Errorf("%v: group %d has the mean square %v", normalization, j, square)
		}
		if mean := floats.Sum(group) / float64(entries); normalization != collapse.RMS && math.Abs(mean) > 1e-14 {
			t.Errorf("%v: group %d has the mean %v", normalization, j, mean)
		}
	}
}

// With a scale after RMS normalization, classes at both ends of C/2 axes cost less than the
// ETF from six classes on, by the factor of the documentation.
func TestCollapsedIsNoOptimumFromSixClassesOn(t *testing.T) {
	for _, classes := range []int{4, 6, 8} {
		p := collapse.IdealProblem{Classes: classes, PerClass: 1, Features: classes - 1, Normalization: collapse.RMS.WithScale()}
		n, err := p.Network()
		if err != nil {
			t.Fatal(err)
		}
		theta, err := p.Collapsed()
		if err != nil {
			t.Fatal(err)
		}
		cost := func(theta []float64) (sum float64) {
			for _, b := range n.Blocks()[1:] { // without the features, of rate 0
				sum += floats.Dot(b.Of(theta), b.Of(theta))
			}
			return sum
		}
		polytope, axes := make([]float64, len(theta)), classes/2
		for _, b := range n.Blocks() {
			part := b.Of(polytope)
			for c := range classes {
				axis, sign := c/2, float64(1-2*(c%2))
				column := math.Sqrt(2 / float64(p.Features)) // of γ_j w_j, where features are ±√d
				switch b.Name {
				case "features.weight":
					part[axis*classes+c] = sign
				case "classifier.weight":
					part[c*p.Features+axis] = sign * math.Sqrt(column/2)
				default:
					part[axis] = math.Sqrt(column)
				}
			}
		}
		margins, err := qhnet.NewMargins(n, p.Set())
		if err != nil {
			t.Fatal(err)
		}
		q, err := margins.Forward(polytope)
		if err != nil || math.Abs(floats.Min(q)-1) > 1e-12 {
			t.Fatalf("%d classes: the smallest margin is %v, %v, want 1", classes, floats.Min(q), err)
		}
		want := 2 * math.Pow(float64(axes), 1.5) / math.Pow(float64(classes-1), 1.5)
		if got := cost(polytope) / cost(theta); math.Abs(got-want) > 1e-12 || (got < 1) != (classes >= 6) {
			t.Errorf("%d classes: %d axes cost %v of the ETF, want %v", classes, axes, got, want)
		}
	}
}
