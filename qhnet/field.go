package qhnet

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// field evaluates the right side of gradient flow in logarithmic form,
//
//	g(θ) = -∇ log L = Σ_j w_j ∇q_j,   w = -∂ log L/∂q,
//
// and its Jacobian, which is symmetric,
//
//	H = Σ_j w_j ∇²q_j - Uᵀ M U,   U = ∂q/∂θ,   M = ∂² log L/∂q².
//
// For the exponential loss UᵀMU is the covariance of the ∇q_j under p.
type field struct {
	margins *Margins
	loss    Loss

	logLoss float64   // log L at the point
	q       []float64 // margins there
	weights []float64 // w
	g       []float64
	g2      float64 // ‖g‖²

	hg, column, unit []float64 // of length m
	tangent, curved  []float64 // of length Len()
}

func newField(margins *Margins, loss Loss) *field {
	m, n := NumParameters(margins.Model()), margins.Len()
	return &field{
		margins: margins, loss: loss,
		weights: make([]float64, n), tangent: make([]float64, n), curved: make([]float64, n),
		g: make([]float64, m), hg: make([]float64, m), column: make([]float64, m), unit: make([]float64, m),
	}
}

var errNotFinite = errors.New("qhnet: a parameter, margin or gradient is not finite")

// at moves the field to θ.
func (f *field) at(theta []float64) error {
	if err := f.marginsAt(theta); err != nil {
		return err
	}
	f.margins.Gradient(f.g, f.weights)
	f.g2 = floats.Dot(f.g, f.g)
	if math.IsNaN(f.g2) || math.IsInf(f.g2, 0) {
		return fmt.Errorf("%w: ‖g‖² = %v at log L = %v", errNotFinite, f.g2, f.logLoss)
	}
	return nil
}

// marginsAt evaluates the margins, log L and the weights at θ, without g.
func (f *field) marginsAt(theta []float64) (err error) {
	if f.q, err = f.margins.Forward(theta); err != nil {
		return err
	}
	f.logLoss = f.loss.Log(f.weights, f.q, f.margins.PerPoint())
	if math.IsNaN(f.logLoss) || math.IsInf(f.logLoss, 0) {
		return fmt.Errorf("%w: log L = %v", errNotFinite, f.logLoss)
	}
	return nil
}

// derivative sets dst to dθ/dc = σ g.
func (f *field) derivative(dst []float64, clock Clock, value float64, theta []float64) error {
	if err := f.at(theta); err != nil {
		return err
	}
	sigma, _ := clock.speed(value, f.logLoss, f.g2)
	floats.ScaleTo(dst, sigma, f.g)
	return nil
}

// hessianVector sets dst to H v at the current point.
func (f *field) hessianVector(dst, v []float64) {
	f.margins.Directional(f.tangent, v)
	f.loss.Curvature(f.curved, f.weights, f.q, f.tangent, f.margins.PerPoint())
	f.margins.Gradient(dst, f.curved)
	f.margins.HessianVector(f.column, f.weights, v)
	floats.SubTo(dst, f.column, dst)
}

// jacobian sets dst to the exact ∂(σg)/∂θ = σ(H - p g (Hg)ᵀ/‖g‖²), and for the
// clock t, where σ = L, to L(H - g gᵀ). It costs m Hessian-vector products.
func (f *field) jacobian(dst *mat.Dense, clock Clock, value float64, theta []float64) error {
	if err := f.at(theta); err != nil {
		return err
	}
	sigma, power := clock.speed(value, f.logLoss, f.g2)
	for i := range f.unit {
		f.unit[i] = 1
		f.hessianVector(f.hg, f.unit)
		f.unit[i] = 0
		dst.SetCol(i, f.hg)
	}
	raw := dst.RawMatrix()
	general := blas64.General{Rows: raw.Rows, Cols: raw.Cols, Stride: raw.Stride, Data: raw.Data}
	g := blas64.Vector{N: len(f.g), Inc: 1, Data: f.g}
	hg := blas64.Vector{N: len(f.hg), Inc: 1, Data: f.hg}
	if clock == Time {
		blas64.Ger(-1, g, g, general)
	} else if power != 0 {
		blas64.Gemv(blas.Trans, 1, general, g, 0, hg)
		blas64.Ger(-power/f.g2, g, hg, general)
	}
	dst.Scale(sigma, dst)
	return nil
}

// lowRank sets the stiff part of the Jacobian as Uᵀ C U: what remains of jacobian
// when Σ w ∇²q is left out. Late in the flow, in the clock log log(1/L), that
// part stays of order one while UᵀMU grows like log(1/L). U is Len()×m and C is
// Len()×Len().
func (f *field) lowRank(u, c *mat.Dense, clock Clock, value float64, theta []float64) error {
	if err := f.at(theta); err != nil {
		return err
	}
	f.margins.Jacobian(u)
	sigma, power := clock.speed(value, f.logLoss, f.g2)
	perPoint := f.margins.PerPoint()
	for j := range f.weights {
		clear(f.tangent)
		f.tangent[j] = 1
		f.loss.Curvature(f.curved, f.weights, f.q, f.tangent, perPoint)
		c.SetCol(j, f.curved)
	}
	f.margins.Directional(f.tangent, f.g) // U g
	f.loss.Curvature(f.curved, f.weights, f.q, f.tangent, perPoint)
	scale := power / f.g2
	if clock == Time { // L (H - g gᵀ) with g = Uᵀ w
		copy(f.curved, f.weights)
		scale = -1
	}
	for i, w := range f.weights {
		row := c.RawRowView(i)
		for j := range row {
			row[j] = sigma * (scale*w*f.curved[j] - row[j])
		}
	}
	return nil
}
