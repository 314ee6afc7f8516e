package ode_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"qhlab/qhnet/ode"
)

// killAt runs the problem but fails after the given number of accepted steps, and
// returns the last state that was saved, through JSON.
func killAt(t *testing.T, p ode.Problem, o ode.Options, steps int) *ode.State {
	t.Helper()
	var saved []byte
	o.Checkpoint.Save = func(s *ode.State) (err error) {
		saved, err = json.Marshal(s)
		return err
	}
	killed := errors.New("killed")
	o.OnStep = func(*ode.Stretch) error {
		if steps--; steps < 0 {
			return killed
		}
		return nil
	}
	if _, err := ode.Solve(context.Background(), p, o); !errors.Is(err, killed) {
		t.Fatalf("the run was not killed: %v", err)
	}
	if saved == nil {
		return nil
	}
	state := new(ode.State)
	if err := json.Unmarshal(saved, state); err != nil {
		t.Fatal(err)
	}
	return state
}

func TestResumeGivesTheSameBits(t *testing.T) {
	methods := []ode.Method{ode.DormandPrince{}, ode.RadauIIA{}, ode.RKC{}, ode.Auto{}}
	for i, m := range methods {
		t.Run(fmt.Sprint(i, m), func(t *testing.T) {
			p := hires().problem
			p.End = 30
			o := ode.Options{
				Method: m, Control: &ode.Control{Relative: 1e-5, Absolute: 1e-8},
				Checkpoint: ode.Checkpoint{Every: 7},
				Record:     ode.Recording{At: []float64{10, 29, 30}},
			}
			want := solve(t, p, o)
			for kill := 3; kill < want.Statistics.Steps; kill += max(1, want.Statistics.Steps/20) {
				o.Resume = killAt(t, p, ode.Options{Method: m, Control: o.Control, Checkpoint: o.Checkpoint}, kill)
				got := solve(t, p, o)
				records := want.Values[len(want.Values)-len(got.Values):]
				if fmt.Sprint(got.Y, got.Statistics, got.Values) != fmt.Sprint(want.Y, want.Statistics, records) {
					t.Fatalf("killed after %d steps:\n%v %+v\nuninterrupted:\n%v %+v", kill, got.Y, got.Statistics, want.Y, want.Statistics)
				}
			}
		})
	}
}

func TestForeignStatesAreRefused(t *testing.T) {
	good := ode.State{T: 1, Y: []float64{1, 0}, Step: 0.1, Method: "DormandPrince", Active: "DormandPrince"}
	tests := []struct {
		change func(s *ode.State)
		want   string
	}{
		{func(s *ode.State) { s.Y = s.Y[:1] }, "another run"},
		{func(s *ode.State) { s.Method = "RKC" }, "another run"},
		{func(s *ode.State) { s.Active = "RKC" }, "another run"},
		{func(s *ode.State) { s.T = -1 }, "outside the interval"},
		{func(s *ode.State) { s.Step = 0 }, "damaged"},
	}
	for i, test := range tests {
		s := good.Clone()
		test.change(s)
		_, err := ode.Solve(context.Background(), oscillator(10), ode.Options{Method: ode.DormandPrince{}, Resume: s})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("state %d: error %v, want one with %q", i, err, test.want)
		}
	}
}
