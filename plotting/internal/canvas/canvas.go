// Package canvas has the canvases that figures are drawn on, for PNG, SVG, PDF and PGF.
// Where it does by hand what a library does, this is what the library lacks:
//
//   - vgimg draws the PNG; its files have no palette (three times the size) and no
//     resolution, its strings are measured anew and blurred when they are turned, and
//     each of many equal markers is rasterized.
//   - vgsvg and svgo only name the font, have no alternative text, and write each
//     marker in full.
//   - fpdf writes the PDF; it embeds TrueType only, with the whole name and hinting
//     tables (12 kB a font), so that it is given a font of the glyphs in use. gonum's
//     vgpdf encodes text as cp1252.
//   - vgtex writes labels unescaped and leaves ‖ or ℝ to the document.
//
// All write the same bytes for the same drawing. Strokes have flat ends and round joins,
// as gonum's have.
package canvas

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/label"
)

// Canvas is what New returns. All are label.Setters and Stampers too.
type Canvas interface {
	vg.CanvasWriterTo
	Stamper
	label.Setter
}

// A Stamper draws one shape, given around the origin, at many points.
type Stamper interface {
	Stamp(p vg.Path, fill color.Color, at []vg.Point)
}

// Options say what a canvas is besides its size.
type Options struct {
	// DPI is the resolution of a PNG in pixels per inch. Zero: 300.
	DPI float64

	// Colors is the number of colours of a PNG, at most 256. Zero: 256.
	Colors int

	// Alt is the text alternative, Title the document's title.
	Alt, Title string

	// Background fills the canvas. Nil: it is transparent.
	Background color.Color
}

// New returns an empty canvas of one of the formats png, svg, pdf and pgf.
func New(format string, width, height vg.Length, o Options) (Canvas, error) {
	const most = 1 << 14 // points; larger pages are mistakes
	if !(width > 0 && height > 0 && width < most && height < most) {
		return nil, fmt.Errorf("a canvas of %g by %g points cannot be drawn", float64(width), float64(height))
	}
	if format == "png" {
		return newRaster(width, height, o)
	}
	p := &page{width: width, height: height, state: state{color: color.NRGBA{A: 255}, lineWidth: 1, matrix: identity}}
	switch format {
	case "svg":
		p.backend = newSVG(p, o)
	case "pdf":
		p.backend = newPDF(p, o)
	case "pgf":
		p.backend = newPGF(p, o)
	default:
		return nil, fmt.Errorf("there is no format %q; the formats are png, svg, pdf and pgf", format)
	}
	if o.Background != nil {
		p.SetColor(o.Background)
		p.Fill(rectangle(vg.Rectangle{Max: vg.Point{X: width, Y: height}}))
		p.SetColor(nil)
	}
	return p, nil
}

// A backend writes a vector format. Paths are in points from the lower left corner.
type backend interface {
	io.WriterTo
	stroke(p path, s *state)
	fill(p path, c color.NRGBA)
	stamp(p path, at []point, c color.NRGBA)
	setLine(l *label.Line, size float64, m matrix, align text.XAlignment, c color.NRGBA)
	image(img image.Image, lo, hi point)
}

// page keeps the state of a vector drawing.
type page struct {
	width, height vg.Length
	state
	stack   []state
	backend backend
}

type state struct {
	color      color.NRGBA
	lineWidth  float64
	dash       []float64
	dashOffset float64
	matrix     matrix
}

func (c *page) Size() (width, height vg.Length)    { return c.width, c.height }
func (c *page) WriteTo(w io.Writer) (int64, error) { return c.backend.WriteTo(w) }
func (c *page) SetLineWidth(w vg.Length)           { c.lineWidth = float64(w) }
func (c *page) Push()                              { c.stack = append(c.stack, c.state) }
func (c *page) Rotate(angle float64)               { c.matrix = c.matrix.rotate(angle) }
func (c *page) Translate(p vg.Point)               { c.matrix = c.matrix.translate(pointOf(p)) }
func (c *page) Scale(x, y float64)                 { c.matrix = c.matrix.times(matrix{a: x, d: y}) }
func (c *page) SetColor(col color.Color)           { c.color = nrgba(col) }

// Pop returns to the state at the last Push.
func (c *page) Pop() {
	c.state = c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
}

// SetLineDash sets the lengths of dashes and gaps; none is a whole line.
func (c *page) SetLineDash(pattern []vg.Length, offset vg.Length) {
	c.dash = nil
	total := 0.0
	for _, d := range pattern {
		c.dash = append(c.dash, float64(d))
		total += float64(d)
	}
	if total <= 0 {
		c.dash = nil
	}
	c.dashOffset = float64(offset)
}

func nrgba(c color.Color) color.NRGBA {
	if c == nil {
		return color.NRGBA{A: 255}
	}
	return color.NRGBAModel.Convert(c).(color.NRGBA)
}

// Stroke draws along a path.
func (c *page) Stroke(p vg.Path) {
	if c.lineWidth > 0 && len(p) > 0 && c.color.A > 0 {
		c.backend.stroke(newPath(p, c.matrix), &c.state)
	}
}

// Fill fills a path; where it winds both ways is a hole.
func (c *page) Fill(p vg.Path) {
	if len(p) > 0 && c.color.A > 0 {
		c.backend.fill(newPath(p, c.matrix), c.color)
	}
}

// Stamp fills one path at many points.
func (c *page) Stamp(p vg.Path, fill color.Color, at []vg.Point) {
	col := nrgba(fill)
	if len(p) == 0 || len(at) == 0 || col.A == 0 {
		return
	}
	points := make([]point, len(at))
	for i, a := range at {
		points[i] = c.matrix.apply(pointOf(a))
	}
	linear := c.matrix
	linear.e, linear.f = 0, 0
	c.backend.stamp(newPath(p, linear), points, col)
}

// SetLine sets a line of text.
func (c *page) SetLine(l *label.Line, size vg.Length, at vg.Point, align text.XAlignment) {
	if len(l.Glyphs) > 0 && size > 0 && c.color.A > 0 {
		c.backend.setLine(l, float64(size), c.matrix.translate(pointOf(at)), align, c.color)
	}
}

// FillString sets text for handlers other than label.Handler.
func (c *page) FillString(f font.Face, at vg.Point, s string) {
	c.SetLine(label.Plain(f.Face, "'"+string(f.Font.Typeface)+"'", s), f.Font.Size, at, text.XLeft)
}

// DrawImage draws the pixels of an image as cells with sharp edges.
func (c *page) DrawImage(r vg.Rectangle, img image.Image) {
	b := img.Bounds()
	if b.Empty() {
		return
	}
	if c.matrix.b == 0 && c.matrix.c == 0 && b.Dx()*b.Dy() > mostCells {
		lo, hi := c.matrix.apply(pointOf(r.Min)), c.matrix.apply(pointOf(r.Max))
		c.backend.image(img, lo, hi)
		return
	}
	for _, cell := range cells(img, r) {
		c.backend.fill(newPath(rectangle(cell.box), c.matrix), cell.color)
	}
}

func rectangle(r vg.Rectangle) vg.Path {
	var p vg.Path
	p.Move(r.Min)
	p.Line(vg.Point{X: r.Max.X, Y: r.Min.Y})
	p.Line(r.Max)
	p.Line(vg.Point{X: r.Min.X, Y: r.Max.Y})
	p.Close()
	return p
}

// Viewers smooth an image as they like, so few cells are drawn as rectangles, and
// more as an image with several pixels a cell, whose smoothed edges are hardly seen.
const (
	mostCells  = 32 * 32
	enlargedBy = 4
)

// cell is a rectangle of one colour.
type cell struct {
	color color.NRGBA
	box   vg.Rectangle
}

// overlap is by how many points a cell reaches under the next one to the right
// and below: viewers show the paper between two cells that only touch.
const overlap = 0.2

// cells returns the pixels of an image over a box, equal neighbours of a row in one, to be
// drawn in their order.
func cells(img image.Image, r vg.Rectangle) (out []cell) {
	b := img.Bounds()
	dx, dy := r.Size().X/vg.Length(b.Dx()), r.Size().Y/vg.Length(b.Dy())
	for y := range b.Dy() {
		for x, end := 0, 0; x < b.Dx(); x = end {
			first := nrgba(img.At(b.Min.X+x, b.Min.Y+y))
			for end = x + 1; end < b.Dx() && nrgba(img.At(b.Min.X+end, b.Min.Y+y)) == first; end++ {
			}
			if first.A == 0 {
				continue
			}
			under := vg.Length(overlap)
			if first.A < 255 {
				under = 0
			}
			out = append(out, cell{first, vg.Rectangle{
				Min: vg.Point{X: r.Min.X + dx*vg.Length(x), Y: max(r.Min.Y, r.Max.Y-dy*vg.Length(y+1)-under)},
				Max: vg.Point{X: min(r.Max.X, r.Min.X+dx*vg.Length(end)+under), Y: r.Max.Y - dy*vg.Length(y)},
			}})
		}
	}
	return out
}

// enlarged returns an image of several pixels a cell, with a palette if there are few
// colours and none lets the paper through.
func enlarged(img image.Image) image.Image {
	b := img.Bounds()
	size := image.Rect(0, 0, enlargedBy*b.Dx(), enlargedBy*b.Dy())
	indices := make(map[color.NRGBA]uint8)
	var palette color.Palette
	paletted, full := image.NewPaletted(size, nil), image.NewNRGBA(size)
	few := true
	for y := range b.Dy() {
		row := full.Pix[y*enlargedBy*full.Stride:][:full.Stride]
		short := paletted.Pix[y*enlargedBy*paletted.Stride:][:paletted.Stride]
		for x := range b.Dx() {
			c := nrgba(img.At(b.Min.X+x, b.Min.Y+y))
			i, ok := indices[c]
			if !ok && few {
				few = len(palette) < 256 && c.A == 255
				i = uint8(len(palette))
				indices[c], palette = i, append(palette, c)
			}
			for k := x * enlargedBy; k < (x+1)*enlargedBy; k++ {
				short[k] = i
				copy(row[4*k:], []uint8{c.R, c.G, c.B, c.A})
			}
		}
		for k := 1; k < enlargedBy; k++ {
			copy(full.Pix[(y*enlargedBy+k)*full.Stride:], row)
			copy(paletted.Pix[(y*enlargedBy+k)*paletted.Stride:], short)
		}
	}
	if !few {
		return full
	}
	paletted.Palette = palette
	return paletted
}

type point struct{ x, y float64 }

func pointOf(p vg.Point) point { return point{float64(p.X), float64(p.Y)} }

// matrix maps (x, y) to (ax + cy + e, bx + dy + f), in PDF's order.
type matrix struct{ a, b, c, d, e, f float64 }

var identity = matrix{a: 1, d: 1}

func (m matrix) apply(p point) point { return point{m.a*p.x + m.c*p.y + m.e, m.b*p.x + m.d*p.y + m.f} }

// times is the map that first applies n.
func (m matrix) times(n matrix) matrix {
	o := m.apply(point{n.e, n.f})
	return matrix{
		a: m.a*n.a + m.c*n.b, b: m.b*n.a + m.d*n.b,
		c: m.a*n.c + m.c*n.d, d: m.b*n.c + m.d*n.d,
		e: o.x, f: o.y,
	}
}

func (m matrix) translate(p point) matrix { return m.times(matrix{a: 1, d: 1, e: p.x, f: p.y}) }

func (m matrix) rotate(angle float64) matrix {
	sin, cos := math.Sincos(angle)
	return m.times(matrix{a: cos, b: sin, c: -sin, d: cos})
}

// turned reports whether the map is more than a translation.
func (m matrix) turned() bool { return m.a != 1 || m.b != 0 || m.c != 0 || m.d != 1 }
