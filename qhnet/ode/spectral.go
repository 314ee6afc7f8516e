package ode

import (
	"cmp"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
)

// powerIteration estimates the spectral radius of the Jacobian by the power method
// with directional differences of the derivative,
//
//	v ← J v / |J v|,   J v ≈ (f(t, y + δ v) - f(t, y)) / δ.
//
// It starts from the vector of the last estimate; at first, or after a restart,
// from the derivative plus fixed pseudo-random signs, as the derivative alone can
// have almost no component in the stiff directions.
type powerIteration struct {
	s     *system
	v     []float64 // direction, of norm 1
	y, f  []float64
	warm  bool
	signs rand.PCG
}

// Constants of the code RKC: iterations, accuracy of the estimate and factor on it.
const (
	powerIterations = 50
	powerAccuracy   = 0.01
	powerSafety     = 1.2
)

func newPowerIteration(s *system) *powerIteration {
	m := len(s.y)
	return &powerIteration{s: s, v: make([]float64, m), y: make([]float64, m), f: make([]float64, m)}
}

func (p *powerIteration) restart() { p.warm = false }

// radius returns a likely upper bound of the spectral radius at the current point.
func (p *powerIteration) radius() (float64, error) {
	if !p.warm {
		p.begin()
	}
	s := p.s
	delta := sqrtEpsilon * cmp.Or(floats.Norm(s.y, 2), 1)
	estimate := 0.0
	for k := range powerIterations {
		floats.AddScaledTo(p.y, s.y, delta, p.v)
		if err := s.derivative(p.f, s.t, p.y); err != nil {
			return 0, err
		}
		floats.Sub(p.f, s.f)
		size := floats.Norm(p.f, 2)
		before := estimate
		estimate = size / delta
		if math.IsInf(1/size, 0) || math.IsNaN(size) || math.IsInf(size, 0) {
			break
		}
		floats.ScaleTo(p.v, 1/size, p.f)
		if k > 1 && math.Abs(estimate-before) <= powerAccuracy*estimate {
			break
		}
	}
	p.warm = estimate > 0
	return powerSafety * estimate, nil
}

// begin chooses the first direction.
func (p *powerIteration) begin() {
	p.signs.Seed(1, 2) // any fixed seed: the same run must give the same bits
	size := cmp.Or(floats.Norm(p.s.f, 2), 1) / math.Sqrt(float64(len(p.v)))
	for i, f := range p.s.f {
		p.v[i] = f + size*(2*float64(p.signs.Uint64()>>63)-1)
	}
	floats.Scale(1/floats.Norm(p.v, 2), p.v)
}
