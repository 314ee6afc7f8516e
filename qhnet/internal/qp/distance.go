package qp

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// ErrInfeasible is returned, wrapped, when no point satisfies all constraints:
// for margin constraints, when the data are not separable.
var ErrInfeasible = errors.New("qhnet: constraints cannot be satisfied")

// LeastDistance sets dst to the point nearest to the origin in a polyhedron,
//
//	minimize ½‖x‖²  subject to  G x ≥ h  (the first equalities rows: =),
//
// and returns the multipliers of x = Gᵀμ, those of inequalities not negative. With rows y_k x_k and h = 1 this
// is the hard-margin support vector machine through the origin. G is k×d, h has
// length k, dst length d. The error wraps [ErrInfeasible] if the polyhedron is
// empty.
//
// It is reduced to [NNLS] as in Lawson and Hanson, Solving Least Squares
// Problems (1974), chapter 23, section 4, and then solved again on the active
// rows alone, which recovers the digits the reduction loses.
func LeastDistance(dst []float64, g mat.Matrix, h []float64, equalities int) ([]float64, error) {
	k, d := g.Dims()
	if len(h) != k || len(dst) != d {
		panic(fmt.Sprintf("qhnet: LeastDistance of a %d×%d matrix with len(h) = %d and len(dst) = %d", k, d, len(h), len(dst)))
	}
	multipliers := make([]float64, k)
	clear(dst)
	// The distance to the farthest violated half-space is a lower bound of ‖x‖.
	// The reduction is best conditioned when ‖x‖ is the unit, so the first answer
	// becomes the unit of a second round.
	unit := farthest(g, h, equalities)
	if unit == 0 {
		return multipliers, nil
	}
	s, err := reduceDistance(dst, g, h, unit, equalities)
	if errors.Is(err, ErrInfeasible) { // or ‖x‖ is millions of times the bound
		s, err = reduceDistance(dst, g, h, 1e4*unit, equalities)
	}
	if err != nil {
		return nil, err
	}
	if norm := floats.Norm(dst, 2); norm > 0 {
		if s, err = reduceDistance(dst, g, h, norm, equalities); err != nil {
			return nil, err
		}
	}
	polishDistance(dst, multipliers, g, h, s)
	if worst, row := worstViolation(dst, g, h, equalities); worst > 1e-9 {
		return nil, fmt.Errorf("%w: row %d is violated by %.1e of its size", ErrInfeasible, row, worst)
	}
	return multipliers, nil
}

func farthest(g mat.Matrix, h []float64, equalities int) float64 {
	var unit float64
	for k, v := range h {
		row := mat.Row(nil, k, g)
		if length := floats.Norm(row, 2); length > 0 {
			if k < equalities {
				v = math.Abs(v)
			}
			unit = math.Max(unit, v/length)
		} else if v > 0 {
			return v
		}
	}
	return unit
}

// reduceDistance solves min ‖[Gᵀ; hᵀ/unit] u - e_last‖ over u ≥ 0 and reads x
// off the residual, whose last entry is 1/(1 + ‖x/unit‖²).
func reduceDistance(dst []float64, g mat.Matrix, h []float64, unit float64, equalities int) (*activeSet, error) {
	k, d := g.Dims()
	e := mat.NewDense(d+1, k, nil)
	e.Slice(0, d, 0, k).(*mat.Dense).Copy(g.T())
	for j, v := range h {
		e.Set(d, j, v/unit)
	}
	target := make([]float64, d+1)
	target[d] = 1
	s := newActiveSet(e, target, equalities)
	if err := s.run(); err != nil {
		return nil, err
	}
	last := s.residual[d]
	if !(last > 1e-13) { // ‖x‖ above 3e6 units, or rounding
		return nil, fmt.Errorf("%w: a non-negative combination of the constraints is 0 ≥ 1", ErrInfeasible)
	}
	for i := range dst {
		dst[i] = -s.residual[i] / last * unit
	}
	return s, nil
}

// polishDistance solves for the least-norm point on which the passive rows hold
// with equality. It keeps the previous point if that one is not better.
func polishDistance(dst, multipliers []float64, g mat.Matrix, h []float64, s *activeSet) {
	p := len(s.passive)
	if p == 0 {
		return
	}
	_, d := g.Dims()
	active := mat.NewDense(p, d, nil)
	right := mat.NewVecDense(p, nil)
	for i, j := range s.passive {
		active.SetRow(i, mat.Row(nil, j, g))
		right.SetVec(i, h[j])
	}
	// The reduction's own multipliers, in case the rows are dependent.
	scale := floats.Norm(dst, 2) / math.Max(floats.Norm(combine(active, Pick(s.x, s.passive)), 2), math.SmallestNonzeroFloat64)
	for _, j := range s.passive {
		multipliers[j] = s.x[j] * scale
	}
	if p > d {
		return
	}
	var lq mat.LQ
	lq.Factorize(active)
	var x, mu mat.VecDense
	if lq.SolveVecTo(&x, false, right) != nil || lq.SolveVecTo(&mu, true, &x) != nil {
		return
	}
	worst, _ := worstViolation(x.RawVector().Data, g, h, s.free)
	before, _ := worstViolation(dst, g, h, s.free)
	if worst > math.Max(before, 1e-13) {
		return
	}
	copy(dst, x.RawVector().Data)
	for i, j := range s.passive {
		if v := mu.AtVec(i); j < s.free || v > 0 {
			multipliers[j] = v
		}
	}
}

// worstViolation returns the largest violation of G x ≥ h and its row, relative
// to |h| and, with a weight that admits rounding, to the terms of the row.
func worstViolation(x []float64, g mat.Matrix, h []float64, equalities int) (worst float64, row int) {
	norm := floats.Norm(x, 2)
	for k, v := range h {
		r := mat.Row(nil, k, g)
		gap := v - floats.Dot(r, x)
		if k < equalities {
			gap = math.Abs(gap)
		}
		size := math.Abs(v) + 1e-3*floats.Norm(r, 2)*norm
		if size > 0 && gap/size > worst {
			worst, row = gap/size, k
		}
	}
	return worst, row
}

func combine(rows *mat.Dense, weights []float64) []float64 {
	n, d := rows.Dims()
	sum := make([]float64, d)
	for i := range n {
		floats.AddScaled(sum, weights[i], rows.RawRowView(i))
	}
	return sum
}

// Pick returns the entries of x at the given indices.
func Pick(x []float64, indices []int) []float64 {
	y := make([]float64, len(indices))
	for i, j := range indices {
		y[i] = x[j]
	}
	return y
}
