package qhnet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/dataset"
	"qhlab/qhnet/ode"
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
		if got := tr.Last(); math.Abs(got.LogTime-want.LogTime) > 1e-10 { // 8000 roundings of a logarithm
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
	// Roundings of 400 steps; at the start Adam divides by them.
	if got := tr.Last().Theta; !floats.EqualApprox(got, theta, 1e-9) {
		t.Errorf("Adam ends at %v, the textbook at %v", got, theta)
	}
}

// resumable is a training on separable points, in batches unless the optimizer
// compares full losses.
func resumable(t testing.TB, o Optimizer) Descent {
	t.Helper()
	set, _ := dataset.Separable(20, 3, 0.5, rand.New(rand.NewPCG(4, 4)))
	model := Diagonal(1, 2, 2)
	full, err := NewMargins(model, set)
	if err != nil {
		t.Fatal(err)
	}
	d := Descent{Margins: full, Start: []float64{0.1, 0.2, 0.3, 0.2, 0.1}, Optimizer: o, Steps: 500, Seed: 3}
	if _, ok := o.(*LossScaled); ok {
		return d
	}
	if d.Batches, err = Batches(model, set, 7, rand.New(rand.NewPCG(4, 5))); err != nil || len(d.Batches) != 6 {
		t.Fatalf("%d batches, %v", len(d.Batches), err)
	}
	return d
}

func optimizers() []Optimizer {
	return []Optimizer{&Adam{Step: 0.01}, &Momentum{Step: 0.01, Decay: 0.9}, &LossScaled{Step: 0.01}, &GradientDescent{Step: 0.01}}
}

// sameTraining fails unless two trajectories agree bit for bit.
func sameTraining(t *testing.T, name string, got, want *Trajectory) {
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

// cancelling cancels a run in the middle of a step.
type cancelling struct {
	Optimizer
	steps  int
	cancel func()
}

func (c *cancelling) Update(theta, g []float64, logLoss float64) float64 {
	if c.steps--; c.steps == 0 {
		c.cancel()
	}
	return c.Optimizer.Update(theta, g, logLoss)
}

func (c *cancelling) Memory() []*[]float64 {
	if r, ok := c.Optimizer.(Rememberer); ok {
		return r.Memory()
	}
	return nil
}

// Format makes the wrapped optimizer's settings those of the run.
func (c *cancelling) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "%#v", c.Optimizer) }

// cancellingKeeper is cancelling around an optimizer that takes back steps.
type cancellingKeeper struct{ *cancelling }

func (c cancellingKeeper) lastKept() ([]float64, float64) {
	return c.Optimizer.(keeper).lastKept()
}

// TestDescentResumes interrupts at records and between them.
func TestDescentResumes(t *testing.T) {
	for i, o := range optimizers() {
		run := func(file string, at int) (*Trajectory, error) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			d := resumable(t, optimizers()[i])
			c := &cancelling{d.Optimizer, at, cancel}
			if d.Optimizer, d.Checkpoint = c, file; d.Batches == nil {
				d.Optimizer = cancellingKeeper{c}
			}
			return d.Run(ctx)
		}
		whole, err := run("", 0)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "interrupted")
		for _, at := range []int{1, 3, 250, 7} {
			if partial, err := run(file, at); !errors.Is(err, context.Canceled) || partial.Status != ode.Interrupted {
				t.Fatalf("interrupted: %v, %v", partial.Status, err)
			}
		}
		resumed, err := run(file, 0)
		if err != nil {
			t.Fatal(err)
		}
		sameTraining(t, fmt.Sprintf("%T resumed", o), resumed, whole)
	}
}

// TestDescentGoesOn asks for more steps, and for fewer, than a checkpoint has.
func TestDescentGoesOn(t *testing.T) {
	for i, o := range optimizers() {
		run := func(file string, steps int, until float64) *Trajectory {
			d := resumable(t, optimizers()[i])
			d.Steps, d.Until, d.Checkpoint = steps, until, file
			tr, err := d.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			return tr
		}
		file := filepath.Join(t.TempDir(), "training")
		for _, ask := range []struct {
			steps int
			until float64
		}{{100, 0}, {100, 0}, {300, 0}, {101, 0}, {300, 0.5}, {500, 0.5}, {500, 0}, {400, 0.5}} {
			sameTraining(t, fmt.Sprintf("%T to %+v", o, ask), run(file, ask.steps, ask.until), run("", ask.steps, ask.until))
		}
	}
}

func TestDescentAsksStopAgain(t *testing.T) {
	d := resumable(t, &Momentum{Step: 0.01, Decay: 0.9})
	whole, err := d.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	d.Checkpoint = filepath.Join(t.TempDir(), "stopped")
	stopAt := func(points int) *Trajectory {
		d.Stop = func(tr *Trajectory) bool { return len(tr.Points) == points }
		tr, err := d.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	for _, points := range []int{10, 10, 20} {
		if tr := stopAt(points); len(tr.Points) != points || tr.Status != ode.Stopped {
			t.Errorf("%v with %d points, want %d", tr.Status, len(tr.Points), points)
		}
	}
	sameTraining(t, "never stopped", stopAt(0), whole)
	if err := d.Forget(); err != nil {
		t.Fatal(err)
	}
	if tr := stopAt(5); len(tr.Points) != 5 {
		t.Errorf("after Forget: %d points, want 5", len(tr.Points))
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

// TestDescentReportsBetweenRecords has 900 steps between its last two records.
func TestDescentReportsBetweenRecords(t *testing.T) {
	reportInterval = 0
	defer func() { reportInterval = time.Second }()
	d := trainOn(t)
	d.Steps, d.PerDecade, d.Optimizer = 1000, 1, &LossScaled{Step: 0.01}
	calls, last := 0, 0
	d.Progress = func(step int, _ float64) { calls, last = calls+1, step }
	if _, err := d.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if calls < d.Steps || last != d.Steps {
		t.Errorf("%d reports, the last at step %d", calls, last)
	}
}

// TestDescentFingerprint changes every field in turn.
func TestDescentFingerprint(t *testing.T) {
	free := []string{"Steps", "Until", "Checkpoint", "Stop", "Progress"} // what a checkpoint can be continued with
	other := resumable(t, &Adam{Step: 0.02})
	other.Start = []float64{0.1, 0.2, 0.3, 0.2, 0.2}
	other.Loss, other.WeightDecay, other.PerDecade, other.Seed = Logistic{}, 0.1, 7, 4
	other.Margins = twoBallFlow(t, 0.8).Margins
	other.Batches = slices.Clone(other.Batches)
	slices.Reverse(other.Batches)
	identify := func(d Descent) string {
		if err := d.validate(); err != nil {
			t.Fatal(err)
		}
		r, err := newDescentRun(&d)
		if err != nil {
			t.Fatal(err)
		}
		name, err := r.identify()
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	same := resumable(t, &Adam{Step: 0.01})
	want := identify(same)
	for i := range reflect.TypeFor[Descent]().NumField() {
		name := reflect.TypeFor[Descent]().Field(i).Name
		if slices.Contains(free, name) {
			continue
		}
		d := resumable(t, &Adam{Step: 0.01})
		reflect.ValueOf(&d).Elem().Field(i).Set(reflect.ValueOf(other).Field(i))
		if name == "Margins" { // of another model, with its own start and no batches
			d.Start, d.Batches = []float64{0.1, 0.3, 0.2}, nil
			e := d
			e.Margins = twoBallFlow(t, 0.7).Margins
			if identify(d) == identify(e) {
				t.Error("other data give the same fingerprint")
			}
			continue
		}
		if identify(d) == want {
			t.Errorf("another %s gives the same fingerprint", name)
		}
	}
	if identify(resumable(t, &Adam{Step: 0.01})) != want {
		t.Error("the same training has two fingerprints")
	}
}

// TestAdamAtTinyGradients: the square of 1e-200 underflows, and Adam's quotient
// must not.
func TestAdamAtTinyGradients(t *testing.T) {
	for _, epsilon := range []float64{0, 1e-8} {
		o, theta := &Adam{Step: 0.1, Epsilon: epsilon}, []float64{1, 1}
		for range 3 {
			o.Update(theta, []float64{1, 1e-200}, 0)
		}
		if math.Abs(theta[0]-1.3) > 1e-6 || math.Abs(theta[1]-1) > 0.3 { // Adam's steps are at most about Step
			t.Errorf("ε = %v: θ = %v after three steps of 0.1", epsilon, theta)
		}
	}
}

func TestOptimizersRefuse(t *testing.T) {
	for want, o := range map[string]Optimizer{
		"GradientDescent.Step = 0": &GradientDescent{}, "LossScaled.Step = -1": &LossScaled{Step: -1},
		"Momentum.Step = 0": &Momentum{Decay: 0.9}, "Momentum.Decay = 1": &Momentum{Step: 0.1, Decay: 1},
		"Adam.Step = +Inf": &Adam{Step: math.Inf(1)}, "Adam.Beta2 = 1": &Adam{Step: 0.1, Beta2: 1}, "Adam.Epsilon = NaN": &Adam{Step: 0.1, Epsilon: math.NaN()},
	} {
		d := trainOn(t)
		d.Optimizer = o
		if _, err := d.Run(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	decayed := trainOn(t)
	decayed.Optimizer, decayed.WeightDecay = &LossScaled{Step: 0.1}, 1e-3
	stochastic := resumable(t, &Adam{Step: 0.1})
	stochastic.Optimizer = &LossScaled{Step: 0.1}
	negative := trainOn(t)
	negative.Optimizer, negative.WeightDecay = &Adam{Step: 0.1}, -1
	for want, d := range map[string]Descent{"no WeightDecay": decayed, "no Batches": stochastic, "WeightDecay = -1": negative} {
		if _, err := d.Run(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
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
