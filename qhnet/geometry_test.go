package qhnet_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"pgregory.net/rapid"

	"qhlab/qhnet"
	"qhlab/qhnet/nn"
)

func ExampleNormalize() {
	// Parameters u of rate 1 and v, w of rate 1/2. From (8, 4, 4) the curve runs back
	// through (8 e^{-τ}, 4 e^{-τ/2}, 4 e^{-τ/2}) to the ellipsoid u² + (v² + w²)/2 = 1.
	rates, err := qhnet.RatesOf(nn.Diagonal(1, 2)) // f(x) = u x_1 + v w x_2
	if err != nil {
		fmt.Println(err)
		return
	}
	hat, tau, err := qhnet.Normalize(nil, rates, []float64{8, 4, 4})
	fmt.Printf("τ = %.4f, θ̂ = %.4f, ‖θ̂‖ = %.4f, error %v\n", tau, hat, qhnet.Seminorm(rates, hat), err)
	// Output: τ = 2.9608, θ̂ = [0.4142 0.9102 0.9102], ‖θ̂‖ = 1.0000, error <nil>
}

func ExampleRescale() {
	model := nn.Diagonal(1, 2) // rates 1 and 1/2, 1/2
	rates, err := qhnet.RatesOf(model)
	if err != nil {
		fmt.Println(err)
		return
	}
	theta := []float64{3, 1, 2}
	moved := qhnet.Rescale(nil, math.Log(4), rates, theta)
	fmt.Printf("%.4f\n", moved)
	fmt.Printf("%.4f becomes %.4f\n", model.Coefficients(nil, theta), model.Coefficients(nil, moved))
	// Output:
	// [12.0000 2.0000 4.0000]
	// [3.0000 2.0000] becomes [12.0000 8.0000]
}

// TestNormalizedTimeHomogeneous uses the closed form e^τ = (‖θ‖/√L)^L of
// Λ = I/L, a few roundings of log away.
func TestNormalizedTimeHomogeneous(t *testing.T) {
	for _, degree := range []float64{1, 2, 3, 10} {
		theta := []float64{3, -4, 12}
		rates := qhnet.Diag(1/degree, 1/degree, 1/degree)
		tau, err := qhnet.NormalizedTime(rates, theta)
		want := degree * math.Log(13/math.Sqrt(degree))
		if err != nil || math.Abs(tau-want) > 1e-14*degree {
			t.Errorf("degree %v: τ = %v, %v, want %v", degree, tau, err, want)
		}
	}
}

// TestNormalizedTimeTwoRates uses the quadratic z² + z/2·y² = 1 in z = e^{-τ}.
func TestNormalizedTimeTwoRates(t *testing.T) {
	x, y := 8.0, 4.0
	z := (-y*y/2 + math.Sqrt(y*y*y*y/4+4*x*x)) / (2 * x * x)
	tau, err := qhnet.NormalizedTime(qhnet.Diag(1, 0.5), []float64{x, y})
	if want := -math.Log(z); err != nil || math.Abs(tau-want) > 1e-14 {
		t.Errorf("τ = %v, %v, want %v", tau, err, want)
	}
}

// TestNormalizedTimeFar moves along a curve by up to a million. Rates are small
// enough for the moved parameters to be finite; τ must move by α, with the
// relative accuracy of a logarithm.
func TestNormalizedTimeFar(t *testing.T) {
	rates := qhnet.Diag(4e-4, 4e-4, 1e-4, 0)
	theta := []float64{1, -2, 3, 5}
	start, err := qhnet.NormalizedTime(rates, theta)
	if err != nil {
		t.Fatal(err)
	}
	for _, alpha := range []float64{1e6, -1e6, 1e5, -1e3, 1} {
		moved := qhnet.Rescale(nil, alpha, rates, theta)
		hat, tau, err := qhnet.Normalize(nil, rates, moved)
		if err != nil || math.Abs(tau-start-alpha) > 1e-12*math.Abs(alpha)+1e-9 {
			t.Errorf("α = %g: τ moved by %v, error %v", alpha, tau-start, err)
		}
		if n := qhnet.Seminorm(rates, hat); math.Abs(n-1) > 1e-11 {
			t.Errorf("α = %g: ‖θ̂‖_Λ = %v, want 1", alpha, n)
		}
	}
}

// TestNormalizeExtremeRates has exponents |τ|λ of 1e6 and more: the parameter of
// the small rate sets τ, the others must go to 0 and not to NaN or infinity.
func TestNormalizeExtremeRates(t *testing.T) {
	for _, theta := range [][]float64{{1, 1e100}, {0, 1e300}, {1e-300, 1e-300}, {5e-324, 1e308}, {-1e308, 1}} {
		rates := qhnet.Diag(1, 1e-4)
		hat, tau, err := qhnet.Normalize(nil, rates, theta)
		if err != nil {
			t.Errorf("θ = %v: %v", theta, err)
			continue
		}
		if n := qhnet.Seminorm(rates, hat); math.Abs(n-1) > 1e-9 {
			t.Errorf("θ = %v: τ = %v, θ̂ = %v, ‖θ̂‖_Λ = %v", theta, tau, hat, n)
		}
	}
}

func TestNormalizeErrors(t *testing.T) {
	for _, theta := range [][]float64{{0, 5}, {math.NaN(), 1}, {math.Inf(1), 1}} {
		if _, _, err := qhnet.Normalize(nil, qhnet.Diag(1, 0), theta); err == nil {
			t.Errorf("no error at θ = %v", theta)
		}
	}
}

// TestNormalizedTimeProperty: on any curve, τ(ψ_α θ) = τ(θ) + α and θ̂ is the
// same point. Rates span four decades, parameters ten. τ itself is found to a
// few ulps of the largest exponent, 1e-12 of its size.
func TestNormalizedTimeProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		lambda, theta := make([]float64, n), make([]float64, n)
		for i := range n {
			lambda[i] = math.Pow(10, rapid.Float64Range(-3, 1).Draw(t, "log rate"))
			theta[i] = math.Pow(10, rapid.Float64Range(-5, 5).Draw(t, "log θ"))
		}
		alpha := rapid.Float64Range(-20, 20).Draw(t, "α")
		rates := qhnet.Diag(lambda...)
		hat, tau, err := qhnet.Normalize(nil, rates, theta)
		if err != nil {
			t.Fatal(err)
		}
		again, moved, err := qhnet.Normalize(nil, rates, qhnet.Rescale(nil, alpha, rates, theta))
		if err != nil {
			t.Fatal(err)
		}
		tol := 1e-12 * (1 + math.Abs(tau) + math.Abs(alpha))
		if math.Abs(moved-tau-alpha) > tol {
			t.Errorf("τ moved by %v, want %v", moved-tau, alpha)
		}
		if !floats.EqualApprox(hat, again, 20*tol) { // θ̂_i changes by λ_i θ̂_i dτ, λ ≤ 10
			t.Errorf("θ̂ differs along the curve: %v and %v", hat, again)
		}
	})
}

func TestSeminorms(t *testing.T) {
	rates, theta := qhnet.Diag(1, 0.5, 1, 0), []float64{1, 2, 3, 100}
	if got, want := qhnet.Seminorm(rates, theta), math.Sqrt(1+2+9); math.Abs(got-want) > 1e-15*want {
		t.Errorf("‖θ‖_Λ = %v, want %v", got, want)
	}
	if got, want := qhnet.MaxSeminorm(rates, theta), math.Sqrt(10); math.Abs(got-want) > 1e-15*want {
		t.Errorf("‖θ‖_Λmax = %v, want %v", got, want)
	}
	if got := qhnet.Seminorm(rates, []float64{1e200, 0, 1e200, 1}); got != math.Hypot(1e200, 1e200) {
		t.Errorf("‖θ‖_Λ = %v overflows", got)
	}
	rates = qhnet.Diag(1, 0.5, math.Nextafter(1, 0), 0) // as rounding leaves rates that are equal as fractions
	if got, want := qhnet.MaxSeminorm(rates, theta), math.Sqrt(10); math.Abs(got-want) > 1e-15*want {
		t.Errorf("‖θ‖_Λmax = %v, want %v", got, want)
	}
}

func TestCurveTangent(t *testing.T) {
	rates, theta := qhnet.Diag(1, 0.5, 0), []float64{2, -3, 4}
	const h = 1e-6 // truncation h²/6, rounding 1e-16/h
	points := qhnet.Curve([]float64{-h, h}, rates, theta)
	lambda := rates.PerParameter()
	for i := range theta {
		slope := (points.At(1, i) - points.At(0, i)) / (2 * h)
		if want := lambda[i] * theta[i]; math.Abs(slope-want) > 1e-9 {
			t.Errorf("tangent %d is %v, want λθ = %v", i, slope, want)
		}
	}
}

// TestProductScaling checks the definition and Euler's identity on algebraic
// models, for the canonical rates and random admissible ones.
func TestProductScaling(t *testing.T) {
	for name, model := range map[string]*nn.Product{
		"linear":       nn.Diagonal(1, 1, 1),
		"depths 1 2 3": nn.Diagonal(1, 2, 3),
		"depth 6":      nn.Diagonal(6),
		"w1 w2 x + b":  nn.Diagonal(2).WithBias(),
		"two balls":    nn.Groups(nn.Group{Coordinates: []int{0}, Depth: 1}, nn.Group{Coordinates: []int{1}, Depth: 2}),
		"vector times scalars": nn.Groups(
			nn.Group{Coordinates: []int{3, 0}, Depth: 3}, nn.Group{Coordinates: []int{1, 4, 2}, Depth: 2}).WithBias(),
		"elementwise": nn.Groups(
			nn.Group{Coordinates: []int{3, 0}, Depth: 3, Elementwise: true}, nn.Group{Coordinates: []int{1, 2}, Depth: 1}),
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(5, 6))
			e, err := model.Bind(gaussian(rng, 4, model.Inputs()))
			if err != nil {
				t.Fatal(err)
			}
			checkScaling(t, mustRates(t, model), e, rng)
		})
	}
}

// checkScaling checks f(ψ_α θ) = e^α f(θ) and Euler's identity for the
// canonical and for random rates, to 1e-12 relative: rounding alone, through at
// most a few thousand operations.
func checkScaling(t *testing.T, rates *qhnet.Rates, e qhnet.Evaluation, rng *rand.Rand) {
	t.Helper()
	choices := []*qhnet.Rates{rates}
	for range 5 {
		choices = append(choices, rates.Random(rng))
	}
	for _, choice := range choices {
		if _, err := rates.Choose(choice.PerBlock()); err != nil {
			t.Error(err)
		}
		theta := randomVector(rng, len(rates.PerParameter()))
		alpha := 6*rng.Float64() - 3
		if r, err := qhnet.ScalingResidual(e, alpha, choice, theta); err != nil || r > 1e-12 {
			t.Errorf("rates %v: f(ψ_α θ) misses e^α f(θ) by %v, error %v", choice.PerBlock(), r, err)
		}
		if r, err := qhnet.EulerResidual(e, choice, theta); err != nil || r > 1e-12 {
			t.Errorf("rates %v: Euler's identity is missed by %v, error %v", choice.PerBlock(), r, err)
		}
	}
}

func BenchmarkNormalizedTime(b *testing.B) {
	for _, m := range []int{10, 1000, 100000} {
		b.Run(fmt.Sprintf("m=%d", m), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			lambda, theta := make([]float64, m), randomVector(rng, m)
			for i := range lambda {
				lambda[i] = 1 / float64(1+3*i/m)
			}
			rates := qhnet.Diag(lambda...)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := qhnet.NormalizedTime(rates, theta); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
