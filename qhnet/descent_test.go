package qhnet_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
)

func trainOn(t testing.TB) qhnet.Descent {
	flow := twoBallFlow(t, 0.8)
	return qhnet.Descent{Margins: flow.Margins, Start: flow.Start, Steps: 3000}
}

// TestGradientDescentFollowsTheFlow: with a small fixed step the descent stays
// within O(step) of the flow at the same time t.
func TestGradientDescentFollowsTheFlow(t *testing.T) {
	flow := twoBallFlow(t, 0.8)
	flow.Until, flow.Tolerance = 4, 1e-10
	exact := run(t, flow)
	want := exact.Last()
	var errs []float64
	for _, steps := range []int{4000, 8000} {
		d := trainOn(t)
		d.Steps = steps
		d.Optimizer = &qhnet.GradientDescent{Step: math.Exp(want.LogTime) / float64(steps)}
		tr, err := d.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if got := tr.Last(); math.Abs(got.LogTime-want.LogTime) > 1e-10 { // 8000 roundings of a logarithm
			t.Errorf("log t = %v after %d steps, want %v", got.LogTime, steps, want.LogTime)
		}
		errs = append(errs, floats.Distance(tr.Last().Theta, want.Theta, 2))
	}
	if ratio := errs[0] / errs[1]; math.Abs(ratio-2) > 0.1 { // Euler's method is of first order
		t.Errorf("errors %v do not halve with the step", errs)
	}
}

// resumable is a training on separable points, in batches unless the optimizer
// compares full losses.
func resumable(t testing.TB, o qhnet.Optimizer) qhnet.Descent {
	t.Helper()
	set, _ := dataset.Separable(20, 3, 0.5, rand.New(rand.NewPCG(4, 4)))
	model := nn.Diagonal(1, 2, 2)
	full := bind(t, model, set)
	d := qhnet.Descent{Margins: full, Start: []float64{0.1, 0.2, 0.3, 0.2, 0.1}, Optimizer: o, Steps: 500, Seed: 3}
	if _, ok := o.(*qhnet.LossScaled); ok {
		return d
	}
	var err error
	if d.Batches, err = qhnet.Batches(model, set, 7, rand.New(rand.NewPCG(4, 5))); err != nil || len(d.Batches) != 6 {
		t.Fatalf("%d batches, %v", len(d.Batches), err)
	}
	return d
}

func optimizers() []qhnet.Optimizer {
	return []qhnet.Optimizer{&qhnet.Normalized{Step: 0.1, Decay: 0.9, After: 50}, &qhnet.Adam{Step: 0.01}, &qhnet.Momentum{Step: 0.01, Decay: 0.9}, &qhnet.LossScaled{Step: 0.01}, &qhnet.GradientDescent{Step: 0.01}}
}

// sameTraining fails unless two trajectories agree bit for bit.
func sameTraining(t *testing.T, name string, got, want *qhnet.Trajectory) {
	t.Helper()
	// Scaled is NaN, which DeepEqual takes for different.
	if g, w := fmt.Sprintf("%v %v", got.Status, got.Points), fmt.Sprintf("%v %v", want.Status, want.Points); g != w {
		t.Errorf("%s: %d points, %v, last %+v; want %d, %v, last %+v", name,
			len(got.Points), got.Status, got.Last(), len(want.Points), want.Status, want.Last())
	}
	if fmt.Sprint(got.Separated) != fmt.Sprint(want.Separated) {
		t.Errorf("%s: separated at %+v, want %+v", name, got.Separated, want.Separated)
	}
}

// TestDescentRunsTwice uses one value twice: the optimizer's memory is the run's.
func TestDescentRunsTwice(t *testing.T) {
	for _, o := range optimizers() {
		d := resumable(t, o)
		first, err := d.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		d.Checkpoint = filepath.Join(t.TempDir(), "run")
		for _, name := range []string{"again", "from its checkpoint"} {
			second, err := d.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			sameTraining(t, fmt.Sprintf("%T %s", o, name), second, first)
		}
	}
}

func TestDescentRefuses(t *testing.T) {
	d := trainOn(t)
	d.Optimizer = &qhnet.GradientDescent{Step: 1}
	d.Steps = 0
	if _, err := d.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "at least one step") {
		t.Errorf("no steps: %v", err)
	}
	d.Steps, d.Optimizer = 100, &qhnet.GradientDescent{Step: 1e200}
	tr, err := d.Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "smaller step size") || len(tr.Points) == 0 {
		t.Errorf("a divergent descent gives %v", err)
	}
}
