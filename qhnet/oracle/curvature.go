package oracle

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
)

// Curvature is what second derivatives say of a first-order point of the maximum-margin
// problem (P). The Hessian of its Lagrangian is
//
//	Λmax - Σ μ_j ∇²q_j(θ̃)
//
// with the fitted multipliers of a certificate. The point is a local minimum where that is
// positive definite on the tangent space of the margins with positive multipliers, but for
// flat directions that change neither margins nor objective. It is a saddle where that is
// negative along a direction tangent to all active margins, and the objective really falls
// on a feasible curve along it (Nocedal and Wright, Numerical Optimization, 2006, section
// 12.5). At a kink, such as a unit with weights zero whose ReLU would open, directions are
// tried, and it is a saddle if the objective falls along one, otherwise undecided.
type Curvature struct {
	Verdict   Verdict
	Smallest  float64   // eigenvalue on the tangent space of the active margins
	Direction []float64 // its eigenvector, of length one
	Dimension int       // of that tangent space; 0 is a vertex, a minimum
	Flat      int       // its eigenvalues that are zero up to rounding
	Kinked    bool      // whether margins have no second derivatives there
	Fall      float64   // of the objective along Direction, as a multiple of step²/2: about -Smallest at a saddle
}

// Verdict is what a [Curvature] decides.
type Verdict string

const (
	Minimum   Verdict = "minimum"
	Saddle    Verdict = "saddle"
	Undecided Verdict = "undecided"
)

const (
	mostCurved = 2000 // parameters: the Hessian is dense
	flatShare  = 1e-7 // of the Hessian's norm, below which an eigenvalue counts as zero
)

// CurvatureOf decides what kind of point a certificate belongs to. The margins and
// rates are those that it was made from. It is an error if the certificate is of no
// first-order point, its fitted stationarity above 1e-5, or the model has more than
// 2000 parameters. It takes a Hessian-vector product a parameter and O(m³) operations.
func CurvatureOf(margins *qhnet.Margins, rates *qhnet.Rates, c *qhnet.Certificate) (*Curvature, error) {
	if c == nil {
		panic("qhnet: the curvature of a nil Certificate; make one by Certify, and look at its error")
	}
	m := len(c.Theta)
	if m > mostCurved {
		return nil, fmt.Errorf("qhnet: curvature: %d parameters; at most %d are supported", m, mostCurved)
	}
	if !(c.Fitted.Stationarity <= 1e-5) {
		return nil, fmt.Errorf("qhnet: curvature: the fitted stationarity is %.1e, above 1e-5: the point is not of first order yet", c.Fitted.Stationarity)
	}
	if err := rates.CheckPoint(margins.Model(), c.Theta); err != nil {
		return nil, err
	}
	if _, err := margins.Forward(c.Theta); err != nil {
		return nil, err
	}
	l := newLagrangian(margins, rates, c)
	loose, _ := l.spectrum(l.strict)
	tight, tangent := l.spectrum(l.active)
	zero := flatShare * mat.Norm(l.hessian, 2)
	result := &Curvature{Verdict: Undecided, Dimension: len(tight), Flat: countBelow(tight, zero)}
	if len(tight) > 0 {
		result.Smallest, result.Direction = tight[0], mat.Col(nil, 0, tangent)
	}
	var err error
	if result.Kinked, err = l.kinked(tangent); err != nil {
		return nil, err
	}
	switch {
	case result.Kinked:
		result.Direction, result.Fall, err = l.steepest(tangent)
		if result.Smallest = -result.Fall; result.Fall > 1e3*zero {
			result.Verdict = Saddle
		}
	case len(loose) == 0 || loose[0] >= -zero && countBelow(loose, zero) <= l.symmetries():
		result.Verdict = Minimum
	case result.Smallest < -zero:
		if result.Fall, err = l.fall(result.Direction); result.Fall > -result.Smallest/10 {
			result.Verdict = Saddle
		}
	}
	return result, err
}

func countBelow(values []float64, limit float64) (count int) {
	for _, v := range values {
		if math.Abs(v) <= limit {
			count++
		}
	}
	return count
}

// lagrangian holds the derivatives at the point of a certificate, where the margins are evaluated.
type lagrangian struct {
	margins        *qhnet.Margins
	rates          *qhnet.Rates
	c              *qhnet.Certificate
	hessian        *mat.SymDense
	active, strict [][]float64 // gradients of the support, and of those with a positive multiplier
	back           mat.SVD     // of the active ones, to move to given margins by
}

func newLagrangian(margins *qhnet.Margins, rates *qhnet.Rates, c *qhnet.Certificate) *lagrangian {
	m := len(c.Theta)
	l := &lagrangian{margins: margins, rates: rates, c: c, hessian: mat.NewSymDense(m, nil)}
	column, unit := make([]float64, m), make([]float64, m)
	for i, highest := range rates.Highest() {
		unit[i] = 1
		margins.HessianVector(column, c.Fitted.Multipliers, unit)
		unit[i] = 0
		for j := range i + 1 {
			l.hessian.SetSym(i, j, -column[j])
		}
		if highest {
			l.hessian.SetSym(i, i, c.MaxRate-column[i])
		}
	}
	one := make([]float64, len(c.Margins))
	for _, j := range c.Support {
		one[j] = 1
		gradient := make([]float64, m)
		margins.Gradient(gradient, one)
		one[j] = 0
		l.active = append(l.active, gradient)
		if c.Fitted.Multipliers[j] > 1e-8*floats.Max(c.Fitted.Multipliers) {
			l.strict = append(l.strict, gradient)
		}
	}
	for b, surviving := range rates.Surviving() { // what is discarded does not move
		block := rates.Blocks()[b]
		for i := range block.Len() {
			if !surviving {
				fixed := make([]float64, m)
				fixed[block.Offset+i] = 1
				l.active, l.strict = append(l.active, fixed), append(l.strict, fixed)
			}
		}
	}
	if !l.back.Factorize(stack(l.active, m), mat.SVDThin) {
		panic("qhnet: singular value decomposition of finite gradients failed")
	}
	return l
}

// spectrum returns the eigenvalues of the Hessian on the space orthogonal to the rows,
// in increasing order, and their eigenvectors, one a column.
func (l *lagrangian) spectrum(rows [][]float64) (values []float64, basis *mat.Dense) {
	m := len(l.c.Theta)
	var svd mat.SVD
	if !svd.Factorize(stack(rows, m), mat.SVDFullV) {
		panic("qhnet: singular value decomposition of finite gradients failed")
	}
	rank := svd.Rank(1e-8)
	if rank == m {
		return nil, nil
	}
	var v, projected, curved, vectors mat.Dense
	svd.VTo(&v)
	tangent := v.Slice(0, m, rank, m)
	curved.Mul(l.hessian, tangent)
	projected.Mul(tangent.T(), &curved)
	var eigen mat.EigenSym
	if !eigen.Factorize(mat.NewSymDense(m-rank, projected.RawMatrix().Data), true) {
		panic("qhnet: eigenvalues of a finite Hessian failed")
	}
	eigen.VectorsTo(&vectors)
	basis = new(mat.Dense)
	basis.Mul(tangent, &vectors)
	return eigen.Values(nil), basis
}

// kinked tells whether the Lagrangian is not quadratic near the point along some tangent direction.
func (l *lagrangian) kinked(tangent *mat.Dense) (bool, error) {
	if tangent == nil {
		return false, nil
	}
	m := len(l.c.Theta)
	gradient, residual := make([]float64, m), make([]float64, m)
	l.margins.Gradient(gradient, l.c.Fitted.Multipliers)
	for i, highest := range l.rates.Highest() {
		residual[i] = -gradient[i]
		if highest {
			residual[i] += l.c.MaxRate * l.c.Theta[i]
		}
	}
	at, err := l.value(l.c.Theta)
	step, rng := 1e-4*floats.Norm(l.c.Theta, 2), rand.New(rand.NewPCG(1, 1))
	for k := 0; k < 8 && err == nil; k++ {
		v := randomUnit(tangent, rng)
		var moved float64
		moved, err = l.value(floats.AddScaledTo(make([]float64, m), l.c.Theta, step, v))
		direction := mat.NewVecDense(m, v)
		expected := mat.Inner(direction, l.hessian, direction)
		if found := 2 * (moved - at - step*floats.Dot(residual, v)) / (step * step); !(math.Abs(found-expected) <= 0.01*mat.Norm(l.hessian, 2)) {
			return true, err
		}
	}
	_, forwardErr := l.margins.Forward(l.c.Theta)
	return false, errors.Join(err, forwardErr)
}

func (l *lagrangian) value(theta []float64) (float64, error) {
	q, err := l.margins.Forward(theta)
	if err != nil {
		return 0, err
	}
	return l.objective(theta) - floats.Dot(l.c.Fitted.Multipliers, q), nil
}

// objective is ½‖θ‖²_Λmax.
func (l *lagrangian) objective(theta []float64) (sum float64) {
	for i, highest := range l.rates.Highest() {
		if highest {
			sum += l.c.MaxRate * theta[i] * theta[i] / 2
		}
	}
	return sum
}

// steepest looks for the tangent direction along which the objective falls most: the
// best of many random ones, and then of smaller and smaller changes to it.
func (l *lagrangian) steepest(tangent *mat.Dense) (best []float64, fall float64, err error) {
	const draws = 200
	rng := rand.New(rand.NewPCG(2, 2))
	fall = math.Inf(-1)
	for reach := 1.0; reach > 1e-2; reach /= 2 {
		center := best
		for range draws {
			v := randomUnit(tangent, rng)
			if center != nil {
				floats.Scale(reach, v)
				floats.Add(v, center)
				floats.Scale(1/floats.Norm(v, 2), v)
			}
			found, err := l.fall(v)
			if err != nil {
				return nil, 0, err
			}
			if found > fall {
				best, fall = v, found
			}
		}
	}
	return best, fall, nil
}

func randomUnit(basis *mat.Dense, rng *rand.Rand) []float64 {
	_, dimension := basis.Dims()
	coefficients := make([]float64, dimension)
	for i := range coefficients {
		coefficients[i] = rng.NormFloat64()
	}
	var v mat.VecDense
	v.MulVec(basis, mat.NewVecDense(dimension, coefficients))
	v.ScaleVec(1/v.Norm(2), &v)
	return v.RawVector().Data
}

// symmetries returns the dimension of the free scalings Vθ of [qhnet.ConservedBlocks]
// and [qhnet.ConservedUnits] that leave out the highest rate, and so the objective.
func (l *lagrangian) symmetries() int {
	var all, high [][]float64
	highest := l.rates.Highest()
	for _, c := range append(qhnet.ConservedBlocks(l.margins.Model()), qhnet.ConservedUnits(l.margins.Model())...) {
		scaling := make([]float64, len(highest))
		c.Gradient(scaling, l.c.Theta)
		all, high = append(all, scaling), append(high, make([]float64, len(highest)))
		for i, v := range scaling {
			if highest[i] {
				high[len(high)-1][i] = v
			}
		}
	}
	rank := func(rows [][]float64) int {
		var svd mat.SVD
		if svd.Factorize(stack(rows, len(highest)), mat.SVDNone) {
			return svd.Rank(1e-8)
		}
		return 0
	}
	return rank(all) - rank(high)
}

// fall moves along the direction, back to the active margins, and to feasibility.
func (l *lagrangian) fall(direction []float64) (float64, error) {
	step := 1e-3 * floats.Norm(l.c.Theta, 2)
	theta := floats.AddScaledTo(make([]float64, len(direction)), l.c.Theta, step, direction)
	q, err := l.margins.Forward(theta)
	if err != nil {
		return 0, err
	}
	gap := mat.NewVecDense(len(l.active), nil)
	for i, j := range l.c.Support {
		gap.SetVec(i, 1-q[j])
	}
	var move mat.VecDense
	l.back.SolveVecTo(&move, gap, l.back.Rank(1e-8))
	floats.Add(theta, move.RawVector().Data)
	if q, err = l.margins.Forward(theta); err != nil {
		return 0, err
	}
	smallest := floats.Min(q)
	if !(smallest > 0) {
		return math.Inf(-1), nil
	}
	qhnet.Rescale(theta, -math.Log(smallest), l.rates, theta)
	return 2 * (l.c.Objective - l.objective(theta)) / (step * step), nil
}

func stack(rows [][]float64, width int) *mat.Dense {
	a := mat.NewDense(max(len(rows), 1), width, nil)
	for i, row := range rows {
		a.SetRow(i, row)
	}
	return a
}
