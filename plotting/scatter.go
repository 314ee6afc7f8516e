package plotting

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// Scatter draws points. Its label stands with its marker in a row above the
// panel.
type Scatter struct {
	X, Y   []float64
	Label  string
	Role   Role
	Marker Marker
	Hollow bool    // draw outlines only
	Size   float64 // radius relative to the usual one; zero is 1

	// Ringed are the indices of points to draw a ring around, such as support
	// vectors.
	Ringed []int
}

func (s Scatter) name() string { return "scatter" + quoted(s.Label) }

func (s Scatter) texts() []string { return []string{s.Label} }

func (s Scatter) extend(e *extent) error {
	e.cloud = true
	for _, k := range s.Ringed {
		if k < 0 || k >= len(s.X) {
			return fmt.Errorf("point %d of %d is to be ringed", k, len(s.X))
		}
	}
	return e.add(s.X, s.Y)
}

func (s Scatter) draw(p *pane) {
	radius, inside := s.radius(p), s.inside(p)
	p.busy = append(p.busy, s.ink(p)...)
	p.stampMarker(s.Marker.of(s.Role), radius, s.Role.Color(), s.Hollow, inside)
	var rings []vg.Point
	for _, k := range s.Ringed {
		if q := p.point(s.X[k], s.Y[k]); p.within(q) {
			rings = append(rings, q)
		}
	}
	p.SetColor(ink)
	p.Stamp(ring(radius*2, p.thin), rings)
}

func (s Scatter) radius(p *pane) vg.Length {
	if s.Size > 0 {
		return p.marker * vg.Length(s.Size)
	}
	return p.marker
}

func (s Scatter) inside(p *pane) (out []vg.Point) {
	for _, q := range p.points(s.X, s.Y) {
		if p.within(q) {
			out = append(out, q)
		}
	}
	return out
}

// ink returns the points' middles and four points on the edge of each.
func (s Scatter) ink(p *pane) (out []vg.Point) {
	r := s.radius(p)
	for _, q := range s.inside(p) {
		out = append(out, q, vg.Point{X: q.X - r, Y: q.Y}, vg.Point{X: q.X + r, Y: q.Y}, vg.Point{X: q.X, Y: q.Y - r}, vg.Point{X: q.X, Y: q.Y + r})
	}
	return out
}

// ring is an annulus: two circles wound in opposite directions.
func ring(radius, width vg.Length) vg.Path {
	var path vg.Path
	outer, inner := radius+width/2, radius-width/2
	path.Move(vg.Point{X: outer})
	path.Arc(vg.Point{}, outer, 0, 2*math.Pi)
	path.Close()
	path.Move(vg.Point{X: inner})
	path.Arc(vg.Point{}, inner, 0, -2*math.Pi)
	path.Close()
	return path
}

// stampMarker draws a marker at many points. Markers have about equal areas.
func (p *pane) stampMarker(m Marker, radius vg.Length, c color.NRGBA, hollow bool, at []vg.Point) {
	p.SetColor(c)
	if m == Disc && hollow {
		p.Stamp(ring(radius, p.thin), at)
		return
	}
	outline := m.outline(radius)
	if hollow {
		outline = append(outline, reversed(m.outline(radius*0.62))...)
	}
	p.Stamp(outline, at)
}

func (m Marker) outline(r vg.Length) vg.Path {
	switch m {
	case Square:
		return ngon(4, r*1.25, math.Pi/4)
	case Triangle:
		return ngon(3, r*1.45, math.Pi/2)
	case TriangleDown:
		return ngon(3, r*1.45, -math.Pi/2)
	case Diamond:
		return ngon(4, r*1.35, math.Pi/2)
	case Cross:
		return bars(r*1.2, math.Pi/4)
	case Plus:
		return bars(r*1.3, 0)
	}
	return circle(vg.Point{}, r)
}

func circle(center vg.Point, r vg.Length) vg.Path {
	var path vg.Path
	path.Move(vg.Point{X: center.X + r, Y: center.Y})
	path.Arc(center, r, 0, 2*math.Pi)
	path.Close()
	return path
}

func polar(r vg.Length, angle float64) vg.Point {
	sin, cos := math.Sincos(angle)
	return vg.Point{X: r * vg.Length(cos), Y: r * vg.Length(sin)}
}

func ngon(n int, r vg.Length, first float64) vg.Path {
	var path vg.Path
	path.Move(polar(r, first))
	for k := 1; k < n; k++ {
		path.Line(polar(r, first+2*math.Pi*float64(k)/float64(n)))
	}
	path.Close()
	return path
}

// bars is a plus sign, turned by an angle.
func bars(r vg.Length, turn float64) vg.Path {
	const thickness = 0.26 // half width of a bar over its length
	var path vg.Path
	for k := range 4 {
		a := turn + float64(k)*math.Pi/2
		along, across := polar(r, a), polar(r*thickness, a+math.Pi/2)
		right := vg.Point{X: along.X - across.X, Y: along.Y - across.Y}
		if k == 0 {
			path.Move(right)
		} else {
			path.Line(right)
		}
		path.Line(along.Add(across))
		path.Line(polar(r*thickness*math.Sqrt2, a+math.Pi/4))
	}
	path.Close()
	return path
}

// reversed returns a polygon wound the other way, which cuts a hole.
func reversed(p vg.Path) vg.Path {
	var out vg.Path
	for i := len(p) - 2; i >= 0; i-- {
		if len(out) == 0 {
			out.Move(p[i].Pos)
		} else {
			out.Line(p[i].Pos)
		}
	}
	out.Close()
	return out
}
