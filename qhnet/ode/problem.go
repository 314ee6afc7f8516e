package ode

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Derivative sets dst to f(t, y). It must not change or keep y, and must give
// the same bits for the same arguments if runs are to be resumed exactly. An
// error, or a value that is not finite, makes the solver retry with a smaller
// step; if that does not help, the run ends with status [NonFinite] and the
// error is its cause.
type Derivative func(dst []float64, t float64, y []float64) error

// Problem is an initial value problem y' = f(t, y), y(Start) = Initial.
type Problem struct {
	Derivative Derivative

	// Start and End bound the interval. End may lie before Start, which
	// integrates backward, or be infinite, when an event or a stop ends the run.
	Start, End float64

	// Initial is y(Start). It is not modified.
	Initial []float64

	// Jacobian sets dst, m×m and zero on entry, to ∂f/∂y at (t, y). Implicit
	// methods use finite differences if it is nil.
	Jacobian func(dst *mat.Dense, t float64, y []float64) error

	// Linearization, if not nil, replaces the dense linear algebra of implicit
	// methods, and Jacobian is not used.
	Linearization Linearization

	// SpectralRadius returns an upper bound of the spectral radius of ∂f/∂y at
	// (t, y) for stabilized methods, which estimate it by power iteration if
	// it is nil.
	SpectralRadius func(t float64, y []float64) (float64, error)
}

// validate reports what makes the problem impossible to start.
func (p *Problem) validate() error {
	switch {
	case p.Derivative == nil:
		panic("ode: Problem.Derivative is nil")
	case len(p.Initial) == 0:
		return errors.New("ode: Problem.Initial is empty; give at least one component")
	case math.IsNaN(p.Start) || math.IsInf(p.Start, 0):
		return fmt.Errorf("ode: Problem.Start = %v; it must be finite", p.Start)
	case math.IsNaN(p.End):
		return errors.New("ode: Problem.End is NaN")
	case p.Start == p.End:
		return fmt.Errorf("ode: the interval is empty: Start = End = %v; move End", p.Start)
	}
	for i, v := range p.Initial {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("ode: Problem.Initial[%d] = %v; the start must be finite", i, v)
		}
	}
	return nil
}
