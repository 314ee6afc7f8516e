// Package qp solves small dense convex programs that gonum does not: non-negative least squares,
// least distance to a polyhedron, and quadratic programs with ball constraints.
package qp

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/internal/vector"
)

// ErrNoConvergence is returned, wrapped, when an active-set method does not settle.
var ErrNoConvergence = errors.New("qhnet: no convergence")

const (
	machineEpsilon = 0x1p-52

	// A column whose part outside the span of the passive columns is below this
	// share of its length adds nothing but rounding: it counts as dependent.
	dependentShare = 1e-12
)

// NNLS sets dst to a non-negative least-squares solution,
//
//	minimize ‖A x - b‖  subject to  x ≥ 0,
//
// and returns ‖A x - b‖. A is m×n of any rank, b has length m, dst length n; the positive
// entries of x belong to linearly independent columns. It is an error if an entry is not
// finite.
//
// It is the active-set method of Lawson and Hanson, Solving Least Squares Problems (1974),
// chapter 23, on an orthogonal factorization of the passive columns that is updated rather
// than recomputed. An iteration costs O(m n); there are usually about n of them.
func NNLS(dst []float64, a mat.Matrix, b []float64) (residual float64, err error) {
	m, n := dims("NNLS", a)
	if len(b) != m || len(dst) != n {
		panic(fmt.Sprintf("qhnet: NNLS of a %d×%d matrix with len(b) = %d and len(dst) = %d", m, n, len(b), len(dst)))
	}
	if err := checkFinite("NNLS", a, b); err != nil {
		return math.NaN(), err
	}
	s := newActiveSet(a, b)
	err = s.run()
	copy(dst, s.x)
	residual = floats.Norm(s.residual, 2)
	if err == nil && math.IsNaN(residual+floats.Sum(dst)) {
		err = fmt.Errorf("%w: the numbers of the system differ too much in size; scale its columns", ErrNoConvergence)
	}
	return residual, err
}

// dims returns the size of a matrix, which must have entries.
func dims(method string, a mat.Matrix) (rows, columns int) {
	if a != nil {
		rows, columns = a.Dims()
	}
	if rows*columns == 0 {
		panic(fmt.Sprintf("qhnet: %s of a nil or empty matrix; give it at least one entry", method))
	}
	return rows, columns
}

// checkFinite returns an error that names the first entry of a system that is not finite.
func checkFinite(method string, a mat.Matrix, b []float64) error {
	m, n := a.Dims()
	for i := range m {
		for j := range n {
			if v := a.At(i, j); v-v != 0 {
				return fmt.Errorf("qhnet: %s: entry (%d, %d) of the matrix is %v", method, i, j, v)
			}
		}
	}
	if i := vector.NotFinite(b); i >= 0 {
		return fmt.Errorf("qhnet: %s: entry %d of the right-hand side is %v", method, i, b[i])
	}
	return nil
}

// activeSet is the state of Lawson and Hanson's method.
type activeSet struct {
	columns  [][]float64
	lengths  []float64
	b        []float64
	x        []float64 // current feasible point
	z        []float64 // least-squares solution on the passive set, by position
	passive  []int     // columns in the order of the factorization
	member   []bool
	rejected []bool
	q        [][]float64 // orthonormal basis of the passive columns
	r        [][]float64 // r[k] is column k of the triangular factor
	residual []float64
}

func newActiveSet(a mat.Matrix, b []float64) *activeSet {
	_, n := a.Dims()
	s := &activeSet{
		columns: make([][]float64, n), lengths: make([]float64, n), b: b, x: make([]float64, n),
		member: make([]bool, n), rejected: make([]bool, n), residual: slices.Clone(b),
	}
	for j := range s.columns {
		s.columns[j] = mat.Col(nil, j, a)
		s.lengths[j] = floats.Norm(s.columns[j], 2)
	}
	return s
}

func (s *activeSet) run() error {
	limit := 100 + 30*len(s.x)
	for range limit {
		j := s.steepest()
		if j < 0 {
			return nil
		}
		if s.rejected[j] = !s.enter(j); s.rejected[j] {
			continue
		}
		s.solve()
		if s.z[len(s.z)-1] <= 0 { // the gradient's sign was rounding
			s.leave(len(s.passive) - 1)
			s.rejected[j] = true
			continue
		}
		s.retreat()
		s.accept()
		clear(s.rejected)
	}
	return fmt.Errorf("%w: non-negative least squares with %d columns did not settle in %d steps", ErrNoConvergence, len(s.x), limit)
}

// steepest returns the column along which the residual falls fastest, or -1 if
// every remaining slope is within its own rounding error.
func (s *activeSet) steepest() int {
	noise := floats.Norm(s.b, 2)
	for _, j := range s.passive {
		noise += math.Abs(s.x[j]) * s.lengths[j]
	}
	best, slope := -1, 4*machineEpsilon*math.Sqrt(float64(len(s.b)))*noise
	for j, column := range s.columns {
		if s.member[j] || s.rejected[j] || s.lengths[j] == 0 {
			continue
		}
		if w := floats.Dot(column, s.residual) / s.lengths[j]; w > slope {
			best, slope = j, w
		}
	}
	return best
}

// enter appends column j to the passive set unless it depends on the columns already there.
func (s *activeSet) enter(j int) bool {
	v := slices.Clone(s.columns[j])
	r := make([]float64, len(s.q)+1)
	for range 2 { // twice is enough: the second pass removes what rounding left
		for k, q := range s.q {
			c := floats.Dot(q, v)
			r[k] += c
			floats.AddScaled(v, -c, q)
		}
	}
	length := floats.Norm(v, 2)
	if length <= dependentShare*s.lengths[j] {
		return false
	}
	floats.Scale(1/length, v)
	r[len(s.q)] = length
	s.q, s.r = append(s.q, v), append(s.r, r)
	s.passive = append(s.passive, j)
	s.member[j] = true
	return true
}

// leave removes the passive column at position p and refactors those after it.
func (s *activeSet) leave(p int) {
	later := slices.Clone(s.passive[p+1:])
	for _, j := range s.passive[p:] {
		s.member[j] = false
	}
	s.q, s.r, s.passive = s.q[:p], s.r[:p], s.passive[:p]
	for _, j := range later {
		s.enter(j)
	}
}

// solve sets z to the least-squares solution on the passive columns.
func (s *activeSet) solve() {
	rest := slices.Clone(s.b)
	s.z = s.z[:0]
	for _, q := range s.q {
		c := floats.Dot(q, rest)
		floats.AddScaled(rest, -c, q)
		s.z = append(s.z, c)
	}
	for k := len(s.z) - 1; k >= 0; k-- {
		s.z[k] /= s.r[k][k]
		for i := range k {
			s.z[i] -= s.r[k][i] * s.z[k]
		}
	}
}

// retreat moves x towards z as far as x stays non-negative and drops the columns
// that reach zero, until z itself is feasible.
func (s *activeSet) retreat() {
	for {
		step, blocked := 1.0, -1
		for k, j := range s.passive {
			if s.z[k] <= 0 {
				if t := s.x[j] / (s.x[j] - s.z[k]); blocked < 0 || t < step {
					step, blocked = t, j
				}
			}
		}
		if blocked < 0 {
			return
		}
		for k, j := range s.passive {
			s.x[j] += step * (s.z[k] - s.x[j])
		}
		s.x[blocked] = 0
		for p := len(s.passive) - 1; p >= 0; p-- {
			if j := s.passive[p]; s.x[j] <= 0 {
				s.x[j] = 0
				s.leave(p)
			}
		}
		s.solve()
	}
}

// accept makes z the current point.
func (s *activeSet) accept() {
	clear(s.x)
	copy(s.residual, s.b)
	for k, j := range s.passive {
		s.x[j] = s.z[k]
		floats.AddScaled(s.residual, -s.z[k], s.columns[j])
	}
}
