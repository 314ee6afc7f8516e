package qhnet_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/oracle"
)

// From a network to its rates, along gradient flow to log(1/L) = 10⁴, and to a
// certificate of what it has become.
func Example() {
	rng := rand.New(rand.NewPCG(1, 2))
	set, _ := dataset.Separable(20, 2, 0.3, rng)
	net, err := nn.New(nn.Input(2), nn.Dense(6), nn.ReLU(), nn.Dense(1))
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
	flow := qhnet.Flow{Margins: margins, Start: net.Start(rng, nn.He), Until: 1e4}
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
	certificate, err := path.Certify(rates, nil)
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
	balls := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}
	model := nn.Diagonal(1, 2) // θ_1 x_1 + θ_2 θ_3 x_2, with rates 1 and 1/2
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
	margins, err := qhnet.NewMargins(nn.Diagonal(1, 1), set)
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
	balls := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.3}
	model := nn.Groups(balls.Groups(1, 2)...)
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

func ExampleAudit() {
	n, err := nn.New(nn.Input(2), nn.Dense(24), nn.ReLU(), nn.Dense(24), nn.ReLU(), nn.Dense(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(qhnet.Audit(n))
	// Output:
	// block          shape  parameters  rate   canonical  conserved with
	// dense1.weight  24×2           48  0 … 1  1/4        dense1.bias, dense2.weight
	// dense1.bias    24             24  0 … 1  1/4        dense1.weight, dense2.weight
	// dense2.weight  24×24         576  0 … 1  1/4        dense1.weight, dense1.bias
	// dense2.bias    24             24  0 … 1  1/2        dense2.weight, dense3.weight
	// dense3.weight  1×24           24  0 … 1  1/2        dense2.weight, dense2.bias
	// dense3.bias    1               1  1      1          -
	// total                        697
	//
	// Quasi-homogeneous, not homogeneous. The admissible rates form a polytope of dimension 2.
	// Gradient flow conserves 2 independent combinations of squared block norms. The highest
	// canonical rate is 1, of dense3.bias. Another admissible choice gives positive rates to
	// dense3.weight, dense3.bias alone.
}

func ExampleRateAudit_Summary() {
	n, err := nn.New(nn.ResNet18(10)...)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(qhnet.Audit(n).Summary())
	// Output:
	// rate   canonical  parameters  blocks
	// 0 … ∞  0            11165760  54 blocks from conv1.weight to block8.conv2.weight
	// 0 … 1  1/2              8192  7 blocks from block7.norm2.scale to dense1.weight
	// 1      1                  10  dense1.bias
	//
	// Quasi-homogeneous, not homogeneous. The admissible rates form a polytope of dimension 32.
	// Gradient flow conserves 32 independent combinations of squared block norms. The highest
	// canonical rate is 1, of dense1.bias. Another admissible choice gives positive rates to
	// dense1.weight, dense1.bias alone.
}
