package ode

import (
	"math"
	"testing"
)

// A spectral radius that cannot be estimated is no sign of calm.
func TestAutoStaysStiffWithoutARadius(t *testing.T) {
	s := newSystem(&Problem{
		Derivative: func(dst []float64, _ float64, y []float64) error { dst[0] = math.Sqrt(-math.Abs(y[0])); return nil },
		Initial:    []float64{0},
	}, &Control{Relative: 1e-6})
	d := Auto{}.stepper(s).(*auto)
	d.current = d.stiff
	for d.steps = checkEvery; d.steps <= calmChecks*checkEvery; d.steps += checkEvery {
		if err := d.watchStiff(1); err != nil {
			t.Fatal(err)
		}
	}
	if d.handOver {
		t.Error("the explicit method takes over where the spectral radius is NaN")
	}
}
