package oracle

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/optimize"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/qp"
)

// SolveDirect looks for a local solution of the maximum-margin problem of any model,
//
//	(P)  minimize ½‖θ‖²_Λmax  subject to  q_j(θ) ≥ 1,
//
// without a flow, and returns its certificate. From a start, which need not separate the
// data, it minimizes augmented Lagrangians
//
//	½‖θ‖²_Λmax + 1/(2ρ) Σ_j max(0, μ_j + ρ (1 - q_j))²
//
// by L-BFGS and updates μ_j ← max(0, μ_j + ρ (1 - q_j)) (Nocedal and Wright, Numerical
// Optimization, 2006, section 17.3): up to 60 minimizations of up to 2000 gradients each. A
// network's problem is not convex: other starts and the flow may end at other first-order
// points, whose objectives can be compared.
//
// It is an error if Λ is not admissible, the start not finite, or the margins do not need
// the blocks of the highest rate. The error wraps [qp.ErrInfeasible] if the last point does
// not separate the data; with [qp.ErrNoConvergence], if the multipliers have not settled, and
// with the error of a cancelled ctx comes the certificate of the point reached.
func SolveDirect(ctx context.Context, margins *qhnet.Margins, rates *qhnet.Rates, start []float64) (*qhnet.Certificate, error) {
	if ctx == nil {
		panic("qhnet: the context is nil; use context.Background()")
	}
	if err := rates.CheckPoint(margins.Model(), start); err != nil {
		return nil, err
	}
	a := newAugmented(margins, rates, start)
	settled := false
	for range 60 {
		if err := a.minimize(ctx); err != nil {
			return nil, err
		}
		if settled = a.update(); settled || ctx.Err() != nil {
			break
		}
	}
	c, err := qhnet.Certify(margins, rates, a.theta, &qhnet.CertificateSettings{Epsilon: 1e-6})
	var none *qhnet.NoMarginError
	switch {
	case ctx.Err() != nil:
		return c, fmt.Errorf("qhnet: direct solver: %w", errors.Join(ctx.Err(), err))
	case errors.As(err, &none):
		return nil, fmt.Errorf("%w: the direct solver ended with %w", qp.ErrInfeasible, err)
	}
	switch {
	case err != nil:
	case c.HighestShare < unneededShare:
		err = fmt.Errorf("qhnet: direct solver: the highest-rate blocks %q have shrunk to %.1e of the normalized parameters: the margins do not need them, and the minimum 0 of (P) certifies nothing; pass the rates Without them", c.Highest, c.HighestShare)
	case !settled:
		err = fmt.Errorf("%w: the direct solver still violates a margin by %.1e", qp.ErrNoConvergence, a.violation)
	}
	return c, err
}

// A highest-rate share below this is left by rounding: what an optimum needs is far above.
const unneededShare = 1e-6

type augmented struct {
	margins     *qhnet.Margins
	highest     []bool
	rate        float64
	theta       []float64
	multipliers []float64
	penalty     float64 // ρ
	violation   float64 // the largest |min(q - 1, μ/ρ)| at the last update
	weights     []float64
	gradient    []float64
	at          []float64 // where value and gradient belong
	value       float64
}

func newAugmented(margins *qhnet.Margins, rates *qhnet.Rates, start []float64) *augmented {
	a := &augmented{
		margins:     margins,
		highest:     rates.Highest(),
		theta:       slices.Clone(start),
		multipliers: make([]float64, margins.Len()),
		penalty:     1,
		violation:   math.Inf(1),
		weights:     make([]float64, margins.Len()),
		gradient:    make([]float64, len(start)),
		at:          make([]float64, len(start)),
	}
	a.at[0] = math.NaN() // nothing is evaluated yet
	a.rate, _ = rates.Max()
	if q, err := margins.Forward(start); err == nil {
		if smallest := floats.Min(q); smallest > 0 {
			qhnet.Rescale(a.theta, -math.Log(smallest), rates, start)
		}
	}
	return a
}

// evaluate sets value and gradient at θ. Outside the model's domain the value
// is infinite, which a line search backs away from.
func (a *augmented) evaluate(theta []float64) {
	if floats.Equal(a.at, theta) {
		return
	}
	copy(a.at, theta)
	q, err := a.margins.Forward(a.at)
	if err != nil {
		a.value = math.Inf(1)
		return
	}
	a.value = 0
	for j, v := range q {
		a.weights[j] = math.Max(0, a.multipliers[j]+a.penalty*(1-v))
		a.value += a.weights[j] * a.weights[j] / (2 * a.penalty)
	}
	a.margins.Gradient(a.gradient, a.weights)
	for i, t := range a.at {
		a.gradient[i] = -a.gradient[i]
		if a.highest[i] {
			a.value += a.rate * t * t / 2
			a.gradient[i] += a.rate * t
		}
	}
}

// minimize returns without an error if ctx is cancelled.
func (a *augmented) minimize(ctx context.Context) error {
	a.at[0] = math.NaN() // the multipliers have changed
	problem := optimize.Problem{
		Func: func(theta []float64) float64 { a.evaluate(theta); return a.value },
		Grad: func(dst, theta []float64) { a.evaluate(theta); copy(dst, a.gradient) },
		Status: func() (optimize.Status, error) {
			if ctx.Err() != nil {
				return optimize.RuntimeLimit, nil
			}
			return optimize.NotTerminated, nil
		},
	}
	settings := &optimize.Settings{
		GradientThreshold: 1e-11,
		MajorIterations:   2000,
		Converger:         &optimize.FunctionConverge{Relative: 1e-16, Iterations: 20},
	}
	// A line search that fails has met a kink or rounding; its best point stands.
	result, err := optimize.Minimize(problem, a.theta, settings, &optimize.LBFGS{})
	if result == nil {
		return fmt.Errorf("qhnet: direct solver: %w", err)
	}
	if !math.IsInf(result.F, 1) { // otherwise no point was evaluated, and X is 0
		copy(a.theta, result.X)
	}
	return nil
}

// Line searches on a piecewise smooth function end at differences of about
// √(machine epsilon) in θ; margins are of order one.
const settledViolation = 1e-8

// update moves the multipliers, raises the penalty where violation does not
// halve, and reports whether all constraints are settled.
func (a *augmented) update() bool {
	q, err := a.margins.Forward(a.theta)
	if err != nil {
		return false
	}
	worst := 0.0
	for j, v := range q {
		worst = math.Max(worst, math.Abs(math.Min(v-1, a.multipliers[j]/a.penalty)))
		a.multipliers[j] = math.Max(0, a.multipliers[j]+a.penalty*(1-v))
	}
	if worst > a.violation/2 && a.penalty < 1e6 {
		a.penalty *= 4
	}
	a.violation = worst
	return worst < settledViolation
}
