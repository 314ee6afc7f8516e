package plotting

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// Ball is a shaded ball.
type Ball struct {
	Center Point3
	Radius float64
	Label  string
	Role   Role
}

func (b Ball) label() string { return b.Label }

func (b Ball) anchor() Point3 { return b.Center }

func (b Ball) covers() (points []Point3) {
	for k := range 3 {
		for _, s := range []float64{-1, 1} {
			var d Point3
			d[k] = s * b.Radius
			points = append(points, b.Center.plus(1, d))
		}
	}
	return points
}

// shades is the number of discs whose shift toward the light makes a ball round.
const shades = 32

func (b Ball) drawIn(v *view) {
	center := v.place(b.Center)
	radius := v.at(b.Radius+v.x.lo, 0).X - v.box.Min.X
	for k := range shades {
		t := float64(k) / shades
		c := tint(b.Role.Color(), 0.6-0.34*t)
		shift := radius * vg.Length(0.38*t)
		v.SetColor(c)
		v.Fill(circle(vg.Point{X: center.X - shift*0.7, Y: center.Y + shift}, radius*vg.Length(1-t)))
	}
	v.pen(b.Role.Color(), v.thin, nil)
	v.line(circleAt(center, radius))
	v.fillOver(circleAt(center, radius))
	v.annotate(b.Label, b.Role.Color(), v.around(center, radius, b.Label)...)
}

// around returns places for a label outside of a circle, from its top to its bottom.
func (v *view) around(center vg.Point, radius vg.Length, label string) (places []vg.Point) {
	w, h := width(label, v.look.label), v.look.label*0.72
	for _, degrees := range []float64{90, 110, 70, 130, 50, 150, 30, 180, 0, 210, 330, 250, 290, 270} {
		sin, cos := math.Sincos(degrees * math.Pi / 180)
		reach := vg.Length(math.Abs(cos))*w/2 + vg.Length(math.Abs(sin))*h/2 // of the label toward the circle
		q := center.Add(polar(radius+v.look.label*0.4+reach, degrees*math.Pi/180))
		places = append(places, vg.Point{X: q.X - w/2, Y: q.Y - h/2})
	}
	return places
}

func circleAt(c vg.Point, r vg.Length) []vg.Point {
	const n = 96
	points := make([]vg.Point, n+1)
	for k := range points {
		q := polar(r, 2*math.Pi*float64(k)/n)
		points[k] = c.Add(q)
	}
	points[n] = points[0]
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

func (pl Plane) covers() []Point3 {
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
	corners := v.placeAll(pl.covers())
	c := pl.Role.Color()
	v.SetColor(color.NRGBA{c.R, c.G, c.B, 56})
	v.polygon(corners)
	v.fillOver(corners)
	v.pen(c, v.thin, nil)
	v.line(append(corners, corners[0]))
	w := width(pl.Label, v.look.label)
	var places []vg.Point
	for _, q := range corners {
		places = append(places,
			vg.Point{X: q.X - w/2, Y: q.Y + v.look.label*0.4},
			vg.Point{X: q.X - w/2, Y: q.Y - v.look.label*1.1})
	}
	v.annotate(pl.Label, c, places...)
}

// Points are points in space, the nearer ones darker.
type Points struct {
	At    []Point3
	Label string
	Role  Role
}

func (ps Points) label() string { return ps.Label }

func (ps Points) covers() []Point3 { return ps.At }

func (ps Points) anchor() (mean Point3) {
	for _, q := range ps.At {
		mean = mean.plus(1/float64(len(ps.At)), q)
	}
	return mean
}

func (ps Points) drawIn(v *view) {
	var depth span
	for _, q := range ps.At {
		depth.add(q.dot(v.toEye))
	}
	for _, q := range ps.At {
		near := 1.0
		if depth.hi > depth.lo {
			near = (q.dot(v.toEye) - depth.lo) / (depth.hi - depth.lo)
		}
		v.stampMarker(Marker(0).of(ps.Role), v.marker, tint(ps.Role.Color(), 0.45+0.55*near), false, []vg.Point{v.place(q)})
	}
	mean := v.place(ps.anchor())
	v.annotate(ps.Label, ps.Role.Color(), vg.Point{X: mean.X + v.look.label*0.6, Y: mean.Y + v.look.label*0.4})
}

// Vector is an arrow in space.
type Vector struct {
	From, To Point3
	Label    string
	Role     Role
}

func (a Vector) label() string { return a.Label }

func (a Vector) covers() []Point3 { return []Point3{a.From, a.To} }

func (a Vector) anchor() Point3 { return a.To }

func (a Vector) drawIn(v *view) {
	from, to := v.place(a.From), v.place(a.To)
	v.shaft(from, to, a.Role)
	v.labelHead(from, to, a.Label, a.Role)
}
