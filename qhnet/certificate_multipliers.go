package qhnet

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// multipliers fits both choices of μ at θ̃, where margins has just been
// evaluated.
func (s *certifier) multipliers(c *Certificate, weights []float64) error {
	target := s.target(c)
	size := floats.Norm(target, 2)
	if size == 0 {
		return errors.New("qhnet: certificate: all parameters of the highest rate are zero, so there is nothing to certify; name their blocks as discarded and pass the rates of the rest")
	}
	gradients := s.supportGradients(c)
	fitted := make([]float64, len(c.Support))
	if _, err := NNLS(fitted, gradients, target); err != nil {
		return fmt.Errorf("qhnet: certificate: %w", err)
	}
	mu := make([]float64, len(c.Margins))
	for i, j := range c.Support {
		mu[j] = fitted[i]
	}
	c.Fitted = s.residuals(c, target, mu)
	c.Degenerate = dependent(gradients)

	// Euler's identity on both sides of stationarity: λ_max ‖θ̃‖²_Λmax = Σ μ q.
	scale := 2 * c.MaxRate * c.Objective / floats.Dot(weights, c.Margins)
	floats.Scale(scale, weights)
	c.Softmax = s.residuals(c, target, weights)
	return nil
}

// supportGradients returns ∇q_j(θ̃) as columns, zero at discarded parameters.
func (s *certifier) supportGradients(c *Certificate) *mat.Dense {
	g := mat.NewDense(len(c.Theta), len(c.Support), nil)
	column := make([]float64, len(c.Theta))
	unit := make([]float64, len(c.Margins))
	for i, j := range c.Support {
		unit[j] = 1
		s.gradient(column, unit)
		g.SetCol(i, column)
		unit[j] = 0
	}
	return g
}

func (s *certifier) gradient(dst, multipliers []float64) {
	s.margins.Gradient(dst, multipliers)
	for i, dropped := range s.dropped {
		if dropped {
			dst[i] = 0
		}
	}
}

func (s *certifier) residuals(c *Certificate, target, mu []float64) KKT {
	gradient := make([]float64, len(target))
	s.gradient(gradient, mu)
	k := KKT{Multipliers: mu, Stationarity: floats.Distance(target, gradient, 2) / floats.Norm(target, 2)}
	for j, m := range mu {
		k.Complementarity = math.Max(k.Complementarity, m*(c.Margins[j]-1))
	}
	if total := floats.Sum(mu); total > 0 {
		k.Complementarity /= total
	}
	return k
}

// dependent reports whether the columns, scaled to length one, have a singular
// value below 1e-8 of the largest: multipliers then lose half their digits.
func dependent(a *mat.Dense) bool {
	m, n := a.Dims()
	if n > m {
		return true
	}
	unit := mat.DenseCopyOf(a)
	for j := range n {
		column := mat.Col(nil, j, a)
		length := floats.Norm(column, 2)
		if length == 0 {
			return true
		}
		floats.Scale(1/length, column)
		unit.SetCol(j, column)
	}
	var svd mat.SVD
	return !svd.Factorize(unit, mat.SVDNone) || svd.Rank(1e-8) < n
}
