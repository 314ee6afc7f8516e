package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// signedSquare is h|h|, homogeneous of degree 2.
func signedSquare() Layer {
	return Activation("signedsquare", 2,
		func(h float64) float64 { return h * math.Abs(h) },
		func(h float64) float64 { return 2 * math.Abs(h) },
		func(h float64) float64 { return math.Copysign(2, h) })
}

// swish is h/(1 + e^{-h}), homogeneous of no degree.
func swish() Layer {
	logistic := func(h float64) float64 { return 1 / (1 + math.Exp(-h)) }
	return Activation("swish", 0,
		func(h float64) float64 { return h * logistic(h) },
		func(h float64) float64 { s := logistic(h); return s + h*s*(1-s) },
		func(h float64) float64 { s := logistic(h); return s * (1 - s) * (2 + h*(1-2*s)) })
}

func TestActivationDerivatives(t *testing.T) {
	rng := rand.New(rand.NewPCG(52, 5))
	for _, l := range []Layer{signedSquare(), swish()} {
		_, e, theta, _ := architecture{points: 4, layers: []Layer{Input(3), Dense(5), l, Dense(1)}}.build(t)
		checkDerivatives(t, e, theta, rng)
	}
}

// With the functions of AbsPower it is AbsPower.
func TestActivationAgainstAPower(t *testing.T) {
	square := Activation("square", 2,
		func(h float64) float64 { return h * h },
		func(h float64) float64 { return 2 * h },
		func(float64) float64 { return 2 })
	rng := rand.New(rand.NewPCG(53, 5))
	x, theta := mat.NewDense(6, 3, normal(rng, 18)), normal(rng, 3*5+5*2)
	var values [2][]float64
	for i, l := range []Layer{square, AbsPower(2)} {
		n := network(t, Input(3), Dense(5, NoBias()), l, Dense(2, NoBias()))
		e, err := n.Bind(x)
		if err != nil {
			t.Fatal(err)
		}
		values[i] = append(forward(t, e, theta), mustRates(t, n).PerBlock()...)
	}
	if !floats.Equal(values[0], values[1]) {
		t.Errorf("outputs and rates\n%v, of AbsPower\n%v", values[0], values[1])
	}
}

// Without a degree nothing before the layer scales.
func TestActivationWithoutDegree(t *testing.T) {
	n := network(t, Input(3), Dense(5), swish(), Dense(1))
	rates := mustRates(t, n)
	if got := rates.PerBlock(); !floats.Equal(got, []float64{0, 0, 1, 1}) {
		t.Errorf("rates %v, want 0 0 1 1", got)
	}
	if err := rates.Strict(); err == nil || !strings.Contains(err.Error(), "swish1") {
		t.Errorf("the layer that pins the rates: %v", err)
	}
	if text := n.String(); !strings.Contains(text, "swish1") {
		t.Errorf("the table does not name it:\n%s", text)
	}
}

func TestActivationErrors(t *testing.T) {
	identity := func(h float64) float64 { return h }
	one := func(float64) float64 { return 1 }
	zero := func(float64) float64 { return 0 }
	for _, test := range []struct {
		layer Layer
		want  string
	}{
		{Activation("half", 0.5, identity, one, zero), "half1: has degree 0.5"},
		{Activation("two", 2, identity, one, zero), "two1: has the value -2.6 at -2.6; of degree 2 it would be -5.2"},
		{Activation("slope", 1, identity, zero, zero), "slope1: has slope 0 at -1.3, but differences of its values give"},
		{Activation("curvature", 1, identity, one, one), "curvature1: has curvature 1 at -1.3, but differences of its slope give 0"},
		{Activation("NaN", 0, math.Sqrt, one, zero), "NaN1: has slope 1 at -1.3, but differences of its values give NaN"},
		{Activation("a.b", 1, identity, one, zero), `called "a.b"; use a name without dots`},
	} {
		if _, err := New(Input(2), test.layer, Dense(1)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want an error with %q", err, test.want)
		}
	}
	defer func() {
		if r := recover(); !strings.Contains(fmt.Sprint(r), `Activation "nil"`) {
			t.Errorf("panic %v", r)
		}
	}()
	Activation("nil", 1, identity, nil, zero)
}
