//go:build linux

package main

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/mat"
)

func TestProductFlowDerivatives(t *testing.T) {
	f := newProductFlow()
	theta := []float64{1.1, 0.7, 0.9, 0.8, 1.2, 0.6}
	rate := make([]float64, parameters)
	if err := f.derivative(rate, 0, theta); err != nil {
		t.Fatal(err)
	}
	// Along the flow u grows at rate 1.
	const step = 1e-5
	ahead, behind := make([]float64, parameters), make([]float64, parameters)
	for i, v := range theta {
		ahead[i], behind[i] = v+step*rate[i], v-step*rate[i]
	}
	if du := (f.logInverse(ahead) - f.logInverse(behind)) / (2 * step); math.Abs(du-1) > 1e-8 {
		t.Errorf("u grows at rate %v, want 1", du)
	}
	exact, differences := mat.NewDense(parameters, parameters, nil), mat.NewDense(parameters, parameters, nil)
	if err := f.jacobian(exact, 0, theta); err != nil {
		t.Fatal(err)
	}
	fd.Jacobian(differences, func(dst, x []float64) { _ = f.derivative(dst, 0, x) }, theta,
		&fd.JacobianSettings{Formula: fd.Central})
	if !mat.EqualApprox(exact, differences, 1e-7) { // central differences are good to 1e-9 or so
		t.Errorf("Jacobian\n%v\ndiffers from differences\n%v", mat.Formatted(exact), mat.Formatted(differences))
	}
}
