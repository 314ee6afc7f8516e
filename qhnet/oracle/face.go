package oracle

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/internal/qp"
)

// face is the set of coefficients that are optimal for all stages so far: by
// complementarity with one dual solution, the feasible points at which the
// constraints with a positive multiplier hold with equality. Those equalities leave
//
//	x = base + N z,   base ⟂ N,
//
// and the other margins, and some signs, bound z. Coordinates are equilibrated, so
// that units of the inputs do not matter: x_j = length_j β_j/unit with the length of
// column j of the margins, or 1 with balls, which are round in the inputs' own units.
// The point that the face starts from has ‖x‖ = 1.
type face struct {
	rows   *mat.Dense // of the margins rows·x - radius ‖x_j/length_j‖ ≥ 1
	length []float64
	unit   float64
	radius float64
	inputs int
	x      []float64  // a point of the face
	free   *mat.Dense // N, whose columns are orthonormal; nil if the point is all
	tight  []bool     // margins that hold with equality on the face
	sign   []float64  // of coordinates that cannot change it, otherwise 0
}

// A row whose part along N is below this share of its length is decided by the equalities. It is
// checked once, with this tolerance, and left out: kept, it would ask rounding errors to agree.
const decidedShare = 1e-9

// newFace returns all feasible coefficients, at one of them; with balls, at the widest margin.
func newFace(l *LinearMargins) (*face, error) {
	n, width := l.rows.Dims()
	f := &face{
		rows: mat.DenseCopyOf(l.rows), length: make([]float64, width), unit: 1, radius: l.radius, inputs: l.inputs,
		x: make([]float64, width), free: mat.NewDense(width, width, nil), tight: make([]bool, n), sign: make([]float64, width),
	}
	for j := range f.length {
		column := f.rows.ColView(j).(*mat.VecDense)
		if f.length[j] = mat.Norm(column, 2); f.length[j] == 0 || l.radius > 0 {
			f.length[j] = 1
		}
		column.ScaleVec(1/f.length[j], column)
		f.free.Set(j, j, 1)
	}
	if _, err := qp.LeastDistance(f.x, f.rows, slices.Repeat([]float64{1}, n)); err != nil {
		return nil, fmt.Errorf("%w (no linear function of these coefficients separates the data)", err)
	}
	f.normalize()
	if l.radius > 0 {
		if err := f.widest(); err != nil {
			return nil, err
		}
		f.normalize()
	}
	return f, nil
}

func (f *face) normalize() {
	size := floats.Norm(f.x, 2)
	floats.Scale(1/size, f.x)
	f.rows.Scale(size, f.rows)
	f.radius *= size
	f.unit *= size
}

// widest moves to the widest margin of the face, whose equalities may only be zero coordinates.
func (f *face) widest() error {
	all := groupStage{Stage: Stage{Norm: "ℓ2"}}
	for j := range f.inputs {
		all.coordinates = append(all.coordinates, j)
	}
	if _, _, err := f.solve(all, 0); err != nil {
		return err
	}
	margin, radius := 1/all.norm(f.coefficients()), f.radius/f.unit
	if margin <= radius {
		return fmt.Errorf("%w: the centres' widest margin is %.6g and the balls have radius %.6g", qp.ErrInfeasible, margin, radius)
	}
	floats.Scale(1/(1-radius/margin), f.x)
	return nil
}

func (f *face) coefficients() []float64 {
	beta := floats.ScaleTo(make([]float64, len(f.x)), f.unit, f.x)
	return floats.DivTo(beta, beta, f.length)
}

// discard moves to coefficients that are zero at the given coordinates, if the face has any.
func (f *face) discard(coordinates []int) bool {
	smaller := *f
	smaller.x = slices.Clone(f.x)
	if !smaller.settle(nil, coordinates, make([]float64, len(coordinates))) {
		return false
	}
	if smaller.free != nil {
		b := smaller.bounds()
		z := make([]float64, smaller.free.RawMatrix().Cols)
		if _, err := qp.LeastDistance(z, b.rows, b.right); err != nil || !b.consistent {
			return false
		}
		smaller.place(z)
		if f.radius > 0 && smaller.widest() != nil {
			return false
		}
	} else if slices.Min(smaller.gaps()) < -decidedShare {
		return false
	}
	*f = smaller
	return true
}

// minimize moves to the minimizers of a stage's norm and restricts the face to
// them, the points complementary to the multipliers.
func (f *face) minimize(s groupStage) error {
	if f.free == nil {
		return nil
	}
	b, mu, err := f.solve(s, f.radius)
	if err != nil {
		return err
	}
	if f.radius > 0 {
		// The midpoint of two optima would be strictly inside a ball constraint with a positive multiplier.
		f.free = nil
		return nil
	}
	weights, bounded := make([]float64, len(b.margin)), mu[len(b.right):]
	for i := range weights {
		weights[i] = mu[i] * floats.Norm(b.rows.RawRowView(i), 2)
	}
	var tight []int
	for i, k := range b.margin {
		if weights[i] > 1e-10*floats.Max(weights) {
			f.tight[k], tight = true, append(tight, k)
		}
	}
	if !f.settle(tight, nil, nil) {
		return fmt.Errorf("%w: the minimizers violate the margins that define them", qp.ErrNoConvergence)
	}
	for i, j := range s.coordinates {
		value := f.x[j]
		if s.Norm == "ℓ1" {
			above, below := bounded[2*i], bounded[2*i+1] // of t ≥ x_j and t ≥ -x_j
			if math.Min(above, below) <= 1e-9*(above+below) {
				f.sign[j] = math.Copysign(1, above-below)
				continue
			}
			value = 0
		}
		f.settle(nil, []int{j}, []float64{value}) // value is that of the point, up to rounding
	}
	if gap := slices.Min(f.gaps()); gap < -decidedShare {
		return fmt.Errorf("%w: a margin misses 1 by %.1e of its terms", qp.ErrNoConvergence, -gap)
	}
	return nil
}

// A linear program's proximal weights are this share of its prices, so that a step stays in range.
const linearWeight = 1e-2

// solve moves to a minimizer of a stage's norm, with balls of the given radius, and
// returns the multipliers of the bounds. An ℓ1 norm is Σ t_j over t_j ≥ ±x_j, whose
// multipliers follow, two a coordinate.
func (f *face) solve(s groupStage, radius float64) (bounds, []float64, error) {
	base, z := f.split()
	b, k, extra := f.bounds(), len(z), 0
	weight := 1e-6
	if s.Norm == "ℓ1" {
		weight, extra = linearWeight, len(s.coordinates)
	}
	n, width := len(b.right), k+extra
	p := &qp.Program{
		Quadratic: mat.NewSymDense(width, nil), Proximal: mat.NewSymDense(width, nil), Linear: make([]float64, width),
		Rows: mat.NewDense(n+2*extra, width, nil), Right: slices.Concat(b.right, make([]float64, 2*extra)),
	}
	p.Rows.Slice(0, n, 0, k).(*mat.Dense).Copy(b.rows)
	quadratic, proximal := p.Quadratic.SliceSym(0, k).(*mat.SymDense), p.Proximal.SliceSym(0, k).(*mat.SymDense)
	prices := f.prices(s)
	for j := range f.x {
		if !slices.Contains(s.coordinates, j) {
			proximal.SymRankOne(proximal, weight, f.free.RowView(j))
		}
	}
	for i, j := range s.coordinates {
		row, along := f.free.RawRowView(j), f.free.RowView(j)
		if extra == 0 {
			quadratic.SymRankOne(quadratic, prices[i], along)
			floats.AddScaled(p.Linear[:k], prices[i]*base[j], row)
			p.Constant += prices[i] * base[j] * base[j] / 2
			continue
		}
		proximal.SymRankOne(proximal, weight*prices[i], along)
		p.Proximal.SetSym(k+i, k+i, weight*prices[i])
		p.Linear[k+i] = prices[i]
		for side, sign := range []float64{1, -1} {
			r := n + 2*i + side
			floats.AddScaled(p.Rows.RawRowView(r)[:k], -sign, row)
			p.Rows.Set(r, k+i, 1)
			p.Right[r] = sign * base[j]
		}
		z = append(z, math.Abs(f.x[j]))
	}
	if radius > 0 {
		p.Radius, p.Balls, p.B = radius, len(b.margin), mat.NewDense(f.inputs, width, nil)
		for j := range f.inputs {
			floats.AddScaled(p.B.RawRowView(j)[:k], 1/f.length[j], f.free.RawRowView(j))
		}
	}
	mu, err := p.Solve(z)
	if err == nil {
		f.place(z[:k])
	}
	return b, mu, err
}

// prices returns the coordinates' weights in the stage's norm, ℓ1 or ℓ2², that make it 1 at the point.
func (f *face) prices(s groupStage) []float64 {
	prices, total := make([]float64, len(s.coordinates)), 0.0
	for i, j := range s.coordinates {
		prices[i] = 1 / f.length[j]
		cost := math.Abs(f.x[j])
		if s.Norm == "ℓ2" {
			prices[i], cost = prices[i]*prices[i], cost*cost
		}
		total += prices[i] * cost
	}
	floats.Scale(1/total, prices)
	return prices
}

// split writes the point as base + N z.
func (f *face) split() (base, z []float64) {
	x, b, along := mat.NewVecDense(len(f.x), f.x), new(mat.VecDense), new(mat.VecDense)
	along.MulVec(f.free.T(), x)
	b.MulVec(f.free, along)
	b.SubVec(x, b)
	return b.RawVector().Data, along.RawVector().Data
}

func (f *face) place(z []float64) {
	base, _ := f.split()
	var along mat.VecDense
	along.MulVec(f.free, mat.NewVecDense(len(z), z))
	floats.AddTo(f.x, base, along.RawVector().Data)
}

// settle moves to the points of the face at which the given margins are tight and the coordinates
// have the given values, and restricts it to them. It reports whether there are any.
func (f *face) settle(margins, coordinates []int, values []float64) bool {
	m := len(margins) + len(coordinates)
	if m == 0 {
		return true
	}
	equations, right := mat.NewDense(m, len(f.x), nil), make([]float64, m)
	for i, k := range margins {
		right[i] = 1 / floats.Norm(f.rows.RawRowView(k), 2)
		floats.ScaleTo(equations.RawRowView(i), right[i], f.rows.RawRowView(k))
	}
	for i, j := range coordinates {
		equations.Set(len(margins)+i, j, 1)
		right[len(margins)+i] = values[i]
	}
	gap := func() *mat.VecDense {
		var g mat.VecDense
		g.MulVec(equations, mat.NewVecDense(len(f.x), f.x))
		g.SubVec(mat.NewVecDense(m, right), &g)
		return &g
	}
	if f.free != nil {
		f.narrow(equations, gap())
	}
	if mat.Norm(gap(), math.Inf(1)) > decidedShare {
		return false
	}
	for i, j := range coordinates { // exactly
		f.x[j] = values[i]
		if f.free != nil {
			clear(f.free.RawRowView(j))
		}
	}
	return true
}

// narrow moves by the shortest N z with equations·N z = gap, and takes their row space out of N.
func (f *face) narrow(equations *mat.Dense, gap *mat.VecDense) {
	var reduced mat.Dense
	reduced.Mul(equations, f.free)
	var svd mat.SVD
	if !svd.Factorize(&reduced, mat.SVDThinU|mat.SVDFullV) {
		panic("qhnet: singular value decomposition of finite equations failed")
	}
	rank, k := 0, f.free.RawMatrix().Cols
	for _, s := range svd.Values(nil) {
		if s > decidedShare {
			rank++
		}
	}
	if rank == 0 {
		return
	}
	var z, move mat.VecDense
	svd.SolveVecTo(&z, gap, rank)
	move.MulVec(f.free, &z)
	floats.Add(f.x, move.RawVector().Data)
	if rank == k {
		f.free = nil
		return
	}
	var v, free mat.Dense
	svd.VTo(&v)
	free.Mul(f.free, v.Slice(0, k, rank, k))
	f.free = &free
}

// bounds are the constraints on z that are not equalities: rows of margins, then of
// signs. There is at least one row, if need be 0 ≥ 0.
type bounds struct {
	rows       *mat.Dense
	right      []float64
	margin     []int // the margins of the first rows
	consistent bool  // whether the rows that were left out hold
}

func (f *face) bounds() bounds {
	base, z := f.split()
	b := bounds{consistent: true}
	var along mat.Dense
	along.Mul(f.rows, f.free)
	var list []float64
	add := func(row []float64, right, size float64) (kept bool) {
		if kept = floats.Norm(row, 2) > decidedShare*size; kept {
			list, b.right = append(list, row...), append(b.right, right)
		} else {
			b.consistent = b.consistent && right <= decidedShare*math.Max(size, 1)
		}
		return kept
	}
	for k, tight := range f.tight {
		row := f.rows.RawRowView(k)
		if !tight && add(along.RawRowView(k), 1-floats.Dot(row, base), floats.Norm(row, 2)) {
			b.margin = append(b.margin, k)
		}
	}
	for j := range f.x {
		if sign := f.sign[j]; sign != 0 {
			add(floats.ScaleTo(make([]float64, len(z)), sign, f.free.RawRowView(j)), -sign*base[j], 1)
		}
	}
	if len(b.right) == 0 {
		list, b.right = make([]float64, len(z)), []float64{0}
	}
	b.rows = mat.NewDense(len(b.right), len(z), list)
	return b
}

// gaps returns by how much the margins exceed 1, relative to their terms.
func (f *face) gaps() []float64 {
	gaps, norm := make([]float64, len(f.tight)), 0.0
	for j := range f.inputs {
		norm = math.Hypot(norm, f.x[j]/f.length[j])
	}
	for k := range gaps {
		row := f.rows.RawRowView(k)
		gaps[k] = (floats.Dot(row, f.x) - f.radius*norm - 1) / (floats.Norm(row, 2) + 1)
	}
	return gaps
}
