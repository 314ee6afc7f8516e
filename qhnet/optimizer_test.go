package qhnet_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet"
)

func TestOptimizersSeparate(t *testing.T) {
	for name, o := range map[string]qhnet.Optimizer{
		"gradient descent": &qhnet.GradientDescent{Step: 0.1}, "loss-scaled": &qhnet.LossScaled{Step: 0.01},
		"momentum": &qhnet.Momentum{Step: 0.05, Decay: 0.9}, "adam": &qhnet.Adam{Step: 0.01},
		"normalized": &qhnet.Normalized{Step: 0.1, Decay: 0.9, After: 50},
	} {
		d := trainOn(t)
		d.Optimizer = o
		tr, err := d.Run(context.Background())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if last := tr.Last(); tr.Separated == nil || last.Step != d.Steps || last.Margin <= 0 {
			t.Errorf("%s: separated %v, last %+v", name, tr.Separated, last)
		}
	}
}

// TestLossScaledGoesOnPastUnderflow reaches losses that no float64 holds.
func TestLossScaledGoesOnPastUnderflow(t *testing.T) {
	d := trainOn(t)
	d.Steps, d.Until, d.Optimizer = 200_000, 1000, &qhnet.LossScaled{Step: 0.01}
	tr, err := d.Run(context.Background())
	if err != nil || tr.Last().LogInverse() < 1000 {
		t.Errorf("ended at log(1/L) = %v after %d steps: %v", tr.Last().LogInverse(), tr.Last().Step, err)
	}
	for i, p := range tr.Points[1:] {
		if p.LogLoss > tr.Points[i].LogLoss {
			t.Fatalf("a step was recorded that raises log L from %v to %v", tr.Points[i].LogLoss, p.LogLoss)
		}
	}
	previous := math.Inf(-1)
	for _, p := range tr.Points[5:] {
		if p.LogTime <= previous {
			t.Fatalf("log t falls from %v to %v at step %d", previous, p.LogTime, p.Step)
		}
		previous = p.LogTime
	}
}

// Without momentum the steps have exactly the lengths of the schedule and the direction of
// the gradient; they reach losses that no float64 holds; and a rest is not left.
func TestNormalizedSteps(t *testing.T) {
	d := trainOn(t)
	d.Steps, d.PerDecade, d.Optimizer = 2000, 1000, &qhnet.Normalized{Step: 50, After: 100}
	tr, err := d.Run(context.Background())
	if err != nil || tr.Last().LogInverse() < 1000 {
		t.Fatalf("ended at log(1/L) = %v: %v", tr.Last().LogInverse(), err)
	}
	for i, p := range tr.Points[:300] {
		next := tr.Points[i+1]
		if next.Step != p.Step+1 {
			t.Fatalf("no record between steps %d and %d", p.Step, next.Step)
		}
		length := floats.Distance(p.Theta, next.Theta, 2)
		if want := 50 / (1 + float64(p.Step)/100); math.Abs(length-want) > 1e-9*want { // roundings of θ
			t.Fatalf("step %d has length %v, want %v", p.Step, length, want)
		}
	}
	o, theta := &qhnet.Normalized{Step: 1, Decay: 0.5}, []float64{1, 2}
	o.Update(theta, []float64{3, 4}, 0)
	if time := o.Update(theta, []float64{0, 0}, 0); !floats.EqualApprox(theta, []float64{1.45, 2.6}, 1e-15) || !math.IsInf(time, 1) {
		t.Errorf("after a step and a rest θ = %v, and flow takes e^%v", theta, time)
	}
}

// TestAdamDoesNotUnderflow compares the rescaled moments with plain Adam where
// plain Adam still works.
func TestAdamDoesNotUnderflow(t *testing.T) {
	d := trainOn(t)
	d.Steps, d.Optimizer = 400, &qhnet.Adam{Step: 0.01}
	tr, err := d.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	theta := append([]float64(nil), d.Start...)
	g, m, v := make([]float64, len(theta)), make([]float64, len(theta)), make([]float64, len(theta))
	weights := make([]float64, d.Margins.Len())
	for k := 1; k <= 400; k++ {
		q, err := d.Margins.Forward(theta)
		if err != nil {
			t.Fatal(err)
		}
		loss := math.Exp(qhnet.Exponential{}.Log(weights, q, 1))
		d.Margins.Gradient(g, weights) // of -log L
		for i := range theta {
			slope := -loss * g[i]
			m[i] = 0.9*m[i] + 0.1*slope
			v[i] = 0.999*v[i] + 0.001*slope*slope
			theta[i] -= 0.01 * m[i] / (1 - math.Pow(0.9, float64(k))) / math.Sqrt(v[i]/(1-math.Pow(0.999, float64(k))))
		}
	}
	// Roundings of 400 steps; at the start Adam divides by them.
	if got := tr.Last().Theta; !floats.EqualApprox(got, theta, 1e-9) {
		t.Errorf("Adam ends at %v, the textbook at %v", got, theta)
	}
}

// TestAdamAtTinyGradients: the square of 1e-200 underflows, and Adam's quotient
// must not.
func TestAdamAtTinyGradients(t *testing.T) {
	for _, epsilon := range []float64{0, 1e-8} {
		o, theta := &qhnet.Adam{Step: 0.1, Epsilon: epsilon}, []float64{1, 1}
		for range 3 {
			o.Update(theta, []float64{1, 1e-200}, 0)
		}
		if math.Abs(theta[0]-1.3) > 1e-6 || math.Abs(theta[1]-1) > 0.3 { // Adam's steps are at most about Step
			t.Errorf("ε = %v: θ = %v after three steps of 0.1", epsilon, theta)
		}
	}
}

// TestAdamBeyondFloat64: where 1/L overflows, Adam goes on without ε and rests with it.
func TestAdamBeyondFloat64(t *testing.T) {
	for epsilon, want := range map[float64]float64{0: 1.1, 1e-8: 1} {
		o, theta := &qhnet.Adam{Step: 0.1, Epsilon: epsilon}, []float64{1}
		o.Update(theta, []float64{1}, -1e4)
		if math.Abs(theta[0]-want) > 1e-12 {
			t.Errorf("ε = %v: θ = %v after a step of 0.1 at log L = -1e4; want %v", epsilon, theta[0], want)
		}
	}
}

func TestOptimizersRefuse(t *testing.T) {
	for want, o := range map[string]qhnet.Optimizer{
		"GradientDescent.Step = 0": &qhnet.GradientDescent{}, "LossScaled.Step = -1": &qhnet.LossScaled{Step: -1},
		"Normalized.Step = 0": &qhnet.Normalized{}, "Normalized.After = -1": &qhnet.Normalized{Step: 1, After: -1}, "Normalized.Decay = 1": &qhnet.Normalized{Step: 1, Decay: 1},
		"Momentum.Step = 0": &qhnet.Momentum{Decay: 0.9}, "Momentum.Decay = 1": &qhnet.Momentum{Step: 0.1, Decay: 1},
		"Adam.Step = +Inf": &qhnet.Adam{Step: math.Inf(1)}, "Adam.Beta2 = 1": &qhnet.Adam{Step: 0.1, Beta2: 1}, "Adam.Epsilon = NaN": &qhnet.Adam{Step: 0.1, Epsilon: math.NaN()},
	} {
		d := trainOn(t)
		d.Optimizer = o
		if _, err := d.Run(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	decayed := trainOn(t)
	decayed.Optimizer, decayed.WeightDecay = &qhnet.LossScaled{Step: 0.1}, 1e-3
	stochastic := resumable(t, &qhnet.Adam{Step: 0.1})
	stochastic.Optimizer = &qhnet.LossScaled{Step: 0.1}
	negative := trainOn(t)
	negative.Optimizer, negative.WeightDecay = &qhnet.Adam{Step: 0.1}, -1
	for want, d := range map[string]qhnet.Descent{"no WeightDecay": decayed, "no Batches": stochastic, "WeightDecay = -1": negative} {
		if _, err := d.Run(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}
