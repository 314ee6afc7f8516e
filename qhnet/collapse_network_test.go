package qhnet_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
)

func threePoints() dataset.Set {
	return dataset.Set{Name: "three", X: mat.NewDense(3, 3, []float64{1, 0, 0, 0, 1, 0, 0, 0, 1}), Labels: []int{0, 1, 2}, Classes: 3}
}

func TestCollapseMeterRefuses(t *testing.T) {
	for want, layers := range map[string][]qhnet.Layer{
		"the last layer, input, must be Dense":  {qhnet.Input(3)},
		"the last layer, dense1, must be Dense": {qhnet.Input(3), qhnet.Dense(3)},
		"the last layer, relu1, must be Dense":  {qhnet.Input(3), qhnet.Dense(3), qhnet.ReLU()},
		"2 outputs for 3 classes":               {qhnet.Input(3), qhnet.Dense(4), qhnet.Dense(2)},
	} {
		if _, err := qhnet.NewCollapseMeter(network(t, layers...), threePoints()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// The points measured before an error are returned with it.
func TestCollapseHistoryStops(t *testing.T) {
	n := network(t, qhnet.Input(3), qhnet.Dense(4), qhnet.ReLU(), qhnet.Dense(3))
	meter, err := qhnet.NewCollapseMeter(n, threePoints())
	if err != nil {
		t.Fatal(err)
	}
	theta := n.Start(rand.New(rand.NewPCG(51, 5)), qhnet.He)
	tr := &qhnet.Trajectory{Points: []qhnet.Point{{Theta: theta}, {Theta: make([]float64, len(theta))}, {Theta: theta}}}
	history, err := meter.History(context.Background(), tr)
	if err == nil || !strings.Contains(err.Error(), "at point 1 of 3") || len(history) != 1 {
		t.Errorf("class means that coincide: %d points, %v", len(history), err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if history, err := meter.History(ctx, tr); !errors.Is(err, context.Canceled) || len(history) != 0 {
		t.Errorf("a cancelled history: %d points, %v", len(history), err)
	}
}
