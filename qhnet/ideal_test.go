package qhnet_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
)

func ExampleIdealProblem() {
	ideal := qhnet.IdealProblem{Classes: 4, PerClass: 2, Features: 6, Normalization: qhnet.RMSNorm()}
	network, err := ideal.Network()
	if err != nil {
		fmt.Println(err)
		return
	}
	theta, _ := ideal.Collapsed()
	meter, _ := qhnet.NewCollapseMeter(network, ideal.Set())
	collapse, _ := meter.At(theta)
	fmt.Printf("1/‖W‖ = %.6f\n", 1/mat.Norm(meter.Classifier(theta), 2))
	fmt.Println("an ETF:", collapse.MeanETF < 1e-12, collapse.WeightETF < 1e-12)
	// Output:
	// 1/‖W‖ = 1.632993
	// an ETF: true true
}

// idealProblems are those with a closed form, with the value of ‖W‖²_F.
func idealProblems() map[string]struct {
	qhnet.IdealProblem
	weight float64
} {
	type entry = struct {
		qhnet.IdealProblem
		weight float64
	}
	all := map[string]entry{}
	for _, classes := range []int{2, 3, 4, 7, 10} {
		for _, extra := range []int{0, 3} {
			for name, layer := range map[string]qhnet.Layer{
				"batch": qhnet.BatchNorm(), "layer": qhnet.LayerNorm(), "RMS": qhnet.RMSNorm(),
				"batch, scale": qhnet.BatchNorm(qhnet.WithScale()), "RMS, scale": qhnet.RMSNorm(qhnet.WithScale()),
				"none": nil,
			} {
				d := classes - 1 + extra
				if name == "layer" {
					d++
				}
				c := float64(classes)
				p := qhnet.IdealProblem{Classes: classes, PerClass: 3, Features: d, Normalization: layer, Bias: extra == 0}
				weight := (c - 1) * (c - 1) / (c * float64(d))
				switch name {
				case "batch, scale":
					weight = (c - 1) / math.Sqrt(c)
				case "RMS, scale":
					weight = math.Pow(c-1, 1.5) / math.Sqrt(c*float64(d))
				case "none":
					weight = (c - 1) * math.Sqrt(3)
				}
				all[fmt.Sprintf("%s, C=%d, d=%d", name, classes, d)] = entry{p, weight}
			}
		}
	}
	return all
}

func TestCollapsedPointsOfTheIdealProblem(t *testing.T) {
	for name, p := range idealProblems() {
		t.Run(name, func(t *testing.T) {
			network, err := p.Network()
			if err != nil {
				t.Fatal(err)
			}
			theta, err := p.Collapsed()
			if err != nil {
				t.Fatal(err)
			}
			margins, err := qhnet.NewMargins(network, p.Set())
			if err != nil {
				t.Fatal(err)
			}
			q, err := margins.Forward(theta)
			if err != nil {
				t.Fatal(err)
			}
			// Sums of at most d = 13 products: some 1e-15.
			const rounding = 1e-13
			if math.Abs(floats.Min(q)-1) > rounding || math.Abs(floats.Max(q)-1) > rounding {
				t.Errorf("margins from %v to %v, want 1", floats.Min(q), floats.Max(q))
			}
			meter, err := qhnet.NewCollapseMeter(network, p.Set())
			if err != nil {
				t.Fatal(err)
			}
			if got := math.Pow(mat.Norm(meter.Classifier(theta), 2), 2); math.Abs(got-p.weight) > rounding*p.weight {
				t.Errorf("‖W‖² = %v, want %v", got, p.weight)
			}
			collapse, err := meter.At(theta)
			if err != nil {
				t.Fatal(err)
			}
			for metric, v := range metricsOf(collapse) {
				if !(v < 1e-12) {
					t.Errorf("%s = %g", metric, v)
				}
			}
		})
	}
}

// At a solution the gradient of the objective must lie in the cone of the
// margins' gradients; by the symmetry of the classes all multipliers are equal.
func TestCollapsedPointsAreStationary(t *testing.T) {
	for name, p := range idealProblems() {
		network, err := p.Network()
		if err != nil {
			t.Fatal(err)
		}
		theta, err := p.Collapsed()
		if err != nil {
			t.Fatal(err)
		}
		margins, err := qhnet.NewMargins(network, p.Set())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := margins.Forward(theta); err != nil {
			t.Fatal(err)
		}
		total := make([]float64, len(theta))
		equal := make([]float64, margins.Len())
		for i := range equal {
			equal[i] = 1 / float64(len(equal))
		}
		margins.Gradient(total, equal)
		objective := make([]float64, len(theta))
		for _, b := range network.Blocks() {
			weighted := b.Name == "classifier.weight" || b.Name == "normalization.scale" || p.Normalization == nil
			if weighted && b.Name != "classifier.bias" {
				copy(b.Of(objective), b.Of(theta))
			}
		}
		// Σ λ θ·∇q = q = 1 fixes the multiplier: ‖objective‖² λ_max = μ.
		mu := floats.Dot(objective, objective) / floats.Dot(objective, total)
		floats.AddScaled(objective, -mu, total)
		if residual := floats.Norm(objective, 2) / floats.Norm(theta, 2); residual > 1e-13 {
			t.Errorf("%s: stationarity %g", name, residual)
		}
	}
}

func TestIdealProblemErrors(t *testing.T) {
	for want, p := range map[string]qhnet.IdealProblem{
		"1 classes of 2 points":                     {Classes: 1, PerClass: 2, Features: 3},
		"2 classes of 0 points":                     {Classes: 2, Features: 3},
		"2 features have no room for the ETF of 4":  {Classes: 4, PerClass: 2, Features: 2},
		"3 features have no room for the ETF of 4 ": {Classes: 4, PerClass: 2, Features: 3, Normalization: qhnet.LayerNorm()},
		"sum to zero do not collapse":               {Classes: 3, PerClass: 2, Features: 4, Normalization: qhnet.LayerNorm(qhnet.WithScale())},
		"no closed form":                            {Classes: 3, PerClass: 2, Features: 4, Normalization: qhnet.BatchNorm(qhnet.Affine())},
	} {
		_, err := p.Collapsed()
		wantError(t, want, err)
	}
}
