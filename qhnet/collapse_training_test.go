package qhnet_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
)

// collapsing is a network with a normalization before its classifier, in the
// three families that the literature trains to collapse.
func collapsing(family string, outputs int) []qhnet.Layer {
	switch family {
	case "perceptron":
		return []qhnet.Layer{
			qhnet.Input(1, 12, 12), qhnet.Flatten(),
			qhnet.Dense(32, qhnet.NoBias()), qhnet.RMSNorm(), qhnet.ReLU(),
			qhnet.Dense(16, qhnet.NoBias()), qhnet.RMSNorm(), qhnet.Dense(outputs, qhnet.NoBias())}
	case "convolutional":
		return []qhnet.Layer{
			qhnet.Input(1, 12, 12),
			qhnet.Conv(6, 3, qhnet.NoBias()), qhnet.BatchNorm(), qhnet.ReLU(), qhnet.MaxPool(2), qhnet.Flatten(),
			qhnet.Dense(16, qhnet.NoBias()), qhnet.BatchNorm(), qhnet.Dense(outputs, qhnet.NoBias())}
	default:
		return []qhnet.Layer{
			qhnet.Input(1, 12, 12), qhnet.Flatten(), qhnet.Dense(24, qhnet.NoBias()), qhnet.LayerNorm(),
			qhnet.Residual(qhnet.Dense(24, qhnet.NoBias()), qhnet.LayerNorm(), qhnet.ReLU(), qhnet.Dense(24, qhnet.NoBias()), qhnet.LayerNorm()),
			qhnet.ReLU(), qhnet.Dense(16, qhnet.NoBias()), qhnet.LayerNorm(), qhnet.Dense(outputs, qhnet.NoBias())}
	}
}

// trainToCollapse takes loss-scaled steps of gradient descent on rendered
// letters.
func trainToCollapse(t *testing.T, family string, steps int) []qhnet.CollapsePoint {
	t.Helper()
	rng := rand.New(rand.NewPCG(2, 0))
	set, err := dataset.Glyphs{Characters: "ABCD", PerClass: 15, Size: 12}.Sample(rng)
	if err != nil {
		t.Fatal(err)
	}
	set = set.Standardize()
	network, err := qhnet.NewNetwork(collapsing(family, set.Classes)...)
	if err != nil {
		t.Fatal(err)
	}
	margins, err := qhnet.NewMargins(network, set)
	if err != nil {
		t.Fatal(err)
	}
	trajectory, err := qhnet.Descent{
		Margins: margins, Start: network.Start(rng, qhnet.Rescaled(0.3, qhnet.He)), Loss: qhnet.Logistic{},
		Optimizer: &qhnet.LossScaled{Step: 0.1}, Steps: steps, PerDecade: 5,
	}.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	meter, err := qhnet.NewCollapseMeter(network, set)
	if err != nil {
		t.Fatal(err)
	}
	history, err := meter.History(context.Background(), trajectory)
	if err != nil {
		t.Fatal(err)
	}
	return history
}

func TestNetworksCollapse(t *testing.T) {
	for _, family := range []string{"perceptron", "convolutional", "residual"} {
		t.Run(family, func(t *testing.T) {
			history := trainToCollapse(t, family, 400)
			first, last := history[0], history[len(history)-1]
			t.Logf("from\n%vto margin %.3f\n%v", first.Collapse, last.Margin, last.Collapse)
			if last.LogInverse < 5 || last.NC4 != 0 || !(last.Margin > 0) {
				t.Fatalf("not trained past separation: log(1/L) = %v, NC4 = %v, margin %v", last.LogInverse, last.NC4, last.Margin)
			}
			if !(last.NC1 < first.NC1/50) {
				t.Errorf("NC1 went from %g to %g", first.NC1, last.NC1)
			}
			if !(last.MeanETF < first.MeanETF/3) || !(last.NC3 < first.NC3/10) {
				t.Errorf("NC2 went from %g to %g, NC3 from %g to %g", first.MeanETF, last.MeanETF, first.NC3, last.NC3)
			}
		})
	}
}

func TestTrainingToCollapseDependsOnTheSeedAlone(t *testing.T) {
	a, b := trainToCollapse(t, "perceptron", 50), trainToCollapse(t, "perceptron", 50)
	if !slices.Equal(a, b) {
		t.Error("two trainings from the same seed differ")
	}
}
