package qhnet_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
)

// digits reads 5,000 handwritten digits, or skips.
func digits(b *testing.B) dataset.Set {
	b.Helper()
	for _, folder := range []dataset.Folder{"../../shared/data", dataset.DefaultFolder()} {
		if _, err := os.Stat(filepath.Join(string(folder), "mnist")); err == nil {
			set, err := folder.MNIST(dataset.Test, 5000)
			if err != nil {
				b.Fatal(err)
			}
			return set.Standardize()
		}
	}
	b.Skipf("MNIST is not on this machine: put it into %s/mnist", dataset.DefaultFolder())
	return dataset.Set{}
}

// digitReader is a perceptron with four hidden layers and no biases.
func digitReader(b *testing.B, normalized bool) *qhnet.Network {
	b.Helper()
	layers := []qhnet.Layer{qhnet.Input(1, 28, 28), qhnet.Flatten()}
	for _, units := range []int{128, 128, 128, 32} {
		layers = append(layers, qhnet.Dense(units, qhnet.NoBias()))
		if normalized {
			layers = append(layers, qhnet.RMSNorm())
		}
		if units > 32 || !normalized {
			layers = append(layers, qhnet.ReLU())
		}
	}
	network, err := qhnet.NewNetwork(append(layers, qhnet.Dense(10, qhnet.NoBias()))...)
	if err != nil {
		b.Fatal(err)
	}
	return network
}

// BenchmarkCollapseOfMNIST trains on 5,000 real digits, first by Adam on batches
// until all are classified correctly, then by loss-scaled gradient descent on all,
// and reports where collapse and margin end. Run it with -benchtime 1x.
func BenchmarkCollapseOfMNIST(b *testing.B) {
	set := digits(b)
	for name, normalized := range map[string]bool{"normalized": true, "plain": false} {
		b.Run(name, func(b *testing.B) {
			network := digitReader(b, normalized)
			meter, err := qhnet.NewCollapseMeter(network, set)
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
func trainDigits(b *testing.B, network *qhnet.Network, set dataset.Set) (stages [2]*qhnet.Trajectory) {
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
	start := network.Start(rng, qhnet.Rescaled(0.5, qhnet.He))
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

func reportCollapse(b *testing.B, first, last qhnet.CollapsePoint) {
	b.Logf("log(1/L) = %.2f, q_min/‖W‖ from %.3f to %.3f\n%v%v", last.LogInverse, first.Margin, last.Margin, first.Collapse, last.Collapse)
	b.ReportMetric(first.NC1/last.NC1, "NC1-fall")
	b.ReportMetric(last.MeanETF, "NC2")
	b.ReportMetric(last.NC3, "NC3")
	b.ReportMetric(last.Margin, "margin")
}
