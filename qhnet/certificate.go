package qhnet

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Certificate is what can be checked, at one point and for one admissible Λ, of
// the claim that the point is a first-order optimum of the maximum-margin
// problem
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

	// Degenerate is true if the gradients of the support are linearly dependent,
	// so that other multipliers would do as well.
	Degenerate bool

	// HighestShare is ‖θ̂‖_Λmax of the normalized parameters, between 0 and 1. A
	// share that tends to zero along the flow means that the highest-rate
	// parameters are discarded and the theorem's last assumption fails.
	HighestShare float64
}

// KKT is one choice of multipliers and its residuals.
type KKT struct {
	Multipliers     []float64 // μ, one for each margin
	Stationarity    float64   // ‖Λmax θ̃ - Σ μ_j ∇q_j‖ / ‖Λmax θ̃‖
	Complementarity float64   // max_j μ_j (q_j - 1) / Σ μ_j
}

// CertificateSettings change what a certificate looks at. The zero value, or
// nil, is the theorem as it stands.
type CertificateSettings struct {
	// Epsilon admits margins up to 1 + Epsilon to the support. By default it is
	// 20/min q(θ), kept between 1e-6 and 0.1: at a point of the flow, margins
	// beyond have less than e^{-20} of the largest weight. It is an error if it is
	// negative, or so small that rounding leaves no margin in the support.
	Epsilon float64

	// Discarded names blocks that are left out of Λmax and of stationarity: the
	// next stage of the cascade. Pass the rates of the rest. The blocks keep their
	// values, which the margins late in a flow still feel: a share of 1e-8 moves
	// margins of 1e9 by 10, and with them the softmax weights.
	Discarded []string
}

// NoMarginError is the error of a certificate at a point that does not separate
// the data.
type NoMarginError struct {
	Points   []int   // with a margin ≤ 0
	Smallest float64 // the smallest margin
}

// Error says which points fail.
func (e *NoMarginError) Error() string {
	return fmt.Sprintf("qhnet: certificate: %d point(s) have no positive margin, the first of them %v, the smallest margin is %.6g; follow the flow past separability first",
		len(e.Points), e.Points[:min(len(e.Points), 8)], e.Smallest)
}

// Certify checks the point θ for an admissible Λ, one rate for each parameter.
// It returns an error if Λ is not admissible (with the rule it misses and by how
// much), a *[NoMarginError] if a margin is not positive, and an error if θ is
// not finite or its highest-rate parameters are all zero. For a support of k
// margins it takes O(m·k²) operations and memory for a few m×k matrices.
func Certify(margins *Margins, lambda, theta []float64, settings *CertificateSettings) (*Certificate, error) {
	if settings == nil {
		settings = &CertificateSettings{}
	}
	if !(settings.Epsilon >= 0) {
		return nil, fmt.Errorf("qhnet: certificate: Epsilon = %v; use a number ≥ 0", settings.Epsilon)
	}
	s := certifier{margins: margins, lambda: lambda}
	if err := s.discard(settings.Discarded); err != nil {
		return nil, err
	}
	if err := checkPoint(margins.Model(), lambda, theta, settings.Discarded...); err != nil {
		return nil, err
	}
	c, weights, err := s.rescale(theta, settings.Epsilon)
	if err != nil {
		return nil, err
	}
	return c, s.multipliers(c, weights)
}

// checkPoint reports a θ that is not finite or a Λ that is not admissible.
func checkPoint(m Model, lambda, theta []float64, discarded ...string) error {
	checkLength("theta", len(theta), NumParameters(m))
	checkLength("lambda", len(lambda), len(theta))
	if err := checkFinite(m, theta); err != nil {
		return err
	}
	rates, err := RatesOf(m)
	if err != nil {
		return err
	}
	return rates.Without(discarded...).Admits(lambda)
}

// certifier holds what does not depend on the point.
type certifier struct {
	margins *Margins
	lambda  []float64
	dropped []bool // parameters of discarded blocks
}

func (s *certifier) discard(names []string) error {
	s.dropped = make([]bool, NumParameters(s.margins.Model()))
	blocks := s.margins.Model().Blocks()
	for _, name := range names {
		place, err := findBlock(blocks, name)
		if err != nil {
			return err
		}
		b := blocks[place]
		for i := b.Offset; i < b.Offset+b.Len(); i++ {
			s.dropped[i] = true
		}
	}
	return nil
}

// rescale moves the point to min q = 1 and describes it. It also returns the
// softmax weights, which need the margins before rescaling: late in the flow
// they differ in digits that division by 1e14 would round away.
func (s *certifier) rescale(theta []float64, epsilon float64) (*Certificate, []float64, error) {
	q, err := s.margins.Forward(theta)
	if err != nil {
		return nil, nil, err
	}
	smallest := floats.Min(q)
	if !(smallest > 0) {
		return nil, nil, noMargin(q, smallest, s.margins.PerPoint())
	}
	weights := make([]float64, len(q))
	Exponential{}.Log(weights, q, s.margins.PerPoint())
	if epsilon == 0 {
		epsilon = math.Min(math.Max(20/smallest, 1e-6), 0.1)
	}
	c := &Certificate{Alpha: -math.Log(smallest), Epsilon: epsilon, PerPoint: s.margins.PerPoint()}
	c.Theta = Rescale(nil, c.Alpha, s.lambda, theta)
	if q, err = s.margins.Forward(c.Theta); err != nil {
		return nil, nil, err
	}
	c.Margins = slices.Clone(q)
	for j, v := range c.Margins {
		if v <= 1+epsilon {
			c.Support = append(c.Support, j)
		}
	}
	if len(c.Support) == 0 {
		return nil, nil, fmt.Errorf("qhnet: certificate: no margin is within Epsilon = %v of 1, not even the smallest, %.17g; admit rounding", epsilon, floats.Min(c.Margins))
	}
	s.describe(c, theta)
	return c, weights, nil
}

func noMargin(q []float64, smallest float64, perPoint int) error {
	e := &NoMarginError{Smallest: smallest}
	for j, v := range q {
		if k := j / perPoint; !(v > 0) && !slices.Contains(e.Points, k) {
			e.Points = append(e.Points, k)
		}
	}
	return e
}

// describe fills in what belongs to the highest rate.
func (s *certifier) describe(c *Certificate, theta []float64) {
	for i, rate := range s.lambda {
		if !s.dropped[i] {
			c.MaxRate = math.Max(c.MaxRate, rate)
		}
	}
	for _, b := range s.margins.Model().Blocks() {
		if b.Len() > 0 && s.highest(c, b.Offset) {
			c.Highest = append(c.Highest, b.Name)
		}
	}
	for _, v := range s.target(c) {
		c.Objective += v * v / (2 * c.MaxRate)
	}
	if normalized, _, err := Normalize(nil, s.lambda, theta); err == nil {
		for i, v := range normalized {
			if s.highest(c, i) {
				c.HighestShare += c.MaxRate * v * v
			}
		}
		c.HighestShare = math.Sqrt(c.HighestShare)
	}
}

func (s *certifier) highest(c *Certificate, i int) bool {
	return !s.dropped[i] && isHighest(s.lambda[i], c.MaxRate)
}

// target returns Λmax θ̃.
func (s *certifier) target(c *Certificate) []float64 {
	v := make([]float64, len(c.Theta))
	for i, t := range c.Theta {
		if s.highest(c, i) {
			v[i] = c.MaxRate * t
		}
	}
	return v
}
