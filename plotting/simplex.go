package plotting

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// Simplex draws the triangle of the points (p_1, p_2, p_3) with p ≥ 0 and sum 1,
// and names its corners. Place points in it with SimplexPoint. Use it in a panel
// that is Bare and Equal.
type Simplex struct {
	Corners [3]string
}

// simplexCorners are those of an equilateral triangle of side 1.
var simplexCorners = [3][2]float64{{0, 0}, {1, 0}, {0.5, math.Sqrt(3) / 2}}

// SimplexPoint returns where weights (p_1, p_2, p_3) lie in a Simplex. They are
// divided by their sum.
func SimplexPoint(p [3]float64) (x, y float64) {
	sum := p[0] + p[1] + p[2]
	for k, c := range simplexCorners {
		x += p[k] / sum * c[0]
		y += p[k] / sum * c[1]
	}
	return x, y
}

func (s Simplex) name() string { return "simplex" }

func (s Simplex) texts() []string { return s.Corners[:] }

func (s Simplex) extend(e *extent) error {
	return e.add([]float64{-0.08, 1.08}, []float64{-0.1, math.Sqrt(3)/2 + 0.1})
}

func (s Simplex) draw(p *pane) {
	var corners []vg.Point
	for _, c := range simplexCorners {
		corners = append(corners, p.point(c[0], c[1]))
	}
	p.pen(faint, p.axis, nil)
	for _, share := range []float64{0.25, 0.5, 0.75} {
		for k := range 3 {
			a, b, c := corners[k], corners[(k+1)%3], corners[(k+2)%3]
			t := vg.Length(share)
			p.pen(tint(faint, 0.45), p.axis*0.8, nil)
			p.segment(
				vg.Point{X: a.X + t*(b.X-a.X), Y: a.Y + t*(b.Y-a.Y)},
				vg.Point{X: a.X + t*(c.X-a.X), Y: a.Y + t*(c.Y-a.Y)},
			)
		}
	}
	p.pen(faint, p.axis*1.3, nil)
	p.line(append(corners, corners[0]))
	for k, label := range s.Corners {
		at := vg.Point{X: corners[k].X, Y: corners[k].Y - p.label*1.2}
		if k == 2 {
			at.Y = corners[k].Y + p.label*0.5
		}
		p.text(at, label, p.label, soft, alignCenter)
	}
}
