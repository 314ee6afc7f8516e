package robust

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/nn"
)

// tiny is a norm that gradients are not divided by.
const tiny = 0x1p-1000

// search attacks one point after another.
type search struct {
	rng        *rand.Rand
	spread     float64 // the size of the data
	wide       *batch
	directions *mat.Dense // in more than three dimensions
	point      []float64
	label      int
	radius     []float64  // distance of the adversary that a row of wide has found, or +Inf
	found      *mat.Dense // those adversaries
}

func (s *search) bind(ctx context.Context, n *nn.Network, theta []float64, rows int) (err error) {
	d := n.Inputs()
	if d <= 3 {
		rows = cellsAtOnce * (1 + 1<<d)
	}
	s.radius, s.found = make([]float64, rows), mat.NewDense(rows, d, nil)
	if d > 3 {
		s.directions = mat.NewDense(rows, d, nil)
		for _, u := range rowsOf(s.directions) {
			for j := range u {
				u[j] = s.rng.NormFloat64()
			}
			floats.Scale(1/floats.Norm(u, 2), u)
		}
	}
	s.wide, err = newBatch(ctx, n, theta, rows)
	return err
}

func (s *search) attack(point []float64, label int) error {
	s.point, s.label = point, label
	for i := range s.radius {
		s.radius[i] = math.Inf(1)
	}
	if len(point) <= 3 {
		if err := s.divide(); err != nil || math.IsInf(s.radius[0], 1) {
			return err
		}
		s.wide.x.Copy(s.found)
		clear(s.wide.other[1:])
		s.wide.other[0] = true
		if err := s.bisect(0, 50); err != nil {
			return err
		}
		return s.project(1)
	}
	if err := s.descend(); err != nil {
		return err
	}
	if math.IsInf(floats.Min(s.radius), 1) {
		if err := s.scan(); err != nil || math.IsInf(floats.Min(s.radius), 1) {
			return err
		}
	}
	for range attackRounds {
		if err := s.project(attackSteps); err != nil {
			return err
		}
	}
	return nil
}

// cellsAtOnce is how many cells are looked at in one pass through the network.
const cellsAtOnce = 64

// cell is a part of space around a point p: the inputs
//
//	p + t u,   log t in the first interval, u on a face of the cube [-1, 1]^d,
//
// with the coordinates of u on the face in the other intervals.
type cell struct {
	face   int // twice the axis, and one more on its negative side
	lo, hi [3]float64
}

// at sets x to the input at a corner, by the bits of its number, or for -1 at the middle.
func (c *cell) at(x, point []float64, corner int) {
	k := 0
	end := func() float64 {
		k++
		switch {
		case corner < 0:
			return (c.lo[k-1] + c.hi[k-1]) / 2
		case corner>>(k-1)&1 == 1:
			return c.hi[k-1]
		}
		return c.lo[k-1]
	}
	t := math.Exp(end())
	for j := range x {
		u := 1 - 2*float64(c.face&1)
		if j != c.face/2 {
			u = end()
		}
		x[j] = point[j] + t*u
	}
}

// split divides the cell across its longest side, and returns that too.
func (c *cell) split(d int) (left, right cell, side float64) {
	longest := 0
	for k := range d {
		if c.hi[k]-c.lo[k] > c.hi[longest]-c.lo[longest] {
			longest = k
		}
	}
	left, right = *c, *c
	middle := (c.lo[longest] + c.hi[longest]) / 2
	left.hi[longest], right.lo[longest] = middle, middle
	return left, right, c.hi[longest] - c.lo[longest]
}

// divide looks at ever larger shells around the point, up to the nearest input of another class, in
// cells that it splits where their margins may have a zero: where the least of them is not large
// beside what they, or their gradients over the cell, differ by from linear ones.
func (s *search) divide() error {
	const first, last = 1e-6, 1e4
	d := len(s.point)
	width := 0.25 // of a shell's and its cells' sides, for their distance
	if d < 3 {
		width = 0.125
	}
	for low := math.Log(first * s.spread); low < math.Log(last*s.spread) && math.Exp(low) < s.radius[0]; low += width {
		cells := shell(d, low, width)
		for len(cells) > 0 {
			n := max(0, len(cells)-cellsAtOnce)
			now := slices.Clone(cells[n:])
			if err := s.evaluate(now); err != nil {
				return err
			}
			cells = cells[:n]
			for i := range now {
				if left, right, side := now[i].split(d); side > 1e-4 && s.suspect(i) {
					cells = append(cells, left, right)
				}
			}
		}
	}
	return nil
}

func shell(d int, low, width float64) []cell {
	cells := []cell{}
	for face := range 2 * d {
		cells = append(cells, cell{face, [3]float64{low, -1, -1}, [3]float64{low + width, 1, 1}})
	}
	for i := 0; i < len(cells); {
		if left, right, side := cells[i].split(d); side > width {
			cells[i], cells = left, append(cells, right)
		} else {
			i++
		}
	}
	return cells
}

// evaluate looks at the middles and corners of cells, and keeps the nearest input of another class.
func (s *search) evaluate(cells []cell) error {
	rows := 1 + 1<<len(s.point)
	for i := range cells {
		for r := range rows {
			cells[i].at(s.wide.x.RawRowView(i*rows+r), s.point, r-1)
		}
	}
	if err := s.wide.look(s.label, true); err != nil {
		return err
	}
	for i := range rows * len(cells) {
		x := s.wide.x.RawRowView(i)
		if d := floats.Distance(x, s.point, 2); s.wide.other[i] && d < s.radius[0] {
			s.radius[0] = d
			s.found.SetRow(0, x)
		}
	}
	return nil
}

// suspect tells whether a cell may have an input of another class that is nearer than the
// nearest so far. Its first corners are its nearest, as no cell crosses an axis.
func (s *search) suspect(i int) bool {
	b, rows := s.wide, 1+1<<len(s.point)
	middle, g := b.x.RawRowView(i*rows), b.gradient.RawRowView(i*rows)
	near, least, bend := math.Inf(1), b.q[i*rows], 0.0
	for r := i*rows + 1; r < (i+1)*rows; r++ {
		x := b.x.RawRowView(r)
		near = min(near, floats.Distance(x, s.point, 2))
		least = min(least, b.q[r])
		bend = max(bend, math.Abs(b.q[i*rows]+floats.Dot(g, x)-floats.Dot(g, middle)-b.q[r]),
			floats.Distance(g, b.gradient.RawRowView(r), 2)*floats.Distance(x, middle, 2))
	}
	return near < 0.998*s.radius[0] && !(least > 2*bend)
}

// scan looks along all directions at growing radii until one meets another class.
func (s *search) scan() error {
	const ratio = 1.15
	for radius := 1e-3 * s.spread; radius < 1e4*s.spread && math.IsInf(floats.Min(s.radius), 1); radius *= ratio {
		for i, u := range rowsOf(s.directions) {
			floats.AddScaledTo(s.wide.x.RawRowView(i), s.point, radius, u)
		}
		if err := s.wide.look(s.label, false); err != nil {
			return err
		}
		for i, other := range s.wide.other {
			if other {
				s.radius[i] = radius
				s.found.SetRow(i, s.wide.x.RawRowView(i))
			}
		}
	}
	s.wide.x.Copy(s.found)
	for i := range s.wide.other {
		s.wide.other[i] = !math.IsInf(s.radius[i], 1)
	}
	return s.bisect(0, 50)
}

// bisect walks back from every input of another class towards the point, at most to the
// given share of the way, and keeps the nearest input that still has another class.
func (s *search) bisect(low float64, steps int) error {
	b, n := s.wide, len(s.radius)
	ends, hit := mat.DenseCopyOf(b.x), slices.Clone(b.other)
	lows, highs := slices.Repeat([]float64{low}, n), slices.Repeat([]float64{1}, n)
	for range steps {
		for i, x := range rowsOf(ends) {
			along(b.x.RawRowView(i), s.point, x, (lows[i]+highs[i])/2)
		}
		if err := b.look(s.label, false); err != nil {
			return err
		}
		for i, other := range b.other {
			if other {
				highs[i] = (lows[i] + highs[i]) / 2
			} else {
				lows[i] = (lows[i] + highs[i]) / 2
			}
		}
	}
	for i, x := range rowsOf(ends) {
		if d := highs[i] * floats.Distance(x, s.point, 2); hit[i] && d <= s.radius[i] {
			s.radius[i] = d
			along(s.found.RawRowView(i), s.point, x, highs[i])
		}
	}
	return nil
}

// descend goes from random inputs to the boundary by steps q ∇q/‖∇q‖², each a little too long.
func (s *search) descend() error {
	b := s.wide
	for i, x := range rowsOf(b.x) {
		floats.AddScaledTo(x, s.point, s.spread*s.rng.Float64(), s.directions.RawRowView(i))
	}
	for range attackSteps {
		if err := b.look(s.label, true); err != nil {
			return err
		}
		for i, g := range rowsOf(b.gradient) {
			// The square of the norm may overflow, and a boundary may be farther than any number.
			if norm := floats.Norm(g, 2); norm > tiny && !b.other[i] && b.q[i]/norm < 1e6*s.spread {
				floats.AddScaled(b.x.RawRowView(i), -1.05*b.q[i]/norm/norm, g)
			}
		}
	}
	if err := b.look(s.label, false); err != nil {
		return err
	}
	return s.bisect(0, 45)
}

// project runs projected gradient descent on the margins, from the nearest points of the
// tangents to the boundary at the adversaries, in balls a little smaller than their
// distances. The first look is at the starts themselves, which may be outside the balls.
// A row that is far behind goes on from near the best.
func (s *search) project(steps int) error {
	b, best := s.wide, floats.MinIdx(s.radius)
	for i, z := range rowsOf(s.found) {
		if s.radius[i] > 1.2*s.radius[best] {
			copy(z, s.found.RawRowView(best))
			s.radius[i] = s.radius[best]
		}
	}
	b.x.Copy(s.found)
	if err := b.look(s.label, true); err != nil {
		return err
	}
	for i, g := range rowsOf(b.gradient) {
		if norm := floats.Norm(g, 2); norm > tiny {
			c := (floats.Dot(g, s.found.RawRowView(i)) - floats.Dot(g, s.point)) / norm / norm
			floats.AddScaledTo(b.x.RawRowView(i), s.point, c*(1+1e-6), g)
		}
	}
	for step := range steps {
		if err := b.look(s.label, true); err != nil {
			return err
		}
		for i, g := range rowsOf(b.gradient) {
			norm, x := floats.Norm(g, 2), b.x.RawRowView(i)
			if norm <= tiny || b.other[i] {
				continue
			}
			// Steps fall from a quarter of the radius, so that they settle.
			floats.AddScaled(x, -0.25*s.radius[i]/(float64(step+1)*norm), g)
			if d := floats.Distance(x, s.point, 2); d > attackShrink*s.radius[i] {
				along(x, s.point, x, attackShrink*s.radius[i]/d)
			}
		}
	}
	if err := b.look(s.label, false); err != nil {
		return err
	}
	return s.bisect(0.9, 35)
}
