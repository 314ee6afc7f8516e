package qhnet

import (
	"math"
	"slices"

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
	if _, err := leastDistance(z, b.rows, b.right, b.equalities); err != nil || !b.consistent {
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
	mu, err := p.solve(z)
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
	z := pick(f.point, f.free)
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
func (f *face) addBalls(p *program, b bounds, split splitting) {
	p.radius = f.margins.radius * f.unit
	for i, k := range b.margin {
		if k >= 0 {
			p.balls = append(p.balls, i)
		}
	}
	inputs := mat.NewDense(len(f.free), len(f.free), nil)
	for i, j := range f.free {
		if j < f.margins.inputs {
			inputs.Set(i, i, 1)
		}
	}
	p.b = new(mat.Dense)
	p.b.Mul(inputs, split.expand)
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
			active.SetRow(k, pick(row, f.free))
		}
	}
	var svd mat.SVD
	return svd.Factorize(active, mat.SVDNone) && svd.Rank(1e-10) == len(f.free)
}

func without(indices, removed []int) []int {
	return slices.DeleteFunc(slices.Clone(indices), func(j int) bool { return slices.Contains(removed, j) })
}
