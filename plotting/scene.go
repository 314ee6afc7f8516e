package plotting

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"sort"

	"gonum.org/v1/plot/vg"
)

// Scene is a picture of space in orthographic projection: balls, planes, points
// and arrows. Its panel has equal axes and no ticks.
type Scene struct {
	// Azimuth turns the scene about its z axis and Elevation lifts the eye, in
	// degrees. Both zero: 35 and 20.
	Azimuth, Elevation float64

	Shapes []Shape
}

// A Shape is a part of a Scene: Ball, Plane, Points, Path or Vector.
type Shape interface {
	// covers returns points whose hull the shape fills, seen with these directions to the
	// right and up.
	covers(right, up Point3) []Point3
	// anchor is the point whose depth orders the shape among others.
	anchor() Point3
	drawIn(v *view)
	label() string
}

// Point3 is a point of space.
type Point3 [3]float64

func (a Point3) plus(s float64, b Point3) Point3 {
	return Point3{a[0] + s*b[0], a[1] + s*b[1], a[2] + s*b[2]}
}

func (a Point3) dot(b Point3) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

func (a Point3) cross(b Point3) Point3 {
	return Point3{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

func (a Point3) unit() Point3 { return Point3{}.plus(1/math.Sqrt(a.dot(a)), a) }

// mean is the middle of points.
func mean(points []Point3) (m Point3) {
	for _, q := range points {
		m = m.plus(1/float64(len(points)), q)
	}
	return m
}

// view is a pane with the directions of its projection.
type view struct {
	*pane
	right, up, toEye Point3
}

func (s Scene) axes() (right, up, toEye Point3) {
	azimuth, elevation := s.Azimuth, s.Elevation
	if azimuth == 0 && elevation == 0 {
		azimuth, elevation = 35, 20
	}
	sa, ca := math.Sincos(azimuth * math.Pi / 180)
	se, ce := math.Sincos(elevation * math.Pi / 180)
	toEye = Point3{ce * sa, -ce * ca, se}
	right = Point3{ca, sa, 0}
	return right, toEye.cross(right), toEye
}

func (s Scene) square() bool { return true }
func (s Scene) down() bool   { return false }

func (s Scene) entries() (out []entry) {
	for _, shape := range s.Shapes {
		if ps, ok := shape.(Points); ok {
			out = append(out, entry{text: ps.Label, role: ps.Role, marker: ps.Marker.of(ps.Role)})
		}
	}
	return out
}

func (s Scene) extend(e *extent) error {
	if len(s.Shapes) == 0 {
		return errors.New("has no shapes")
	}
	right, up, _ := s.axes()
	for k, shape := range s.Shapes {
		if shape == nil {
			return fmt.Errorf("shape %d is nil", k+1)
		}
		points := shape.covers(right, up)
		if len(points) == 0 {
			return fmt.Errorf("shape %d%s has no points", k+1, quoted(shape.label()))
		}
		for _, q := range points {
			if err := e.add([]float64{q.dot(right)}, "Y", []float64{q.dot(up)}); err != nil {
				return fmt.Errorf("shape %d%s: %w", k+1, quoted(shape.label()), err)
			}
		}
	}
	return nil
}

// draw paints the shapes from far to near.
func (s Scene) draw(p *pane) {
	v := &view{pane: p}
	v.right, v.up, v.toEye = s.axes()
	shapes := append([]Shape(nil), s.Shapes...)
	sort.SliceStable(shapes, func(i, j int) bool {
		return shapes[i].anchor().dot(v.toEye) < shapes[j].anchor().dot(v.toEye)
	})
	for _, shape := range shapes {
		shape.drawIn(v)
	}
}

func (v *view) place(q Point3) vg.Point { return v.at(q.dot(v.right), q.dot(v.up)) }

func (v *view) placeAll(points []Point3) []vg.Point {
	out := make([]vg.Point, len(points))
	for k, q := range points {
		out[k] = v.place(q)
	}
	return out
}

// Ball is a shaded ball. Glass shows what is in it.
type Ball struct {
	Center Point3
	Radius float64
	Label  string
	Role   Role
	Glass  bool
}

func (b Ball) label() string { return b.Label }

func (b Ball) anchor() Point3 {
	if b.Glass { // what is in it is drawn over it
		return b.Center.plus(-1e6*b.Radius, Point3{1, 1, 1})
	}
	return b.Center
}

func (b Ball) covers(right, up Point3) (points []Point3) {
	for _, s := range []float64{-b.Radius, b.Radius} {
		points = append(points, b.Center.plus(s, right), b.Center.plus(s, up))
	}
	return points
}

func (b Ball) drawIn(v *view) {
	center := v.place(b.Center)
	radius := v.at(b.Radius+v.x.lo, 0).X - v.Min.X
	if b.Glass {
		v.SetColor(v.tint(v.color(b.Role), 0.1))
		v.Canvas.Fill(moved(annulus(radius, 0, false), center))
	}
	const discs = 32 // whose shift toward the light makes a ball round
	for k := 0; k < discs && !b.Glass; k++ {
		t := float64(k) / discs
		shift := radius * vg.Length(0.38*t)
		v.SetColor(paper.tint(v.color(b.Role), 0.6-0.34*t))
		v.Canvas.Fill(moved(annulus(radius*vg.Length(1-t), 0, false), center.Add(vg.Point{X: -shift * 0.7, Y: shift})))
	}
	outline := circleAt(center, radius)
	v.pen(v.color(b.Role), v.thin, nil)
	v.line(outline)
	v.fills = append(v.fills, outline)
	v.annotate(b.Label, v.color(b.Role), v.around(center, radius, b.Label)...)
}

func moved(path vg.Path, by vg.Point) vg.Path {
	for i := range path {
		path[i].Pos = path[i].Pos.Add(by)
	}
	return path
}

func circleAt(c vg.Point, r vg.Length) []vg.Point {
	const n = 96
	points := make([]vg.Point, n+1)
	for k := range points {
		points[k] = c.Add(polar(r, 2*math.Pi*float64(k%n)/n))
	}
	return points
}

// Plane is the square patch of the plane Normal·x = Offset around the point of
// it that is nearest to the origin.
type Plane struct {
	Normal Point3
	Offset float64
	Side   float64 // of the square
	Label  string
	Role   Role
}

func (pl Plane) label() string { return pl.Label }

func (pl Plane) anchor() Point3 {
	return Point3{}.plus(pl.Offset/pl.Normal.dot(pl.Normal), pl.Normal)
}

func (pl Plane) covers(_, _ Point3) []Point3 {
	n := pl.Normal.unit()
	across := n.cross(Point3{0, 0, 1})
	if across.dot(across) < 1e-12 {
		across = Point3{1, 0, 0}
	}
	across = across.unit()
	along := n.cross(across)
	h := pl.Side / 2
	o := pl.anchor()
	return []Point3{
		o.plus(h, across).plus(h, along), o.plus(-h, across).plus(h, along),
		o.plus(-h, across).plus(-h, along), o.plus(h, across).plus(-h, along),
	}
}

func (pl Plane) drawIn(v *view) {
	corners := v.placeAll(pl.covers(v.right, v.up))
	c := v.color(pl.Role)
	v.polygon(color.NRGBA{c.R, c.G, c.B, 56}, corners)
	v.fills = append(v.fills, corners)
	v.pen(c, v.thin, nil)
	v.line(append(corners, corners[0]))
	var places []vg.Point
	for _, q := range corners {
		places = append(places, v.around(q, 0, pl.Label)...)
	}
	v.annotate(pl.Label, c, places...)
}

// Points are points in space, the nearer ones larger and darker. Their label stands in
// the key.
type Points struct {
	At     []Point3
	Label  string
	Role   Role
	Marker Marker
}

func (ps Points) label() string               { return ps.Label }
func (ps Points) covers(_, _ Point3) []Point3 { return ps.At }
func (ps Points) anchor() Point3              { return mean(ps.At) }

func (ps Points) drawIn(v *view) {
	near := v.depths(ps.At)
	for k, q := range v.placeAll(ps.At) {
		path := ps.Marker.of(ps.Role).outline(v.marker*vg.Length(0.75+0.45*near[k]), false)
		v.stamp(path, v.tint(v.color(ps.Role), 0.45+0.55*near[k]), []vg.Point{q})
	}
}

// depths says how near points are, from 0 to 1.
func (v *view) depths(points []Point3) []float64 {
	var depth span
	near := make([]float64, len(points))
	for k, q := range points {
		near[k] = q.dot(v.toEye)
		depth.add(near[k])
	}
	for k := range near {
		near[k] = (near[k] - depth.lo) / math.Max(depth.hi-depth.lo, 1e-300)
	}
	return near
}

// Path is a line through points of space, closed if it ends where it begins; what is
// near is darker.
type Path struct {
	At    []Point3
	Label string // at its last point
	Role  Role
	Style LineStyle
}

func (a Path) label() string               { return a.Label }
func (a Path) covers(_, _ Point3) []Point3 { return a.At }
func (a Path) anchor() Point3              { return mean(a.At) }

func (a Path) drawIn(v *view) {
	near, at := v.depths(a.At), v.placeAll(a.At)
	for k := 1; k < len(at); k++ {
		v.pen(v.tint(v.color(a.Role), 0.4+0.3*(near[k]+near[k-1])), v.look.line, a.Style.dash(a.Role))
		v.line(at[k-1 : k+1])
	}
	v.annotate(a.Label, v.color(a.Role), v.around(at[len(at)-1], v.marker, a.Label)...)
}

// Vector is an arrow in space.
type Vector struct {
	From, To Point3
	Label    string
	Role     Role
}

func (a Vector) label() string               { return a.Label }
func (a Vector) covers(_, _ Point3) []Point3 { return []Point3{a.From, a.To} }
func (a Vector) anchor() Point3              { return a.To }

func (a Vector) drawIn(v *view) {
	from, to := v.place(a.From), v.place(a.To)
	d := to.Sub(from)
	if length := vg.Length(math.Hypot(float64(d.X), float64(d.Y))); length > 0 {
		c := v.color(a.Role)
		v.pen(c, v.look.line, nil)
		v.line([]vg.Point{from, to.Sub(d.Scale(min(v.look.line*2, length) / length))})
		v.arrowHead(from, to, c, v.look.line*3)
	}
	v.annotate(a.Label, v.color(a.Role), v.around(to, v.marker, a.Label)...)
}
