package qhnet

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/internal/vector"
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

	theta   []float64 // the point
	moved   bool      // the margins are at the point
	graded  bool      // g is its gradient
	logLoss float64   // log L there
	q       []float64 // margins there
	weights []float64 // w
	g       []float64
	g2      float64 // ‖g‖²

	hg, unit        []float64 // of length m
	tangent, curved []float64 // of length Len()
	outer, inner    []float64 // one entry an output of the model
}

func newField(margins *Margins, loss Loss) *field {
	m, n := NumParameters(margins.Model()), margins.Len()
	return &field{
		margins: margins, loss: loss, theta: make([]float64, m),
		weights: make([]float64, n), tangent: make([]float64, n), curved: make([]float64, n),
		g: make([]float64, m), hg: make([]float64, m), unit: make([]float64, m),
	}
}

var errNotFinite = errors.New("qhnet: a parameter, margin or gradient is not finite")

// at moves the field to θ, at no cost where it is there already.
func (f *field) at(theta []float64) error {
	if err := f.marginsAt(theta); err != nil || f.graded {
		return err
	}
	f.margins.Gradient(f.g, f.weights)
	f.g2 = floats.Dot(f.g, f.g)
	if math.IsNaN(f.g2) || math.IsInf(f.g2, 0) {
		f.moved = false
		return fmt.Errorf("%w: ‖g‖² = %v at log L = %v", errNotFinite, f.g2, f.logLoss)
	}
	f.graded = true
	return nil
}

// marginsAt evaluates the margins, log L and the weights at θ, without g.
func (f *field) marginsAt(theta []float64) (err error) {
	if f.moved && floats.Equal(f.theta, theta) {
		return nil
	}
	f.moved, f.graded = false, false
	copy(f.theta, theta)
	if f.q, err = f.margins.Forward(f.theta); err != nil {
		return err
	}
	f.logLoss = f.loss.Log(f.weights, f.q, f.margins.PerPoint())
	if math.IsNaN(f.logLoss) || math.IsInf(f.logLoss, 0) {
		return fmt.Errorf("%w: log L = %v", errNotFinite, f.logLoss)
	}
	f.moved = true
	return nil
}

// separation returns the log(1/L) above which every margin is positive, if the loss has one.
func (f *field) separation() (u float64, known bool) {
	s, ok := f.loss.(Separating)
	if !ok {
		return 0, false
	}
	return math.Log(float64(f.margins.Points())) - math.Log(s.SeparatedBelow()), true
}

// separated reports whether all points are classified correctly and the loss, if it can,
// shows it, up to the rounding of a located event.
func (f *field) separated() bool {
	u, known := f.separation()
	return floats.Min(f.q) > 0 && (!known || -f.logLoss-u >= -1e-9*max(1, u))
}

// point returns the record of θ, where the field is, without times.
func (f *field) point(theta []float64) Point {
	return Point{LogLoss: f.logLoss, Slope: math.Sqrt(f.g2), Margin: floats.Min(f.q), Theta: slices.Clone(theta)}
}

// derivative sets dst to dθ/dc = σ g.
func (f *field) derivative(dst []float64, clock Clock, value float64, theta []float64) error {
	if err := f.at(theta); err != nil {
		return err
	}
	sigma, _, _ := clock.speed(value, f.logLoss, f.g2)
	floats.ScaleTo(dst, sigma, f.g)
	return nil
}

// hessianVector sets dst to H v at the current point.
func (f *field) hessianVector(dst, v []float64) {
	f.margins.Directional(f.tangent, v)
	f.loss.Curvature(f.curved, f.weights, f.q, f.tangent, f.margins.PerPoint())
	floats.Scale(-1, f.curved)
	f.margins.GradientTangent(dst, f.weights, f.curved, v)
}

// jacobian sets dst to the exact ∂(σg)/∂θ = σ(H - p g (Hg)ᵀ/‖g‖²) - steer g gᵀ. It
// costs m Hessian-vector products.
func (f *field) jacobian(dst *mat.Dense, clock Clock, value float64, theta []float64) error {
	if err := f.at(theta); err != nil {
		return err
	}
	sigma, power, steer := clock.speed(value, f.logLoss, f.g2)
	for i := range f.unit {
		f.unit[i] = 1
		f.hessianVector(f.hg, f.unit)
		f.unit[i] = 0
		dst.SetCol(i, f.hg)
	}
	g, hg := vector.BLAS(f.g), vector.BLAS(f.hg)
	blas64.Gemv(blas.Trans, sigma*power/f.g2, dst.RawMatrix(), g, 0, hg)
	blas64.Axpy(steer, g, hg)
	dst.Scale(sigma, dst)
	blas64.Ger(-1, g, hg, dst.RawMatrix())
	return nil
}

// lowRank sets the stiff part of the Jacobian as Uᵀ C U, with U = ∂f/∂θ and C the second
// derivative of -log L in the outputs. It leaves out Σ w ∇²f, which in the clock
// log log(1/L) stays of order one late in the flow, where the rest grows like log(1/L).
func (f *field) lowRank(u, c *mat.Dense, clock Clock, value float64, theta []float64) error {
	if err := f.at(theta); err != nil {
		return err
	}
	Jacobian(u, f.margins.outputs)
	rank, _ := c.Dims()
	if f.outer == nil {
		f.outer, f.inner = make([]float64, rank), make([]float64, rank)
	}
	for j := range rank {
		clear(f.inner)
		f.inner[j] = 1
		f.outputCurvature(f.outer, f.inner)
		c.SetCol(j, f.outer)
	}
	// With g = Uᵀw, H g = Uᵀ C U g.
	sigma, power, steer := clock.speed(value, f.logLoss, f.g2)
	f.margins.outputs.Directional(f.inner, f.g)
	f.outputCurvature(f.outer, f.inner)
	w := f.margins.outputWeights
	f.margins.mapping.pullBack(w, f.weights, f.margins.f)
	floats.Scale(sigma*power/f.g2, f.outer)
	floats.AddScaled(f.outer, steer, w)
	c.Scale(sigma, c)
	blas64.Ger(-1, vector.BLAS(w), vector.BLAS(f.outer), c.RawMatrix())
	return nil
}

// outputCurvature sets dst to C v = -(∂q/∂f)ᵀ M (∂q/∂f) v + Σ w ∇²q v.
func (f *field) outputCurvature(dst, v []float64) {
	m := f.margins
	m.mapping.pushForward(f.tangent, v, m.f)
	f.loss.Curvature(f.curved, f.weights, f.q, f.tangent, m.PerPoint())
	m.mapping.pullBack(dst, f.curved, m.f)
	floats.Scale(-1, dst)
	if b := m.curved(); b != nil {
		b.curvature(m.tangentWeights, f.weights, v, m.f)
		floats.Add(dst, m.tangentWeights)
	}
}
