package qhnet

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// Jacobian sets dst to the gradients of all outputs at the point of the last
// Forward, one a row: row kC + c is ∇f_kc, of length m. An Evaluation with a
// method Jacobian(dst) does it itself; otherwise it takes one Gradient a row.
func Jacobian(dst *mat.Dense, e Evaluation) {
	if own, ok := e.(interface{ Jacobian(dst *mat.Dense) }); ok {
		own.Jacobian(dst)
		return
	}
	rows, _ := dst.Dims()
	gradients(dst, e, make([]float64, rows))
}

// gradients takes one Gradient a row, with the weights in unit, which are 0.
func gradients(dst *mat.Dense, e Evaluation, unit []float64) {
	for i := range unit {
		unit[i] = 1
		e.Gradient(dst.RawRowView(i), unit)
		unit[i] = 0
	}
}

// Jacobian is the function [Jacobian] for a network. Unless points are coupled
// by a batch normalization, it takes one reverse pass an output, and one outer
// product a layer and row.
func (e *NetworkEvaluation) Jacobian(dst *mat.Dense) {
	e.checkMoved("Jacobian")
	rows, cols := dst.Dims()
	if rows != len(e.output().value) || cols != e.network.plan.parameters() {
		panic(fmt.Sprintf("qhnet: Jacobian: dst is %d×%d, not %d×%d", rows, cols, len(e.output().value), e.network.plan.parameters()))
	}
	if e.network.coupled() {
		if e.unit == nil {
			e.unit = make([]float64, rows)
		}
		gradients(dst, e, e.unit)
		return
	}
	e.allocateAdjoints()
	for c := range e.network.outputs {
		e.seed(c)
		e.walk(adjointPass)
		for k := range e.points {
			e.pointGradient(dst.RawRowView(k*e.network.outputs+c), k)
		}
	}
}

// seed sets the output's adjoint to that of Σ_k f_kc.
func (e *NetworkEvaluation) seed(c int) {
	adjoint := e.output().adjoint
	clear(adjoint)
	for i := c; i < len(adjoint); i += e.network.outputs {
		adjoint[i] = 1
	}
}

// pointGradient sets dst to the part of the gradient that comes from point k.
func (e *NetworkEvaluation) pointGradient(dst []float64, k int) {
	clear(dst)
	for i := range e.steps {
		if l := e.steps[i].learner; l != nil {
			l.gradient(dst, span{k, k + 1, 0})
		}
	}
}

// coupled tells whether the output at a point depends on the other points.
func (n *Network) coupled() bool {
	for _, s := range n.plan.stages {
		if s.coupled {
			return true
		}
	}
	return false
}
