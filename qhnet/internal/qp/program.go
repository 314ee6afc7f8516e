package qp

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// ErrInfeasible is returned, wrapped, when no point satisfies all constraints.
var ErrInfeasible = errors.New("qhnet: constraints cannot be satisfied")

// LeastDistance sets dst to the point nearest to the origin in a polyhedron,
//
//	minimize ½‖x‖²  subject to  G x ≥ h,
//
// and returns the multipliers μ ≥ 0 of x = Gᵀμ. With rows y_k x_k and h = 1 this is the
// hard-margin support vector machine through the origin. G is k×d, h has length k, dst length
// d. The error wraps [ErrInfeasible] if the polyhedron is empty; it is also an error if an
// entry is not finite.
//
// It is reduced to [NNLS] as in Lawson and Hanson, chapter 23, section 4, and then solved again
// on the active rows alone, which recovers the digits the reduction loses.
func LeastDistance(dst []float64, g mat.Matrix, h []float64) ([]float64, error) {
	k, d := dims("LeastDistance", g)
	if len(h) != k || len(dst) != d {
		panic(fmt.Sprintf("qhnet: LeastDistance of a %d×%d matrix with len(h) = %d and len(dst) = %d", k, d, len(h), len(dst)))
	}
	if err := checkFinite("LeastDistance", g, h); err != nil {
		return nil, err
	}
	rows, multipliers := mat.DenseCopyOf(g), make([]float64, k)
	clear(dst)
	// The distance to the farthest violated half-space bounds ‖x‖ from below. The reduction is best
	// conditioned when ‖x‖ is the unit: the first answer becomes the unit of a second round.
	unit := 0.0
	for j, v := range h {
		if length := floats.Norm(rows.RawRowView(j), 2); length > 0 {
			v /= length
		}
		unit = max(unit, v)
	}
	if unit == 0 {
		return multipliers, nil
	}
	_, err := reduceDistance(dst, rows, h, unit)
	if errors.Is(err, ErrInfeasible) { // or ‖x‖ is millions of times the bound
		_, err = reduceDistance(dst, rows, h, 1e4*unit)
	}
	if err != nil {
		return nil, err
	}
	s, err := reduceDistance(dst, rows, h, max(unit, floats.Norm(dst, 2)))
	if err != nil {
		return nil, err
	}
	polishDistance(dst, multipliers, rows, h, s)
	if worst, row := worstViolation(dst, rows, h); !(worst <= 1e-9) {
		return nil, fmt.Errorf("%w: row %d is violated by %.1e of its size", ErrInfeasible, row, worst)
	}
	return multipliers, nil
}

// reduceDistance solves min ‖[Gᵀ; hᵀ/unit] u - e_last‖ over u ≥ 0 and reads x
// off the residual, whose last entry is 1/(1 + ‖x/unit‖²).
func reduceDistance(dst []float64, rows *mat.Dense, h []float64, unit float64) (*activeSet, error) {
	k, d := rows.Dims()
	e := mat.NewDense(d+1, k, nil)
	e.Slice(0, d, 0, k).(*mat.Dense).Copy(rows.T())
	floats.ScaleTo(e.RawRowView(d), 1/unit, h)
	target := make([]float64, d+1)
	target[d] = 1
	s := newActiveSet(e, target)
	if err := s.run(); err != nil {
		return nil, err
	}
	last := s.residual[d]
	if !(last > 1e-13) { // ‖x‖ above 3e6 units, or rounding
		return nil, fmt.Errorf("%w: a non-negative combination of the constraints is 0 ≥ 1", ErrInfeasible)
	}
	floats.ScaleTo(dst, -unit/last, s.residual[:d])
	return s, nil
}

// polishDistance solves for the least-norm point on which the passive rows hold with equality,
// and takes it if it is better.
func polishDistance(dst, multipliers []float64, rows *mat.Dense, h []float64, s *activeSet) {
	p, d := len(s.passive), len(dst)
	if p == 0 {
		return
	}
	active, right := mat.NewDense(p, d, nil), mat.NewVecDense(p, nil)
	combined := make([]float64, d)
	for i, j := range s.passive {
		active.SetRow(i, rows.RawRowView(j))
		right.SetVec(i, h[j])
		floats.AddScaled(combined, s.x[j], rows.RawRowView(j))
	}
	// The reduction's own multipliers, in case the rows are dependent.
	scale := floats.Norm(dst, 2) / math.Max(floats.Norm(combined, 2), math.SmallestNonzeroFloat64)
	for _, j := range s.passive {
		multipliers[j] = s.x[j] * scale
	}
	if p > d {
		return
	}
	var lq mat.LQ
	lq.Factorize(active)
	var x, mu, rest, correction mat.VecDense
	if lq.SolveVecTo(&x, false, right) != nil {
		return
	}
	for range 2 { // rows of very different columns lose digits
		rest.MulVec(active, &x)
		rest.SubVec(right, &rest)
		if lq.SolveVecTo(&correction, false, &rest) != nil {
			return
		}
		x.AddVec(&x, &correction)
	}
	if lq.SolveVecTo(&mu, true, &x) != nil {
		return
	}
	worst, _ := worstViolation(x.RawVector().Data, rows, h)
	if before, _ := worstViolation(dst, rows, h); worst > max(before, 1e-13) {
		return
	}
	copy(dst, x.RawVector().Data)
	for i, j := range s.passive {
		if v := mu.AtVec(i); v > 0 {
			multipliers[j] = v
		}
	}
}

// worstViolation returns the largest violation of G x ≥ h and its row, relative
// to |h| and, with a weight that admits rounding, to the terms of the row.
func worstViolation(x []float64, rows *mat.Dense, h []float64) (worst float64, row int) {
	norm := floats.Norm(x, 2)
	for k, v := range h {
		r := rows.RawRowView(k)
		size := math.Abs(v) + 1e-3*floats.Norm(r, 2)*norm
		if gap := v - floats.Dot(r, x); size > 0 && gap/size > worst {
			worst, row = gap/size, k
		}
	}
	return worst, row
}

// Program is a small dense convex program in z,
//
//	minimize   ½ zᵀ Quadratic z + ⟨Linear, z⟩ + Constant ≥ 0
//	subject to Rows z - Radius ‖B z‖ ≥ Right   (‖B z‖ in the first Balls rows only).
//
// It is solved by proximal sequential quadratic programming (Rockafellar, SIAM J. Control Optim.
// 14, 1976): the tangent half-spaces of the concave ball constraints contain the feasible set,
// so every subproblem, a least-distance problem in the metric of its Hessian, is feasible when
// the program is. Without balls it ends after few steps.
type Program struct {
	Quadratic *mat.SymDense
	Linear    []float64
	Constant  float64
	Rows      *mat.Dense
	Right     []float64

	// Proximal is the metric that punishes a step, relative to the objective. It only has to make
	// Quadratic + Proximal positive definite: its bias vanishes at the fixed point.
	Proximal *mat.SymDense

	Radius float64
	Balls  int
	B      *mat.Dense
}

const programSteps = 300

// Solve improves z, which must be near the scale of the solution, until it is a fixed point,
// and returns the multipliers of the rows.
func (p *Program) Solve(z []float64) (multipliers []float64, err error) {
	next := make([]float64, len(z))
	// The balls' multipliers balance the objective's gradient along z: a good first Hessian.
	square, linear := p.terms(z)
	total := square + linear
	best, since := math.Inf(1), 0
	for range programSteps {
		rows, hessian := p.linearize(z, total)
		if multipliers, err = p.step(next, z, rows, hessian); err != nil {
			return nil, err
		}
		total = floats.Sum(multipliers[:p.Balls])
		change := floats.Distance(next, z, 2) / math.Max(floats.Norm(next, 2), math.SmallestNonzeroFloat64)
		copy(z, next)
		if change < best/2 {
			best, since = change, 0
		} else {
			since++
		}
		// Settled to the last digits, or at the noise floor of the steps, 2e-12 for a hundred
		// variables: before it each is thousands of times smaller than the last.
		if change <= 4*machineEpsilon || (best <= 1e-10 && since >= 3) {
			return multipliers, nil
		}
	}
	return nil, fmt.Errorf("%w: the convex program still moves by %.1e of its solution a step", ErrNoConvergence, best)
}

// terms returns zᵀ Quadratic z and ⟨Linear, z⟩.
func (p *Program) terms(z []float64) (square, linear float64) {
	v := mat.NewVecDense(len(z), z)
	return mat.Inner(v, p.Quadratic, v), floats.Dot(p.Linear, z)
}

// linearize returns the rows tangent to the constraints at z and the Hessian of the
// Lagrangian there, where total is the sum of the balls' multipliers. A ball row a·z -
// r‖Bz‖ is homogeneous in z, so its tangent half-space is (a - r Bᵀβ/‖β‖)·z ≥ right.
func (p *Program) linearize(z []float64, total float64) (*mat.Dense, *mat.SymDense) {
	hessian := mat.NewSymDense(len(z), nil)
	square, linear := p.terms(z)
	hessian.ScaleSym(math.Max(square/2+linear+p.Constant, math.SmallestNonzeroFloat64), p.Proximal)
	hessian.AddSym(p.Quadratic, hessian)
	if p.Balls == 0 {
		return p.Rows, hessian
	}
	var beta, normal mat.VecDense
	beta.MulVec(p.B, mat.NewVecDense(len(z), z))
	length := mat.Norm(&beta, 2)
	normal.MulVec(p.B.T(), &beta)
	normal.ScaleVec(1/length, &normal)
	rows := mat.DenseCopyOf(p.Rows)
	for k := range p.Balls {
		floats.AddScaled(rows.RawRowView(k), -p.Radius, normal.RawVector().Data)
	}
	var gram mat.SymDense
	gram.SymOuterK(1, p.B.T())
	gram.SymRankOne(&gram, -1, &normal)
	gram.ScaleSym(p.Radius*total/length, &gram)
	hessian.AddSym(hessian, &gram)
	return rows, hessian
}

// step sets next to the minimizer of the quadratic model around z. With
// H = L Lᵀ, gradient g at z and w = Lᵀ(next - z) + L⁻¹g it is the least-distance
// problem min ‖w‖, rows L⁻ᵀ w ≥ right - rows (z - H⁻¹g).
func (p *Program) step(next, z []float64, rows *mat.Dense, hessian *mat.SymDense) ([]float64, error) {
	n := len(z)
	var factor mat.Cholesky
	if !factor.Factorize(hessian) {
		return nil, fmt.Errorf("%w: the convex program's Hessian is not positive definite", ErrNoConvergence)
	}
	var lower mat.TriDense
	factor.LTo(&lower)
	at := mat.NewVecDense(n, z)
	var free, right, move mat.VecDense // free is the model's minimizer without constraints
	free.MulVec(p.Quadratic, at)
	free.AddVec(&free, mat.NewVecDense(n, p.Linear))
	var scaled mat.Dense
	if err := errors.Join(conditioned(factor.SolveVecTo(&free, &free)), conditioned(scaled.Solve(&lower, rows.T()))); err != nil {
		return nil, err
	}
	free.SubVec(at, &free)
	right.MulVec(rows, &free)
	right.SubVec(mat.NewVecDense(len(p.Right), p.Right), &right)
	w := make([]float64, n)
	mu, err := LeastDistance(w, scaled.T(), right.RawVector().Data)
	if err != nil {
		return nil, err
	}
	if err := conditioned(move.SolveVec(lower.T(), mat.NewVecDense(n, w))); err != nil {
		return nil, err
	}
	floats.AddTo(next, free.RawVector().Data, move.RawVector().Data)
	return mu, nil
}

// conditioned ignores gonum's warning about a large condition number, which a step repairs.
func conditioned(err error) error {
	if _, ok := err.(mat.Condition); ok {
		return nil
	}
	return err
}
