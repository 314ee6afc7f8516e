// Package render draws gonum's vector paths as PNG, SVG, PDF and PGF. It differs from
// gonum's canvases in that the PDF embeds only the glyphs it shows, text with
// combining accents is placed correctly, output is the same bytes on every run,
// and many equal markers cost one outline.
package render

import (
	"image"
	"image/color"

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

// Canvas keeps the pen and hands a backend paths in points from the lower left
// corner of the page, y up.
type Canvas struct {
	state   state
	backend backend
}

type state struct {
	color     color.NRGBA
	lineWidth float64
	dash      []float64
}

// A backend writes one format.
type backend interface {
	stroke(p path, s *state)
	fill(p path, s *state)
	stamp(p path, at []point, s *state)
	label(l typeset.Label, size float64, a Alignment, at point, c color.NRGBA)
	image(img image.Image, lo, hi point)
}

func newCanvas(b backend) *Canvas {
	return &Canvas{state{color: color.NRGBA{A: 255}, lineWidth: 1}, b}
}

// SetLineWidth sets the width of strokes.
func (c *Canvas) SetLineWidth(w vg.Length) { c.state.lineWidth = float64(w) }

// SetLineDash sets the lengths of dashes and gaps; nil is a whole line.
func (c *Canvas) SetLineDash(pattern []vg.Length) {
	c.state.dash = nil
	for _, d := range pattern {
		c.state.dash = append(c.state.dash, float64(d))
	}
}

// SetColor sets the colour of all that follows.
func (c *Canvas) SetColor(col color.Color) {
	c.state.color = color.NRGBAModel.Convert(col).(color.NRGBA)
}

// Stroke draws along a path with round joins and ends; dashes have flat ends.
func (c *Canvas) Stroke(p vg.Path) { c.backend.stroke(newPath(p), &c.state) }

// Fill fills a path; where it winds both ways is a hole.
func (c *Canvas) Fill(p vg.Path) { c.backend.fill(newPath(p), &c.state) }

// Stamp fills one path, given around the origin, at many points.
func (c *Canvas) Stamp(p vg.Path, at []vg.Point) {
	if len(at) == 0 {
		return
	}
	points := make([]point, len(at))
	for i, a := range at {
		points[i] = pointOf(a)
	}
	c.backend.stamp(newPath(p), points, &c.state)
}

// Label draws a line of markup as one text, at a point of its baseline.
func (c *Canvas) Label(at vg.Point, markup string, size vg.Length, a Alignment) {
	c.backend.label(typeset.Parse(markup), float64(size), a, pointOf(at), c.state.color)
}

// A texter sets plain text.
type texter interface {
	text(s string, size float64, at point, c color.NRGBA)
}

// drawRuns sets a label run by run, for backends that place every glyph.
func drawRuns(t texter, l typeset.Label, size float64, a Alignment, at point, c color.NRGBA) {
	at.x -= l.Width * size * float64(a) / 2
	for _, r := range l.Runs {
		t.text(r.Text, size*r.Size, point{at.x + r.X*size, at.y + r.Rise*size}, c)
	}
}

// DrawImage draws the pixels of an image as cells with sharp edges.
func (c *Canvas) DrawImage(r vg.Rectangle, img image.Image) {
	c.backend.image(img, pointOf(r.Min), pointOf(r.Max))
}

func pointOf(p vg.Point) point { return point{float64(p.X), float64(p.Y)} }
