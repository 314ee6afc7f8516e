package qhnet

import (
	"context"
	"errors"
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

	"qhlab/qhnet/ode"
)

// killEnvironment names the checkpoint file for the process that
// TestFlowSurvivesKill kills; it is set only there.
const killEnvironment = "QHNET_TEST_KILL"

// slowFlow takes enough steps to be killed in the middle of both phases.
func slowFlow(t testing.TB, file string) Flow {
	flow := twoBallFlow(t, 0.8)
	flow.Until, flow.Tolerance, flow.Checkpoint = 1e3, 1e-9, file
	flow.Margins.outputs = drowsy{flow.Margins.outputs}
	return flow
}

// drowsy makes every evaluation take time, so that a kill lands anywhere.
type drowsy struct{ Evaluation }

func (d drowsy) Forward(theta []float64) ([]float64, error) {
	for began := time.Now(); time.Since(began) < 20*time.Microsecond; {
	}
	return d.Evaluation.Forward(theta)
}

func TestFlowSurvivesKill(t *testing.T) {
	checkpointInterval = 0
	defer func() { checkpointInterval = time.Second }()
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
	whole.margins, resumed.margins = nil, nil // what they evaluated last is no part of the result
	if !reflect.DeepEqual(whole, resumed) {
		t.Errorf("after 20 kills the trajectory differs: %d points ending at %+v, want %d points ending at %+v",
			len(resumed.Points), resumed.Last(), len(whole.Points), whole.Last())
	}
}

func TestFlowResumesAfterInterrupt(t *testing.T) {
	checkpointInterval = 0
	defer func() { checkpointInterval = time.Second }()
	run := func(file string, cancelAt int) (*Trajectory, error) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		flow := slowFlow(t, file)
		flow.Margins.outputs = flow.Margins.outputs.(drowsy).Evaluation
		flow.Stop = func(tr *Trajectory) bool {
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
	whole, err := flow.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	flow.Checkpoint = filepath.Join(t.TempDir(), "stopped")
	stopAt := func(points int) *Trajectory {
		flow.Stop = func(tr *Trajectory) bool { return len(tr.Points) == points }
		tr, err := flow.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	n := len(whole.Points)
	for _, points := range []int{n / 4, n / 4, n / 2, n * 3 / 4} {
		if tr := stopAt(points); tr.Status != ode.Stopped || len(tr.Points) < points || len(tr.Points) > points+1 {
			t.Errorf("%v with %d points, want %d", tr.Status, len(tr.Points), points)
		}
	}
	if got := stopAt(0); got.Status != whole.Status || got.Work != whole.Work || !reflect.DeepEqual(got.Points, whole.Points) {
		t.Errorf("never stopped: %v, %d points, %+v; want %v, %d points, %+v", got.Status, len(got.Points), got.Work, whole.Status, n, whole.Work)
	}
}

// TestFlowFingerprint changes every field in turn.
func TestFlowFingerprint(t *testing.T) {
	free := []string{"Checkpoint", "Stop", "Progress"}
	other := Flow{
		Margins: twoBallFlow(t, 0.7).Margins, Start: []float64{0.1, 0.3, 0.3}, Until: 2e3, Loss: Logistic{}, Clock: ArcLength,
		Tolerance: 1e-9, PerDecade: 7, KinkWidth: 1e-4, Method: ode.RadauIIA{Iterations: 9}, MaxSteps: 77,
	}
	identify := func(f Flow) string {
		if err := f.validate(); err != nil {
			t.Fatal(err)
		}
		r := newFlowRun(&f)
		if err := r.begin(); err != nil {
			t.Fatal(err)
		}
		return r.identify()
	}
	same := func() Flow {
		f := twoBallFlow(t, 0.8)
		f.Method = ode.RadauIIA{}
		return f
	}
	want := identify(same())
	if identify(same()) != want {
		t.Error("the same flow has two fingerprints")
	}
	for i := range reflect.TypeFor[Flow]().NumField() {
		name := reflect.TypeFor[Flow]().Field(i).Name
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
