package ode

import (
	"math"
	"testing"
)

// A spectral radius that cannot be estimated leaves the explicit methods no chance.
func TestAutoStaysImplicitWithoutARadius(t *testing.T) {
	s := newSystem(&Problem{
		Derivative: func(dst []float64, _ float64, y []float64) error { dst[0] = math.Sqrt(-math.Abs(y[0])); return nil },
		Initial:    []float64{0},
	}, &Control{Relative: 1e-6})
	d := Auto{}.stepper(s).(*auto)
	d.Home, d.Current, d.next = implicit, implicit, implicit
	d.Candidates[implicit] = candidate{Cost: 1000, Progress: 1, Step: 1}
	d.Candidates[explicit].Others, d.Candidates[stabilized].Others = 1e6, 1e6
	if step := d.challenge(explicit, 1); step != 0 || d.next == explicit || d.next == stabilized {
		t.Errorf("method %d has a trial with a step of %v where the spectral radius is NaN", d.next, step)
	}
	if d.Candidates[explicit].Wait != patience {
		t.Errorf("an explicit method that lost its chance waits %v prices, want %v", d.Candidates[explicit].Wait, patience)
	}
}
