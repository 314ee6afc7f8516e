package plotting

import (
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Scatter draws points. Its label stands with its marker in a row above the panel.
type Scatter struct {
	X, Y   []float64
	XY     plotter.XYer // instead of X and Y
	Label  string
	Role   Role
	Marker Marker
	Hollow bool    // draw outlines only
	Size   float64 // radius relative to the usual one; zero is 1

	// Ringed are the indices of points to draw a ring around, such as support vectors.
	Ringed []int
}

func (s Scatter) extend(e *extent) error {
	e.cloud = true
	if !(s.Size >= 0 && s.Size <= 100) {
		return fmt.Errorf("has Size = %g; use a number up to 100, or zero", s.Size)
	}
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
		if p.Contains(points[k]) {
			rings = append(rings, points[k])
		}
	}
	radius := s.radius(p) * 2
	p.stamp(annulus(vg.Point{}, radius+p.thin/2, radius-p.thin/2), p.ink.text, rings)
}

// drawAt draws the markers in the plotting area, and notes their middles and four points on
// the edge of each.
func (s Scatter) drawAt(p *pane, points []vg.Point) {
	inside := slices.DeleteFunc(slices.Clone(points), func(q vg.Point) bool { return !p.Contains(q) })
	r := s.radius(p)
	for _, q := range inside {
		p.busy = append(p.busy, q, q.Add(vg.Point{X: r}), q.Sub(vg.Point{X: r}), q.Add(vg.Point{Y: r}), q.Sub(vg.Point{Y: r}))
	}
	p.stamp(s.Marker.of(s.Role).outline(r, s.Hollow), p.color(s.Role), inside)
}

func (s Scatter) radius(p *pane) vg.Length {
	return p.marker * vg.Length(cmp.Or(s.Size, 1))
}

// Circle is a circle in the units of the x axis, for panels with Equal.
type Circle struct {
	X, Y, R float64
	Label   string // in the middle, or beside a circle too small for it
	Role    Role
	Filled  bool
}

func (c Circle) extend(e *extent) error {
	if !(c.R >= 0) {
		return fmt.Errorf("has the radius %g", c.R)
	}
	return e.add([]float64{c.X - c.R, c.X + c.R}, "Y", []float64{c.Y - c.R, c.Y + c.R})
}

func (c Circle) draw(p *pane) {
	const n = 120 // chords; at 3 inches across they leave the circle by 0.04 points
	points := regular(n, vg.Point{X: vg.Length(c.X), Y: vg.Length(c.Y)}, vg.Length(c.R), 0)
	for i, q := range points {
		points[i] = p.point(float64(q.X), float64(q.Y))
	}
	if c.Filled {
		p.polygon(p.tint(p.color(c.Role), areaTint), points)
	}
	points = append(points, points[0])
	style := Solid
	if c.Role == Reference {
		style = RoleStyle
	}
	p.stroke(points, c.Role, style, true, false)
	middle, w := p.point(c.X, c.Y), p.textWidth(c.Label, p.label)
	inside := vg.Point{X: middle.X - w/2, Y: middle.Y - p.label*0.36}
	beside := points[n/8].Add(vg.Point{X: p.label * 0.3, Y: p.label * 0.4})
	places := []vg.Point{inside, beside, {X: inside.X, Y: points[n/4].Y + p.label*0.4}}
	if w > (points[0].X-middle.X)*1.6 {
		places = places[1:]
	}
	p.annotate(c.Label, p.color(c.Role), places...)
}

// Note is a word at a point, with an arrow from it to what it explains.
type Note struct {
	X, Y  float64
	Label string
	Role  Role

	// To is what the arrow points at, as x and y. Empty: no arrow.
	To []float64
}

func (n Note) extend(e *extent) error {
	if n.Label == "" {
		return errors.New("has no Label")
	}
	x, y := []float64{n.X}, []float64{n.Y}
	if len(n.To) == 2 {
		x, y = append(x, n.To[0]), append(y, n.To[1])
	} else if len(n.To) > 0 {
		return fmt.Errorf("points to %d coordinates", len(n.To))
	}
	return e.add(x, "Y", y)
}

func (n Note) draw(p *pane) {
	middle := p.point(n.X, n.Y)
	at := middle.Sub(vg.Point{X: p.textWidth(n.Label, p.label) / 2, Y: p.label * 0.36})
	box := p.inkBox(at, n.Label, p.label)
	c := p.readable(p.color(n.Role))
	if len(n.To) == 2 {
		p.pen(c, p.thin*0.8, nil)
		p.arrow(box, middle, p.point(n.To[0], n.To[1]), c)
	}
	p.taken = append(p.taken, box)
	p.text(at, n.Label, p.label, c, draw.XLeft)
}

// arrow draws an arrow from the edge of a box around a point, nearly to another.
func (p *pane) arrow(box vg.Rectangle, from, to vg.Point, c color.Color) {
	d := to.Sub(from)
	length := max(norm(d), 1e-9)
	half := box.Size().Scale(0.5).Add(vg.Point{X: p.label * 0.3, Y: p.label * 0.3})
	start := min(half.X/max(d.X, -d.X, 1e-9), half.Y/max(d.Y, -d.Y, 1e-9))
	end := 1 - p.marker*1.5/length
	if start < end {
		p.arrowLine(from.Add(d.Scale(start)), from.Add(d.Scale(end)), c, p.label*0.5)
	}
}

// arrowLine draws an arrow with the present pen, whose line ends in the head.
func (p *pane) arrowLine(from, to vg.Point, c color.Color, size vg.Length) {
	d := to.Sub(from)
	if n := norm(d); n > 0 {
		p.line([]vg.Point{from, to.Sub(d.Scale(min(size*0.6, n) / n))})
		p.arrowHead(from, to, c, size)
	}
}

// arrowHead fills the head of an arrow that points at to.
func (p *pane) arrowHead(from, to vg.Point, c color.Color, size vg.Length) {
	d := to.Sub(from)
	n := norm(d)
	if n == 0 || !p.Contains(to) {
		return
	}
	d = d.Scale(1 / n)
	base, side := to.Sub(d.Scale(size)), vg.Point{X: -d.Y, Y: d.X}.Scale(size*0.45)
	p.polygon(c, []vg.Point{to, base.Add(side), base.Sub(side)})
}

// Simplex draws the triangle of the points (p_1, p_2, p_3) with p ≥ 0 and sum 1, and names its
// corners. Place points in it with SimplexPoint. Use it in a panel that is Bare and Equal.
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

func (s Simplex) extend(e *extent) error {
	return e.add([]float64{-0.08, 1.08}, "Y", []float64{-0.1, math.Sqrt(3)/2 + 0.1})
}

func (s Simplex) draw(p *pane) {
	p.watching = false // labels may stand on the grid
	var corners []vg.Point
	for _, c := range simplexCorners {
		corners = append(corners, p.point(c[0], c[1]))
	}
	p.pen(p.tint(p.faint, 0.45), p.axis*0.8, nil)
	for _, t := range []vg.Length{0.25, 0.5, 0.75} {
		for k := range 3 {
			a, b, c := corners[k], corners[(k+1)%3], corners[(k+2)%3]
			p.segment(a.Add(b.Sub(a).Scale(t)), a.Add(c.Sub(a).Scale(t)))
		}
	}
	p.pen(p.faint, p.axis*1.3, nil)
	p.line(append(corners, corners[0]))
	for k, label := range s.Corners {
		at := vg.Point{X: corners[k].X, Y: corners[k].Y - p.label*1.2}
		if k == 2 {
			at.Y = corners[k].Y + p.label*0.5
		}
		p.text(at, label, p.label, p.quiet, draw.XCenter)
	}
}
