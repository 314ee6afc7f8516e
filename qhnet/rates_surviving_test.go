package qhnet

import (
	"context"
	"slices"
	"testing"
)

// TestSurvivingRates finds from trajectories which blocks are discarded.
func TestSurvivingRates(t *testing.T) {
	if testing.Short() {
		t.Skip("flows to log(1/L) = 1e5 take seconds")
	}
	for i, c := range flowCases(t) {
		if i > 0 && c.discarded == nil {
			continue // one case that keeps all its blocks is enough
		}
		tr, err := Flow{Margins: c.margins, Start: c.start, Until: 1e5, Tolerance: 1e-6, MaxSteps: 20000}.Run(context.Background())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		rates, err := SurvivingRates(tr, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := rates.Discarded(); !slices.Equal(got, c.discarded) {
			t.Errorf("%s: discards %v, want %v", c.name, got, c.discarded)
		}
	}
}
