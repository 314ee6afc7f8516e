package qhnet

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// program is a small dense convex program in z,
//
//	minimize   ½ Σ_i square_i z_i² + ⟨linear, z⟩
//	subject to rows z ≥ right           (the first equalities rows: =)
//	           rows_k z - radius ‖B z‖ ≥ right_k   for the rows listed in balls.
//
// It is solved by proximal sequential quadratic programming: the tangent
// half-spaces of the concave ball constraints contain the feasible set, so every
// subproblem is feasible when the program is, and each is a least-distance
// problem in the metric of its Hessian. Without balls this is the proximal-point
// method, which ends after finitely many steps on a linear program and after a
// few on a quadratic one. (Rockafellar, SIAM J. Control Optim. 14, 1976.)
type program struct {
	square     []float64
	linear     []float64
	rows       *mat.Dense
	right      []float64
	equalities int

	radius float64
	balls  []int
	b      *mat.Dense
}

const (
	// The proximal weight only has to make the Hessian positive definite. Its
	// bias vanishes at the fixed point, and shrinks by about this factor a step.
	proximalWeight = 1e-6

	programSteps = 300
)

// solve improves z until it is a fixed point, and returns the multipliers of
// the rows. z must be near the scale of the solution.
func (p *program) solve(z []float64) (multipliers []float64, err error) {
	n := len(z)
	next := make([]float64, n)
	weight := proximalWeight
	if floats.Max(p.square) == 0 { // a linear program: keep z + linear/weight in range
		weight = 1e-2
	}
	if p.radius > 0 {
		multipliers = p.firstMultipliers(z)
	}
	best, since := math.Inf(1), 0
	for range programSteps {
		rows, curvature := p.linearize(z, multipliers)
		multipliers, err = p.step(next, z, rows, curvature, weight)
		if err != nil {
			return nil, err
		}
		change := floats.Distance(next, z, 2) / math.Max(floats.Norm(next, 2), math.SmallestNonzeroFloat64)
		copy(z, next)
		if change < best/2 {
			best, since = change, 0
		} else {
			since++
		}
		// Settled to the last digits, or at the noise floor of the steps: before it
		// each is thousands of times smaller than the last. The floor rises with the
		// number of variables, to 2e-12 for a hundred.
		if change <= 4*machineEpsilon || (best <= 1e-10 && since >= 3) {
			return multipliers, nil
		}
	}
	return nil, fmt.Errorf("%w: the convex program still moves by %.1e of its solution a step", ErrNoConvergence, best)
}

// firstMultipliers balances the objective's gradient along z, so that the first
// Hessian has the size of the last.
func (p *program) firstMultipliers(z []float64) []float64 {
	mu := make([]float64, len(p.right))
	var pull float64
	for i, v := range z {
		pull += p.square[i]*v*v + p.linear[i]*v
	}
	for _, k := range p.balls {
		mu[k] = pull / float64(len(p.balls))
	}
	return mu
}

// linearize returns the rows tangent to the constraints at z and the curvature
// of the Lagrangian there, nil without balls. A ball row a·z - r‖Bz‖ is
// homogeneous in z, so its tangent half-space is (a - r Bᵀβ/‖β‖)·z ≥ right.
func (p *program) linearize(z, multipliers []float64) (*mat.Dense, *mat.SymDense) {
	if p.radius == 0 {
		return p.rows, nil
	}
	beta := mat.NewVecDense(p.b.RawMatrix().Rows, nil)
	beta.MulVec(p.b, mat.NewVecDense(len(z), z))
	length := mat.Norm(beta, 2)
	beta.ScaleVec(1/length, beta)
	var pull mat.VecDense
	pull.MulVec(p.b.T(), beta)
	rows := mat.DenseCopyOf(p.rows)
	var total float64
	for _, k := range p.balls {
		floats.AddScaled(rows.RawRowView(k), -p.radius, pull.RawVector().Data)
		total += multipliers[k]
	}
	var gram mat.Dense
	gram.Mul(p.b.T(), p.b)
	curvature := mat.NewSymDense(len(z), nil)
	for i := range z {
		for j := i; j < len(z); j++ {
			curvature.SetSym(i, j, p.radius*total/length*(gram.At(i, j)-pull.AtVec(i)*pull.AtVec(j)))
		}
	}
	return rows, curvature
}

// step sets next to the minimizer of the quadratic model around z. With
// H = L Lᵀ, gradient g at z and w = Lᵀ(next - z) + L⁻¹g it is the least-distance
// problem min ‖w‖, rows L⁻ᵀ w ≥ right - rows (z - H⁻¹g).
func (p *program) step(next, z []float64, rows *mat.Dense, curvature *mat.SymDense, weight float64) ([]float64, error) {
	n := len(z)
	h := mat.NewSymDense(n, nil)
	if curvature != nil {
		h.CopySym(curvature)
	}
	g := mat.NewVecDense(n, nil)
	for i := range n {
		h.SetSym(i, i, h.At(i, i)+p.square[i]+weight)
		g.SetVec(i, p.square[i]*z[i]+p.linear[i])
	}
	var factor mat.Cholesky
	if !factor.Factorize(h) {
		return nil, fmt.Errorf("%w: the convex program's Hessian is not positive definite", ErrNoConvergence)
	}
	var lower mat.TriDense
	factor.LTo(&lower)
	free := mat.NewVecDense(n, nil) // the model's minimizer without constraints
	if err := factor.SolveVecTo(free, g); err != nil && !isCondition(err) {
		return nil, err
	}
	free.SubVec(mat.NewVecDense(n, z), free)

	var scaled mat.Dense
	if err := scaled.Solve(&lower, rows.T()); err != nil && !isCondition(err) {
		return nil, err
	}
	right := mat.NewVecDense(len(p.right), nil)
	right.MulVec(rows, free)
	right.SubVec(mat.NewVecDense(len(p.right), p.right), right)
	w := make([]float64, n)
	mu, err := leastDistance(w, scaled.T(), right.RawVector().Data, p.equalities)
	if err != nil {
		return nil, err
	}
	var move mat.VecDense
	if err := move.SolveVec(lower.T(), mat.NewVecDense(n, w)); err != nil && !isCondition(err) {
		return nil, err
	}
	floats.AddTo(next, free.RawVector().Data, move.RawVector().Data)
	return mu, nil
}

// isCondition reports gonum's warning about a large condition number, which a
// proximal step repairs by itself.
func isCondition(err error) bool {
	_, ok := err.(mat.Condition)
	return ok
}
