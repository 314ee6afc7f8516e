package qhnet

import (
	"math"
	"math/big"

	"qhlab/qhnet/internal/polytope"
)

// freedom returns the dimension of the polytope: that of the solutions of the
// rules with the pinned rates left out.
func (r *Rates) freedom() int {
	system := equationsOf(r.blocks, r.rules)
	for b, positive := range r.polytope.CanBePositive() {
		if positive && !r.dropped[b] {
			continue
		}
		unit := make([]*big.Rat, len(r.blocks))
		for i := range unit {
			unit[i] = new(big.Rat)
		}
		unit[b].SetInt64(1)
		system.a = append(system.a, unit)
	}
	return len(polytope.NullSpace(len(r.blocks), system.a))
}

// LastLayerOnly returns the rates with which nothing but the last layer that
// has parameters scales, if they are admissible. For a network that ends in a
// dense layer after a normalization they are 1 for its weight and bias.
func (r *Rates) LastLayerOnly() (blockRates []float64, ok bool) {
	last := r.blocks[len(r.blocks)-1].Layer
	objective := make([]float64, len(r.blocks))
	for b, block := range r.blocks {
		if block.Layer != last {
			objective[b] = 1
		}
	}
	x, err := r.Extreme(objective)
	if err != nil {
		return nil, false
	}
	for b := range x {
		if objective[b]*x[b] > 0 {
			return nil, false
		}
	}
	return x, true
}

// Degree returns L if the model is homogeneous of degree L, that is if all
// rates equal to 1/L are admissible.
func (r *Rates) Degree() (degree float64, ok bool) {
	for _, rule := range r.rules {
		sum := 0.0
		for _, c := range rule.Coefficients {
			sum += c
		}
		if rule.Total != 0 && degree == 0 {
			degree = sum / rule.Total
		}
		if math.Abs(sum-degree*rule.Total) > 1e-12*math.Abs(sum) || degree <= 0 && rule.Total != 0 {
			return 0, false
		}
	}
	return degree, degree > 0
}
