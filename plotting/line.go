package plotting

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// Line joins points by straight segments. Its label stands at its right end.
type Line struct {
	X, Y  []float64
	Label string
	Role  Role
	Style Style

	// Marker, if not the zero value, is also drawn at every point.
	Marker Marker

	// Arrow draws a head at the last point.
	Arrow bool

	// Thin draws the line thinner, for one of many.
	Thin bool
}

func (l Line) name() string { return "line" + quoted(l.Label) }

func (l Line) extend(e *extent) error {
	e.cloud = e.cloud || l.Marker != RoleMarker
	return e.add(l.X, l.Y)
}

func (l Line) texts() []string { return []string{l.Label} }

func (l Line) draw(p *pane) {
	points := p.points(l.X, l.Y)
	if len(points) == 1 {
		l.drawPoint(p, points[0])
		return
	}
	p.stroke(points, l.Role, l.Style, l.Thin)
	if l.Marker != RoleMarker {
		p.stampMarker(l.Marker, p.marker, l.Role.Color(), false, points)
	}
	if l.Arrow {
		p.arrowHead(points[len(points)-2], points[len(points)-1], l.Role)
	}
	p.labelLine(points, l.Label, l.Role)
}

func (l Line) ink(p *pane) (out []vg.Point) {
	for _, piece := range p.clip(thin(p.points(l.X, l.Y))) {
		out = append(out, dense(piece)...)
	}
	return out
}

// drawPoint draws the line of a single point.
func (l Line) drawPoint(p *pane, q vg.Point) {
	if !p.within(q) {
		return
	}
	m := l.Marker
	if m == RoleMarker {
		m = Disc
	}
	p.stampMarker(m, p.marker, l.Role.Color(), false, []vg.Point{q})
	p.occupy([]vg.Point{q})
	p.labelEnd(q, l.Label, l.Role)
}

// stroke draws a polyline as its role says.
func (p *pane) stroke(points []vg.Point, r Role, s Style, thin bool) {
	w := p.look.line
	if thin || r == Reference {
		w = p.thin
	}
	p.pen(r.Color(), w, s.dash(r))
	p.line(points)
}

// labelLine labels a polyline at its rightmost point in the plotting area.
func (p *pane) labelLine(points []vg.Point, label string, r Role) {
	best, found := vg.Point{X: vg.Length(math.Inf(-1))}, false
	for _, piece := range p.clip(points) {
		for _, q := range piece {
			if q.X >= best.X {
				best, found = q, true
			}
		}
	}
	if found {
		p.labelEnd(best, label, r)
	}
}

func (p *pane) arrowHead(from, to vg.Point, r Role) {
	if !p.within(to) || from == to {
		return
	}
	dx, dy := float64(to.X-from.X), float64(to.Y-from.Y)
	n := vg.Length(math.Hypot(dx, dy))
	ux, uy := vg.Length(dx)/n, vg.Length(dy)/n
	size := p.look.line * 3
	base := vg.Point{X: to.X - ux*size, Y: to.Y - uy*size}
	p.SetColor(r.Color())
	p.polygon([]vg.Point{
		to,
		{X: base.X - uy*size*0.45, Y: base.Y + ux*size*0.45},
		{X: base.X + uy*size*0.45, Y: base.Y - ux*size*0.45},
	})
}

// endRoom is the space the label needs beyond the right edge, which is less when
// the line ends before it.
func (l Line) endRoom(p *pane) vg.Length {
	if len(l.X) == 0 {
		return 0
	}
	last := p.X.position(l.X[0])
	for _, x := range l.X {
		last = math.Max(last, p.X.position(x))
	}
	return p.endRoomAt(last, l.Label)
}

func (p *pane) endRoomAt(u float64, label string) vg.Length {
	free := p.box.Max.X - min(p.at(u, p.y.lo).X, p.box.Max.X)
	if free < 3*p.label { // in one column with labels at the edge
		free = 0
	}
	return p.labelRoom(label) - free
}

func (l Line) stands() (string, Role, Style) { return l.Label, l.Role, l.Style }
