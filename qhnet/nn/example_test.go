package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/nn"
)

func ExampleNew() {
	net, err := nn.New(
		nn.Input(1, 28, 28),
		nn.Conv(8, 3, nn.Stride(2), nn.Padding(1), nn.NoBias()),
		nn.BatchNorm(nn.Affine()),
		nn.ReLU(),
		nn.Residual(
			nn.Conv(16, 3, nn.Stride(2), nn.Padding(1)),
			nn.ReLU(),
			nn.Conv(16, 3, nn.Padding(1)),
			nn.Projection(),
		),
		nn.GlobalAveragePool(),
		nn.Dense(10),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(net)
	// Output:
	// layer                     does                                            gives     parameters
	// input                     input                                           1×28×28
	// conv1                     convolution 3×3, stride 2, padding 1, no bias   8×14×14   72
	// norm1                     batch normalization, scale, shift               8×14×14   16
	// relu1                     relu                                            8×14×14
	// block1.conv1              convolution 3×3, stride 2, padding 1            16×7×7    1168
	// block1.relu1              relu                                            16×7×7
	// block1.conv2              convolution 3×3, padding 1                      16×7×7    2320
	// block1.projection.conv1   convolution 1×1, stride 2, no bias              16×7×7    128
	// block1.projection         chain                                           16×7×7    128
	// block1                    residual block                                  16×7×7    3616
	// globalpool1               global average pooling                          16
	// dense1                    dense                                           10        170
	// total                                                                               3874
}

func ExampleNetwork_Bind() {
	net, err := nn.New(nn.Input(2), nn.Dense(2), nn.ReLU(), nn.Dense(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	points := mat.NewDense(2, 2, []float64{1, 2, -1, 1})
	e, err := net.Bind(points)
	if err != nil {
		fmt.Println(err)
		return
	}
	theta := []float64{1, 0, 0, 1, 0, -1, 2, 3, 0.5} // W1, b1, W2, b2
	outputs, err := e.Forward(theta)
	if err != nil {
		fmt.Println(err)
		return
	}
	gradient := make([]float64, len(theta))
	e.Gradient(gradient, []float64{1, 0}) // of the first point's output
	fmt.Println(outputs)
	fmt.Println(gradient)
	// Output:
	// [5.5 0.5]
	// [2 4 3 6 2 3 1 1 1]
}

func ExampleNetwork_Start() {
	net, err := nn.New(nn.Input(4), nn.Dense(100), nn.BatchNorm(nn.Affine()), nn.Dense(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	theta := net.Start(rand.New(rand.NewPCG(1, 2)), nn.Rescaled(0.5, nn.He))
	for _, b := range net.Blocks() {
		fmt.Printf("%-13s %v, starts with %.3f\n", b.Name, b.Shape, b.Of(theta)[0])
	}
	// Output:
	// dense1.weight 100×4, starts with 0.134
	// dense1.bias   100, starts with 0.000
	// norm1.scale   100, starts with 1.000
	// norm1.shift   100, starts with 0.000
	// dense2.weight 1×100, starts with -0.049
	// dense2.bias   1, starts with 0.000
}

// A network with batch normalization is quasi-homogeneous; with stored statistics
// it classifies single points.
func ExampleNetwork_Freeze() {
	net, err := nn.New(nn.Input(1), nn.Dense(1), nn.BatchNorm(), nn.Dense(1, nn.NoBias()))
	if err != nil {
		fmt.Println(err)
		return
	}
	theta := []float64{3, 1, 2}
	frozen, err := net.Freeze(theta, mat.NewDense(4, 1, []float64{-1, -1, 1, 1})) // mean 0, variance 1
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := frozen.Bind(mat.NewDense(1, 1, []float64{0.5}))
	if err != nil {
		fmt.Println(err)
		return
	}
	outputs, err := e.Forward(theta)
	fmt.Println(outputs, err)
	// Output: [1] <nil>
}

// Derivatives in the inputs show how to change a point to change an output.
func ExampleEvaluation_InputGradient() {
	net, err := nn.New(nn.Input(2), nn.Dense(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := net.Bind(mat.NewDense(1, 2, []float64{5, 6}))
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := e.Forward([]float64{3, 4, 0}); err != nil {
		fmt.Println(err)
		return
	}
	dx := mat.NewDense(1, 2, nil)
	e.(*nn.Evaluation).InputGradient(dx, []float64{1})
	fmt.Println(dx.RawRowView(0))
	// Output: [3 4]
}

func ExampleActivation() {
	// h|h| has degree 2, so 2 λ(dense1) + λ(dense2) = 1.
	network, err := nn.New(
		nn.Input(3), nn.Dense(4, nn.NoBias()),
		nn.Activation("signedsquare", 2,
			func(h float64) float64 { return h * math.Abs(h) },
			func(h float64) float64 { return 2 * math.Abs(h) },
			func(h float64) float64 { return math.Copysign(2, h) }),
		nn.Dense(1, nn.NoBias()))
	if err != nil {
		fmt.Println(err)
		return
	}
	rates, err := qhnet.RatesOf(network)
	fmt.Printf("%.3f %v\n", rates.PerBlock(), err)
	// Output: [0.333 0.333] <nil>
}

func ExampleDiagonal() {
	// f(x) = u x1 + v1 v2 v3 x2, rates 1 | 1/3, 1/3, 1/3.
	m := nn.Diagonal(1, 3)
	for _, b := range m.Blocks() {
		fmt.Println(b.Name)
	}
	fmt.Println(m.Coefficients(nil, []float64{5, 2, 3, 4}))
	// Output:
	// x1.factor1
	// x2.factor1
	// x2.factor2
	// x2.factor3
	// [5 24]
}

func ExampleGroups() {
	// The two-ball model f(x) = w_H·x_H + a (w_R·x_R) in the plane.
	m := nn.Groups(
		nn.Group{Name: "H", Coordinates: []int{0}, Depth: 1},
		nn.Group{Name: "R", Coordinates: []int{1}, Depth: 2},
	)
	for _, rule := range m.ScalingRules() {
		fmt.Println(rule.Layer, rule.Coefficients, "=", rule.Total)
	}
	// Output:
	// H [1 0 0] = 1
	// R [0 1 1] = 1
}

func ExampleSaveParameters() {
	folder, err := os.MkdirTemp("", "parameters")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	model, path := nn.Diagonal(1, 2), filepath.Join(folder, "trained")
	if err := nn.SaveParameters(path, model, []float64{5, 2, 3}); err != nil {
		fmt.Println(err)
		return
	}
	theta, err := nn.LoadParameters(path, model)
	fmt.Println(model.Coefficients(nil, theta), err)
	// Output: [5 6] <nil>
}
