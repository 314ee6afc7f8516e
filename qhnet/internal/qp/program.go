package qp

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Program is a small dense convex program in z,
//
//	minimize   ½ Σ_i Square_i z_i² + ⟨Linear, z⟩
//	subject to Rows z ≥ Right           (the first Equalities rows: =)
//	           Rows_k z - Radius ‖B z‖ ≥ Right_k   for the rows listed in Balls.
//
// It is solved by proximal sequential quadratic programming: the tangent
// half-spaces of the concave ball constraints contain the feasible set, so every
// subproblem is feasible when the program is, and each is a least-distance
// problem in the metric of its Hessian. Without balls this is the proximal-point
// method, which ends after finitely many steps on a linear program and after a
// few on a quadratic one. (Rockafellar, SIAM J. Control Optim. 14, 1976.)
type Program struct {
	Square     []float64
	Linear     []float64
	Rows       *mat.Dense
	Right      []float64
	Equalities int

	Radius float64
	Balls  []int
	B      *mat.Dense
}

const (
	// The proximal weight only has to make the Hessian positive definite. Its
	// bias vanishes at the fixed point, and shrinks by about this factor a step.
	proximalWeight = 1e-6

	programSteps = 300
)

// Solve improves z until it is a fixed point, and returns the multipliers of
// the rows. z must be near the scale of the solution.
func (p *Program) Solve(z []float64) (multipliers []float64, err error) {
	n := len(z)
	next := make([]float64, n)
	weight := proximalWeight
	if floats.Max(p.Square) == 0 { // a linear program: keep z + linear/weight in range
		weight = 1e-2
	}
	if p.Radius > 0 {
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
func (p *Program) firstMultipliers(z []float64) []float64 {
	mu := make([]float64, len(p.Right))
	var pull float64
	for i, v := range z {
		pull += p.Square[i]*v*v + p.Linear[i]*v
	}
	for _, k := range p.Balls {
		mu[k] = pull / float64(len(p.Balls))
	}
	return mu
}

// linearize returns the rows tangent to the constraints at z and the curvature
// of the Lagrangian there, nil without balls. A ball row a·z - r‖Bz‖ is
// homogeneous in z, so its tangent half-space is (a - r Bᵀβ/‖β‖)·z ≥ right.
func (p *Program) linearize(z, multipliers []float64) (*mat.Dense, *mat.SymDense) {
	if p.Radius == 0 {
		return p.Rows, nil
	}
	beta := mat.NewVecDense(p.B.RawMatrix().Rows, nil)
	beta.MulVec(p.B, mat.NewVecDense(len(z), z))
	length := mat.Norm(beta, 2)
	beta.ScaleVec(1/length, beta)
	var pull mat.VecDense
	pull.MulVec(p.B.T(), beta)
	rows := mat.DenseCopyOf(p.Rows)
	var total float64
	for _, k := range p.Balls {
		floats.AddScaled(rows.RawRowView(k), -p.Radius, pull.RawVector().Data)
		total += multipliers[k]
	}
	var gram mat.Dense
	gram.Mul(p.B.T(), p.B)
	curvature := mat.NewSymDense(len(z), nil)
	for i := range z {
		for j := i; j < len(z); j++ {
			curvature.SetSym(i, j, p.Radius*total/length*(gram.At(i, j)-pull.AtVec(i)*pull.AtVec(j)))
		}
	}
	return rows, curvature
}

// step sets next to the minimizer of the quadratic model around z. With
// H = L Lᵀ, gradient g at z and w = Lᵀ(next - z) + L⁻¹g it is the least-distance
// problem min ‖w‖, rows L⁻ᵀ w ≥ right - rows (z - H⁻¹g).
func (p *Program) step(next, z []float64, rows *mat.Dense, curvature *mat.SymDense, weight float64) ([]float64, error) {
	n := len(z)
	h := mat.NewSymDense(n, nil)
	if curvature != nil {
		h.CopySym(curvature)
	}
	g := mat.NewVecDense(n, nil)
	for i := range n {
		h.SetSym(i, i, h.At(i, i)+p.Square[i]+weight)
		g.SetVec(i, p.Square[i]*z[i]+p.Linear[i])
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
	right := mat.NewVecDense(len(p.Right), nil)
	right.MulVec(rows, free)
	right.SubVec(mat.NewVecDense(len(p.Right), p.Right), right)
	w := make([]float64, n)
	mu, err := LeastDistance(w, scaled.T(), right.RawVector().Data, p.Equalities)
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
