package qhnet_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"qhlab/qhnet"
	"qhlab/qhnet/ode"
)

// killEnvironment names the checkpoint file for the process that
// TestFlowSurvivesKill kills; it is set only there.
const killEnvironment = "QHNET_TEST_KILL"

// longFlow takes enough steps to be interrupted in the middle of both phases.
func longFlow(t testing.TB, file string) qhnet.Flow {
	flow := twoBallFlow(t, 0.8)
	flow.Until, flow.Tolerance, flow.Checkpoint = 1e3, 1e-9, file
	return flow
}

// slowFlow is a longFlow in which a kill lands anywhere.
func slowFlow(t testing.TB, file string) qhnet.Flow {
	flow := longFlow(t, file)
	flow.Margins.Wrap(func(e qhnet.Evaluation) qhnet.Evaluation { return drowsy{e} })
	return flow
}

// drowsy makes every evaluation take time.
type drowsy struct{ qhnet.Evaluation }

func (d drowsy) Forward(theta []float64) ([]float64, error) {
	for began := time.Now(); time.Since(began) < 20*time.Microsecond; {
	}
	return d.Evaluation.Forward(theta)
}

func TestFlowSurvivesKill(t *testing.T) {
	qhnet.Hasten(t)
	if file := os.Getenv(killEnvironment); file != "" {
		if _, err := slowFlow(t, file).Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return
	}
	if testing.Short() {
		t.Skip("starts and kills 20 processes")
	}
	whole, err := slowFlow(t, filepath.Join(t.TempDir(), "whole")).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "killed")
	rng := rand.New(rand.NewPCG(9, 1))
	for range 20 {
		process := exec.Command(os.Args[0], "-test.run=^TestFlowSurvivesKill$")
		process.Env = append(os.Environ(), killEnvironment+"="+file)
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(5+rng.IntN(40)) * time.Millisecond)
		if err := process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		if err := process.Wait(); err == nil {
			t.Log("the process ended before it was killed")
		}
	}
	resumed, err := slowFlow(t, file).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	result := func(tr *qhnet.Trajectory) []any { return []any{tr.Points, tr.Separated, tr.Status, tr.Work} }
	if !reflect.DeepEqual(result(whole), result(resumed)) {
		t.Errorf("after 20 kills the trajectory differs: %d points ending at %+v, want %d points ending at %+v",
			len(resumed.Points), resumed.Last(), len(whole.Points), whole.Last())
	}
}

func TestFlowResumesAfterInterrupt(t *testing.T) {
	qhnet.Hasten(t)
	run := func(file string, cancelAt int) (*qhnet.Trajectory, error) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		flow := longFlow(t, file)
		flow.Stop = func(tr *qhnet.Trajectory) bool {
			if len(tr.Points) == cancelAt {
				cancel()
			}
			return false
		}
		return flow.Run(ctx)
	}
	whole, err := run(filepath.Join(t.TempDir(), "whole"), 0)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "interrupted")
	for _, at := range []int{len(whole.Points) / 2, len(whole.Points) * 3 / 4} {
		partial, err := run(file, at)
		if !errors.Is(err, context.Canceled) || len(partial.Points) < at {
			t.Fatalf("interrupted at %d points: %d points, error %v", at, len(partial.Points), err)
		}
	}
	resumed, err := run(file, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(whole.Points, resumed.Points) {
		t.Errorf("resumed: %d points, last %+v; want %d points, last %+v", len(resumed.Points), resumed.Last(), len(whole.Points), whole.Last())
	}
}

func TestCheckpointRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run")
	flow := twoBallFlow(t, 0.8)
	flow.Until, flow.Checkpoint = 10, file
	if _, err := flow.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	other := twoBallFlow(t, 0.7)
	other.Until, other.Checkpoint = 10, file
	if _, err := other.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("a checkpoint of other data gives %v", err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range [][]byte{data[:len(data)/2], nil, append([]byte{data[0] + 1}, data[1:]...)} {
		if err := os.WriteFile(file, damage, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := flow.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("a damaged checkpoint gives %v", err)
		}
	}
	if err := flow.Forget(); err != nil {
		t.Fatal(err)
	}
	if tr, err := flow.Run(context.Background()); err != nil || math.Abs(tr.Last().LogInverse()-10) > 1e-6 {
		t.Errorf("after Forget: %v", err)
	}
}

func TestFlowAsksStopAgain(t *testing.T) {
	flow := twoBallFlow(t, 0.8)
	flow.Checkpoint = filepath.Join(t.TempDir(), "whole")
	whole := run(t, flow)
	flow.Checkpoint = filepath.Join(t.TempDir(), "stopped")
	stopAt := func(points int) *qhnet.Trajectory {
		flow.Stop = func(tr *qhnet.Trajectory) bool { return len(tr.Points) == points }
		tr := run(t, flow)
		return tr
	}
	n := len(whole.Points)
	for _, points := range []int{n / 4, n / 4, n / 2, n * 3 / 4} {
		if tr := stopAt(points); tr.Status != ode.Stopped || len(tr.Points) < points || len(tr.Points) > points+1 {
			t.Errorf("%v with %d points, want %d", tr.Status, len(tr.Points), points)
		}
	}
	if got := stopAt(0); got.Status != whole.Status || !reflect.DeepEqual(got.Work, whole.Work) || !reflect.DeepEqual(got.Points, whole.Points) {
		t.Errorf("never stopped: %v, %d points, %+v; want %v, %d points, %+v", got.Status, len(got.Points), got.Work, whole.Status, n, whole.Work)
	}
}

// TestFlowFingerprint changes every field in turn.
func TestFlowFingerprint(t *testing.T) {
	free := []string{"Checkpoint", "Stop"}
	other := qhnet.Flow{
		Margins: twoBallFlow(t, 0.7).Margins, Start: []float64{0.1, 0.3, 0.3}, Until: 2e3, Loss: qhnet.Logistic{}, Clock: qhnet.ArcLength,
		Tolerance: 1e-9, PerDecade: 7, KinkWidth: 1e-4, Method: ode.RadauIIA{Iterations: 9}, MaxSteps: 77,
	}
	identify := func(f qhnet.Flow) string {
		key, err := f.Key()
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	same := func() qhnet.Flow {
		f := twoBallFlow(t, 0.8)
		f.Method = ode.RadauIIA{}
		return f
	}
	want := identify(same())
	if identify(same()) != want {
		t.Error("the same flow has two fingerprints")
	}
	for i := range reflect.TypeFor[qhnet.Flow]().NumField() {
		name := reflect.TypeFor[qhnet.Flow]().Field(i).Name
		if slices.Contains(free, name) {
			continue
		}
		f := same()
		reflect.ValueOf(&f).Elem().Field(i).Set(reflect.ValueOf(other).Field(i))
		if identify(f) == want {
			t.Errorf("another %s gives the same fingerprint", name)
		}
	}
}

// cancelling cancels a run in the middle of a step.
type cancelling struct {
	qhnet.Optimizer
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
	if r, ok := c.Optimizer.(qhnet.Rememberer); ok {
		return r.Memory()
	}
	return nil
}

// Format makes the wrapped optimizer's settings those of the run.
func (c *cancelling) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "%#v", c.Optimizer) }

// cancellingKeeper is cancelling around an optimizer that takes back steps.
type cancellingKeeper struct {
	*cancelling
	qhnet.Keeper
}

// TestDescentResumes interrupts at records and between them.
func TestDescentResumes(t *testing.T) {
	for i, o := range optimizers() {
		run := func(file string, at int) (*qhnet.Trajectory, error) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			d := resumable(t, optimizers()[i])
			c := &cancelling{d.Optimizer, at, cancel}
			if d.Optimizer, d.Checkpoint = c, file; d.Batches == nil {
				d.Optimizer = cancellingKeeper{c, c.Optimizer.(qhnet.Keeper)}
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
		run := func(file string, steps int, until float64) *qhnet.Trajectory {
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
		// The record of the last step lies between those of a longer training, and reaches u.
		file = filepath.Join(t.TempDir(), "training")
		end := run(file, 101, 0).Points
		u := (end[len(end)-2].LogInverse() + end[len(end)-1].LogInverse()) / 2
		for _, steps := range []int{500, 50} {
			sameTraining(t, fmt.Sprintf("%T to %v, at most %d", o, u, steps), run(file, steps, u), run("", steps, u))
		}
	}
}

func TestDescentAsksStopAgain(t *testing.T) {
	d := resumable(t, &qhnet.Momentum{Step: 0.01, Decay: 0.9})
	whole, err := d.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	d.Checkpoint = filepath.Join(t.TempDir(), "stopped")
	stopAt := func(points int) *qhnet.Trajectory {
		d.Stop = func(tr *qhnet.Trajectory) bool { return len(tr.Points) == points }
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

// scheduled is an optimizer whose settings cannot be read.
type scheduled struct{ step func(float64) float64 }

func (s *scheduled) Update([]float64, []float64, float64) float64 { return s.step(0) }

// TestDescentFingerprint changes every field in turn.
func TestDescentFingerprint(t *testing.T) {
	free := []string{"Steps", "Until", "Checkpoint", "Stop"} // what a checkpoint can be continued with
	other := resumable(t, &qhnet.Adam{Step: 0.02})
	other.Start = []float64{0.1, 0.2, 0.3, 0.2, 0.2}
	other.Loss, other.WeightDecay, other.PerDecade, other.Seed = qhnet.Logistic{}, 0.1, 7, 4
	other.Margins = twoBallFlow(t, 0.8).Margins
	other.Batches = slices.Clone(other.Batches)
	slices.Reverse(other.Batches)
	identify := func(d qhnet.Descent) string {
		key, err := d.Key()
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	same := resumable(t, &qhnet.Adam{Step: 0.01})
	want := identify(same)
	for i := range reflect.TypeFor[qhnet.Descent]().NumField() {
		name := reflect.TypeFor[qhnet.Descent]().Field(i).Name
		if slices.Contains(free, name) {
			continue
		}
		d := resumable(t, &qhnet.Adam{Step: 0.01})
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
	if identify(resumable(t, &qhnet.Adam{Step: 0.01})) != want {
		t.Error("the same training has two fingerprints")
	}
	d := resumable(t, &scheduled{step: math.Sqrt})
	if key, err := d.Key(); err == nil || !strings.Contains(err.Error(), "a function or a pointer") {
		t.Errorf("an optimizer with a function in it has the key %q, %v", key, err)
	}
}
