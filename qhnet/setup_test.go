package qhnet_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/oracle"
)

func randomVector(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	return v
}

func gaussian(rng *rand.Rand, rows, cols int) *mat.Dense {
	return mat.NewDense(rows, cols, randomVector(rng, rows*cols))
}

func network(t testing.TB, layers ...nn.Layer) *nn.Network {
	t.Helper()
	n, err := nn.New(layers...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func bind(t testing.TB, m qhnet.Model, set dataset.Set) *qhnet.Margins {
	t.Helper()
	margins, err := qhnet.NewMargins(m, set)
	if err != nil {
		t.Fatal(err)
	}
	return margins
}

func bindBalls(t testing.TB, m qhnet.Model, b oracle.TwoBalls) *qhnet.Margins {
	t.Helper()
	margins, err := qhnet.NewBallMargins(m, b.Centers(), b.Radius)
	if err != nil {
		t.Fatal(err)
	}
	return margins
}

func run(t testing.TB, f qhnet.Flow) *qhnet.Trajectory {
	t.Helper()
	tr, err := f.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func mustRates(t testing.TB, m qhnet.Model) *qhnet.Rates {
	t.Helper()
	rates, err := qhnet.RatesOf(m)
	if err != nil {
		t.Fatal(err)
	}
	return rates
}
