package plotting

import (
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/plot/vg"
)

// Scene is a picture of space in orthographic projection, with equal axes and no ticks.
type Scene struct {
	// Azimuth turns the scene about its z axis and Elevation lifts the eye, in
	// degrees. Both zero: 35 and 20.
	Azimuth, Elevation float64

	Shapes []Shape
}

// A Shape is a part of a Scene: Ball, Plane, Points, Path or Vector.
type Shape interface {
	// covers returns points whose hull the shape fills, seen with these directions to the
	// right and up; the depth of their mean orders the shape among others.
	covers(right, up Point3) []Point3
	drawIn(v *view)
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

// along returns the coordinates of points in a direction.
func along(points []Point3, direction Point3) (out []float64) {
	for _, q := range points {
		out = append(out, q.dot(direction))
	}
	return out
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

func (s Scene) entries() (out []entry) {
	for _, shape := range s.Shapes {
		if ps, ok := shape.(Points); ok {
			out = append(out, entry{text: ps.Label, role: ps.Role, marker: RoleMarker.of(ps.Role)})
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
		if err := e.add(along(points, right), "Y", along(points, up)); err != nil {
			return fmt.Errorf("shape %d (%s): %w", k+1, nameOf(shape), err)
		}
	}
	return nil
}

// draw paints the shapes from far to near, glass before what is in it.
func (s Scene) draw(p *pane) {
	v := &view{pane: p}
	v.right, v.up, v.toEye = s.axes()
	depth := func(shape Shape) float64 {
		if b, ok := shape.(Ball); ok && b.Glass {
			return math.Inf(-1)
		}
		depths := along(shape.covers(v.right, v.up), v.toEye)
		return floats.Sum(depths) / float64(len(depths))
	}
	shapes := slices.Clone(s.Shapes)
	slices.SortStableFunc(shapes, func(a, b Shape) int { return cmp.Compare(depth(a), depth(b)) })
	for _, shape := range shapes {
		shape.drawIn(v)
	}
}

// occupy notes an area around a point, for labels to avoid.
func (v *view) occupy(center vg.Point, outline []vg.Point) {
	for _, q := range dense(append(outline, outline[0])) {
		v.busy = append(v.busy, dense([]vg.Point{center, q})...)
	}
}

func (v *view) place(q Point3) vg.Point { return v.at(q.dot(v.right), q.dot(v.up)) }

func (v *view) placeAll(points []Point3) (out []vg.Point) {
	for _, q := range points {
		out = append(out, v.place(q))
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

func (b Ball) covers(right, up Point3) (points []Point3) {
	for _, s := range []float64{-b.Radius, b.Radius} {
		points = append(points, b.Center.plus(s, right), b.Center.plus(s, up))
	}
	return points
}

func (b Ball) drawIn(v *view) {
	center, c := v.place(b.Center), v.color(b.Role)
	radius := v.at(b.Radius+v.x.lo, 0).X - v.Min.X
	discs := 32 // whose shift toward the light makes a ball round
	if b.Glass {
		discs = 0
		v.SetColor(v.tint(c, 0.1))
		v.Canvas.Fill(annulus(center, radius, 0))
	}
	for k := range discs {
		t := float64(k) / float64(discs)
		shift := radius * vg.Length(0.38*t)
		v.SetColor(paper.tint(c, 0.6-0.34*t))
		v.Canvas.Fill(annulus(center.Add(vg.Point{X: -shift * 0.7, Y: shift}), radius*vg.Length(1-t), 0))
	}
	outline := regular(96, center, radius, 0)
	v.pen(c, v.thin, nil)
	v.line(append(outline, outline[0]))
	v.occupy(center, outline)
	v.annotate(b.Label, c, v.around(center, radius, b.Label)...)
}

// Plane is the square patch of the plane Normal·x = 0 around the origin.
type Plane struct {
	Normal Point3
	Side   float64 // of the square
	Role   Role
}

func (pl Plane) covers(_, _ Point3) []Point3 {
	n := pl.Normal.unit()
	across := n.cross(Point3{0, 0, 1})
	if across.dot(across) < 1e-12 {
		across = Point3{1, 0, 0}
	}
	across = across.unit()
	along, h := n.cross(across), pl.Side/2
	corner := func(s, t float64) Point3 { return Point3{}.plus(s*h, across).plus(t*h, along) }
	return []Point3{corner(1, 1), corner(-1, 1), corner(-1, -1), corner(1, -1)}
}

func (pl Plane) drawIn(v *view) {
	corners := v.placeAll(pl.covers(v.right, v.up))
	c := v.color(pl.Role)
	v.polygon(color.NRGBA{c.R, c.G, c.B, 56}, corners)
	v.occupy(v.place(Point3{}), corners)
	v.pen(c, v.thin, nil)
	v.line(append(corners, corners[0]))
}

// Points are points in space, the nearer ones larger and darker. Their label stands in the key.
type Points struct {
	At    []Point3
	Label string
	Role  Role
}

func (ps Points) covers(_, _ Point3) []Point3 { return ps.At }

func (ps Points) drawIn(v *view) {
	near := v.depths(ps.At)
	for k, q := range v.placeAll(ps.At) {
		path := RoleMarker.of(ps.Role).outline(v.marker*vg.Length(0.75+0.45*near[k]), false)
		v.stamp(path, v.tint(v.color(ps.Role), 0.45+0.55*near[k]), []vg.Point{q})
	}
}

// depths says how near points are, from 0 to 1.
func (v *view) depths(points []Point3) []float64 {
	near := along(points, v.toEye)
	lo, hi := floats.Min(near), floats.Max(near)
	floats.AddConst(-lo, near)
	floats.Scale(1/math.Max(hi-lo, 1e-300), near)
	return near
}

// Path is a line through points of space, closed if it ends where it begins; what is
// near is darker.
type Path struct {
	At   []Point3
	Role Role
}

func (a Path) covers(_, _ Point3) []Point3 { return a.At }

func (a Path) drawIn(v *view) {
	near, at := v.depths(a.At), v.placeAll(a.At)
	for k := 1; k < len(at); k++ {
		v.pen(v.tint(v.color(a.Role), 0.4+0.3*(near[k]+near[k-1])), v.look.line, RoleStyle.dash(a.Role))
		v.line(at[k-1 : k+1])
	}
}

// Vector is an arrow in space.
type Vector struct {
	From, To Point3
	Label    string
	Role     Role
}

func (a Vector) covers(_, _ Point3) []Point3 { return []Point3{a.From, a.To} }

func (a Vector) drawIn(v *view) {
	c, to := v.color(a.Role), v.place(a.To)
	v.pen(c, v.look.line, nil)
	v.arrowLine(v.place(a.From), to, c, v.look.line*3)
	v.annotate(a.Label, c, v.around(to, v.marker, a.Label)...)
}
