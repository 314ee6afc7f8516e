package ode

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/internal/vector"
)

// Derivative sets dst to f(t, y). It must not change or keep y, and must give the same
// bits for the same arguments if runs are to be resumed exactly. After an error, or a
// value that is not finite, the solver retries with a smaller step; if that does not
// help, the run ends with status [NonFinite] and the error as its cause.
type Derivative func(dst []float64, t float64, y []float64) error

// Problem is an initial value problem y' = f(t, y), y(Start) = Initial.
type Problem struct {
	Derivative Derivative

	// End may lie before Start, which integrates backward, or be infinite, when an event or a
	// stop ends the run.
	Start, End float64
	Initial    []float64 // y(Start); not modified

	// Jacobian sets dst, m×m and zero on entry, to ∂f/∂y at (t, y). Implicit
	// methods use finite differences if it is nil.
	Jacobian func(dst *mat.Dense, t float64, y []float64) error

	// Linearization, if not nil, replaces the dense linear algebra of implicit
	// methods, and Jacobian is not used.
	Linearization Linearization

	Price Price // of linear algebra, which Auto weighs and Stopping.MaxWork counts
}

// Price is the cost of the parts of an implicit step, in evaluations of the derivative. Zero
// stands for m, m and 4: a dense Jacobian, and an evaluation of m² multiplications.
type Price struct {
	Refresh float64 // of a Jacobian or linearization, unless by differences, which are counted
	Factor  float64 // of both Newton systems
	Solve   float64 // of one Newton iteration's systems
}

// price returns the prices of the problem, without those that are zero.
func (p *Problem) price() Price {
	m := float64(len(p.Initial))
	c := Price{Refresh: cmp.Or(p.Price.Refresh, m), Factor: cmp.Or(p.Price.Factor, m), Solve: cmp.Or(p.Price.Solve, 4)}
	if p.Jacobian == nil && p.Linearization == nil {
		c.Refresh = 0 // counted as evaluations
	}
	return c
}

// Linearization solves the linear systems of an implicit method,
//
//	(z I - J) x = b,   J ≈ ∂f/∂y at the point of the last Refresh,
//
// for one real and one complex shift z, without dense m×m factorizations where the
// Jacobian has structure; see [LowRank]. An approximate J slows Newton's iteration, which
// converges to the same solution.
type Linearization interface {
	// Refresh moves the linearization to (t, y). An error ends the run.
	Refresh(t float64, y []float64) error

	// Factor prepares the systems with the shifts re and z, after a Refresh and whenever the
	// step size has changed. Their sign is that of the step.
	Factor(re float64, z complex128) error

	// Solve replaces x by (re I - J)⁻¹ x and, unless it is nil, u by (z I - J)⁻¹ u.
	Solve(x []float64, u []complex128)
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
	if i := vector.NotFinite(p.Initial); i >= 0 {
		return fmt.Errorf("ode: Problem.Initial[%d] = %v; the start must be finite", i, p.Initial[i])
	}
	for _, v := range []float64{p.Price.Refresh, p.Price.Factor, p.Price.Solve} {
		if !(v >= 0) {
			return fmt.Errorf("ode: Problem.Price has the entry %v; prices are not negative", v)
		}
	}
	return nil
}

// errNonFinite is the cause of a failed step without an error of the derivative.
var errNonFinite = errors.New("the derivative returned a value that is not finite")

// evaluationError comes from the problem's functions. At the current point of the solution,
// no smaller step can avoid it.
type evaluationError struct {
	cause   error
	current bool
}

func (e evaluationError) Error() string { return e.cause.Error() }
func (e evaluationError) Unwrap() error { return e.cause }

// system is the problem at the current step, for the run and its steppers: the point (t, y)
// with its derivative f, and the end of the attempted step.
type system struct {
	problem    *Problem
	control    *Control
	price      Price
	statistics Statistics

	t, tNew float64
	y, yNew []float64
	f, fNew []float64 // derivatives at y and yNew

	absolute []float64 // tolerances at the current point
	worst    int       // the component with the largest error in the last norm, -1 without one
}

func newSystem(p *Problem, c *Control) *system {
	v := vectors(len(p.Initial), 5)
	for i := range v[4] {
		v[4][i] = c.Absolute
	}
	return &system{problem: p, control: c, price: p.price(), y: v[0], yNew: v[1], f: v[2], fNew: v[3], absolute: v[4]}
}

// vectors cuts vectors of length m from one block.
func vectors(m, count int) [][]float64 {
	block, v := make([]float64, m*count), make([][]float64, count)
	for i := range v {
		v[i] = block[i*m : (i+1)*m : (i+1)*m]
	}
	return v
}

// derivative sets dst to f(t, y) and counts.
func (s *system) derivative(dst []float64, t float64, y []float64) error {
	s.statistics.Evaluations++
	if err := s.problem.Derivative(dst, t, y); err != nil {
		return evaluationError{cause: fmt.Errorf("derivative at t = %.10g: %w", t, err)}
	}
	return nil
}

// Work returns what a run has cost, in evaluations.
func (p Price) Work(n Statistics) float64 {
	return float64(n.Evaluations) + p.Refresh*float64(n.Jacobians) + p.Factor*float64(n.Factorizations) + p.Solve*float64(n.Iterations)
}

func (s *system) work() float64 { return s.price.Work(s.statistics) }

// refresh evaluates the derivative and the tolerances at the current point.
func (s *system) refresh() error {
	s.tolerate()
	if err := s.derivative(s.f, s.t, s.y); err != nil {
		return err
	}
	if vector.NotFinite(s.f) >= 0 {
		return errNonFinite
	}
	return nil
}

// advance makes the end of the step the current point.
func (s *system) advance() {
	s.t = s.tNew
	s.y, s.yNew = s.yNew, s.y
	s.f, s.fNew = s.fNew, s.f
	s.tolerate()
}

func (s *system) tolerate() {
	if s.control.Each != nil {
		s.control.Each(s.absolute, s.t, s.y)
	}
}

// norm returns the weighted root mean square of e with the scale of y and z, and keeps
// where e is worst. It is not finite if any of the three is not.
func (s *system) norm(e, y, z []float64) float64 {
	rtol, absolute := s.control.Relative, s.absolute[:len(e)]
	y, z = y[:len(e)], z[:len(e)]
	var sum, poison, most float64
	for i, v := range e {
		q := v / (absolute[i] + rtol*math.Max(math.Abs(y[i]), math.Abs(z[i])))
		if q *= q; q > most {
			most, s.worst = q, i
		}
		sum += q
		poison += 0 * z[i]
	}
	return math.Sqrt(sum/float64(len(e))) + poison
}

// initialStep estimates the size of a first step from f and one more evaluation, for a
// method whose error is O(h^order): Hairer, Nørsett and Wanner I, section II.4.
func (s *system) initialStep(sign, order float64) float64 {
	span := math.Abs(s.problem.End - s.t)
	d0, d1 := s.norm(s.y, s.y, s.y), s.norm(s.f, s.y, s.y)
	h0 := 1e-6
	if d0 >= 1e-5 && d1 >= 1e-5 {
		h0 = 0.01 * d0 / d1
	}
	h0 = min(h0, span)
	floats.AddScaledTo(s.yNew, s.y, sign*h0, s.f)
	if err := s.derivative(s.fNew, s.t+sign*h0, s.yNew); err != nil {
		return h0 / 1000
	}
	floats.Sub(s.fNew, s.f)
	d2 := s.norm(s.fNew, s.y, s.y) / h0
	if math.IsNaN(d2) || math.IsInf(d2, 0) {
		return h0 / 1000
	}
	h1 := max(1e-6, h0*1e-3)
	if d := max(d1, d2); d > 1e-15 {
		h1 = math.Pow(0.01/d, 1/order)
	}
	return min(100*h0, h1, span)
}
