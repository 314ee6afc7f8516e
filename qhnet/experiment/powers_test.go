package experiment

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
)

// Derivatives agree with central differences; h = 1e-5 leaves h² ≈ 1e-10.
func TestPowersDerivatives(t *testing.T) {
	const h, tolerance = 1e-5, 1e-8
	rng := rand.New(rand.NewPCG(1, 1))
	model := NewPowers(1, 0.5, 0.3)
	x := mat.NewDense(4, 3, nil)
	for i := range x.RawMatrix().Data {
		x.RawMatrix().Data[i] = rng.NormFloat64()
	}
	e, err := model.Bind(x)
	if err != nil {
		t.Fatal(err)
	}
	theta, v, w := []float64{0.7, -1.2, 0.9}, []float64{0.3, 0.2, -0.5}, []float64{1, -2, 0.5, 0.3}
	weighted := func(shift float64) (value float64, gradient []float64) {
		moved := make([]float64, 3)
		for i := range moved {
			moved[i] = theta[i] + shift*v[i]
		}
		f, err := e.Forward(moved)
		if err != nil {
			t.Fatal(err)
		}
		for k := range f {
			value += w[k] * f[k]
		}
		gradient = make([]float64, 3)
		e.Gradient(gradient, w)
		return value, gradient
	}
	up, gradientUp := weighted(h)
	down, gradientDown := weighted(-h)
	_, gradient := weighted(0)
	want := (up - down) / (2 * h)
	along, df, hv := 0.0, make([]float64, 4), make([]float64, 3)
	e.Directional(df, v)
	e.HessianVector(hv, w, v)
	tangent := 0.0
	for i := range gradient {
		along += gradient[i] * v[i]
		if second := (gradientUp[i] - gradientDown[i]) / (2 * h); math.Abs(hv[i]-second) > tolerance {
			t.Errorf("Hessian times v: %v, by differences %v", hv[i], second)
		}
	}
	for k := range df {
		tangent += w[k] * df[k]
	}
	if math.Abs(along-want) > tolerance || math.Abs(tangent-want) > tolerance {
		t.Errorf("gradient %v and tangent %v, by differences %v", along, tangent, want)
	}
}

// At 0 only the coordinate of rate 1 moves the output, and nothing bends it.
func TestPowersAtZero(t *testing.T) {
	e, err := NewPowers(1, 0.5, 0.3).Bind(mat.NewDense(1, 3, []float64{2, 3, 5}))
	if err != nil {
		t.Fatal(err)
	}
	if f, err := e.Forward(make([]float64, 3)); err != nil || f[0] != 0 {
		t.Fatalf("output %v, %v", f, err)
	}
	gradient, hv, one := make([]float64, 3), make([]float64, 3), []float64{1}
	e.Gradient(gradient, one)
	e.HessianVector(hv, one, []float64{1, 1, 1})
	for j, want := range []float64{2, 0, 0} {
		if gradient[j] != want || hv[j] != 0 {
			t.Errorf("coordinate %d: gradient %v, want %v, and Hessian times v %v, want 0", j+1, gradient[j], want, hv[j])
		}
	}
}

func TestPowersHaveTheirRates(t *testing.T) {
	model := NewPowers(1, 0.4)
	rates, err := qhnet.RatesOf(model)
	if err != nil {
		t.Fatal(err)
	}
	e, err := model.Bind(mat.NewDense(2, 2, []float64{1, 2, -0.5, 1}))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := qhnet.ScalingResidual(e, 1.5, rates, []float64{0.8, 1.3}); err != nil || r > 1e-14 {
		t.Errorf("scaling residual %v, %v for rates %v", r, err, rates.PerBlock())
	}
}
