package experiment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"qhlab/qhnet"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/store"
)

func TestAnExperimentMergesWhatItsShardsComputed(t *testing.T) {
	e, err := Find(store.Store{Dir: t.TempDir()}, "visibility")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Merge(&bytes.Buffer{}); err == nil {
		t.Error("merged an empty store")
	}
	for shard := range 2 {
		if err := e.Shard(context.Background(), shard, 2, 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	var merged bytes.Buffer
	if err := e.Merge(&merged); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(merged.String(), "\n"); lines != e.Points {
		t.Errorf("%d lines for %d points", lines, e.Points)
	}
}

func TestFindListsTheNames(t *testing.T) {
	_, err := Find(store.Store{}, "rate gap")
	if err == nil || !strings.Contains(err.Error(), "rate-gap, visibility, needed-bias") {
		t.Errorf("got %v", err)
	}
}

// At depths 1 and 4 the last errors, 1e-12, are near rounding; at 3 and 4 a
// correction to the law has not died out at log(1/L) = 1e2, where the fit begins.
func TestRateGapFollowsTheLaw(t *testing.T) {
	results, err := RateGap(store.Store{Dir: t.TempDir()}).All(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range RateGap(store.Store{}).Points {
		if miss := math.Abs(results[i].Slope - p.Law()); miss > 0.05 {
			t.Errorf("%+v: slope %.3f, law %.3f", p, results[i].Slope, p.Law())
		}
	}
}

// From 10% to 1% the law needs a factor 10^{1/(2Δλ)} of log(1/L); what is left
// at 10% of corrections to it is a few per cent.
func TestVisibilityFollowsTheLaw(t *testing.T) {
	for _, p := range []VisibilityPoint{{1, 0.3}, {1, 0.4}, {0.7, 0.28}, {0.4, 0.2}} {
		r, err := visibility(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		if got, law := math.Log10(r.Hundredth/r.Tenth), 1/(2*p.Gap); math.Abs(got/law-1) > 0.05 {
			t.Errorf("%+v: from 10%% to 1%% takes a factor 10^%.3f, the law says 10^%.3f", p, got, law)
		}
	}
}

// Two support vectors at each of six angles compete: at log(1/L) = 1e3 the bias
// is off by a few 1/log(1/L).
func TestNeededBiasIsFound(t *testing.T) {
	for _, p := range []NeededBiasPoint{{2, 6, 0}, {3, 4, 2}} {
		r, err := neededBias(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Separated || math.Abs(r.Bias+3) > 2e-3 {
			t.Errorf("%+v: %+v, want the bias -3", p, r)
		}
	}
}

func TestRingsNeedTheBias(t *testing.T) {
	network, err := nn.New(nn.Input(2), nn.Dense(8, nn.NoBias()), nn.ReLU(), nn.Dense(1, nn.NoBias()))
	if err != nil {
		t.Fatal(err)
	}
	margins, err := qhnet.NewMargins(network, Rings(6))
	if err != nil {
		t.Fatal(err)
	}
	start := network.Start(rand.New(rand.NewPCG(3, 3)), nn.He)
	_, err = qhnet.Flow{Margins: margins, Start: start, Until: 10}.Run(context.Background())
	if failed := new(qhnet.NotSeparatedError); !errors.As(err, &failed) {
		t.Errorf("got %v, want a flow that cannot separate the rings", err)
	}
}

func ExampleRateGap() {
	sweep := RateGap(store.Store{})
	fmt.Println(len(sweep.Points), "points, the first", sweep.Points[0], "with law", sweep.Points[0].Law())
	// Output: 24 points, the first {1 2 0} with law -1
}
