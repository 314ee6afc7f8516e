package plotting

import (
	"fmt"
	"image/color"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// A Role says what a layer stands for; it chooses the colour, and a line style or marker as a
// second channel, the same in every figure.
//
// The colours of the rates, and those of four classes, differ by at least 10 in lightness L*, so
// they survive a black-and-white print, and stay apart under the three dichromacies.
type Role int

// The roles. Rates are named from the highest down.
const (
	Neutral   Role = iota // a quantity that belongs to no rate or class
	Highest               // the highest rate λ_max
	Second                // the second-highest rate
	Third                 // the third-highest rate
	Fourth                // the fourth-highest rate
	Reference             // the theory's value, always dotted
	firstClass
)

// Rate returns the role of the k-th highest rate, 0 to 3, which are what a reader tells apart.
func Rate(k int) Role {
	if k < 0 || Highest+Role(k) > Fourth {
		panic(fmt.Sprintf("plotting: Rate(%d): rates have the roles Rate(0) to Rate(3); Series(%d) is a role for anything", k, k))
	}
	return Highest + Role(k)
}

// Class returns the role of class k of a classification problem, counted from 0; in binary
// problems 0 is y = -1 and 1 is y = +1. 42 classes look different.
func Class(k int) Role {
	if k < 0 {
		panic(fmt.Sprintf("plotting: Class(%d): classes are counted from 0", k))
	}
	return firstClass + Role(k)
}

// Series returns the role of the k-th of what is neither rates nor classes, counted from 0: seeds,
// tolerances, layers. It looks like Class(k), so a figure shows either classes or series.
func Series(k int) Role { return Class(k) }

// names are what several figures of this book show, each time in one colour, with their
// Class. What stands in different lines is never shown together.
var names = map[string]int{
	"no normalization": 0, "batch norm": 1, "RMS norm": 2, "layer norm": 3,
	"gradient descent": 0, "loss-scaled steps": 1, "SGD": 2, "momentum": 3, "weight decay": 4, "Adam": 5,
	"depths 1, 2": 0, "depths 1, 3": 1, "depths 1, 4": 2, "depths 2, 3": 3, "depths 2, 4": 4, "depths 3, 4": 5, "depths 2, 1": 8, "depths 1, 1": 7,
}

// Named returns the role of a pair of depths, an optimizer or a normalization, which has
// one colour in the whole book. An unknown name panics with those there are.
func Named(name string) Role {
	k, ok := names[name]
	if !ok {
		panic(fmt.Sprintf("plotting: Named(%q): the names are %q", name, slices.Sorted(maps.Keys(names))))
	}
	return Class(k)
}

// index counts rates from the highest, and classes.
func (r Role) index() int {
	switch {
	case r < 0:
		panic(fmt.Sprintf("plotting: %d is no Role", r))
	case r >= firstClass:
		return int(r - firstClass)
	}
	return int(r - Highest)
}

// Color returns the role's colour in print. It panics for a number that is no role.
func (r Role) Color() color.NRGBA { return paper.color(r) }

// ink is the colours of a theme.
type ink struct {
	ground             color.Color // nil: transparent
	text, quiet, faint color.NRGBA // titles and neutral lines; axis text; axes and ticks
	roles, classes     []color.NRGBA
	colors             int // of a picture; 0 is as many as one sees
}

func rgb(c uint32) color.NRGBA { return color.NRGBA{uint8(c >> 16), uint8(c >> 8), uint8(c), 255} }

// paper is for print: dark ink on white. Lines have a contrast of 3 to 1, as WCAG 2 wants.
var paper = ink{
	ground: color.White,
	text:   rgb(0x262626), quiet: rgb(0x595959), faint: rgb(0xb8b8b8),
	roles: []color.NRGBA{
		Neutral: rgb(0x262626), Highest: rgb(0xd2442b), Second: rgb(0x1156b3), Third: rgb(0x3ba2a7), Fourth: rgb(0x602864),
		Reference: rgb(0x595959),
	},
	classes: []color.NRGBA{rgb(0x6f2da8), rgb(0x3a7d44), rgb(0xb39000), rgb(0x14224d), rgb(0xd85490), rgb(0x602400)},
}

// screen is for pages that are white or nearly black: no ground, and every colour
// moved to between the two.
var screen = ink{
	text: rgb(0x757579), quiet: rgb(0x757579), faint: rgb(0x9a9a9e),
	roles: []color.NRGBA{
		Neutral: rgb(0x696969), Highest: rgb(0xd2442b), Second: rgb(0x2d69bc), Third: rgb(0x389ba0), Fourth: rgb(0x875e8a),
		Reference: rgb(0x6c6c6c),
	},
	classes: []color.NRGBA{rgb(0x8a53b7), rgb(0x3a7d44), rgb(0xab8a00), rgb(0x636c89), rgb(0xd85490), rgb(0x8c6147)},
	colors:  48, // that shows no difference at double density
}

func (t ink) color(r Role) color.NRGBA {
	if k := r.index(); r >= firstClass {
		return t.classes[k%len(t.classes)]
	}
	return t.roles[r]
}

// tint is a weaker colour, for areas: 0 is the ground, 1 the colour itself.
func (t ink) tint(c color.NRGBA, amount float64) color.NRGBA {
	if t.ground == nil {
		c.A = uint8(255*min(1, 1.4*amount) + 0.5) // black takes more than white
		return c
	}
	mix := func(v uint8) uint8 { return uint8(255 + amount*(float64(v)-255) + 0.5) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 255}
}

// inText are the darker colours that text has on paper, for a contrast of 4.5 to 1.
var inText = map[color.NRGBA]color.NRGBA{rgb(0x3ba2a7): rgb(0x2e8286), rgb(0xb39000): rgb(0x907300), rgb(0xd85490): rgb(0xbe487e)}

func (t ink) readable(c color.NRGBA) color.NRGBA {
	if dark, ok := inText[c]; ok && t.ground != nil {
		return dark
	}
	return c
}

// A LineStyle is how a line is drawn. The zero one is the role's own.
type LineStyle int

const (
	RoleStyle LineStyle = iota
	Solid
	Dashed
	Dotted
	firstNoStyle
)

// dotted is the theory's pattern, and that of no other role; dashes are those of rates
// and classes, in line widths.
var (
	dotted = []vg.Length{1, 1.8}
	dashes = [][]vg.Length{
		nil, {6, 1.6}, {3, 1.5}, {6, 1.6, 1.4, 1.6}, {6, 1.6, 1.4, 1.6, 1.4, 1.6}, {9, 1.6, 3, 1.6}, {3, 1.4, 1.2, 1.4},
	}
)

// dash returns the pattern of a style, in line widths; nil is a whole line.
func (s LineStyle) dash(r Role) []vg.Length {
	switch {
	case s < 0 || s >= firstNoStyle:
		panic(fmt.Sprintf("plotting: %d is no LineStyle", s))
	case s == Dashed:
		return []vg.Length{4, 2}
	case s == Dotted || s == RoleStyle && r == Reference:
		return dotted
	case s == RoleStyle && r != Neutral:
		return dashes[r.index()%len(dashes)]
	}
	return nil
}

// A Marker is the shape of a point. The zero Marker is the role's own.
type Marker int

const (
	RoleMarker Marker = iota
	Disc
	Square
	Triangle
	Diamond
	Cross
	Plus
	TriangleDown
	firstNoMarker
)

func (m Marker) of(r Role) Marker {
	switch {
	case m < 0 || m >= firstNoMarker:
		panic(fmt.Sprintf("plotting: %d is no Marker", m))
	case m != RoleMarker:
		return m
	case r == Neutral || r == Reference:
		return Disc
	}
	return Disc + Marker(r.index()%int(TriangleDown))
}

// outline is the marker around the origin. Markers have about equal areas.
func (m Marker) outline(r vg.Length, hollow bool) vg.Path {
	corners, hole := m.corners(r), vg.Length(0)
	if hollow {
		hole = r * 0.62
	}
	if corners == nil {
		return annulus(vg.Point{}, r, hole)
	}
	path := polygonPath(corners)
	if hollow { // wound the other way
		inner := m.corners(hole)
		slices.Reverse(inner)
		path = append(path, polygonPath(inner)...)
	}
	return path
}

// corners are those of the marker's polygon, nil for a disc.
func (m Marker) corners(r vg.Length) []vg.Point {
	switch m {
	case Square:
		return regular(4, vg.Point{}, r*1.25, math.Pi/4)
	case Triangle:
		return regular(3, vg.Point{}, r*1.45, math.Pi/2)
	case TriangleDown:
		return regular(3, vg.Point{}, r*1.45, -math.Pi/2)
	case Diamond:
		return regular(4, vg.Point{}, r*1.35, math.Pi/2)
	case Cross:
		return bars(r*1.2, math.Pi/4)
	case Plus:
		return bars(r*1.3, 0)
	}
	return nil
}

// regular is the polygon of n equal sides.
func regular(n int, center vg.Point, r vg.Length, first float64) (corners []vg.Point) {
	for k := range n {
		corners = append(corners, center.Add(polar(r, first+2*math.Pi*float64(k)/float64(n))))
	}
	return corners
}

// bars is a plus sign, turned by an angle.
func bars(r vg.Length, turn float64) (corners []vg.Point) {
	const thickness = 0.26 // half width of a bar over its length
	for k := range 4 {
		a := turn + float64(k)*math.Pi/2
		along, across := polar(r, a), polar(r*thickness, a+math.Pi/2)
		corners = append(corners, along.Sub(across), along.Add(across), polar(r*thickness*math.Sqrt2, a+math.Pi/4))
	}
	return corners
}

// annulus is a ring between two radii, or a disc.
func annulus(center vg.Point, outer, inner vg.Length) (path vg.Path) {
	path.Move(center.Add(vg.Point{X: outer}))
	path.Arc(center, outer, 0, 2*math.Pi)
	path.Close()
	if inner > 0 {
		path.Move(center.Add(vg.Point{X: inner}))
		path.Arc(center, inner, 0, -2*math.Pi)
		path.Close()
	}
	return path
}

func polar(r vg.Length, angle float64) vg.Point {
	sin, cos := math.Sincos(angle)
	return vg.Point{X: r * vg.Length(cos), Y: r * vg.Length(sin)}
}
