package qhnet

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/internal/qp"
)

// Certificate is what can be checked, at one point and for one admissible Λ, of the claim
// that the point is a first-order (KKT) point of the maximum-margin problem
//
//	(P)  minimize ½‖θ‖²_Λmax  subject to  q_j(θ) ≥ 1 for all j,
//
// where ‖θ‖²_Λmax sums λ_max θ_i² over the parameters of the highest rate. The
// point is first moved along its characteristic curve to θ̃ with min q = 1; then
//
//	stationarity     Λmax θ̃ = Σ μ_j ∇q_j(θ̃),  μ ≥ 0
//	complementarity  μ_j (q_j(θ̃) - 1) = 0
//
// where Λmax is Λ with the lower rates set to zero. The claim is the
// maximum-margin theorem of Kunin et al. (arXiv:2210.03820).
type Certificate struct {
	Theta     []float64 // θ̃ = ψ_α(θ)
	Alpha     float64   // α = -log min_j q_j(θ)
	Margins   []float64 // q(θ̃)
	Objective float64   // ½‖θ̃‖²_Λmax
	MaxRate   float64
	Highest   []string // the blocks of the highest rate

	Support  []int   // margins with q_j(θ̃) ≤ 1 + Epsilon
	Epsilon  float64 // as used
	PerPoint int     // margins of one point: margin j belongs to point j / PerPoint

	Fitted  KKT // μ by non-negative least squares over the support
	Softmax KKT // μ ∝ softmax(-q(θ)), the weights of the flow

	Degenerate bool // the gradients of the support are dependent: other multipliers would do as well

	// HighestShare is ‖θ̂‖_Λmax of the normalized parameters, between 0 and 1. Where it tends to
	// zero along the flow, the theorem's last assumption fails.
	HighestShare float64
}

// KKT is one choice of multipliers and its residuals.
type KKT struct {
	Multipliers     []float64 // μ, one for each margin
	Stationarity    float64   // ‖Λmax θ̃ - Σ μ_j ∇q_j‖ / ‖Λmax θ̃‖
	Complementarity float64   // max_j μ_j (q_j - 1) / Σ μ_j
}

// CertificateSettings change what a certificate looks at; nil stands for zero values.
type CertificateSettings struct {
	// Epsilon ≥ 0 admits margins up to 1 + Epsilon to the support. 0 means 20/min q(θ), kept
	// between 1e-6 and 0.1: margins beyond weigh less than e^{-20} of the largest.
	Epsilon float64
}

// NoMarginError is the error of a certificate at a point that does not separate the data.
type NoMarginError struct {
	Points   []int   // with a margin ≤ 0
	Smallest float64 // the smallest margin
}

// Error says which points fail.
func (e *NoMarginError) Error() string {
	return fmt.Sprintf("qhnet: certificate: %d point(s) have no positive margin, the first of them %v, the smallest margin is %.6g; follow the flow past separability first",
		len(e.Points), e.Points[:min(len(e.Points), 8)], e.Smallest)
}

// Certify checks the point θ for rates of the model. Blocks that they discard are left out
// of Λmax and of stationarity, which is the next stage of the cascade, but keep their
// values: a share of 1e-8 moves margins of 1e9 by 10, and with them the softmax weights.
//
// It returns an error if the rates are another model's, if θ is not finite or its
// highest-rate parameters are all zero, and a *[NoMarginError] if a margin is not
// positive. A support of k margins takes O(m·k²) operations.
func Certify(margins *Margins, rates *Rates, theta []float64, settings *CertificateSettings) (*Certificate, error) {
	if settings == nil {
		settings = &CertificateSettings{}
	}
	if !(settings.Epsilon >= 0) || math.IsInf(settings.Epsilon, 0) {
		return nil, fmt.Errorf("qhnet: certificate: Epsilon = %v; use a finite number ≥ 0", settings.Epsilon)
	}
	if err := rates.CheckPoint(margins.Model(), theta); err != nil {
		return nil, fmt.Errorf("qhnet: certificate: %w", err)
	}
	s := certifier{margins: margins, rates: rates, highest: rates.Highest()}
	c, weights, err := s.rescale(theta, settings.Epsilon)
	if err != nil {
		return nil, err
	}
	return c, s.multipliers(c, weights)
}

// Certify checks the last point with the margins that flowed: see [Certify].
func (tr *Trajectory) Certify(rates *Rates, settings *CertificateSettings) (*Certificate, error) {
	return Certify(tr.margins, rates, tr.Last().Theta, settings)
}

type certifier struct {
	margins *Margins
	rates   *Rates
	highest []bool    // parameters
	target  []float64 // Λmax θ̃
}

// rescale moves the point to min q = 1 and describes it. It also returns the softmax weights
// from before: late in the flow they differ in digits that division by 1e14 rounds away.
func (s *certifier) rescale(theta []float64, epsilon float64) (*Certificate, []float64, error) {
	q, err := s.margins.Forward(theta)
	if err != nil {
		return nil, nil, err
	}
	smallest := floats.Min(q)
	if !(smallest > 0) {
		return nil, nil, &NoMarginError{unseparated(q, s.margins.PerPoint()), smallest}
	}
	weights := make([]float64, len(q))
	Exponential{}.Log(weights, q, s.margins.PerPoint())
	if epsilon == 0 {
		epsilon = min(max(20/smallest, 1e-6), 0.1)
	}
	c := &Certificate{Alpha: -math.Log(smallest), Epsilon: epsilon, PerPoint: s.margins.PerPoint()}
	c.Theta = Rescale(nil, c.Alpha, s.rates, theta)
	if q, err = s.margins.Forward(c.Theta); err != nil {
		return nil, nil, err
	}
	c.Margins = slices.Clone(q)
	limit := max(1, floats.Min(q)) + epsilon // the smallest is 1 but for rounding
	for j, v := range q {
		if v <= limit {
			c.Support = append(c.Support, j)
		}
	}
	s.describe(c, theta)
	return c, weights, nil
}

// unseparated returns the points with a margin that is not positive.
func unseparated(q []float64, perPoint int) (points []int) {
	for j, v := range q {
		if !(v > 0) {
			points = append(points, j/perPoint)
		}
	}
	return slices.Compact(points)
}

// describe fills in what belongs to the highest rate.
func (s *certifier) describe(c *Certificate, theta []float64) {
	rate, highest := s.rates.Max()
	c.MaxRate, c.Highest = rate, namesOf(s.rates.blocks, func(b int) bool { return slices.Contains(highest, b) })
	s.target = make([]float64, len(c.Theta))
	for i, t := range c.Theta {
		if s.highest[i] {
			s.target[i] = c.MaxRate * t
			c.Objective += s.target[i] * s.target[i] / (2 * c.MaxRate)
		}
	}
	if normalized, _, err := Normalize(nil, s.rates, theta); err == nil {
		for i, v := range normalized {
			if s.highest[i] {
				c.HighestShare += c.MaxRate * v * v
			}
		}
		c.HighestShare = math.Sqrt(c.HighestShare)
	}
}

// multipliers fits both choices of μ at θ̃, where the margins are.
func (s *certifier) multipliers(c *Certificate, weights []float64) error {
	if floats.Norm(s.target, 2) == 0 {
		return errors.New("qhnet: certificate: all parameters of the highest rate are zero, so there is nothing to certify; pass the rates Without their blocks")
	}
	gradients := s.supportGradients(c)
	fitted := make([]float64, len(c.Support))
	if _, err := qp.NNLS(fitted, gradients, s.target); err != nil {
		return fmt.Errorf("qhnet: certificate: %w", err)
	}
	mu := make([]float64, len(c.Margins))
	for i, j := range c.Support {
		mu[j] = fitted[i]
	}
	c.Fitted = s.residuals(c, mu)
	c.Degenerate = dependent(gradients)

	// Euler's identity on both sides of stationarity: λ_max ‖θ̃‖²_Λmax = Σ μ q.
	scale := 2 * c.MaxRate * c.Objective / floats.Dot(weights, c.Margins)
	floats.Scale(scale, weights)
	c.Softmax = s.residuals(c, weights)
	return nil
}

// supportGradients returns ∇q_j(θ̃) as columns, zero at discarded parameters.
func (s *certifier) supportGradients(c *Certificate) *mat.Dense {
	g := mat.NewDense(len(c.Theta), len(c.Support), nil)
	column, unit := make([]float64, len(c.Theta)), make([]float64, len(c.Margins))
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
	for b, dropped := range s.rates.dropped {
		if dropped {
			clear(s.rates.blocks[b].Of(dst))
		}
	}
}

func (s *certifier) residuals(c *Certificate, mu []float64) KKT {
	gradient := make([]float64, len(s.target))
	s.gradient(gradient, mu)
	k := KKT{Multipliers: mu, Stationarity: floats.Distance(s.target, gradient, 2) / floats.Norm(s.target, 2)}
	for j, m := range mu {
		k.Complementarity = max(k.Complementarity, m*(c.Margins[j]-1))
	}
	if total := floats.Sum(mu); total > 0 {
		k.Complementarity /= total
	}
	return k
}

// dependent reports whether the columns, scaled to length one, have a singular
// value below 1e-8 of the largest: multipliers then lose half their digits.
func dependent(a *mat.Dense) bool {
	_, n := a.Dims()
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

// String returns the certificate as a table.
func (c *Certificate) String() string {
	var b strings.Builder
	ambiguous := ""
	if c.Degenerate {
		ambiguous = "  (not unique: dependent gradients)"
	}
	line := func(name, format string, values ...any) {
		fmt.Fprintf(&b, "%-24s "+format+"\n", append([]any{name}, values...)...)
	}
	line("highest rate", "%.4f  (%s)", c.MaxRate, strings.Join(c.Highest, ", "))
	line("½‖θ‖²_Λmax", "%.9g", c.Objective)
	line("highest-rate share", "%.3g", c.HighestShare)
	line("feasibility", "min q - 1 = %s", residualText(-c.Infeasibility()))
	line("support", "%d of %d margins, q ≤ 1 + %.0e%s", len(c.Support), len(c.Margins), c.Epsilon, c.earlyNote())
	line("", "%14s %16s", "stationarity", "complementarity")
	line("  μ fitted", "%14s %16s%s", residualText(c.Fitted.Stationarity), residualText(c.Fitted.Complementarity), ambiguous)
	line("  μ from softmax", "%14s %16s", residualText(c.Softmax.Stationarity), residualText(c.Softmax.Complementarity))
	return b.String()
}

// residualText writes a relative residual, without digits that are rounding errors.
func residualText(v float64) string {
	if math.Abs(v) < 1e-12 {
		return "rounding"
	}
	return fmt.Sprintf("%.2e", v)
}

// Infeasibility returns 1 - min_j q_j(θ̃), which is rounding by construction.
func (c *Certificate) Infeasibility() float64 { return 1 - floats.Min(c.Margins) }

// SupportPoints returns the points with a margin in the support, in order.
func (c *Certificate) SupportPoints() []int {
	var points []int
	for _, j := range c.Support {
		points = append(points, j/c.PerPoint)
	}
	return slices.Compact(points)
}

// earlyNote warns where Epsilon leaves margins out of the support that still count.
func (c *Certificate) earlyNote() string {
	if left := c.Epsilon * math.Exp(-c.Alpha); left < 20*(1-1e-9) && len(c.Support) < len(c.Margins) {
		return fmt.Sprintf("  (early: those beyond weigh up to e^-%.1f of the largest)", left)
	}
	return ""
}
