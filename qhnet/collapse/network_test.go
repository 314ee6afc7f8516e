package collapse_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"qhlab/qhnet"
	"qhlab/qhnet/collapse"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
)

func network(t testing.TB, layers ...nn.Layer) *nn.Network {
	t.Helper()
	n, err := nn.New(layers...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func threePoints() dataset.Set {
	return dataset.Set{Name: "three", X: mat.NewDense(3, 3, []float64{1, 0, 0, 0, 1, 0, 0, 0, 1}), Labels: []int{0, 1, 2}, Classes: 3}
}

func TestCollapseMeterRefuses(t *testing.T) {
	for want, layers := range map[string][]nn.Layer{
		"the last layer, input, must be Dense":  {nn.Input(3)},
		"the last layer, dense1, must be Dense": {nn.Input(3), nn.Dense(3)},
		"the last layer, relu1, must be Dense":  {nn.Input(3), nn.Dense(3), nn.ReLU()},
		"2 outputs for 3 classes":               {nn.Input(3), nn.Dense(4), nn.Dense(2)},
	} {
		if _, err := collapse.NewMeter(network(t, layers...), threePoints()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// The points measured before an error are returned with it.
func TestCollapseHistoryStops(t *testing.T) {
	n := network(t, nn.Input(3), nn.Dense(4), nn.ReLU(), nn.Dense(3))
	meter, err := collapse.NewMeter(n, threePoints())
	if err != nil {
		t.Fatal(err)
	}
	theta := n.Start(rand.New(rand.NewPCG(51, 5)), nn.He)
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

// Metrics depend on the layers and not on what they are called.
func TestMetricsDoNotDependOnNames(t *testing.T) {
	set := fewDigits(t, 3)
	rapid.Check(t, func(rt *rapid.T) {
		family := rapid.SampledFrom([]string{"perceptron", "convolutional", "residual"}).Draw(rt, "family")
		layers := collapsing(family, 4)
		renamed := slices.Clone(layers)
		for i := range layers[1:] {
			name := rapid.SampledFrom([]string{"concatenation", "norm1", "dense1.weight", "branch1", "classifier.bias", "a.b"}).Draw(rt, "name")
			renamed[i+1] = nn.Named(name+strings.Repeat(".x", i), layers[i+1])
		}
		var metrics [2]collapse.Metrics
		for i, l := range [][]nn.Layer{layers, renamed} {
			n, err := nn.New(l...)
			if err != nil {
				rt.Fatal(err)
			}
			meter, err := collapse.NewMeter(n, set)
			if err != nil {
				rt.Fatal(err)
			}
			if metrics[i], err = meter.At(n.Start(rand.New(rand.NewPCG(4, 0)), nn.He)); err != nil {
				rt.Fatal(err)
			}
		}
		if metrics[0] != metrics[1] {
			rt.Errorf("by automatic names\n%vby others\n%v", metrics[0], metrics[1])
		}
	})
}

// collapsing is a network with a normalization before its classifier, in the
// three families that the literature trains to collapse.
func collapsing(family string, outputs int) []nn.Layer {
	switch family {
	case "perceptron":
		return []nn.Layer{
			nn.Input(1, 14, 14), nn.Flatten(),
			nn.Dense(32, nn.NoBias()), nn.RMSNorm(), nn.ReLU(),
			nn.Dense(16, nn.NoBias()), nn.RMSNorm(), nn.Dense(outputs, nn.NoBias())}
	case "convolutional":
		return []nn.Layer{
			nn.Input(1, 14, 14),
			nn.Conv(6, 3, nn.NoBias()), nn.BatchNorm(), nn.ReLU(), nn.MaxPool(2), nn.Flatten(),
			nn.Dense(16, nn.NoBias()), nn.BatchNorm(), nn.Dense(outputs, nn.NoBias())}
	default:
		return []nn.Layer{
			nn.Input(1, 14, 14), nn.Flatten(), nn.Dense(24, nn.NoBias()), nn.LayerNorm(),
			nn.Residual(nn.Dense(24, nn.NoBias()), nn.LayerNorm(), nn.ReLU(), nn.Dense(24, nn.NoBias()), nn.LayerNorm()),
			nn.ReLU(), nn.Dense(16, nn.NoBias()), nn.LayerNorm(), nn.Dense(outputs, nn.NoBias())}
	}
}

// fewDigits returns the first handwritten zeros to threes.
func fewDigits(t *testing.T, perClass int) dataset.Set {
	t.Helper()
	all, err := dataset.MNIST(dataset.Test)
	if err != nil {
		t.Fatal(err)
	}
	set, err := all.Only(0, 1, 2, 3).Balance(perClass)
	if err != nil {
		t.Fatal(err)
	}
	return set.Pool(2)
}

// trainToCollapse takes loss-scaled steps of gradient descent on handwritten
// digits.
func trainToCollapse(t *testing.T, family string, steps int) []collapse.Snapshot {
	t.Helper()
	rng := rand.New(rand.NewPCG(2, 0))
	set := fewDigits(t, 15).Standardize()
	network := network(t, collapsing(family, set.Classes)...)
	margins, err := qhnet.NewMargins(network, set)
	if err != nil {
		t.Fatal(err)
	}
	trajectory, err := qhnet.Descent{
		Margins: margins, Start: network.Start(rng, nn.Rescaled(0.3, nn.He)), Loss: qhnet.Logistic{},
		Optimizer: &qhnet.LossScaled{Step: 0.1}, Steps: steps, PerDecade: 5,
	}.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	meter, err := collapse.NewMeter(network, set)
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
			t.Logf("from\n%vto margin %.3f\n%v", first.Metrics, last.Margin, last.Metrics)
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

// digits reads 5,000 handwritten digits.
func digits(b *testing.B) dataset.Set {
	b.Helper()
	set, err := dataset.MNIST(dataset.Test)
	if err != nil {
		b.Fatal(err)
	}
	set, _ = set.Split(5000)
	return set.Standardize()
}

// digitReader is a perceptron with four hidden layers and no biases.
func digitReader(b *testing.B, normalized bool) *nn.Network {
	b.Helper()
	layers := []nn.Layer{nn.Input(1, 28, 28), nn.Flatten()}
	for _, units := range []int{128, 128, 128, 32} {
		layers = append(layers, nn.Dense(units, nn.NoBias()))
		if normalized {
			layers = append(layers, nn.RMSNorm())
		}
		if units > 32 || !normalized {
			layers = append(layers, nn.ReLU())
		}
	}
	return network(b, append(layers, nn.Dense(10, nn.NoBias()))...)
}

// BenchmarkCollapseOfMNIST trains on 5,000 real digits, first by Adam on batches
// until all are classified correctly, then by loss-scaled gradient descent on all,
// and reports where collapse and margin end. Run it with -benchtime 1x.
func BenchmarkCollapseOfMNIST(b *testing.B) {
	set := digits(b)
	for name, normalized := range map[string]bool{"normalized": true, "plain": false} {
		b.Run(name, func(b *testing.B) {
			network := digitReader(b, normalized)
			meter, err := collapse.NewMeter(network, set)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				paths := trainDigits(b, network, set)
				first, _ := meter.History(context.Background(), paths[0])
				last, err := meter.History(context.Background(), paths[1])
				if err != nil {
					b.Fatal(err)
				}
				reportCollapse(b, first[0], last[len(last)-1])
			}
		})
	}
}

// trainDigits returns the two stages of the training.
func trainDigits(b *testing.B, network *nn.Network, set dataset.Set) (stages [2]*qhnet.Trajectory) {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 0))
	margins, err := qhnet.NewMargins(network, set)
	if err != nil {
		b.Fatal(err)
	}
	batches, err := qhnet.Batches(network, set, 500, rng)
	if err != nil {
		b.Fatal(err)
	}
	start := network.Start(rng, nn.Rescaled(0.5, nn.He))
	for i, d := range []qhnet.Descent{
		{Optimizer: &qhnet.Adam{Step: 0.003}, Steps: 2500, Batches: batches},
		{Optimizer: &qhnet.LossScaled{Step: 0.1}, Steps: 400},
	} {
		d.Margins, d.Start, d.Loss, d.PerDecade = margins, start, qhnet.Logistic{}, 3
		if stages[i], err = d.Run(context.Background()); err != nil {
			b.Fatal(err)
		}
		start = stages[i].Last().Theta
	}
	return stages
}

func reportCollapse(b *testing.B, first, last collapse.Snapshot) {
	b.Logf("log(1/L) = %.2f, q_min/‖W‖ from %.3f to %.3f\n%v%v", last.LogInverse, first.Margin, last.Margin, first.Metrics, last.Metrics)
	b.ReportMetric(first.NC1/last.NC1, "NC1-fall")
	b.ReportMetric(last.MeanETF, "NC2")
	b.ReportMetric(last.NC3, "NC3")
	b.ReportMetric(last.Margin, "margin")
}
