package qhnet_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
)

// idealFlow is the flow of an ideal problem from a small classifier: the flow
// conserves Σ_c w_c, so it stays of the size that the classifier starts with.
type idealFlow struct {
	network    *qhnet.Network
	margins    *qhnet.Margins
	meter      *qhnet.CollapseMeter
	trajectory *qhnet.Trajectory
	lambda     []float64
}

func flowIdeal(t *testing.T, p qhnet.IdealProblem, w0, until float64) idealFlow {
	t.Helper()
	var f idealFlow
	var err error
	if f.network, err = p.Network(); err != nil {
		t.Fatal(err)
	}
	if f.margins, err = qhnet.NewMargins(f.network, p.Set()); err != nil {
		t.Fatal(err)
	}
	if f.meter, err = qhnet.NewCollapseMeter(f.network, p.Set()); err != nil {
		t.Fatal(err)
	}
	rates, err := qhnet.RatesOf(f.network)
	if err != nil {
		t.Fatal(err)
	}
	f.lambda = rates.Expand()
	start := f.network.Start(rand.New(rand.NewPCG(1, 1)), qhnet.Glorot)
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

func (f idealFlow) end(t *testing.T) (theta []float64, c qhnet.Collapse, margin float64) {
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
	for _, p := range []qhnet.IdealProblem{
		{Classes: 3, Features: 2, Normalization: qhnet.BatchNorm()},
		{Classes: 3, Features: 4, Normalization: qhnet.LayerNorm()},
		{Classes: 3, Features: 4, Normalization: qhnet.RMSNorm()},
		{Classes: 4, Features: 3, Normalization: qhnet.BatchNorm()},
		{Classes: 4, Features: 6, Normalization: qhnet.LayerNorm()},
		{Classes: 4, Features: 6, Normalization: qhnet.RMSNorm()},
		{Classes: 7, Features: 6, Normalization: qhnet.BatchNorm()},
		{Classes: 7, Features: 7, Normalization: qhnet.LayerNorm()},
		{Classes: 7, Features: 6, Normalization: qhnet.RMSNorm()},
		{Classes: 10, Features: 9, Normalization: qhnet.RMSNorm()},
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

func (f idealFlow) checkKKT(t *testing.T, theta []float64, tolerance float64) {
	t.Helper()
	certificate, err := qhnet.Certify(f.margins, f.lambda, theta, nil)
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
// keep their norms and have angles to choose; they turn only as fast as W grows, so the angles approach those of the ETF like a power
// of log(1/L) that depends on the start. The margin is second order in them.
func TestFlowUnderBatchNormalizationWithSpareFeatures(t *testing.T) {
	p := qhnet.IdealProblem{Classes: 3, PerClass: 2, Features: 6, Normalization: qhnet.BatchNorm()}
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
	p := qhnet.IdealProblem{Classes: classes, PerClass: 2, Features: d, Normalization: qhnet.RMSNorm(qhnet.WithScale()), Bias: true}
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
	normalized, _, err := qhnet.Normalize(nil, f.lambda, theta)
	if err != nil {
		t.Fatal(err)
	}
	b := f.block(t, "classifier.bias").Of(normalized)
	return floats.Dot(b, b)
}
