package qhnet

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// productEvaluation evaluates a Product at bound inputs, a last column of ones
// standing for the bias.
type productEvaluation struct {
	model   *Product
	inputs  blas64.General
	theta   []float64
	outputs []float64
	coef    []float64 // β or its tangent
	dcoef   []float64 // derivative of the weighted outputs by β
	suffix  []float64 // products of the factors after the i-th, and their tangents
	dsuffix []float64
}

func newProductEvaluation(p *Product, inputs blas64.General) *productEvaluation {
	depth := 0
	for _, factors := range p.factors {
		depth = max(depth, len(factors))
	}
	return &productEvaluation{
		model:   p,
		inputs:  inputs,
		outputs: make([]float64, inputs.Rows),
		coef:    make([]float64, inputs.Cols),
		dcoef:   make([]float64, inputs.Cols),
		suffix:  make([]float64, depth+1),
		dsuffix: make([]float64, depth+1),
	}
}

func (e *productEvaluation) Forward(theta []float64) ([]float64, error) {
	e.model.Coefficients(e.coef, theta)
	e.theta = theta
	e.multiply(e.outputs, e.coef)
	for k, f := range e.outputs {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, e.explain(k)
		}
	}
	return e.outputs, nil
}

// explain says why output k is not finite.
func (e *productEvaluation) explain(k int) error {
	if err := checkFinite(e.model, e.theta); err != nil {
		return err
	}
	return fmt.Errorf("qhnet: output %d is %v: the coefficients %v overflow", k, e.outputs[k], e.coef)
}

func (e *productEvaluation) Gradient(dst, weights []float64) {
	e.checkMoved()
	checkLength("dst", len(dst), len(e.theta))
	e.multiplyTransposed(e.dcoef, weights)
	clear(dst)
	for j, factors := range e.model.factors {
		e.sweepSuffixes(factors, nil)
		prefix := e.dcoef[j]
		for k, i := range factors {
			dst[i] += prefix * e.suffix[k+1]
			prefix *= e.theta[i]
		}
	}
}

func (e *productEvaluation) Directional(dst, v []float64) {
	e.checkMoved()
	checkLength("v", len(v), len(e.theta))
	for j, factors := range e.model.factors {
		e.sweepSuffixes(factors, v)
		e.coef[j] = e.dsuffix[0]
	}
	e.multiply(dst, e.coef)
}

func (e *productEvaluation) HessianVector(dst, weights, v []float64) {
	e.checkMoved()
	checkLength("dst", len(dst), len(e.theta))
	checkLength("v", len(v), len(e.theta))
	e.multiplyTransposed(e.dcoef, weights)
	clear(dst)
	for j, factors := range e.model.factors {
		e.sweepSuffixes(factors, v)
		prefix, dprefix := e.dcoef[j], 0.0
		for k, i := range factors {
			dst[i] += dprefix*e.suffix[k+1] + prefix*e.dsuffix[k+1]
			prefix, dprefix = prefix*e.theta[i], dprefix*e.theta[i]+prefix*v[i]
		}
	}
}

// sweepSuffixes sets suffix[k] to the product of the factors from the k-th on,
// and dsuffix[k] to its derivative along v unless v is nil. With the prefixes
// they give the product without one factor, and need no division by it.
func (e *productEvaluation) sweepSuffixes(factors []int, v []float64) {
	last := len(factors)
	e.suffix[last], e.dsuffix[last] = 1, 0
	for k := last - 1; k >= 0; k-- {
		i := factors[k]
		e.suffix[k] = e.theta[i] * e.suffix[k+1]
		if v != nil {
			e.dsuffix[k] = v[i]*e.suffix[k+1] + e.theta[i]*e.dsuffix[k+1]
		}
	}
}

func (e *productEvaluation) checkMoved() {
	if e.theta == nil {
		panic("qhnet: a derivative was asked for before Forward")
	}
}

// multiply sets dst, n, to X β.
func (e *productEvaluation) multiply(dst, coef []float64) {
	blas64.Gemv(blas.NoTrans, 1, e.inputs, vector(coef), 0, vector(dst))
}

// multiplyTransposed sets dst, d, to Xᵀ w.
func (e *productEvaluation) multiplyTransposed(dst, weights []float64) {
	blas64.Gemv(blas.Trans, 1, e.inputs, vector(weights), 0, vector(dst))
}
