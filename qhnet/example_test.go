package qhnet_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
)

// From a network to its rates, along gradient flow to log(1/L) = 10⁴, and to a
// certificate of what it has become.
func Example() {
	rng := rand.New(rand.NewPCG(1, 2))
	set, _ := dataset.Separable(20, 2, 0.3, rng)
	net, err := qhnet.NewNetwork(qhnet.Input(2), qhnet.Dense(6), qhnet.ReLU(), qhnet.Dense(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(qhnet.Audit(net))

	margins, err := qhnet.NewMargins(net, set)
	if err != nil {
		fmt.Println(err)
		return
	}
	flow := qhnet.Flow{Margins: margins, Start: net.Start(rng, qhnet.He), Until: 1e4}
	path, err := flow.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	rates, err := qhnet.SurvivingRates(path, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	settings := qhnet.CertificateSettings{Discarded: rates.Discarded()}
	certificate, err := qhnet.Certify(path.Margins(), rates.Expand(), path.Last().Theta, &settings)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("discarded:", rates.Discarded())
	fmt.Println("support vectors:", len(certificate.SupportPoints()))
	fmt.Println("stationary within 1%:", certificate.Fitted.Stationarity < 0.01)
	// Output:
	// block          shape  parameters  rate   canonical  conserved with
	// dense1.weight  6×2            12  0 … 1  1/2        dense1.bias, dense2.weight
	// dense1.bias    6               6  0 … 1  1/2        dense1.weight, dense2.weight
	// dense2.weight  1×6             6  0 … 1  1/2        dense1.weight, dense1.bias
	// dense2.bias    1               1  1      1          -
	// total                         25
	//
	// Quasi-homogeneous, not homogeneous. The admissible rates form a line. Gradient flow
	// conserves one combination of squared block norms. The highest canonical rate is 1, of
	// dense2.bias. Another admissible choice gives positive rates to dense2.weight, dense2.bias
	// alone.
	// discarded: [dense2.bias]
	// support vectors: 3
	// stationary within 1%: true
}

// The symmetric and the asymmetric margin of two balls differ in direction; the
// flow of a model with two rates goes to the asymmetric one.
func ExampleFlow() {
	balls := qhnet.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}
	model := qhnet.Diagonal(1, 2) // θ_1 x_1 + θ_2 θ_3 x_2, with rates 1 and 1/2
	margins, err := qhnet.NewBallMargins(model, balls.Centers(), balls.Radius)
	if err != nil {
		fmt.Println(err)
		return
	}
	path, err := qhnet.Flow{Margins: margins, Start: balls.Start(model, 0.7), Until: 1e8}.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	theta := path.Last().Theta
	fmt.Printf("flow      %.4f\n", theta[1]*theta[2]/theta[0])
	limit := balls.Direction(nil)
	fmt.Printf("limit     %.4f\n", limit[1]/limit[0])
	fmt.Printf("symmetric %.4f\n", balls.Center[1]/balls.Center[0])
	// Output:
	// flow      1.1339
	// limit     1.1339
	// symmetric 0.6000
}

// Steps of a constant size on log L follow the flow far past separability.
func ExampleDescent() {
	set, _ := dataset.Separable(20, 2, 0.3, rand.New(rand.NewPCG(1, 2)))
	margins, err := qhnet.NewMargins(qhnet.Diagonal(1, 1), set)
	if err != nil {
		fmt.Println(err)
		return
	}
	descent := qhnet.Descent{
		Margins:   margins,
		Start:     []float64{0, 0},
		Optimizer: &qhnet.LossScaled{Step: 0.1},
		Steps:     1000,
		Until:     100,
	}
	path, err := descent.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(path.Status, path.Separated != nil, path.Last().LogInverse() >= 100)
	// Output:
	// terminal event true true
}

// The second coordinate alone separates two small balls, so the flow discards the
// first, whose rate is the highest.
func ExampleSurvivingRates() {
	balls := qhnet.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.3}
	model := qhnet.Groups(balls.Groups(1, 2)...)
	margins, err := qhnet.NewBallMargins(model, balls.Centers(), balls.Radius)
	if err != nil {
		fmt.Println(err)
		return
	}
	path, err := qhnet.Flow{Margins: margins, Start: balls.Start(model, 0.7), Until: 1e4}.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	rates, err := qhnet.SurvivingRates(path, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	rate, _ := rates.Max()
	fmt.Println("discarded:", rates.Discarded(), "highest rate of the rest:", rate)
	// Output:
	// discarded: [H.weight] highest rate of the rest: 0.5
}

// A key holds all that determines a result, which is computed once.
func ExampleRemember() {
	folder, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	store := qhnet.Store{Dir: folder}
	type key struct{ Seed uint64 }
	for _, seed := range []uint64{1, 2, 1} {
		value, err := qhnet.Remember(store, "draw", key{seed}, func() (int, error) {
			fmt.Println("computing")
			return rand.New(rand.NewPCG(seed, 0)).IntN(1000), nil
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(seed, value)
	}
	// Output:
	// computing
	// 1 598
	// computing
	// 2 681
	// 1 598
}

// A sweep keeps every result in its store: the second run computes nothing.
func ExampleSweep() {
	folder, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	computed := 0
	sweep := qhnet.Sweep[float64, float64]{
		Name:   "robustness",
		Points: []float64{0.3, 0.6, 0.9},
		Run: func(_ context.Context, radius float64) (float64, error) {
			computed++
			return qhnet.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: radius}.Robustness(), nil
		},
		Store:   qhnet.Store{Dir: folder},
		Workers: 1,
	}
	for range 2 {
		results, err := sweep.All(context.Background())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%.3f, %d computed\n", results, computed)
	}
	// Output:
	// [0.300 0.000 0.245], 3 computed
	// [0.300 0.000 0.245], 3 computed
}

func ExampleSaveParameters() {
	folder, err := os.MkdirTemp("", "parameters")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	model, path := qhnet.Diagonal(1, 2), filepath.Join(folder, "trained")
	if err := qhnet.SaveParameters(path, model, []float64{5, 2, 3}); err != nil {
		fmt.Println(err)
		return
	}
	theta, err := qhnet.LoadParameters(path, model)
	fmt.Println(model.Coefficients(nil, theta), err)
	// Output: [5 6] <nil>
}
