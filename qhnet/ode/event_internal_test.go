package ode

import (
	"math"
	"testing"
)

func TestFindRootFindsRootsToTheLastDigit(t *testing.T) {
	tests := []struct {
		name       string
		f          func(float64) float64
		a, b, want float64
	}{
		{"line", func(x float64) float64 { return x - 0.3 }, 0, 1, 0.3},
		{"cubic", func(x float64) float64 { return x*x*x - 2 }, 0, 2, math.Cbrt(2)},
		{"falling", func(x float64) float64 { return math.Cos(x) }, 1, 2, math.Pi / 2},
		{"backward", func(x float64) float64 { return math.Cos(x) }, 2, 1, math.Pi / 2},
		{"steep", func(x float64) float64 { return math.Tanh(1e8 * (x - 0.7)) }, 0, 1, 0.7},
		{"flat", func(x float64) float64 { return math.Pow(x-0.4, 9) }, 0, 1, 0.4},
		{"jump", func(x float64) float64 { return math.Copysign(1, x-0.6) }, 0, 1, 0.6},
		{"at the end", func(x float64) float64 { return x - 1 }, 0, 1, 1},
		{"far away", func(x float64) float64 { return x - 1e15 - 0.25 }, 0, 2e15, 1e15 + 0.25},
	}
	for _, test := range tests {
		calls := 0
		got := findRoot(func(x float64) float64 { calls++; return test.f(x) }, test.a, test.b, test.f(test.a), test.f(test.b))
		tolerance := 2 * spacing(test.want)
		if test.name == "flat" {
			tolerance = 1e-30 // any x with (x-0.4)^9 = 0 in float64 is a root
			tolerance = math.Pow(tolerance, 1.0/9)
		}
		if math.Abs(got-test.want) > tolerance {
			t.Errorf("%s: %.17g, want %.17g", test.name, got, test.want)
		}
		if fb := test.f(test.b); test.f(got) != 0 && math.Signbit(test.f(got)) != math.Signbit(fb) {
			t.Errorf("%s: the result lies before the root", test.name)
		}
		if calls > 200 { // bisection from 2e15 to the last digit takes 114
			t.Errorf("%s: %d evaluations", test.name, calls)
		}
	}
}
