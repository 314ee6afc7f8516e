// Package render draws gonum's vector graphics as PNG, SVG, PDF and PGF. Its
// Canvas is a [vg.Canvas], so whatever draws on gonum's canvases draws on these;
// they differ from gonum's in that the PDF embeds only the glyphs it shows, text
// with combining accents is placed correctly, output is the same bytes on
// every run, and many equal markers cost one outline.
package render

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/typeset"
)

// Alignment says which point of a text is given.
type Alignment int

// The alignments.
const (
	Left Alignment = iota
	Center
	Right
)

// Canvas keeps the drawing state of a [vg.Canvas] and hands a backend paths in
// absolute coordinates: points from the lower left corner, y up.
type Canvas struct {
	width, height float64
	state         state
	stack         []state
	backend       backend
}

type state struct {
	m         affine
	color     color.NRGBA
	lineWidth float64
	dash      []float64
	dashStart float64
}

// A backend writes one format.
type backend interface {
	stroke(p path, s *state)
	fill(p path, s *state)
	stamp(p path, at []point, s *state)
	text(s string, size float64, m affine, c color.NRGBA)
	label(l typeset.Label, size float64, a Alignment, m affine, c color.NRGBA)
	image(img image.Image, m affine)
}

func newCanvas(width, height vg.Length, b backend) *Canvas {
	c := &Canvas{width: float64(width), height: float64(height), backend: b}
	c.state = state{m: identity, color: color.NRGBA{A: 255}, lineWidth: 1}
	return c
}

// Size returns the width and the height of the page.
func (c *Canvas) Size() (x, y vg.Length) { return vg.Length(c.width), vg.Length(c.height) }

// SetLineWidth implements [vg.Canvas].
func (c *Canvas) SetLineWidth(w vg.Length) { c.state.lineWidth = float64(w) }

// SetLineDash implements [vg.Canvas].
func (c *Canvas) SetLineDash(pattern []vg.Length, offset vg.Length) {
	c.state.dash = nil
	for _, d := range pattern {
		c.state.dash = append(c.state.dash, float64(d))
	}
	c.state.dashStart = float64(offset)
}

// SetColor implements [vg.Canvas].
func (c *Canvas) SetColor(col color.Color) {
	if col == nil {
		col = color.Black
	}
	c.state.color = color.NRGBAModel.Convert(col).(color.NRGBA)
}

// Rotate implements [vg.Canvas].
func (c *Canvas) Rotate(rad float64) {
	sin, cos := math.Sincos(rad)
	c.state.m = c.state.m.after(affine{cos, sin, -sin, cos, 0, 0})
}

// Translate implements [vg.Canvas].
func (c *Canvas) Translate(pt vg.Point) {
	c.state.m = c.state.m.after(affine{1, 0, 0, 1, float64(pt.X), float64(pt.Y)})
}

// Scale implements [vg.Canvas].
func (c *Canvas) Scale(x, y float64) { c.state.m = c.state.m.after(affine{x, 0, 0, y, 0, 0}) }

// Push implements [vg.Canvas].
func (c *Canvas) Push() { c.stack = append(c.stack, c.state) }

// Pop implements [vg.Canvas].
func (c *Canvas) Pop() {
	c.state = c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
}

// Stroke implements [vg.Canvas].
func (c *Canvas) Stroke(p vg.Path) {
	if c.state.lineWidth > 0 && c.state.color.A > 0 {
		c.backend.stroke(newPath(p, c.state.m), &c.state)
	}
}

// Fill implements [vg.Canvas].
func (c *Canvas) Fill(p vg.Path) {
	if c.state.color.A > 0 {
		c.backend.fill(newPath(p, c.state.m), &c.state)
	}
}

// Stamp fills one path, given around the origin, at many points.
func (c *Canvas) Stamp(p vg.Path, at []vg.Point) {
	if c.state.color.A == 0 || len(at) == 0 {
		return
	}
	points := make([]point, len(at))
	for i, a := range at {
		points[i] = c.state.m.apply(point{float64(a.X), float64(a.Y)})
	}
	linear := c.state.m
	linear[4], linear[5] = 0, 0
	c.backend.stamp(newPath(p, linear), points, &c.state)
}

// FillString implements [vg.Canvas].
func (c *Canvas) FillString(f font.Face, pt vg.Point, text string) {
	if f.Font.Size <= 0 || text == "" {
		return
	}
	m := c.state.m.after(affine{1, 0, 0, 1, float64(pt.X), float64(pt.Y)})
	c.backend.text(text, float64(f.Font.Size), m, c.state.color)
}

// Label draws a line of markup as one text, at a point of its baseline.
func (c *Canvas) Label(at vg.Point, markup string, size vg.Length, a Alignment) {
	m := c.state.m.after(affine{1, 0, 0, 1, float64(at.X), float64(at.Y)})
	c.backend.label(typeset.Parse(markup), float64(size), a, m, c.state.color)
}

// drawRuns sets a label run by run, for backends that place every glyph.
func drawRuns(b backend, l typeset.Label, size float64, a Alignment, m affine, c color.NRGBA) {
	shift := -l.Width * size * float64(a) / 2
	for _, r := range l.Runs {
		b.text(r.Text, size*r.Size, m.after(affine{1, 0, 0, 1, shift + r.X*size, r.Rise * size}), c)
	}
}

// DrawImage implements [vg.Canvas].
func (c *Canvas) DrawImage(r vg.Rectangle, img image.Image) {
	size := r.Size()
	m := affine{float64(size.X), 0, 0, float64(size.Y), float64(r.Min.X), float64(r.Min.Y)}
	c.backend.image(img, c.state.m.after(m))
}
