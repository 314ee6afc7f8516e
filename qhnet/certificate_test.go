package qhnet_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/oracle"
)

var exampleBall = oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}

// limitOfBalls returns parameters at the closed-form limit of the two balls,
// f = w_H·x_H + a (w_R·x_R), with the conserved a² = ‖w_R‖².
func limitOfBalls(b oracle.TwoBalls) []float64 {
	beta := b.Direction(nil)
	size := math.Sqrt(beta[1])
	return []float64{beta[0], size, size}
}

// The lower-rate gradients vanish at the limit itself, so the certificate there
// is exact whatever the flow would need to come near.
func TestCertificateAtTheLimit(t *testing.T) {
	model := nn.Groups(exampleBall.Groups(1, 2)...)
	margins := bindBalls(t, model, exampleBall)
	theta := limitOfBalls(exampleBall)
	certify := func(theta []float64) *qhnet.Certificate {
		c, err := qhnet.Certify(margins, mustRates(t, model), theta, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := certify(theta)
	if c.Fitted.Stationarity > 1e-12 || c.Softmax.Stationarity > 1e-12 || c.Fitted.Complementarity > 1e-12 || math.Abs(c.Infeasibility()) > 1e-14 {
		t.Errorf("at the limit:\n%v", c)
	}
	if want := math.Pow(2.123819809, 2) / 2; math.Abs(c.Objective-want) > 1e-8 {
		t.Errorf("objective %v, the cascade says %v", c.Objective, want)
	}
	if !c.Degenerate {
		t.Error("the two balls have opposite centres and labels, hence one gradient, but the multipliers count as unique")
	}
	for i := range theta { // no single parameter may be off by 1% unnoticed
		off := append([]float64(nil), theta...)
		off[i] *= 1.01
		if c := certify(off); c.Fitted.Stationarity < 1e-3 {
			t.Errorf("θ[%d] is off by 1%%, yet\n%v", i, c)
		}
	}
}

func TestCertifyRefuses(t *testing.T) {
	model := nn.Groups(exampleBall.Groups(1, 2)...)
	margins := bindBalls(t, model, exampleBall)
	theta := limitOfBalls(exampleBall)
	// As many parameters with the same rates, but of another model.
	_, err := qhnet.Certify(margins, mustRates(t, nn.Diagonal(1, 2)), theta, nil)
	if err == nil || !strings.Contains(err.Error(), "belong to a model with the blocks [x1.factor1 x2.factor1 x2.factor2], not to one with [H.weight R.weight R.scale1]") {
		t.Errorf("the rates of another model: %v", err)
	}
	rates := mustRates(t, model)
	if _, err := qhnet.Certify(margins, rates, []float64{1, math.NaN(), 1}, nil); err == nil || !strings.Contains(err.Error(), "parameter 0 of R.weight is NaN") {
		t.Errorf("a NaN: %v", err)
	}
	for _, epsilon := range []float64{-1, math.NaN()} {
		if _, err := qhnet.Certify(margins, rates, theta, &qhnet.CertificateSettings{Epsilon: epsilon}); err == nil || !strings.Contains(err.Error(), "Epsilon = ") {
			t.Errorf("Epsilon = %v: %v", epsilon, err)
		}
	}
	// Somewhere on the curve rounding leaves the smallest margin above 1.
	above := 0
	for k := range 100 {
		moved := qhnet.Rescale(nil, float64(k)/7, rates, theta)
		c, err := qhnet.Certify(margins, rates, moved, &qhnet.CertificateSettings{Epsilon: 1e-300})
		if err != nil || len(c.Support) == 0 {
			t.Fatalf("a point with a smallest margin has no support: %v", err)
		}
		if floats.Min(c.Margins) > 1 {
			above++
		}
	}
	if above == 0 {
		t.Error("rounding never left the smallest margin above 1")
	}
	if _, err := qhnet.Certify(margins, rates, []float64{0, 1, 1}, nil); err == nil || !strings.Contains(err.Error(), "no positive margin") {
		t.Errorf("without the needed group: %v", err)
	}
	set := dataset.Set{Name: "four", X: mat.NewDense(4, 2, []float64{1, 0, 2, 0, -1, 0, 3, 0}), Labels: []int{1, 1, 0, 0}, Classes: 2}
	_, err = qhnet.Certify(bind(t, model, set), rates, []float64{1, 1, 1}, nil)
	var none *qhnet.NoMarginError
	if !errors.As(err, &none) || len(none.Points) != 1 || none.Points[0] != 3 || none.Smallest != -3 {
		t.Errorf("a misclassified point 3: %v", err)
	}
}

// A certificate does not depend on where on its characteristic curve θ lies,
// down to margins of 1e30.
func TestCertificateIsInvariantAlongCurves(t *testing.T) {
	model := nn.Groups(exampleBall.Groups(1, 2)...)
	margins := bindBalls(t, model, exampleBall)
	rates := mustRates(t, model)
	theta := limitOfBalls(exampleBall)
	theta[0] *= 1.1
	settings := &qhnet.CertificateSettings{Epsilon: 1e-6}
	want, err := qhnet.Certify(margins, rates, theta, settings)
	if err != nil {
		t.Fatal(err)
	}
	for _, alpha := range []float64{-20, 5, 69} {
		got, err := qhnet.Certify(margins, rates, qhnet.Rescale(nil, alpha, rates, theta), settings)
		if err != nil {
			t.Fatal(err)
		}
		// e^{69} is 1e30; its exponent is rounded to 1e-14.
		if !floats.EqualApprox(got.Theta, want.Theta, 1e-12) || math.Abs(got.Fitted.Stationarity-want.Fitted.Stationarity) > 1e-12 {
			t.Errorf("α = %v:\n%v\nα = 0:\n%v", alpha, got, want)
		}
	}
}

// Discarding H leaves the problem of the rest, r < m2.
func TestCertificateWithoutDiscardedBlocks(t *testing.T) {
	b := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.3}
	model := nn.Groups(b.Groups(1, 2)...)
	margins := bindBalls(t, model, b)
	tr := run(t, qhnet.Flow{Margins: margins, Start: []float64{0.5, 0.6, 0.4}, Until: 1e6, PerDecade: 5})
	rates := mustRates(t, model)
	a, err := qhnet.AssumptionsAlong(tr, rates)
	if err != nil {
		t.Fatal(err)
	}
	if !a.Separated || !a.Converging || a.Needed {
		t.Errorf("H is discarded at r < m2, but the assumptions read\n%v", a)
	}
	c, err := tr.Certify(rates.Without("H.weight"), nil)
	if err != nil {
		t.Fatal(err)
	}
	// What is left, a·w, is homogeneous and on a line: exact up to a² - w² being
	// conserved while both grow like √log(1/L).
	if c.Fitted.Stationarity > 1e-5 || c.MaxRate != 0.5 {
		t.Errorf("the certificate of the rest:\n%v", c)
	}
}

func ExampleCertify() {
	ball := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}
	model := nn.Groups(ball.Groups(1, 2)...)
	margins, _ := qhnet.NewBallMargins(model, ball.Centers(), ball.Radius)
	rates, _ := qhnet.RatesOf(model)
	beta := ball.Direction(nil)
	c, _ := qhnet.Certify(margins, rates, []float64{beta[0], math.Sqrt(beta[1]), math.Sqrt(beta[1])}, nil)
	fmt.Printf("½‖θ̃‖² = %.6f over %v, stationary to 1e-12: %v\n", c.Objective, c.Highest, c.Fitted.Stationarity < 1e-12)
	// Output: ½‖θ̃‖² = 2.255305 over [H.weight], stationary to 1e-12: true
}

func BenchmarkCertify(b *testing.B) {
	model := nn.Groups(exampleBall.Groups(1, 2)...)
	benchmarkCertify(b, "two balls", bindBalls(b, model, exampleBall), limitOfBalls(exampleBall))
	relu := network(b, nn.Input(2), nn.Dense(8), nn.ReLU(), nn.Dense(8), nn.ReLU(), nn.Dense(1))
	margins := bind(b, relu, dataset.Rings(2, 15, 0.1, rand.New(rand.NewPCG(1, 2))))
	tr := run(b, qhnet.Flow{Margins: margins, Start: relu.Start(rand.New(rand.NewPCG(3, 4)), nn.He), Until: 1e3})
	benchmarkCertify(b, "ReLU 2-8-8-1", tr.Margins(), tr.Last().Theta)
}

func benchmarkCertify(b *testing.B, name string, margins *qhnet.Margins, theta []float64) {
	rates := mustRates(b, margins.Model())
	c, err := qhnet.Certify(margins, rates, theta, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run(fmt.Sprintf("%s, support=%d", name, len(c.Support)), func(b *testing.B) {
		for b.Loop() {
			if _, err := qhnet.Certify(margins, rates, theta, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
