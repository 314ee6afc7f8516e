package plotting

import (
	"errors"
	"fmt"
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

// A Shape is a part of a Scene: Ball, Plane, Points or Vector.
type Shape interface {
	// covers returns points whose hull the shape fills.
	covers() []Point3
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

func (a Point3) unit() Point3 {
	n := math.Sqrt(a.dot(a))
	return Point3{a[0] / n, a[1] / n, a[2] / n}
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

func (s Scene) name() string { return "scene" }

func (s Scene) square() {}

func (s Scene) texts() []string {
	var out []string
	for _, shape := range s.Shapes {
		out = append(out, shape.label())
	}
	return out
}

func (s Scene) extend(e *extent) error {
	if len(s.Shapes) == 0 {
		return errors.New("has no shapes")
	}
	right, up, _ := s.axes()
	for k, shape := range s.Shapes {
		points := shape.covers()
		if len(points) == 0 {
			return fmt.Errorf("shape %d%s has no points", k+1, quoted(shape.label()))
		}
		for _, q := range points {
			if err := e.add([]float64{q.dot(right)}, []float64{q.dot(up)}); err != nil {
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
