package plotting

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
)

// A function of the plane is given point by point or, where many points at once
// are cheaper (a network), as a batch. Exactly one of the two is set.
type surface struct {
	f     func(x, y float64) float64
	batch func(x, y []float64) []float64
}

func (s surface) check() error {
	if (s.f == nil) == (s.batch == nil) {
		return errors.New("needs either F or Batch")
	}
	return nil
}

// cellSize is the side in points of the cells that a surface is sampled on; level
// lines are straight within a cell.
const cellSize = 2

// lattice holds a surface's values at the corners of nx × ny cells that cover
// the plotting area; values[c] are those of output c, row by row from below.
type lattice struct {
	nx, ny int
	values [][]float64
	p      *pane
}

// sample evaluates a surface over the plotting area.
func (p *pane) sample(s surface) (*lattice, error) {
	size := p.box.Size()
	l := &lattice{nx: max(2, int(size.X/cellSize)), ny: max(2, int(size.Y/cellSize)), p: p}
	n := (l.nx + 1) * (l.ny + 1)
	x, y := make([]float64, 0, n), make([]float64, 0, n)
	for j := range l.ny + 1 {
		for i := range l.nx + 1 {
			x = append(x, p.X.value(p.x.lo+(p.x.hi-p.x.lo)*float64(i)/float64(l.nx)))
			y = append(y, p.Y.value(p.y.lo+(p.y.hi-p.y.lo)*float64(j)/float64(l.ny)))
		}
	}
	flat, err := s.evaluate(x, y)
	if err != nil {
		return nil, err
	}
	outputs := len(flat) / n
	for c := range outputs {
		v := make([]float64, n)
		for k := range v {
			v[k] = flat[k*outputs+c]
		}
		l.values = append(l.values, v)
	}
	return l, nil
}

func (s surface) evaluate(x, y []float64) ([]float64, error) {
	var out []float64
	if s.batch != nil {
		out = s.batch(x, y)
		if len(out) == 0 || len(out)%len(x) != 0 {
			return nil, fmt.Errorf("the function Batch returned %d values for %d points", len(out), len(x))
		}
	} else {
		for k := range x {
			out = append(out, s.f(x[k], y[k]))
		}
	}
	each := len(out) / len(x)
	for k, v := range out {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("the value at (%g, %g) is %g", x[k/each], y[k/each], v)
		}
	}
	return out, nil
}

// corner returns the place of a corner, or of a point between corners; those
// outside of the plotting area are moved to its border.
func (l *lattice) corner(i, j float64) vg.Point {
	size := l.p.box.Size()
	i = math.Min(float64(l.nx), math.Max(0, i))
	j = math.Min(float64(l.ny), math.Max(0, j))
	return vg.Point{
		X: l.p.box.Min.X + size.X*vg.Length(i/float64(l.nx)),
		Y: l.p.box.Min.Y + size.Y*vg.Length(j/float64(l.ny)),
	}
}

// cellCorners are the offsets of a cell's corners, counterclockwise. Edge k of a
// cell leads from corner k to the next.
var cellCorners = [4][2]int{{0, 0}, {1, 0}, {1, 1}, {0, 1}}

// cell returns the values at the corners of a cell, counterclockwise.
func (l *lattice) cell(v []float64, i, j int) (out [4]float64) {
	for k, o := range cellCorners {
		out[k] = v[(j+o[1])*(l.nx+1)+i+o[0]]
	}
	return out
}

// crossing is where the zero lies on edge k of a cell, whose ends have values a
// and b.
func (l *lattice) crossing(a, b float64, i, j, k int) vg.Point {
	t := a / (a - b)
	o, q := cellCorners[k], cellCorners[(k+1)%4]
	return l.corner(
		float64(i)+float64(o[0])+t*float64(q[0]-o[0]),
		float64(j)+float64(o[1])+t*float64(q[1]-o[1]),
	)
}

// edge numbers the edges of the lattice and of a ring of cells around it:
// horizontal ones even, vertical ones odd.
func (l *lattice) edge(i, j, k int) int {
	switch k {
	case 1:
		i++
	case 2:
		j++
	}
	return 2*((j+1)*(l.nx+3)+i+1) + k%2
}
