package plotting

import (
	"fmt"
	"image"
	"image/color"

	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/render"
)

// canvas is what layers draw on.
type canvas interface {
	SetColor(c color.Color)
	SetLineWidth(w vg.Length)
	SetLineDash(pattern []vg.Length)
	Stroke(p vg.Path)
	Fill(p vg.Path)
	Stamp(p vg.Path, at []vg.Point)
	DrawImage(r vg.Rectangle, img image.Image)
	Label(at vg.Point, markup string, size vg.Length, a render.Alignment)
}

// pane is a panel that has a place on a page.
type pane struct {
	Panel
	*look
	canvas
	box   vg.Rectangle // the plotting area
	head  vg.Length    // the room above it
	left  vg.Length    // the room at its left
	x, y  span         // the axes' limits, as positions
	inner struct{ x, y bool }

	theories         int  // labelled lines of the theory
	keyless, barless bool // a neighbour has the same key or colour bar

	ends  []endLabel
	notes []note
	busy  []vg.Point     // where lines and points are, for labels to avoid
	fills [][]vg.Point   // areas, likewise
	taken []vg.Rectangle // labels, likewise
	err   error          // the first mistake found while drawing
}

// fail records that a layer cannot be drawn.
func (p *pane) fail(l Layer, err error) {
	if p.err == nil {
		p.err = fmt.Errorf("%s: %w", l.name(), err)
	}
}

// at maps axis positions to the page.
func (p *pane) at(u, v float64) vg.Point {
	size := p.box.Size()
	return vg.Point{
		X: p.box.Min.X + size.X*vg.Length((u-p.x.lo)/(p.x.hi-p.x.lo)),
		Y: p.box.Min.Y + size.Y*vg.Length((v-p.y.lo)/(p.y.hi-p.y.lo)),
	}
}

// point maps data to the page.
func (p *pane) point(x, y float64) vg.Point {
	return p.at(p.X.position(x), p.Y.position(y))
}

func (p *pane) points(x, y []float64) []vg.Point {
	out := make([]vg.Point, len(x))
	for i := range x {
		out[i] = p.point(x[i], y[i])
	}
	return out
}

// The alignments of text.
const (
	alignLeft   = render.Left
	alignCenter = render.Center
	alignRight  = render.Right
)

// text draws a line of markup; at is on its baseline.
func (p *pane) text(at vg.Point, markup string, size vg.Length, c color.Color, a render.Alignment) {
	p.SetColor(c)
	p.Label(at, markup, size, a)
}

// pen sets colour, width and dashes for the next strokes.
func (p *pane) pen(c color.Color, width vg.Length, dash []float64) {
	p.SetColor(c)
	p.SetLineWidth(width)
	var pattern []vg.Length
	for _, d := range dash {
		pattern = append(pattern, vg.Length(d)*width)
	}
	p.SetLineDash(pattern)
}

func (p *pane) segment(a, b vg.Point) {
	p.Stroke(vg.Path{{Type: vg.MoveComp, Pos: a}, {Type: vg.LineComp, Pos: b}})
}

// drawAxes draws the two axes, their ticks and labels. The title and the key
// stand at the top of the row, the label of the y axis just above the axis.
func (p *pane) drawAxes() {
	top := p.box.Max.Y + p.head
	if p.Title != "" {
		p.text(vg.Point{X: p.yLabelX(), Y: top - p.title*1.2}, p.Title, p.title, ink, alignLeft)
		top -= p.title * titleRow
	}
	p.drawKeys(top)
	if p.Bare {
		return
	}
	p.drawX()
	p.drawY()
	if p.Y.Label != "" && !p.inner.y {
		p.text(vg.Point{X: p.yLabelX(), Y: p.box.Max.Y + p.tick*0.85 + p.label*0.3}, p.Y.Label, p.label, soft, alignLeft)
	}
}

// titleRow is the height of a panel's title, in title sizes.
const titleRow = 1.7

// yLabelX is where the label of the y axis begins: above the tick labels, so that
// it reads as their heading, and at one place in all panels of a column.
func (p *pane) yLabelX() vg.Length {
	if p.Bare || p.inner.y {
		return p.box.Min.X
	}
	return p.box.Min.X - p.left
}

func (p *pane) drawX() {
	p.pen(faint, p.axis, nil)
	p.segment(p.box.Min, vg.Point{X: p.box.Max.X, Y: p.box.Min.Y})
	for _, m := range p.xMarks() {
		at := vg.Point{X: p.at(m.u, 0).X, Y: p.box.Min.Y}
		length := p.tickLength
		if m.label == "" {
			length *= 0.6
		}
		p.pen(faint, p.axis, nil)
		p.segment(at, vg.Point{X: at.X, Y: at.Y - length})
		if m.label != "" && !p.inner.x {
			p.text(vg.Point{X: at.X, Y: at.Y - p.tickLength - p.padding*0.6 - p.tick*0.85}, m.label, p.tick, soft, alignCenter)
		}
	}
	if p.X.Label != "" && !p.inner.x {
		at := vg.Point{X: (p.box.Min.X + p.box.Max.X) / 2}
		at.Y = p.box.Min.Y - p.tickLength - p.padding - p.tick*1.1 - p.label*1.05
		p.text(at, p.X.Label, p.label, soft, alignCenter)
	}
}

func (p *pane) drawY() {
	p.pen(faint, p.axis, nil)
	p.segment(p.box.Min, vg.Point{X: p.box.Min.X, Y: p.box.Max.Y})
	for _, m := range p.yMarks() {
		at := vg.Point{X: p.box.Min.X, Y: p.at(0, m.u).Y}
		length := p.tickLength
		if m.label == "" {
			length *= 0.6
		}
		p.pen(faint, p.axis, nil)
		p.segment(at, vg.Point{X: at.X - length, Y: at.Y})
		if m.label != "" && !p.inner.y {
			p.text(vg.Point{X: at.X - p.tickLength - p.padding*0.7, Y: at.Y - p.tick*0.36}, m.label, p.tick, soft, alignRight)
		}
	}
}
