package plotting

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Scatter draws points. Its label stands with its marker in a row above the
// panel.
type Scatter struct {
	X, Y   []float64
	XY     plotter.XYer // instead of X and Y
	Label  string
	Role   Role
	Marker Marker
	Hollow bool    // draw outlines only
	Size   float64 // radius relative to the usual one; zero is 1

	// Ringed are the indices of points to draw a ring around, such as support
	// vectors.
	Ringed []int
}

func (s Scatter) extend(e *extent) error {
	e.cloud = true
	x, _ := data(s.XY, s.X, s.Y)
	for _, k := range s.Ringed {
		if k < 0 || k >= len(x) {
			return fmt.Errorf("point %d of %d is to be ringed", k, len(x))
		}
	}
	return e.addData(s.XY, s.X, s.Y)
}

func (s Scatter) entry() entry {
	return entry{text: s.Label, role: s.Role, marker: s.Marker.of(s.Role), hollow: s.Hollow}
}

func (s Scatter) draw(p *pane) {
	points := p.points(data(s.XY, s.X, s.Y))
	s.drawAt(p, points)
	var rings []vg.Point
	for _, k := range s.Ringed {
		if p.within(points[k]) {
			rings = append(rings, points[k])
		}
	}
	radius := s.radius(p) * 2
	p.stamp(annulus(radius+p.thin/2, radius-p.thin/2, true), p.ink.text, rings)
}

// drawAt draws the markers in the plotting area.
func (s Scatter) drawAt(p *pane, points []vg.Point) {
	inside := slices.DeleteFunc(slices.Clone(points), func(q vg.Point) bool { return !p.within(q) })
	p.busy = append(p.busy, s.around(p, inside)...)
	p.stamp(s.Marker.of(s.Role).outline(s.radius(p), s.Hollow), p.color(s.Role), inside)
}

// around returns the markers' middles and four points on the edge of each.
func (s Scatter) around(p *pane, points []vg.Point) (out []vg.Point) {
	r := s.radius(p)
	for _, q := range points {
		out = append(out, q, q.Add(vg.Point{X: r}), q.Sub(vg.Point{X: r}), q.Add(vg.Point{Y: r}), q.Sub(vg.Point{Y: r}))
	}
	return out
}

func (s Scatter) ink(p *pane) []vg.Point { return s.around(p, p.points(data(s.XY, s.X, s.Y))) }

func (s Scatter) radius(p *pane) vg.Length {
	if s.Size > 0 {
		return p.marker * vg.Length(s.Size)
	}
	return p.marker
}
