package qhnet

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/dataset"
)

func trainOn(t testing.TB) Descent {
	flow := twoBallFlow(t, 0.8)
	return Descent{Margins: flow.Margins, Start: flow.Start, Steps: 3000}
}

// TestGradientDescentFollowsTheFlow: with a small fixed step the descent stays
// within O(step) of the flow at the same time t.
func TestGradientDescentFollowsTheFlow(t *testing.T) {
	flow := twoBallFlow(t, 0.8)
	flow.Until, flow.Tolerance = 4, 1e-10
	exact, err := flow.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := exact.Last()
	var errs []float64
	for _, steps := range []int{4000, 8000} {
		d := trainOn(t)
		d.Steps = steps
		d.Optimizer = &GradientDescent{Step: math.Exp(want.LogTime) / float64(steps)}
		tr, err := d.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if got := tr.Last(); math.Abs(got.LogTime-want.LogTime) > 1e-10 {
			t.Errorf("log t = %v after %d steps, want %v", got.LogTime, steps, want.LogTime)
		}
		errs = append(errs, floats.Distance(tr.Last().Theta, want.Theta, 2))
	}
	if ratio := errs[0] / errs[1]; math.Abs(ratio-2) > 0.1 { // Euler's method is of first order
		t.Errorf("errors %v do not halve with the step", errs)
	}
}

func TestOptimizersSeparate(t *testing.T) {
	for name, o := range map[string]Optimizer{
		"gradient descent": &GradientDescent{Step: 0.1}, "loss-scaled": &LossScaled{Step: 0.01},
		"momentum": &Momentum{Step: 0.05, Decay: 0.9}, "adam": &Adam{Step: 0.01},
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
	d.Steps, d.Until, d.Optimizer = 200_000, 1000, &LossScaled{Step: 0.01}
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

// TestAdamDoesNotUnderflow compares the rescaled moments with plain Adam where
// plain Adam still works.
func TestAdamDoesNotUnderflow(t *testing.T) {
	d := trainOn(t)
	d.Steps, d.Optimizer = 400, &Adam{Step: 0.01}
	tr, err := d.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	f := newField(d.Margins, Exponential{})
	theta := append([]float64(nil), d.Start...)
	m, v := make([]float64, len(theta)), make([]float64, len(theta))
	for k := 1; k <= 400; k++ {
		if err := f.at(theta); err != nil {
			t.Fatal(err)
		}
		for i := range theta {
			g := -math.Exp(f.logLoss) * f.g[i]
			m[i] = 0.9*m[i] + 0.1*g
			v[i] = 0.999*v[i] + 0.001*g*g
			theta[i] -= 0.01 * m[i] / (1 - math.Pow(0.9, float64(k))) / math.Sqrt(v[i]/(1-math.Pow(0.999, float64(k))))
		}
	}
	if got := tr.Last().Theta; !floats.EqualApprox(got, theta, 1e-9) {
		t.Errorf("Adam ends at %v, the textbook at %v", got, theta)
	}
}

func TestDescentResumes(t *testing.T) {
	checkpointInterval = 0
	defer func() { checkpointInterval = time.Second }()
	set, _ := dataset.Separable(20, 3, 0.5, rand.New(rand.NewPCG(4, 4)))
	model := Diagonal(1, 2, 2)
	full, err := NewMargins(model, set)
	if err != nil {
		t.Fatal(err)
	}
	batches, err := Batches(model, set, 7, rand.New(rand.NewPCG(4, 5)))
	if err != nil || len(batches) != 6 {
		t.Fatalf("%d batches, %v", len(batches), err)
	}
	for _, fresh := range []func() Optimizer{
		func() Optimizer { return &Adam{Step: 0.01} },
		func() Optimizer { return &Momentum{Step: 0.01, Decay: 0.9} },
		func() Optimizer { return &LossScaled{Step: 0.01} },
	} {
		run := func(file string, cancelAt int) (*Trajectory, error) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			return Descent{
				Margins: full, Batches: batches, Seed: 3, Start: []float64{0.1, 0.2, 0.3, 0.2, 0.1},
				Optimizer: fresh(), Steps: 500, Checkpoint: file,
				Stop: func(tr *Trajectory) bool {
					if len(tr.Points) == cancelAt {
						cancel()
					}
					return false
				},
			}.Run(ctx)
		}
		whole, err := run(filepath.Join(t.TempDir(), "whole"), 0)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "interrupted")
		if partial, err := run(file, 20); !errors.Is(err, context.Canceled) || len(partial.Points) < 20 {
			t.Fatalf("interrupted: %d points, %v", len(partial.Points), err)
		}
		resumed, err := run(file, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range whole.Points { // Scaled is NaN, which DeepEqual takes for different
			if !reflect.DeepEqual(whole.Points[i].Theta, resumed.Points[i].Theta) || whole.Points[i].LogLoss != resumed.Points[i].LogLoss {
				t.Fatalf("%T: resumed point %d differs", fresh(), i)
			}
		}
	}
}

func TestDescentRefuses(t *testing.T) {
	d := trainOn(t)
	d.Optimizer = &GradientDescent{Step: 1}
	d.Steps = 0
	if _, err := d.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "at least one step") {
		t.Errorf("no steps: %v", err)
	}
	d.Steps, d.Optimizer = 100, &GradientDescent{Step: 1e200}
	tr, err := d.Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "smaller step size") || len(tr.Points) == 0 {
		t.Errorf("a divergent descent gives %v", err)
	}
}
