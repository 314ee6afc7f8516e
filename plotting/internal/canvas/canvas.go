// Package canvas has the canvases that figures are drawn on: for PNG, SVG, PDF and PGF.
// What the libraries lack is done by hand:
//
//   - vgimg, which draws the PNG, has no palette, which makes files three times as large, and no
//     resolution; it blurs the cells of images and rasterizes each of many equal markers.
//   - fpdf, which writes the PDF, lacks what fontFile says; gonum's vgpdf encodes text as cp1252.
//   - vgsvg has no alternative text, breaks a label into strings, and writes each marker in full.
//   - vgtex leaves paths open, does not escape text, and puts images into files named by the time.
//
// The same drawing gives the same bytes. Strokes have flat ends and round joins, as gonum's.
package canvas

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"slices"
	"strconv"

	"git.sr.ht/~sbinet/gg"
	"golang.org/x/image/draw"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/label"
)

// A Canvas draws one shape, given around the origin, at many points.
type Canvas interface {
	vg.CanvasWriterTo
	Stamp(p vg.Path, fill color.Color, at []vg.Point)
}

type Options struct {
	DPI        float64     // pixels per inch of a PNG; zero: 300
	Colors     int         // of a PNG, at most 256; zero: 256, or all if one sees the others
	Alt, Title string      // the text alternative and the document's title
	Background color.Color // nil: transparent
}

// New returns an empty canvas of one of the formats png, svg, pdf and pgf.
func New(format string, width, height vg.Length, o Options) (Canvas, error) {
	const most = 1 << 14 // points; larger pages are mistakes
	if !(width > 0 && height > 0 && width < most && height < most) {
		return nil, fmt.Errorf("a canvas of %g by %g points cannot be drawn", float64(width), float64(height))
	}
	c := &page{width: width, height: height, state: state{color: black, lineWidth: 1, matrix: gg.Identity()}}
	switch format {
	case "png":
		return newRaster(width, height, o), nil
	case "svg":
		c.backend = &svg{page: c, o: o, shapes: make(map[string]bool)}
	case "pdf":
		c.backend = &pdf{page: c, o: o, alpha: -1}
	case "pgf":
		c.backend = &pgf{page: c, alt: o.Alt}
	default:
		return nil, fmt.Errorf("there is no format %q; the formats are png, svg, pdf and pgf", format)
	}
	if o.Background != nil {
		c.backend.fill(vg.Rectangle{Max: vg.Point{X: width, Y: height}}.Path(), nrgba(o.Background))
	}
	return c, nil
}

// A backend writes a vector format. Paths are moves, lines, cubic curves and closings, in
// points from the lower left corner of the page.
type backend interface {
	io.WriterTo
	stroke(p vg.Path, s *state)
	fill(p vg.Path, c color.NRGBA)
	stamp(p vg.Path, c color.NRGBA, at []vg.Point)
	setLine(l *label.Line, size float64, align text.XAlignment, s *state)
	drawImage(img image.Image, r vg.Rectangle)
}

// page keeps the state of a vector drawing.
type page struct {
	state
	width, height vg.Length
	stack         []state
	backend       backend
}

type state struct {
	color      color.NRGBA
	lineWidth  vg.Length
	dash       []vg.Length
	dashOffset vg.Length
	matrix     gg.Matrix
}

func (c *page) Size() (width, height vg.Length)    { return c.width, c.height }
func (c *page) WriteTo(w io.Writer) (int64, error) { return c.backend.WriteTo(w) }
func (c *page) SetLineWidth(w vg.Length)           { c.lineWidth = w }
func (c *page) SetColor(col color.Color)           { c.color = nrgba(col) }
func (c *page) Push()                              { c.stack = append(c.stack, c.state) }
func (c *page) Rotate(angle float64)               { c.matrix = c.matrix.Rotate(angle) }
func (c *page) Translate(p vg.Point)               { c.matrix = c.matrix.Translate(p.X.Points(), p.Y.Points()) }
func (c *page) Scale(x, y float64)                 { c.matrix = c.matrix.Scale(x, y) }

func (c *page) Pop() {
	c.state = c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
}

// SetLineDash sets the lengths of dashes and gaps; none is a whole line.
func (c *page) SetLineDash(pattern []vg.Length, offset vg.Length) {
	c.dash, c.dashOffset = slices.Clone(pattern), offset
}

var black = color.NRGBA{A: 255}

func nrgba(c color.Color) color.NRGBA {
	if c == nil {
		return black
	}
	return color.NRGBAModel.Convert(c).(color.NRGBA)
}

func (c *page) Stroke(p vg.Path) {
	if c.lineWidth > 0 && len(p) > 0 {
		c.backend.stroke(mapped(p, c.matrix), &c.state)
	}
}

// Fill fills a path; where it winds both ways is a hole.
func (c *page) Fill(p vg.Path) {
	if len(p) > 0 {
		c.backend.fill(mapped(p, c.matrix), c.color)
	}
}

// Stamp fills one path at many points.
func (c *page) Stamp(p vg.Path, fill color.Color, at []vg.Point) {
	linear := c.matrix
	linear.X0, linear.Y0 = 0, 0
	points := make([]vg.Point, len(at))
	for i, q := range at {
		points[i] = apply(c.matrix, q)
	}
	c.backend.stamp(mapped(p, linear), nrgba(fill), points)
}

func (c *page) SetLine(l *label.Line, size vg.Length, at vg.Point, align text.XAlignment) {
	s := c.state
	s.matrix = s.matrix.Translate(at.X.Points(), at.Y.Points())
	c.backend.setLine(l, size.Points(), align, &s)
}

// FillString sets text for handlers other than label.Handler.
func (c *page) FillString(f font.Face, at vg.Point, s string) {
	c.SetLine(label.Plain(f, s), f.Font.Size, at, text.XLeft)
}

// DrawImage draws the pixels of an image as cells with sharp edges; it knows no rotation.
func (c *page) DrawImage(r vg.Rectangle, img image.Image) {
	if !img.Bounds().Empty() {
		c.backend.drawImage(img, vg.Rectangle{Min: apply(c.matrix, r.Min), Max: apply(c.matrix, r.Max)})
	}
}

// enlarged returns several pixels a cell, or more, 150 to an inch at least: viewers smooth
// an image as they like, but then the edges of its cells at most.
func enlarged(img image.Image, r vg.Rectangle, more int) image.Image {
	b := img.Bounds()
	scale := func(cells int, length vg.Length) int {
		return cells * (more + max(3, int(math.Ceil(length.Dots(150)/float64(cells)))))
	}
	big := image.NewRGBA(image.Rect(0, 0, scale(b.Dx(), r.Size().X), scale(b.Dy(), r.Size().Y)))
	draw.NearestNeighbor.Scale(big, big.Rect, img, b, draw.Src, nil)
	if big.Opaque() {
		return smaller(big)
	}
	return big
}

func pngOf(img image.Image) []byte {
	var out bytes.Buffer
	_ = png.Encode(&out, img) // a bytes.Buffer does not fail
	return out.Bytes()
}

func apply(m gg.Matrix, p vg.Point) vg.Point {
	x, y := m.TransformPoint(p.X.Points(), p.Y.Points())
	return vg.Point{X: vg.Length(x), Y: vg.Length(y)}
}

// mapped returns a path as backends take it.
func mapped(p vg.Path, m gg.Matrix) vg.Path {
	out := make(vg.Path, 0, len(p))
	var at vg.Point
	for _, c := range p {
		switch {
		case c.Type == vg.ArcComp:
			out, c.Pos = appendArc(out, c, m)
		case c.Type == vg.CurveComp && len(c.Control) == 1:
			q := c.Control[0]
			out.CubeTo(apply(m, between(at, q)), apply(m, between(c.Pos, q)), apply(m, c.Pos))
		case c.Type == vg.CurveComp:
			out.CubeTo(apply(m, c.Control[0]), apply(m, c.Control[1]), apply(m, c.Pos))
		default:
			out = append(out, vg.PathComp{Type: c.Type, Pos: apply(m, c.Pos)})
		}
		at = c.Pos
	}
	return out
}

// between is two thirds of the way, where a quadratic curve has its cubic control point.
func between(from, to vg.Point) vg.Point { return from.Add(to.Sub(from).Scale(2. / 3)) }

// appendArc appends an arc as cubics of at most a quarter turn, whose error is below
// 3e-4 of the radius, and returns where it ends.
func appendArc(p vg.Path, c vg.PathComp, m gg.Matrix) (vg.Path, vg.Point) {
	n := max(1, math.Ceil(math.Abs(c.Angle)/(math.Pi/2)-1e-9))
	on := func(angle float64) (at, tangent vg.Point) {
		sin, cos := math.Sincos(angle)
		at = vg.Point{X: c.Radius * vg.Length(cos), Y: c.Radius * vg.Length(sin)}
		return c.Pos.Add(at), vg.Point{X: -at.Y, Y: at.X}
	}
	at, t0 := on(c.Start)
	if len(p) == 0 || p[len(p)-1].Type == vg.CloseComp {
		p.Move(apply(m, at))
	} else {
		p.Line(apply(m, at))
	}
	k := vg.Length(4. / 3 * math.Tan(c.Angle/n/4))
	for i := 1.0; i <= n; i++ {
		end, t1 := on(c.Start + i*c.Angle/n)
		p.CubeTo(apply(m, at.Add(t0.Scale(k))), apply(m, end.Sub(t1.Scale(k))), apply(m, end))
		at, t0 = end, t1
	}
	return p, at
}

// points are those of a step of a path.
func points(c vg.PathComp) []vg.Point {
	if c.Type == vg.CloseComp {
		return nil
	}
	return append(slices.Clip(c.Control), c.Pos)
}

// number writes a length with two decimals: a hundredth of a point is finer than any printer.
func number[T ~float64](x T) string { return join("", 1e2, x) }

// coefficients writes numbers with four decimals.
func coefficients(separator string, values ...float64) string { return join(separator, 1e4, values...) }

func join[T ~float64](separator string, units float64, values ...T) string {
	var b []byte
	for i, x := range values {
		if i > 0 {
			b = append(b, separator...)
		}
		b = strconv.AppendFloat(b, math.Round(float64(x)*units)/units+0, 'f', -1, 64) // + 0: no minus zero
	}
	return string(b)
}
