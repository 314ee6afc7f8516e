package plotting

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// polyline is a path through the points, closed if it ends where it begins.
func polyline(points []vg.Point) vg.Path {
	n := len(points)
	closed := n > 3 && points[0] == points[n-1]
	if closed {
		n--
	}
	path := make(vg.Path, 0, n+1)
	path.Move(points[0])
	for _, q := range points[1:n] {
		path.Line(q)
	}
	if closed {
		path.Close()
	}
	return path
}

// tolerance is the distance in points by which a drawn polyline may miss its
// points: an eighth of a pixel of print.
const tolerance = 0.03

// line strokes a polyline with the present pen, inside the plotting area.
func (p *pane) line(points []vg.Point) {
	points = thin(points)
	for _, piece := range p.clip(points) {
		p.Stroke(polyline(piece))
		p.occupy(piece)
	}
}

// thin leaves out points that the segments between those kept pass within the
// tolerance. From the last point kept it follows the cone of directions that pass
// near all points since; a point outside of it, or nearer than one before,
// starts anew (Sklansky and Gonzalez, 1980).
func thin(points []vg.Point) []vg.Point {
	if len(points) < 3 {
		return points
	}
	out := []vg.Point{points[0]}
	last := points[0] // the point before the present one
	var c cone
	for _, q := range points[1:] {
		if !c.admit(out[len(out)-1], q) {
			out = append(out, last)
			c = cone{}
			c.admit(last, q)
		}
		last = q
	}
	return append(out, last)
}

// cone is an interval of directions, seen from the tip, within half a turn of
// middle.
type cone struct {
	open           bool
	middle, lo, hi float64
	reach          float64
}

// admit reports whether the cone contains the direction from tip to q, and
// narrows it to those that pass near q.
func (c *cone) admit(tip, q vg.Point) bool {
	dx, dy := float64(q.X-tip.X), float64(q.Y-tip.Y)
	d := math.Hypot(dx, dy)
	if d < c.reach {
		return false
	}
	if d <= tolerance {
		return true
	}
	c.reach = d
	angle := math.Atan2(dy, dx)
	if !c.open {
		*c = cone{open: true, middle: angle, lo: -math.Pi, hi: math.Pi, reach: d}
	}
	angle = math.Remainder(angle-c.middle, 2*math.Pi)
	if angle < c.lo || angle > c.hi {
		return false
	}
	half := math.Asin(tolerance / d)
	c.lo, c.hi = math.Max(c.lo, angle-half), math.Min(c.hi, angle+half)
	return true
}

// clip returns the pieces of a polyline inside the plotting area.
func (p *pane) clip(points []vg.Point) [][]vg.Point {
	var pieces [][]vg.Point
	var piece []vg.Point
	for i := 1; i < len(points); i++ {
		a, b, ok := p.clipSegment(points[i-1], points[i])
		if !ok {
			continue
		}
		if len(piece) == 0 || piece[len(piece)-1] != a {
			if len(piece) > 0 {
				pieces = append(pieces, piece)
			}
			piece = []vg.Point{a}
		}
		piece = append(piece, b)
	}
	if len(piece) > 0 {
		pieces = append(pieces, piece)
	}
	return pieces
}

// clipSegment cuts a segment to the plotting area.
func (p *pane) clipSegment(a, b vg.Point) (c, d vg.Point, ok bool) {
	t0, t1, ok := inBox(p.box, a, b)
	if !ok {
		return a, b, false
	}
	c, d = a, b
	if t0 > 0 {
		c = along(a, b, t0)
	}
	if t1 < 1 {
		d = along(a, b, t1)
	}
	return c, d, true
}

// inBox returns between which shares of a segment it is in a box, and whether it
// is (Liang and Barsky, 1984).
func inBox(box vg.Rectangle, a, b vg.Point) (t0, t1 vg.Length, ok bool) {
	t0, t1 = 0, 1
	dx, dy := b.X-a.X, b.Y-a.Y
	for _, edge := range [4][2]vg.Length{
		{-dx, a.X - box.Min.X}, {dx, box.Max.X - a.X},
		{-dy, a.Y - box.Min.Y}, {dy, box.Max.Y - a.Y},
	} {
		speed, room := edge[0], edge[1]
		if speed == 0 {
			if room < 0 {
				return 0, 0, false
			}
			continue
		}
		t := room / speed
		if speed < 0 {
			t0 = max(t0, t)
		} else {
			t1 = min(t1, t)
		}
	}
	return t0, t1, t0 <= t1
}

func along(a, b vg.Point, t vg.Length) vg.Point {
	return vg.Point{X: a.X + t*(b.X-a.X), Y: a.Y + t*(b.Y-a.Y)}
}

// without returns the pieces of a polyline outside of a box.
func without(box vg.Rectangle, points []vg.Point) (pieces [][]vg.Point) {
	piece := points[:1:1]
	end := func() {
		if len(piece) > 1 {
			pieces = append(pieces, piece)
		}
	}
	for i, b := range points[1:] {
		a := points[i]
		t0, t1, ok := inBox(box, a, b)
		if !ok {
			piece = append(piece, b)
			continue
		}
		if t0 > 0 {
			piece = append(piece, along(a, b, t0))
		}
		end()
		piece = []vg.Point{along(a, b, t1)}
		if t1 < 1 {
			piece = append(piece, b)
		}
	}
	end()
	return pieces
}

// polygon fills a polygon with the present colour, cut to the plotting area
// (Sutherland and Hodgman, 1974).
func (p *pane) polygon(points []vg.Point) {
	for _, cut := range []func(q vg.Point) vg.Length{
		func(q vg.Point) vg.Length { return q.X - p.box.Min.X },
		func(q vg.Point) vg.Length { return p.box.Max.X - q.X },
		func(q vg.Point) vg.Length { return q.Y - p.box.Min.Y },
		func(q vg.Point) vg.Length { return p.box.Max.Y - q.Y },
	} {
		points = cutPolygon(points, cut)
	}
	if len(points) < 3 {
		return
	}
	var path vg.Path
	path.Move(points[0])
	for _, q := range points[1:] {
		path.Line(q)
	}
	path.Close()
	p.Fill(path)
}

func cutPolygon(points []vg.Point, inside func(vg.Point) vg.Length) []vg.Point {
	var out []vg.Point
	for i, b := range points {
		a := points[(i+len(points)-1)%len(points)]
		da, db := inside(a), inside(b)
		if (da < 0) != (db < 0) {
			t := da / (da - db)
			out = append(out, vg.Point{X: a.X + t*(b.X-a.X), Y: a.Y + t*(b.Y-a.Y)})
		}
		if db >= 0 {
			out = append(out, b)
		}
	}
	return out
}

// within reports whether a point is in the plotting area, or nearly.
func (p *pane) within(q vg.Point) bool {
	const slack = 0.01
	return q.X >= p.box.Min.X-slack && q.X <= p.box.Max.X+slack &&
		q.Y >= p.box.Min.Y-slack && q.Y <= p.box.Max.Y+slack
}
