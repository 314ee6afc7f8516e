package oracle

import (
	"math"
	"slices"

	"qhlab/qhnet/internal/qp"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// face is the set of coefficients that are optimal for all stages so far: some
// fixed, the others free under equalities and inequalities. By complementarity
// with one dual solution, it is the feasible points at which the constraints
// with a positive multiplier hold with equality.
type face struct {
	margins    *LinearMargins
	unit       float64         // length of the widest margin's coefficients
	point      []float64       // a point of the face
	free       []int           // coefficients not fixed yet
	tight      []bool          // margins that hold with equality on the face
	sign       map[int]float64 // free coefficients that cannot change sign
	determined bool            // the face is the point
}

func newFace(l *LinearMargins, start []float64) *face {
	f := &face{
		margins: l,
		unit:    floats.Norm(start, 2),
		point:   start,
		tight:   make([]bool, l.rows.RawMatrix().Rows),
		sign:    map[int]float64{},
	}
	for j := range start {
		f.free = append(f.free, j)
	}
	return f
}

// discard moves to coefficients that are zero at the given coordinates, if the
// face has any.
func (f *face) discard(coordinates []int) bool {
	rest := without(f.free, coordinates)
	if len(rest) == 0 {
		return false
	}
	point := slices.Clone(f.point)
	for _, j := range coordinates {
		point[j] = 0
	}
	if f.margins.radius > 0 {
		beta, err := f.margins.widest(rest)
		if err != nil {
			return false
		}
		margin := 1 - f.margins.radius*floats.Norm(beta[:f.margins.inputs], 2)
		if margin <= 0 {
			return false
		}
		floats.Scale(1/margin, beta)
		f.point, f.free = beta, rest
		return true
	}
	smaller := *f
	smaller.point, smaller.free = point, rest
	b := smaller.bounds()
	z := make([]float64, len(rest))
	if _, err := qp.LeastDistance(z, b.rows, b.right, b.equalities); err != nil || !b.consistent {
		return false
	}
	smaller.set(z)
	*f = smaller
	return true
}

// minimize moves to the minimizers of a stage's norm and restricts the face to
// them.
func (f *face) minimize(s groupStage) error {
	b := f.bounds()
	split := newSplitting(f.free, s)
	p := split.program(b)
	if f.margins.radius > 0 {
		f.addBalls(p, b, split)
	}
	z := split.encode(f.scaled())
	mu, err := p.Solve(z)
	if err != nil {
		return err
	}
	f.set(split.decode(z))
	if f.margins.radius > 0 {
		// Two optima with one value would have an optimal midpoint strictly
		// inside a ball constraint whose multiplier is positive.
		f.determined = true
		return nil
	}
	f.restrict(s, b, mu)
	return nil
}

// restrict keeps the points complementary to the multipliers.
func (f *face) restrict(s groupStage, b bounds, mu []float64) {
	largest := floats.Norm(mu, math.Inf(1))
	slope := make([]float64, len(f.free)) // of the Lagrangian's constraint part
	for i, k := range b.margin {
		if k >= 0 && math.Abs(mu[i]) > 1e-10*largest {
			f.tight[k] = true
		}
		floats.AddScaled(slope, mu[i], b.rows.RawRowView(i))
	}
	var settled []int
	for i, j := range f.free {
		if !slices.Contains(s.coordinates, j) {
			continue
		}
		switch {
		case s.Norm != "ℓ1":
			settled = append(settled, j)
		case math.Abs(slope[i]) < 1-1e-9: // zero at every minimizer
			f.point[j] = 0
			settled = append(settled, j)
		default:
			f.sign[j] = math.Copysign(1, slope[i])
		}
	}
	f.free = without(f.free, settled)
}

// scaled returns the free part of the point in units of the widest margin.
func (f *face) scaled() []float64 {
	z := qp.Pick(f.point, f.free)
	floats.Scale(1/f.unit, z)
	return z
}

// set moves the free part of the point.
func (f *face) set(z []float64) {
	for i, j := range f.free {
		f.point[j] = z[i] * f.unit
	}
}

// addBalls turns every margin row into an exact ball constraint.
func (f *face) addBalls(p *qp.Program, b bounds, split splitting) {
	p.Radius = f.margins.radius * f.unit
	for i, k := range b.margin {
		if k >= 0 {
			p.Balls = append(p.Balls, i)
		}
	}
	inputs := mat.NewDense(len(f.free), len(f.free), nil)
	for i, j := range f.free {
		if j < f.margins.inputs {
			inputs.Set(i, i, 1)
		}
	}
	p.B = new(mat.Dense)
	p.B.Mul(inputs, split.expand)
}

// unique reports whether the active constraints determine the free coefficients.
func (f *face) unique() bool {
	if len(f.free) == 0 || f.determined {
		return true
	}
	active := mat.NewDense(len(f.tight)+1, len(f.free), nil)
	for k, q := range f.margins.Of(nil, f.point) {
		row := f.margins.rows.RawRowView(k)
		if f.tight[k] || math.Abs(q-1) < 1e-10*(1+f.unit*floats.Norm(row, 2)) {
			active.SetRow(k, qp.Pick(row, f.free))
		}
	}
	var svd mat.SVD
	return svd.Factorize(active, mat.SVDNone) && svd.Rank(1e-10) == len(f.free)
}

func without(indices, removed []int) []int {
	return slices.DeleteFunc(slices.Clone(indices), func(j int) bool { return slices.Contains(removed, j) })
}

// bounds are the constraints on the free coefficients, equalities first, in
// units in which the widest margin's coefficients have length one.
type bounds struct {
	rows       *mat.Dense
	right      []float64
	equalities int
	margin     []int // the margin that a row belongs to, -1 for a sign
	consistent bool  // whether the rows that were left out hold
}

// A row whose part outside the span of the equalities is below this share of
// its length is decided by them. It is checked once, with this tolerance, and
// left out: kept, it would ask rounding errors to agree.
const decidedShare = 1e-9

func (f *face) bounds() bounds {
	fixed := slices.Clone(f.point)
	for _, j := range f.free {
		fixed[j] = 0
	}
	c := boundCollector{bounds: bounds{consistent: true}}
	for _, tight := range []bool{true, false} {
		for k := range f.tight {
			if f.tight[k] == tight {
				all := f.margins.rows.RawRowView(k)
				row := qp.Pick(all, f.free)
				floats.Scale(f.unit, row)
				c.add(row, 1-floats.Dot(all, fixed), f.unit*floats.Norm(all, 2), k, tight)
			}
		}
		if tight {
			c.equalities = len(c.right)
		}
	}
	for i, j := range f.free {
		if s, ok := f.sign[j]; ok {
			row := make([]float64, len(f.free))
			row[i] = s
			c.add(row, 0, 1, -1, false)
		}
	}
	return c.finish(len(f.free))
}

// boundCollector gathers rows and keeps an orthonormal basis of the equalities
// with the value each basis vector takes on them.
type boundCollector struct {
	bounds
	list   [][]float64
	basis  [][]float64
	values []float64
}

func (c *boundCollector) add(row []float64, right, size float64, margin int, equality bool) {
	outside, value := slices.Clone(row), 0.0
	for range 2 { // the second pass removes what rounding left
		for i, q := range c.basis {
			s := floats.Dot(q, outside)
			floats.AddScaled(outside, -s, q)
			value += s * c.values[i]
		}
	}
	length := floats.Norm(outside, 2)
	if length <= decidedShare*size {
		gap := right - value
		if equality {
			gap = math.Abs(gap)
		}
		c.consistent = c.consistent && gap <= decidedShare*math.Max(size, 1)
		return
	}
	c.list = append(c.list, row)
	c.right, c.margin = append(c.right, right), append(c.margin, margin)
	if equality {
		floats.Scale(1/length, outside)
		c.basis, c.values = append(c.basis, outside), append(c.values, (right-value)/length)
	}
}

func (c *boundCollector) finish(width int) bounds {
	if len(c.list) == 0 { // 0 ≥ 0, so that the matrix is not empty
		c.list, c.right, c.margin = [][]float64{make([]float64, width)}, []float64{0}, []int{-1}
	}
	c.rows = mat.NewDense(len(c.list), width, nil)
	for i, row := range c.list {
		c.rows.SetRow(i, row)
	}
	return c.bounds
}
